/* One node of a made-up circle, driven event by event: store in memory, real keys and signer, a clock that the test sets. What it sends
   goes nowhere but into `sent`; the test answers, or does not. */
#ifndef COMITY_TESTS_NODE_SUBJECT_H
#define COMITY_TESTS_NODE_SUBJECT_H

#include "node/engine.h"
#include "record/wire.h"
#include "tests/circle/subject.h"
#include "tests/signer/common.h"

enum { SENT_MAX = 512, NOTICES_MAX = 64 };

struct sent {
    uint64_t token;
    const struct party *peer;
    char path[176]; /* of a GET; "POST /..", "PUT /.." of others */
    uint64_t range_from;
    size_t body_max;
    bool answered;
};
struct bench {
    struct subject s;
    size_t self;
    struct store *store;
    struct signer *signer;
    struct parser *parser; /* NULL: this process */
    struct node *node;
    struct node_config config;
    int64_t now_ms;
    uint64_t token;
    /* the answer to the last request, submission or inventory */
    int status;
    unsigned retry_after;
    const char *content_type;
    struct buf answer;
    struct sent sent[SENT_MAX];
    size_t sent_count;
    struct hash notices[NOTICES_MAX]; /* handed out, in order */
    size_t notice_count;
    struct {
        struct hash id;
        uint32_t channel;
    } messages[NOTICES_MAX]; /* so are these */
    size_t message_count;
};

static inline uint64_t bench_random(void *ctx)
{
    (void)ctx;
    return 0;
}

/* A signer that has signed nothing, and an empty store. */
static inline void bench_open(struct bench *b, struct keyring *ring)
{
    struct fault fault = {0};
    struct signer_config config = {.keys = ring, .circle = b->s.roster.circle, .state_fd = -1, .clock = clock_still};
    (void)snprintf(config.party, sizeof config.party, "%s", b->s.cards[b->self].name);
    CHECK_INT(signer_local_open(&b->signer, &config, &fault), 0);
    CHECK_INT(store_memory_open(&b->store), 0);
}

/* The parties of tests/circle/subject.h, of which `self` has the keys of a folder, so that a real signer can open them. The roster can
   be changed (quotas) before bench_start. */
static inline void bench_make(struct bench *b, size_t count, size_t committee, size_t self, size_t writer)
{
    uint8_t recovery[32];
    struct fault fault = {0};
    memset(b, 0, sizeof *b);
    b->self = self;
    b->now_ms = now * 1000;
    buf_init(&b->answer, 64 << 20);
    if (crypto_start() != 0)
        abort();
    subject_parties(&b->s, count, committee, 20);
    folder_make(b->s.cards[self].keys, recovery);
    struct keyring *ring = ring_open();
    buf_reset(&b->s.notes[self]);
    card_sign(&b->s.notes[self], &b->s.cards[self], ring, recovery);
    subject_draft(&b->s);
    if (charter_parse(&b->s.roster, buf_view(&b->s.charter), &b->s.arena, &fault) != 0)
        printf("# %s: %s\n", fault.where, fault.detail);
    b->s.roster.quota_entries_day = b->s.roster.quota_bytes_day = 0;
    b->s.writer_index = writer;
    b->s.writer = roster_party(&b->s.roster, span_str(b->s.cards[writer].name));
    bench_open(b, ring);
    b->config = (struct node_config){.roster = &b->s.roster,
                                     .charter = buf_view(&b->s.charter),
                                     .party = span_str(b->s.cards[self].name),
                                     .recover_alone = true};
}

/* A new place, or when there is none that of a call that was answered. */
static inline struct sent *bench_sent_place(struct bench *b)
{
    if (b->sent_count < SENT_MAX)
        return &b->sent[b->sent_count++];
    for (size_t i = 0; i < SENT_MAX; i++)
        if (b->sent[i].answered)
            return &b->sent[i];
    abort();
}

