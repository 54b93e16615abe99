/* What a hijacked node may write to the signer, and a hijacked signer to the node. The plan's first byte chooses the side,
   or descriptors between them. Whatever is
   asked, the signer signs one tree of each log, never an older one, and nothing that needs a person. */
#include <sys/socket.h>

#include "base/error.h"
#include "fuzz/keys.h"
#include "record/checkpoint.h"
#include "signer/wire.h"

enum { ASKS_MAX = 32, SIGNED_MAX = 256, NOW = 1700000000 };

static char dir[64];
static const struct hash circle = {{0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8}};
static const char *const origins[] = {"comity/c1c2c3c4c5c6c7c8/bravo",
                                      "comity/c1c2c3c4c5c6c7c8/alpha",
                                      "log.example/x",
                                      "comity/c1c2c3c4c5c6c7c8/",
                                      "two\nlines",
                                      ""};

/* What was signed: of each log and role the last size, and the root at each size. */
struct signed_tree {
    uint32_t role;
    char origin[ORIGIN_BYTES_MAX];
    uint64_t size;
    struct hash root;
};
static struct signed_tree trees[SIGNED_MAX];
static size_t tree_count;

static void clean(void)
{
    key_folder_remove(dir);
}

static int64_t now(void *ctx)
{
    (void)ctx;
    return NOW;
}

static void tree_signed(uint32_t role, const char *origin, uint64_t size, const struct hash *root)
{
    for (size_t i = 0; i < tree_count; i++)
        if (trees[i].role == role && strcmp(trees[i].origin, origin) == 0)
            must(trees[i].size < size || (trees[i].size == size && hash_eq(&trees[i].root, root)));
    if (tree_count == SIGNED_MAX)
        return;
    struct signed_tree *tree = &trees[tree_count++];
    *tree = (struct signed_tree){.role = role, .size = size, .root = *root};
    (void)snprintf(tree->origin, sizeof tree->origin, "%s", origin);
}

static void answer_check(const struct ask *ask, const void *items, const struct buf *out)
{
    static struct note note;
    struct checkpoint checkpoint;
    struct statement s;
    const uint8_t *at = out->data;
    must(!out->error);
    if (ask->type == ASK_CHECKPOINT) {
        char origin[ORIGIN_BYTES_MAX];
        must(checkpoint_parse(&checkpoint, &note, buf_view(out), NULL) == 0);
        (void)snprintf(origin, sizeof origin, "%.*s", (int)checkpoint.origin.len, (const char *)checkpoint.origin.data);
        must(strcmp(origin, origins[1]) == 0);
        tree_signed(KEY_LOG, origin, checkpoint.size, &checkpoint.root);
    }
    if (ask->type == ASK_COSIGN) {
        const struct sign_cosignature *wanted = items;
        must(strcmp(wanted->origin, origins[1]) != 0 && !strchr(wanted->origin, '\n'));
        tree_signed(ask->role, wanted->origin, wanted->size, &wanted->root);
    }
    for (uint32_t i = 0; ask->type == ASK_STATEMENTS && i < ask->count; i++) {
        uint32_t len;
        memcpy(&len, at, sizeof len);
        must(statement_parse(&s, span_of(at + sizeof len, len), NULL) == 0 && span_is(s.issuer, "alpha"));
        must(hash_eq(&s.circle, &circle) && !span_starts(s.media, "application/vnd.comity.ballot"));
        at += sizeof len + len;
    }
}

static void text_take(char *out, size_t size, struct span text)
{
    memset(out, 0, size);
    if (text.len)
        memcpy(out, text.data, text.len < size ? text.len : size);
}

static void statement_take(struct sign_statement *item, struct span *plan)
{
    static const char *const media[] = {"application/osv+json", "application/vnd.comity.ballot+json", "no media", "",
                                        "Application/VND.comity.Roster+json"};
    size_t which = plan_byte(plan) % 6;
    memset(item, 0, sizeof *item);
    item->issued_at = NOW + (int64_t)(int8_t)plan_byte(plan) * 1000;
    item->answer_count = plan_byte(plan) % (STATEMENT_ANSWERS_MAX + 2);
    for (size_t i = 0; i < STATEMENT_ANSWERS_MAX; i++)
        item->answers[i].b[0] = (uint8_t)(i * (plan_byte(plan) & 1));
    text_take(item->media, sizeof item->media, which < 5 ? span_str(media[which]) : plan_piece(plan));
    text_take(item->subject, sizeof item->subject, plan_piece(plan));
}

