/* The shell around the engine: one thread, one loop. HTTP servers and clients, the private API and notice delivery live here; each event
   goes through shell_step, which carries out the actions. */
#ifndef COMITY_SHELL_SHELL_H
#define COMITY_SHELL_SHELL_H

#include <curl/curl.h>
#include <microhttpd.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/text.h"
#include "shell/config.h"
#include "node/news.h"
#include "node/metrics.h"

/* Runs supervisor and node until SIGTERM or SIGINT. Returns 0 or an error. */
int comity_serve(const char *dir, struct fault *fault);

struct connection { /* of one HTTP request that we answer */
    struct connection *next;
    struct MHD_Connection *mhd;
    struct shell *shell;
    uint64_t token;
    char *target; /* as it came, with its query */
    const char *method;
    struct buf body;
    size_t held, discarded; /* bytes counted against HTTP_MEMORY_MAX; bytes of a refused body that were read */
    enum listener listener;
    bool private_api, begun, dispatched, replied;
    int status; /* before the answer: a refusal that waits for the body's end, or 0 */
    const char *refusal;
    const char *content_type;
    char header[96], location[160];
    bool immutable;
    struct buf reply;
};
struct delivery { /* one notice for one channel */
    struct delivery *next;
    struct hash id;
    struct buf body;
    int channel; /* index into shell->channels */
    unsigned attempts;
    int64_t at_ms;
    pid_t pid;  /* command under way */
    CURL *curl; /* webhook under way */
    struct curl_slist *headers;
};
struct outgoing { /* one ACTION_SEND */
    struct outgoing *next;
    CURL *curl;
    struct curl_slist *headers;
    uint64_t token;
    size_t body_max;
    uint64_t range_from;
    struct buf request, body;
    char content_type[128], header[128];
};
struct shell {
    const char *dir;
    struct config config;
    struct roster roster; /* as the charter file has it; node_roster() is the one that counts */
    struct span charter;  /* the file's text, in the arena */
    struct arena arena;
    struct store *store;
    struct signer *signer;
    struct node *node;
    struct MHD_Daemon *daemons[LISTENERS_]; /* NULL: that one does not listen */
    struct shell_counters counters;
    struct node_seen seen; /* what the log has told of the node */
    CURLM *multi;
    struct connection *connections;
    size_t http_bytes; /* held by all connections together */
    struct outgoing *outgoing;
    struct delivery *deliveries;
    const char *channels[3];
    uint64_t next_token;
    int signal_fd;
    int fatal;    /* the engine's error: stop and recover */
    bool resumed; /* an answer became ready: the servers must run again, whatever they say of their timeouts */
    bool stopping;
};

int64_t clock_ms(void);
void shell_step(struct shell *shell, const struct event *event);

int http_open(struct shell *shell, struct fault *fault);
void http_close(struct shell *shell);
void http_reply(struct shell *shell, struct action *action);
/* Called once a request of the private API is whole: fills the answer, or starts an event (then `dispatched`). */
void api_request(struct shell *shell, struct connection *c, const char *method, const char *path);
/* The largest body that this route takes. */
size_t api_body_max(const char *method, struct span path);
/* Fills the answer with an error object. */
void api_refuse(struct connection *c, int code, const struct fault *fault);

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
/* The counters as of now, and the text made of them. */
void metrics_write(struct shell *shell, struct buf *out);
/* From here on each commit of this store is timed. */
void metrics_time(struct store *store, struct shell_counters *counters);

void outgoing_send(struct shell *shell, struct action *action);
void outgoing_done(struct shell *shell, CURL *curl, CURLcode result);
bool outgoing_owns(const struct shell *shell, const CURL *curl);

void delivery_add(struct shell *shell, const struct action *action);
void deliveries_start(struct shell *shell);
void delivery_curl_done(struct shell *shell, CURL *curl, CURLcode result);
void delivery_child_done(struct shell *shell, pid_t pid, bool good);
int64_t deliveries_due(const struct shell *shell);

#endif
