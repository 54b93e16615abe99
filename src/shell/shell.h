/* The node's own process: one thread, one loop around the engine. Each event goes through shell_step, which carries out the actions. The
   public side is in another process (shell/net.h); the owner's private API is served here. */
#ifndef COMITY_SHELL_SHELL_H
#define COMITY_SHELL_SHELL_H

#include <microhttpd.h>

#include "base/clock.h"
#include "base/text.h"
#include "node/metrics.h"
#include "node/news.h"
#include "node/parser.h"
#include "shell/children.h"
#include "shell/messages.h"

/* Runs the supervisor and its children until SIGTERM or SIGINT. Returns 0 or an error; the fault is the child's own. */
int comity_serve(const char *dir, struct fault *fault);

struct caller { /* one request of the owner */
    struct caller *next;
    struct MHD_Connection *mhd;
    struct shell *shell;
    uint64_t token;
    char *target; /* as it came, with its query */
    struct buf body;
    bool begun, dispatched, replied;
    int status; /* before the answer: a refusal that waits for the body's end, or 0 */
    const char *refusal;
    const char *content_type;
    struct buf reply;
};
struct delivery { /* one notice or message for one channel */
    struct delivery *next;
    struct hash id;
    struct buf body; /* of a notice; a message is written when it goes out */
    unsigned attempts;
    int64_t at_ms;
    uint64_t token; /* under way; 0: it waits */
};
struct outlet {                 /* a channel, with what it has not taken */
    const char *name, *address; /* as the engine calls it, and where it is */
    enum channel_kind kind;
    uint32_t
        number; /* in the configuration's routes; NOTIFY_COMMAND: notify-command and notify-webhook, which get notices by themselves */
    struct delivery *first, **last;
    unsigned running, failures; /* failures: since it took the last one */
    int64_t at_ms;              /* not before, after a failure */
};
struct sending { /* one ACTION_SEND or ACTION_FETCH */
    struct sending *next;
    uint64_t token;
    bool fetch;
    bool lost; /* net has gone, or was not there */
};
struct shell {
    const struct serve *serve;
    struct store *store;
    struct signer *signer;
    struct parser *parser;
    struct node *node;
    struct shell_counters counters;
    struct node_seen seen; /* what the log has told of the node */
    struct channel net, commands;
    uint64_t net_round; /* counts the net processes, so that an answer reaches none but who asked */
    struct MHD_Daemon *private_daemon;
    struct caller *callers;
    struct sending *sending;
    struct outlet *outlets;
    size_t outlet_count, outlet_turn;
    const char *channels[3]; /* those without a route, NULL-ended */
    struct buf webhook_secrets;
    uint64_t next_token;
    int control, signal_fd, signer_fd;
    int fatal;    /* the engine's error: stop and recover */
    bool resumed; /* an answer became ready: the private server must run again, whatever it says of its timeouts */
    bool stopping;
};

int64_t clock_ms(void);
void shell_step(struct shell *shell, const struct event *event);

/* local.c: the private socket */
int local_open(struct shell *shell, struct fault *fault);
void local_close(struct shell *shell);
bool local_reply(struct shell *shell, struct action *action); /* false: the token is none of its */
uid_t local_uid(const struct caller *c);                      /* whose process calls */
/* api.c. Called once a request is whole: fills the answer, or starts an event (then `dispatched`). */
void api_request(struct shell *shell, struct caller *c, const char *method, const char *path);
/* The largest body that this route takes. */
size_t api_body_max(const char *method, struct span path);
/* Fills the answer with an error object. */
void api_refuse(struct caller *c, int code, const struct fault *fault);

/* web.c: what others ask, by way of net */
void web_tally(struct shell *shell, const struct tally_message *tally); /* what net has refused by itself */
void web_request(struct shell *shell, const struct request_message *request, struct buf *body);
void answer_send(struct shell *shell, struct answer_message *answer, struct buf *body);
void answer_text(struct shell *shell, uint64_t token, int status, const char *content_type, struct span text);
/* 200 once the body is as it was before its sender compressed it. */
int body_unpack(struct shell *shell, const struct request_message *request, struct buf *body);

/* hosted.c: organisations whose inventories are hosted */
void hosted_put(struct shell *shell, const struct request_message *request, struct buf *body, uint64_t token);
bool hosted_get(struct shell *shell, const struct request_message *request); /* false: it is another path */
void web_reply(struct shell *shell, struct action *action);

/* metrics.c */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
/* The counters as of now, and the text made of them. */
void metrics_write(struct shell *shell, struct buf *out);
/* From here on each commit of this store is timed. Before the process confines itself: it opens a file that it reads later. */
void metrics_time(struct store *store, struct shell_counters *counters);

/* shell.c: waits for one line from the supervisor; false: there is no supervisor, or nothing came in that time. */
bool line_wait(struct shell *shell, int most_ms);

/* parser.c: the node's side of the process that reads documents */
struct parser *parser_client(struct shell *shell);
void parser_line(struct parser *parser, int fd); /* a line to a new one; it is taken over */
bool parser_there(const struct parser *parser);
/* Appends what a gzip file expands to, read there: gunzip's answers, and those of parser_ops. */
int parser_unpack(struct parser *parser, struct span packed, struct buf *out);

/* sends.c: what the engine asks others, by way of net */
void sends_add(struct shell *shell, struct action *action);
void sends_result(struct shell *shell, const struct result_message *result, struct buf *body);
void fetches_add(struct shell *shell, const struct action *action);
void fetches_result(struct shell *shell, const struct fetched_message *result, struct buf *body);
void sends_lose(struct shell *shell);   /* net has gone */
void sends_settle(struct shell *shell); /* tells the engine of the lost ones */

/* deliver.c */
int outlets_open(struct shell *shell);
void deliveries_free(struct shell *shell);
void delivery_add(struct shell *shell, const struct action *action);
void deliveries_start(struct shell *shell);
void delivery_ended(struct shell *shell, uint64_t token, bool good);
void deliveries_lose(struct shell *shell, bool commands); /* the process that runs commands, or net, has gone */
int64_t deliveries_due(const struct shell *shell);
bool delivery_token(uint64_t token);

#endif