static void cosignature_take(struct sign_cosignature *item, struct span *plan)
{
    static struct hash leaves[2];
    memset(item, 0, sizeof *item);
    text_take(item->origin, sizeof item->origin, span_str(origins[plan_byte(plan) % 6]));
    item->size = plan_byte(plan) % 4;
    item->proof_count = plan_byte(plan) % 4;
    memset(leaves, plan_byte(plan) % 2, sizeof leaves);
    /* Trees of up to two leaves with right roots; a third leaf has a root that no proof leads to. */
    if (item->size == 0)
        tree_empty(&item->root);
    else if (item->size == 2)
        tree_node(&leaves[0], &leaves[1], &item->root);
    else
        item->root = leaves[0];
    item->proof[0] = leaves[1];
    if (plan_byte(plan) == 255)
        item->proof_count = (uint32_t)plan_number(plan, 4);
}

/* The items behind a request, `bytes` long: shaped where that is of use, else as they come. */
static void items_fill(const struct ask *ask, uint8_t *items, size_t bytes, struct span *plan)
{
    struct sign_statement *statement = (void *)items;
    struct ask_http *http = (void *)items;
    memset(items, 0, bytes);
    for (uint32_t i = 0; ask->type == ASK_STATEMENTS && i < ask->count; i++)
        statement_take(&statement[i], plan);
    if (ask->type == ASK_COSIGN) {
        cosignature_take((void *)items, plan);
    } else if (ask->type == ASK_HTTP) {
        text_take(http->method, sizeof http->method, plan_byte(plan) & 1 ? plan_piece(plan) : span_str("GET"));
        text_take(http->authority, sizeof http->authority, plan_piece(plan));
        text_take(http->path, sizeof http->path,
                  plan_byte(plan) & 1
                      ? plan_piece(plan)
                      : span_str("/documents/00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"));
    } else if (ask->type != ASK_STATEMENTS) {
        struct span raw = plan_bytes(plan, bytes);
        if (raw.len)
            memcpy(items, raw.data, raw.len);
    }
}

static void ask_one(struct signer *signer, struct span *plan)
{
    struct ask ask = {.type = plan_byte(plan) % (ASK_TYPES + 1)};
    struct buf out;
    size_t bytes = 0;
    ask.count = plan_byte(plan) % 8;
    ask.role = plan_byte(plan) % (KEY_COUNT + 1);
    ask.old_size = plan_byte(plan) % 12;
    ask.size = plan_byte(plan) % 12;
    text_take(ask.origin, sizeof ask.origin, span_str(origins[plan_byte(plan) % 6]));
    if (plan_byte(plan) == 255) { /* all of it as it comes */
        struct span raw = plan_bytes(plan, sizeof ask);
        memcpy(&ask, raw.len ? raw.data : (const void *)&ask, raw.len);
    }
    if (!ask_items(&ask, &bytes) || ask.type == ASK_PROBE) /* a probe would do what the sandbox forbids */
        return;
    uint8_t *items = malloc(bytes ? bytes : 1);
    must(items != NULL);
    items_fill(&ask, items, bytes, plan);
    buf_init(&out, BATCH_STATEMENTS_MAX * sizeof(struct signed_statement));
    if (ask_serve(signer, &ask, items, &out) == 0)
        answer_check(&ask, items, &out);
    buf_free(&out);
    free(items);
}

static void asks(struct span plan)
{
    struct keyring *ring = NULL;
    struct signer *signer = NULL;
    must(keyring_open(&ring, dir, span_str(key_passphrase), NULL) == 0);
    struct signer_config config = {.keys = ring, .party = "alpha", .circle = circle, .state_fd = -1, .clock = now};
    must(signer_local_open(&signer, &config, NULL) == 0);
    tree_count = 0;
    for (int i = 0; i < ASKS_MAX && plan.len; i++)
        ask_one(signer, &plan);
    signer->ops->close(signer);
}

