/* Between node and signer: requests and answers as they cross the socketpair, of fixed size, in the machine's own byte order. */
#ifndef COMITY_SIGNER_WIRE_H
#define COMITY_SIGNER_WIRE_H

#include "circle/member.h"
#include "signer/signer.h"

enum ask_type {
    ASK_STATEMENTS = 1,
    ASK_CHECKPOINT,
    ASK_FEED,
    ASK_ADVANCE,
    ASK_COSIGN,
    ASK_POSITION,
    ASK_PROBE,
    ASK_HTTP,
    ASK_CLOSE_LOG,   /* root: the leaf */
    ASK_STORAGE_KEY, /* root: the salt */
    ASK_TYPES
};
enum { SIGNER_NOTE_BYTES_MAX = 4096 };

struct ask {
    uint32_t type, count; /* count: items that follow, each of the type's fixed size */
    uint32_t role, probe;
    uint64_t old_size, size;
    struct hash root;
    struct signature signature;
    char origin[ORIGIN_BYTES_MAX];
};
struct ask_http { /* NUL-terminated */
    char method[8], authority[MEMBER_AUTHORITY_BYTES_MAX + 1], path[MEMBER_PATH_BYTES + 1];
};
struct answer_http {
    char input[MEMBER_INPUT_BYTES_MAX + 1], signature[MEMBER_SIGNATURE_BYTES + 1];
};
struct answer {
    int32_t code;
    uint32_t bytes; /* that follow */
};

/* Bytes of the items that follow, or false: such a request is none of ours. */
bool ask_items(const struct ask *ask, size_t *bytes);

/* process.c: what the signer does with such a request and its items; `out` gets the bytes of the answer. */
int ask_serve(struct signer *, const struct ask *, const void *items, struct buf *out);

/* False when the other side is gone. No signal is raised on a socket. */
bool send_all(int fd, const void *data, size_t len);
bool receive_all(int fd, void *data, size_t len);

/* What a child says to its supervisor once it is confined and ready, or why it is not. */
struct child_report {
    int32_t code;
    struct fault fault;
    char degraded[128];
};

/* A descriptor over a Unix socket, with one byte that says what it is for. Receiving waits; -1: the other side is gone. */
bool fd_send(int socket, uint8_t what, int fd);
int fd_receive(int socket, uint8_t *what);

#endif
