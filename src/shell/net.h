/* The net process: the public HTTP server, and the client that asks other nodes. It has sockets, no key and no database: whole requests
   go to the node, and the node's answers come back (shell/messages.h). */
#ifndef COMITY_SHELL_NET_H
#define COMITY_SHELL_NET_H

#include <curl/curl.h>
#include <microhttpd.h>

#include "shell/children.h"
#include "shell/messages.h"
#include "shell/quota.h"

struct connection { /* one request of somebody else */
    struct connection *next;
    struct net *net;
    struct MHD_Connection *mhd;
    struct quota_row *row; /* of its address; NULL on the listener for figures */
    uint64_t token;        /* 0: not handed to the node */
    char *target;          /* as it came, with its query */
    struct buf body;
    size_t held, discarded; /* bytes counted against HTTP_MEMORY_MAX; bytes of a refused body that were read */
    bool metrics;           /* it came by the loopback listener for figures */
    bool begun, answered, suspended;
    int refused; /* status of a refusal that waits for the body's end, or 0 */
    const char *refusal;
    struct answer_message answer;
    struct buf answer_body;
};
struct outgoing { /* one MESSAGE_SEND or MESSAGE_FETCH */
    struct outgoing *next;
    CURL *curl;
    struct curl_slist *headers;
    struct send_message send;
    struct buf request, body;
    struct result_message result;
    bool is_fetch;
    struct fetch_message fetch;
    struct fetched_message fetched;
    bool mail;
    struct curl_slist *recipients; /* of mail */
    size_t given;                  /* bytes of the request that went to the mail server */
};
struct net {
    struct MHD_Daemon *public_daemon, *metrics_daemon; /* the second may be NULL */
    CURLM *multi;
    struct channel node;
    struct connection *connections;
    struct outgoing *outgoing;
    size_t http_bytes; /* held by all connections together */
    struct quota quota;
    unsigned strangers; /* connections from addresses where no peer of ours answers */
    uint64_t next_token;
    struct tally_message tally;
    bool tally_changed;
    bool resumed; /* an answer is ready: the server must run again, whatever it says of its timeouts */
    const char *mail_server, *mail_from;
    char mail_user[256], mail_password[256]; /* read before the process confines itself; no other has them */
    struct buf ca;                           /* certificates (PEM) in place of the system's; may be empty */
};

int http_open(struct net *net, int public_fd, int metrics_fd /* -1: none */);
void http_close(struct net *net);
void http_answer(struct net *net, const struct answer_message *answer, struct buf *body);
/* One of our own peers answers at this address (text, without port). */
void http_known(struct net *net, const char *address);
void http_node_lost(struct net *net); /* whoever waits for the node hears 503 */

/* mail.c. Reads the files that the configuration names: before the process confines itself. */
int mail_open(struct net *net, const struct serve *serve, struct fault *fault);
void mail_send(struct net *net, const struct mail_message *mail, struct buf *body);
void certificates_set(const struct net *net, CURL *curl);

struct outgoing *outgoing_new(size_t body_max); /* without memory it ends the process */
void outgoing_start(struct net *net, struct outgoing *out);
void outgoing_send(struct net *net, const struct send_message *send, struct buf *body);
void outgoing_fetch(struct net *net, const struct fetch_message *fetch);
void outgoing_done(struct net *net, CURL *curl, CURLcode result);
void outgoing_drop_all(struct net *net);

#endif