/* The node asks; the answers are the input. */
static void answers(struct span plan)
{
    static struct sign_statement statements[2];
    static struct signed_statement made[2];
    static struct sign_cosignature wanted;
    struct signer_position position;
    struct cosigned cosigned;
    struct buf note, other;
    struct hash leaf = {{0}};
    struct storage_key key;
    struct signature signature = {{0}};
    int pair[2];
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    struct signer *signer = signer_client(pair[0]);
    uint8_t call = plan_byte(&plan) % 8;
    struct span sent = plan_bytes(&plan, 32768);
    must(signer && send_all(pair[1], sent.data, sent.len) && shutdown(pair[1], SHUT_WR) == 0);
    buf_init(&note, NOTE_BYTES_MAX);
    buf_init(&other, NOTE_BYTES_MAX);
    for (int i = 0; i < 3; i++) {
        int rc = call == 0   ? signer->ops->statements(signer, statements, 2, made)
                 : call == 1 ? signer->ops->checkpoint(signer, 0, &leaf, 1, &note)
                 : call == 2 ? (i == 1 ? signer->ops->advance(signer, 1, &leaf, &signature)
                                       : signer->ops->feed(signer, 0, &leaf, 1))
                 : call == 3 ? signer->ops->cosign(signer, KEY_MIRROR, &wanted, &cosigned)
                 : call == 4 ? signer->ops->position(signer, KEY_LOG, span_str("x"), &position)
                 : call == 5 ? signer->ops->http_sign(signer, "GET", "a", "/", &note, &other)
                 : call == 6 ? signer->ops->storage_key(signer, &leaf, &key)
                             : signer->ops->close_log(signer, &leaf);
        must(rc <= 0 && note.len <= SIGNER_NOTE_BYTES_MAX);
        for (int k = 0; call == 0 && rc == 0 && k < 2; k++)
            must(made[k].len <= sizeof made[k].bytes);
    }
    buf_free(&note);
    buf_free(&other);
    signer->ops->close(signer);
    (void)close(pair[1]);
}

/* Descriptors over a socket: exactly one is taken, and nothing else that came stays open. */
static void descriptors(struct span plan)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(4 * sizeof(int))];
    } control = {0};
    int pair[2], fds[4];
    uint8_t count = plan_byte(&plan) % 5, what = plan_byte(&plan), got = 0;
    struct iovec byte = {.iov_base = &what, .iov_len = 1};
    struct msghdr message = {.msg_iov = &byte, .msg_iovlen = 1};
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    for (int i = 0; i < 4; i++)
        fds[i] = pair[1];
    int free_before = dup(pair[1]);
    must(close(free_before) == 0);
    if (count == 4) {
        must(fd_send(pair[1], what, pair[1]));
    } else {
        message.msg_control = count ? control.bytes : NULL;
        message.msg_controllen = count ? CMSG_SPACE(count * sizeof(int)) : 0;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        if (head) {
            head->cmsg_level = SOL_SOCKET;
            head->cmsg_type = SCM_RIGHTS;
            head->cmsg_len = CMSG_LEN(count * sizeof(int));
            memcpy(CMSG_DATA(head), fds, count * sizeof(int));
        }
        must(sendmsg(pair[1], &message, MSG_NOSIGNAL) == 1);
    }
    int fd = fd_receive(pair[0], &got);
    must(got == what && (fd >= 0) == (count == 1 || count == 4));
    must(fd < 0 || close(fd) == 0);
    int free_after = dup(pair[1]);
    must(free_after == free_before && close(free_after) == 0);
    must(close(pair[1]) == 0 && fd_receive(pair[0], &got) == -1 && close(pair[0]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seeds[KEY_COUNT][32] = {{1}, {2}, {3}, {4}, {5}, {6}};
    struct span plan = span_of(data, size);
    must(crypto_start() == 0);
    if (!dir[0]) {
        key_folder_make(dir, seeds);
        must(atexit(clean) == 0);
    }
    static void (*const sides[])(struct span) = {asks, answers, descriptors};
    sides[plan_byte(&plan) % 3](plan);
    return 0;
}
