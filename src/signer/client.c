/* The node's side: one request at a time. Once the signer is gone, or its answer makes no sense, every later call is E_IO. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signer/wire.h"

struct client {
    struct signer base;
    int fd; /* -1: lost */
};

static int lost(struct client *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
    return E_IO;
}

static int ask_send(struct client *s, const struct ask *ask, const void *items, struct answer *answer)
{
    size_t bytes;
    if (s->fd < 0)
        return E_IO;
    if (!ask_items(ask, &bytes))
        return E_LIMIT;
    if (!send_all(s->fd, ask, sizeof *ask) || !send_all(s->fd, items, bytes) ||
        !receive_all(s->fd, answer, sizeof *answer) || answer->code > 0 || (answer->code && answer->bytes))
        return lost(s);
    return answer->code;
}

/* For answers of one size; `out` may be NULL with 0. */
static int ask_fixed(struct signer *signer, const struct ask *ask, const void *items, void *out, size_t len)
{
    struct client *s = (struct client *)signer;
    struct answer answer;
    int rc = ask_send(s, ask, items, &answer);
    if (rc)
        return rc;
    return answer.bytes == len && receive_all(s->fd, out, len) ? 0 : lost(s);
}

/* Length and bytes, one after the other. */
static bool statements_split(const uint8_t *at, size_t left, struct signed_statement *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (left < sizeof out[i].len)
            return false;
        memcpy(&out[i].len, at, sizeof out[i].len);
        at += sizeof out[i].len;
        left -= sizeof out[i].len;
        if (out[i].len > sizeof out[i].bytes || out[i].len > left)
            return false;
        memcpy(out[i].bytes, at, out[i].len);
        at += out[i].len;
        left -= out[i].len;
    }
    return left == 0;
}

static int op_statements(struct signer *signer, const struct sign_statement *requests, size_t count,
                         struct signed_statement *out)
{
    struct client *s = (struct client *)signer;
    struct ask ask = {.type = ASK_STATEMENTS, .count = (uint32_t)count};
    struct answer answer;
    int rc = count > BATCH_STATEMENTS_MAX ? E_LIMIT : ask_send(s, &ask, requests, &answer);
    if (rc)
        return rc;
    if (answer.bytes > count * sizeof *out)
        return lost(s);
    uint8_t *bytes = malloc(answer.bytes + 1u);
    if (!bytes)
        return lost(s); /* the answer cannot be taken: what was signed is not known here */
    bool good = receive_all(s->fd, bytes, answer.bytes) && statements_split(bytes, answer.bytes, out, count);
    free(bytes);
    return good ? 0 : lost(s);
}

static int op_checkpoint(struct signer *signer, uint64_t old_size, const struct hash *leaves, size_t count,
                         struct buf *note)
{
    struct client *s = (struct client *)signer;
    struct ask ask = {.type = ASK_CHECKPOINT, .count = (uint32_t)count, .old_size = old_size};
    struct answer answer;
    uint8_t bytes[SIGNER_NOTE_BYTES_MAX];
    int rc = count > BATCH_STATEMENTS_MAX ? E_LIMIT : ask_send(s, &ask, leaves, &answer);
    if (rc)
        return rc;
    if (answer.bytes > sizeof bytes || !receive_all(s->fd, bytes, answer.bytes))
        return lost(s);
    buf_reset(note);
    buf_add(note, bytes, answer.bytes);
    return note->error;
}

static int op_feed(struct signer *signer, uint64_t from, const struct hash *leaves, size_t count)
{
    const struct ask ask = {.type = ASK_FEED, .count = (uint32_t)count, .old_size = from};
    return count > FEED_LEAVES_MAX ? E_LIMIT : ask_fixed(signer, &ask, leaves, NULL, 0);
}

static int op_advance(struct signer *signer, uint64_t size, const struct hash *root, const struct signature *signature)
{
    const struct ask ask = {.type = ASK_ADVANCE, .size = size, .root = *root, .signature = *signature};
    return ask_fixed(signer, &ask, NULL, NULL, 0);
}

static int op_cosign(struct signer *signer, enum key_role role, const struct sign_cosignature *request,
                     struct cosigned *out)
{
    const struct ask ask = {.type = ASK_COSIGN, .count = 1, .role = role};
    return ask_fixed(signer, &ask, request, out, sizeof *out);
}

static int op_close_log(struct signer *signer, const struct hash *leaf)
{
    const struct ask ask = {.type = ASK_CLOSE_LOG, .root = *leaf};
    return ask_fixed(signer, &ask, NULL, NULL, 0);
}

static int op_position(struct signer *signer, enum key_role role, struct span origin, struct signer_position *out)
{
    struct ask ask = {.type = ASK_POSITION, .role = role};
    if (origin.len >= sizeof ask.origin || (origin.len && memchr(origin.data, 0, origin.len)))
        return E_NOTFOUND;
    if (origin.len)
        memcpy(ask.origin, origin.data, origin.len);
    return ask_fixed(signer, &ask, NULL, out, sizeof *out);
}

/* What does not fit is none that may be signed. */
static bool word_copy(char *out, size_t size, const char *text)
{
    size_t len = strlen(text);
    if (len >= size)
        return false;
    memcpy(out, text, len + 1);
    return true;
}

static int op_http_sign(struct signer *signer, const char *method, const char *authority, const char *path,
                        struct buf *signature_input, struct buf *signature)
{
    const struct ask ask = {.type = ASK_HTTP, .count = 1};
    struct ask_http request = {0};
    struct answer_http made;
    if (!word_copy(request.method, sizeof request.method, method) ||
        !word_copy(request.path, sizeof request.path, path) ||
        !word_copy(request.authority, sizeof request.authority, authority))
        return E_REFUSED;
    int rc = ask_fixed(signer, &ask, &request, &made, sizeof made);
    if (rc)
        return rc;
    made.input[sizeof made.input - 1] = made.signature[sizeof made.signature - 1] = 0;
    buf_text(signature_input, made.input);
    buf_text(signature, made.signature);
    return signature_input->error ? signature_input->error : signature->error;
}

static int op_storage_key(struct signer *signer, const struct hash *salt, struct storage_key *out)
{
    const struct ask ask = {.type = ASK_STORAGE_KEY, .root = *salt};
    return ask_fixed(signer, &ask, NULL, out, sizeof *out);
}

static void op_close(struct signer *signer)
{
    if (signer)
        (void)lost((struct client *)signer); /* the signer reads the end of its socket, and ends */
    free(signer);
}

static const struct signer_ops client_ops = {
    .close = op_close,
    .statements = op_statements,
    .checkpoint = op_checkpoint,
    .feed = op_feed,
    .advance = op_advance,
    .cosign = op_cosign,
    .close_log = op_close_log,
    .position = op_position,
    .http_sign = op_http_sign,
    .storage_key = op_storage_key,
};

struct signer *signer_client(int fd)
{
    struct client *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct client){.base.ops = &client_ops, .fd = fd};
    return &s->base;
}

int signer_probe(struct signer *signer, unsigned what, int *errno_seen)
{
    const struct ask ask = {.type = ASK_PROBE, .probe = what};
    if (signer->ops != &client_ops)
        return E_UNSUPPORTED;
    return ask_fixed(signer, &ask, NULL, errno_seen, sizeof *errno_seen);
}