static inline void bench_actions(struct bench *b, uint64_t token, struct actions *actions)
{
    for (size_t i = 0; i < actions->count; i++) {
        const struct action *action = &actions->list[i];
        if (action->kind == ACTION_REPLY && action->token == token && token) {
            b->status = action->status;
            b->retry_after = action->retry_after;
            b->content_type = action->content_type;
            buf_reset(&b->answer);
            buf_span(&b->answer, buf_view(&action->body));
        } else if (action->kind == ACTION_NOTICE && b->notice_count < NOTICES_MAX) {
            b->notices[b->notice_count++] = action->hash;
        } else if (action->kind == ACTION_MESSAGE && b->message_count < NOTICES_MAX) {
            b->messages[b->message_count].id = action->hash;
            b->messages[b->message_count++].channel = action->channel;
        } else if (action->kind == ACTION_SEND) {
            struct sent *sent = bench_sent_place(b);
            *sent = (struct sent){.token = action->token,
                                  .peer = action->peer,
                                  .range_from = action->range_from,
                                  .body_max = action->body_max};
            bool get = strcmp(action->method, "GET") == 0;
            (void)snprintf(sent->path, sizeof sent->path, "%s%s%s", get ? "" : action->method, get ? "" : " ",
                           action->path);
        }
    }
}

static inline void bench_step(struct bench *b, struct event event)
{
    struct actions actions = {0};
    if (event.kind != EVENT_RESPONSE)
        event.token = ++b->token;
    b->status = 0;
    CHECK_INT(node_step(b->node, &event, b->now_ms, &actions), 0);
    bench_actions(b, event.kind == EVENT_RESPONSE ? 0 : event.token, &actions);
    actions_clear(&actions);
}

static inline void bench_start(struct bench *b)
{
    struct env env = {.store = b->store, .signer = b->signer, .parser = b->parser, .random = bench_random};
    struct fault fault = {0};
    CHECK_INT(node_open(&b->node, &env, &b->config, &fault), 0);
    bench_step(b, (struct event){.kind = EVENT_START});
    bench_step(b, (struct event){.kind = EVENT_FLUSH});
}

static inline void bench_restart(struct bench *b)
{
    node_close(b->node);
    b->sent_count = 0;
    bench_start(b);
}

static inline void bench_close(struct bench *b)
{
    node_close(b->node);
    b->store->ops->close(b->store);
    b->signer->ops->close(b->signer);
    buf_free(&b->answer);
    subject_free(&b->s);
    folder_drop();
}

static inline int bench_request(struct bench *b, enum request_kind kind, struct span body, const struct hash *hash)
{
    struct event event = {.kind = EVENT_REQUEST, .request = kind, .body = body};
    if (hash)
        event.hash = *hash;
    bench_step(b, event);
    return b->status;
}

static inline void bench_tick(struct bench *b, int64_t ms)
{
    b->now_ms += ms;
    bench_step(b, (struct event){.kind = EVENT_TICK});
}

static inline void bench_respond(struct bench *b, struct sent *sent, int status, struct span body)
{
    sent->answered = true;
    bench_step(b, (struct event){.kind = EVENT_RESPONSE, .token = sent->token, .status = status, .body = body});
}

/* The oldest call that is not answered, to this party (NULL = anybody), whose path begins so. */
static inline struct sent *bench_sent(struct bench *b, const char *party, const char *path)
{
    for (size_t i = 0; i < b->sent_count; i++)
        if (!b->sent[i].answered && (!party || strcmp(b->sent[i].peer->card.name, party) == 0) &&
            strncmp(b->sent[i].path, path, strlen(path)) == 0)
            return &b->sent[i];
    return NULL;
}

static inline size_t bench_sent_count(const struct bench *b, const char *party, const char *path)
{
    size_t n = 0;
    for (size_t i = 0; i < b->sent_count; i++)
        n += !b->sent[i].answered && (!party || strcmp(b->sent[i].peer->card.name, party) == 0) &&
             strncmp(b->sent[i].path, path, strlen(path)) == 0;
    return n;
}

