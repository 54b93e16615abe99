/* What crosses between the node and its helpers net and commands: structs of fixed size, in the machine's own byte order, with
   NUL-terminated texts. Whoever receives one checks that its texts end (message_texts). */
#ifndef COMITY_SHELL_MESSAGES_H
#define COMITY_SHELL_MESSAGES_H

#include "base/limits.h"
#include "circle/member.h"
#include "node/engine.h"
#include "shell/channel.h"

enum message_kind {
    MESSAGE_REQUEST = 1, /* net to node: somebody asks us; the body is the request's */
    MESSAGE_RESULT,      /* net to node: what came of a MESSAGE_SEND; the body is the answer's */
    MESSAGE_TALLY,       /* net to node: what it refused by itself, and what it holds */
    MESSAGE_ANSWER,      /* node to net: the answer to a MESSAGE_REQUEST */
    MESSAGE_SEND,        /* node to net: ask somebody */
    MESSAGE_FETCH,       /* node to net: ask a source outside of the circle */
    MESSAGE_FETCHED,     /* net to node: what came of it; the body is the answer's */
    MESSAGE_MAIL,        /* node to net: hand this to the mail server; a MESSAGE_RESULT says what came of it */
    MESSAGE_NOTICE,      /* node to commands: run one of the owner's commands with this on its standard input */
    MESSAGE_TAKEN,       /* commands to node: how that ended */
    MESSAGE_KINDS
};
enum { PATH_BYTES_MAX = 255, HEADER_VALUE_BYTES_MAX = 127 };

enum { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_PUT, METHODS };
extern const char *const method_names[METHODS];

struct request_message {
    uint64_t token;
    uint32_t method;
    uint8_t metrics; /* it came by the loopback listener for figures */
    uint8_t gzip;    /* the body comes as gzip */
    uint8_t twice;   /* Host, Signature-Input or Signature stands twice: it counts for nothing */
    char path[PATH_BYTES_MAX + 1];
    char address[64]; /* of whoever asks, without its port */
    char host[URL_BYTES_MAX + 1], signature_input[MEMBER_INPUT_BYTES_MAX + 1], signature[MEMBER_SIGNATURE_BYTES + 1];
    char if_none_match[HEADER_VALUE_BYTES_MAX + 1], range[HEADER_VALUE_BYTES_MAX + 1];
};
enum { TALLY_ROWS = 24 };
struct tally_message {
    uint64_t connections, body_bytes; /* now */
    struct {
        uint16_t listener, status;
        uint32_t count;
    } refused[TALLY_ROWS]; /* since the last one; count 0: no row */
};
struct answer_message {
    uint64_t token;
    int32_t status;
    uint32_t retry_after;      /* seconds; 0: a moment, if the status says so */
    uint8_t immutable, ranges; /* may be cached for ever; answers Range */
    char content_type[64], etag[40], content_range[96], location[160], receipt[96];
};
struct send_message {
    uint64_t token, range_from, body_max;
    uint32_t method, timeout_ms;
    char url[2 * URL_BYTES_MAX];
    char content_type[64], content_encoding[16];
    char signature_input[MEMBER_INPUT_BYTES_MAX + 1], signature[MEMBER_SIGNATURE_BYTES + 1]; /* empty: unsigned */
    char notice[65];                                                                         /* a webhook's: its id */
    char webhook_signature[48];                                                              /* empty: unsigned */
    int64_t webhook_timestamp;
};
struct mail_message {
    uint64_t token;
    uint32_t timeout_ms;
    char to[256]; /* the body is the whole message, with its header */
};
struct result_message {
    uint64_t token;
    int32_t status; /* as struct event's */
    char content_type[128], receipt[128];
};
struct fetch_message {
    uint64_t token, body_max, from, to, last; /* from, to, last: as struct fetch's */
    uint32_t timeout_ms;
    uint8_t inside; /* an address of this machine or of a private network will do */
    char url[FOLLOWED_URL_MAX + 1], etag[FETCH_TAG_BYTES], since[FETCH_DATE_BYTES];
};
struct fetched_message {
    uint64_t token, from, total, retry_after_s; /* as struct fetched's */
    int32_t status;                             /* as struct event's */
    char etag[FETCH_TAG_BYTES], modified[FETCH_DATE_BYTES], location[FOLLOWED_URL_MAX + 1];
};
#define NOTIFY_COMMAND UINT32_MAX
struct notice_message {
    uint64_t token;
    uint32_t channel; /* whose command: in the configuration's routes, or NOTIFY_COMMAND */
    char id[65];
};
struct taken_message {
    uint64_t token;
    uint32_t good;
};

/* What each process takes, by kind. */
extern const struct message_shape node_takes_of_net[MESSAGE_KINDS], net_takes[MESSAGE_KINDS],
    node_takes_of_commands[MESSAGE_KINDS], commands_takes[MESSAGE_KINDS];
/* Do all its texts end, and its numbers lie within their enums? */
bool message_good(uint32_t kind, const void *fixed);

#endif