/* The writer's log. An entry states `document` as `media`; `party` is who issues and signs it. */
static inline void bench_state(struct bench *b, size_t party, const char *media, struct span document)
{
    struct subject *s = &b->s;
    struct statement fields = {.circle = s->roster.circle,
                               .subject = span_str("EX-2026-1"),
                               .media = span_str(media),
                               .issued_at = 1700000200,
                               .issuer = span_str(s->cards[party].name)};
    struct buf header, signed_bytes, *entry = &s->entries[s->size];
    struct signature signature;
    key_id(&s->cards[party].keys[KEY_STATEMENT], &fields.kid);
    sha256(document, &fields.document);
    buf_init(&header, STATEMENT_BYTES_MAX);
    buf_init(&signed_bytes, STATEMENT_BYTES_MAX);
    buf_init(entry, STATEMENT_BYTES_MAX);
    statement_protected(&header, &fields);
    cose_to_be_signed(&signed_bytes, buf_view(&header), span_hash(&fields.document));
    sign(s->secret[party][KEY_STATEMENT], buf_view(&signed_bytes), &signature);
    cose_write(entry, buf_view(&header), span_of(NULL, 0), span_hash(&fields.document), &signature);
    tree_leaf(buf_view(entry), &s->leaves[s->size++]);
    buf_free(&header);
    buf_free(&signed_bytes);
}

/* The writer's note at `size` with the cosignatures of these parties (bits). */
static inline void bench_note(struct bench *b, size_t size, uint32_t cosigners, struct buf *note)
{
    size_t all = b->s.size;
    b->s.size = size;
    subject_note(&b->s, cosigners, 0, note);
    b->s.size = all;
}

/* RFC 6962 section 2.1.2, from the definition. */
static inline size_t bench_subproof(const struct hash *leaves, size_t m, size_t n, bool whole, struct hash *proof)
{
    size_t split = 1, count;
    if (m == n) {
        if (!whole)
            subject_root(leaves, n, &proof[0]);
        return !whole;
    }
    while (split * 2 < n)
        split *= 2;
    if (m <= split) {
        count = bench_subproof(leaves, m, split, whole, proof);
        subject_root(leaves + split, n - split, &proof[count]);
    } else {
        count = bench_subproof(leaves + split, m - split, n - split, false, proof);
        subject_root(leaves, split, &proof[count]);
    }
    return count + 1;
}

static inline size_t bench_consistency(const struct bench *b, size_t m, size_t n, struct hash *proof)
{
    return m && m < n ? bench_subproof(b->s.leaves, m, n, true, proof) : 0;
}

/* An add-entries body of entries [start, end) for the checkpoint of size `end`: one package, since the log is short. */
static inline void bench_upload(struct bench *b, size_t start, size_t end, struct buf *body)
{
    struct entry_package *package = calloc(1, sizeof *package);
    if (!package)
        abort();
    buf_init(body, 1 << 20);
    add_entries_write_head(body, span_str(b->s.writer->origin), start, end, span_of(NULL, 0));
    package->start = start;
    package->end = end;
    package->count = end - start; /* the subtree [0, end) is the whole tree: its proof is empty */
    for (size_t i = start; i < end; i++)
        package->entries[i - start] = buf_view(&b->s.entries[i]);
    if (end > start)
        add_entries_write_package(body, package);
    free(package);
}

static inline int bench_push_checkpoint(struct bench *b, size_t old_size, size_t size)
{
    struct hash proof[PROOF_HASHES_MAX];
    struct buf note, body;
    size_t count = bench_consistency(b, old_size, size, proof);
    bench_note(b, size, 0, &note);
    buf_init(&body, NOTE_BYTES_MAX);
    add_checkpoint_write(&body, old_size, proof, count, buf_view(&note));
    int status = bench_request(b, REQ_MIRROR_ADD_CHECKPOINT, buf_view(&body), NULL);
    buf_free(&note);
    buf_free(&body);
    return status;
}

static inline int bench_push_entries(struct bench *b, size_t start, size_t end)
{
    struct buf body;
    bench_upload(b, start, end, &body);
    int status = bench_request(b, REQ_MIRROR_ADD_ENTRIES, buf_view(&body), NULL);
    buf_free(&body);
    return status;
}

static inline int bench_put(struct bench *b, struct span document)
{
    struct hash hash;
    sha256(document, &hash);
    return bench_request(b, REQ_PUT_DOCUMENT, document, &hash);
}

#endif
