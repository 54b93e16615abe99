/* A node of a made-up circle, for the targets that drive the engine: a committee member (p00) with the real core of its signer, a store
   in memory, and a writer (p04) whose log can be told in two versions. All is made once; each input starts from the same state, for the
   store's transactions lie inside one that is rolled back at the end. */
#ifndef COMITY_FUZZ_WORLD_H
#define COMITY_FUZZ_WORLD_H

#include "fuzz/keys.h"
#include "node/engine.h"
#include "record/wire.h"
#include "tests/circle/subject.h"

enum {
    WORLD_PARTIES = 5,
    WORLD_COMMITTEE = 4,
    WRITER = 4,
    ENTRIES = 8,
    FACES = 2,
    SPLIT = 4,
    HELD = 3,
    CALLS_MAX = 64
};
#define WORLD_START_MS INT64_C(1700000300000)
#define FOREIGN_ORIGIN "log.example/foreign"

struct face { /* one version of the writer's log; both are the same up to SPLIT */
    struct buf entries[ENTRIES];
    struct hash leaves[ENTRIES];
};

struct sent { /* a request that the node has made */
    uint64_t token;
    char method[8], path[160];
    size_t peer;
};

struct world {
    struct subject subject;
    struct face faces[FACES];
    struct buf documents[ENTRIES];
    struct secret_key *foreign;
    char foreign_vkey[256];
    char dir[64]; /* of the key files */
    struct store *store;
    const struct store_ops *real;
    struct store_ops inner;
    /* of the input at hand */
    struct signer *signer;
    struct node *node;
    int64_t now;
    uint64_t next_token;
    struct sent calls[CALLS_MAX];
    size_t call_count;
    int last_status; /* of the last reply */
    struct buf last_body;
    bool stopped; /* a step ended with an error: a process would start anew */
};

/* Documents: every other one is an advisory about what the inventory holds. */
static inline void world_document(struct buf *out, size_t i)
{
    buf_init(out, 4096);
    if (i % 2)
        buf_printf(out, "{\"made\":\"up %zu\"}\n", i);
    else
        buf_printf(
            out,
            "{\"id\":\"EX-%zu\",\"modified\":\"2023-11-14T22:00:00Z\",\"affected\":[{\"package\":{\"ecosystem\":"
            "\"Debian:12\",\"name\":\"xz-utils\"},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":"
            "\"0\"},{\"fixed\":\"%zu\"}]}]}]}\n",
            i, i + 2);
}

static inline void entry_make(struct subject *s, size_t party, enum key_role role, struct span media, struct span title,
                              struct span document, struct buf *out)
{
    struct statement fields = {.circle = s->roster.circle,
                               .subject = title,
                               .media = media,
                               .issued_at = 1700000200,
                               .issuer = span_str(s->cards[party].name)};
    struct buf header, message;
    struct signature signature;
    key_id(&s->cards[party].keys[role], &fields.kid);
    sha256(document, &fields.document);
    buf_init(&header, STATEMENT_BYTES_MAX);
    buf_init(&message, 2 * STATEMENT_BYTES_MAX);
    buf_init(out, STATEMENT_BYTES_MAX);
    statement_protected(&header, &fields);
    cose_to_be_signed(&message, buf_view(&header), span_hash(&fields.document));
    sign(s->secret[party][role], buf_view(&message), &signature);
    cose_write(out, buf_view(&header), span_of(NULL, 0), span_hash(&fields.document), &signature);
    buf_free(&header);
    buf_free(&message);
}

static inline void faces_make(struct world *w)
{
    for (size_t i = 0; i < ENTRIES; i++)
        world_document(&w->documents[i], i);
    for (size_t f = 0; f < FACES; f++)
        for (size_t i = 0; i < ENTRIES; i++) {
            char title[32];
            (void)snprintf(title, sizeof title, "EX-%zu-%zu", i < SPLIT ? 0 : f, i);
            entry_make(&w->subject, WRITER, KEY_STATEMENT, span_str("application/osv+json"), span_str(title),
                       buf_view(&w->documents[i]), &w->faces[f].entries[i]);
            tree_leaf(buf_view(&w->faces[f].entries[i]), &w->faces[f].leaves[i]);
        }
}

static inline int leaves_read(void *ctx, unsigned level, uint64_t index, unsigned width, struct hash *out)
{
    const struct face *face = ctx;
    if (level || index || width > ENTRIES)
        return E_NOTFOUND;
    memcpy(out, face->leaves, width * sizeof *out);
    return 0;
}

static inline struct tile_reader face_tiles(struct face *face)
{
    return (struct tile_reader){.read = leaves_read, .ctx = face};
}

static inline void world_root(struct face *face, uint64_t size, struct hash *root)
{
    struct tile_reader tiles = face_tiles(face);
    must(tree_root(&tiles, size, root) == 0);
}

/* A checkpoint of `origin` signed by `secret`, cosigned by the parties of `cosigners`. */
static inline void note_make(struct world *w, struct span origin, const struct secret_key *secret,
                             const struct public_key *key, uint64_t size, const struct hash *root, uint32_t cosigners,
                             struct buf *note)
{
    struct buf text;
    struct signature signature;
    buf_init(&text, NOTE_BYTES_MAX);
    checkpoint_write_text(&text, origin, size, root);
    buf_span(note, buf_view(&text));
    buf_byte(note, '\n');
    sign(secret, buf_view(&text), &signature);
    note_signature_write(note, origin, key, &signature);
    for (size_t i = 0; i < WORLD_PARTIES; i++)
        if (cosigners >> i & 1)
            subject_cosign(&w->subject, i, buf_view(&text), cosigners >> (8 + i) & 1, note);
    buf_free(&text);
}

static inline void writer_note(struct world *w, struct face *face, uint64_t size, uint32_t cosigners, struct buf *note)
{
    struct subject *s = &w->subject;
    struct hash root;
    world_root(face, size, &root);
    note_make(w, span_str(s->writer->origin), s->secret[WRITER][KEY_LOG], &s->cards[WRITER].keys[KEY_LOG], size, &root,
              cosigners, note);
}

/* Stepping */

static inline int64_t world_clock(void *ctx)
{
    return ((struct world *)ctx)->now / 1000;
}

static inline uint64_t world_random(void *ctx)
{
    (void)ctx;
    return 0;
}

static inline int op_nothing(struct store *store)
{
    (void)store;
    return 0;
}

static inline void action_take(struct world *w, const struct action *action)
{
    if (action->kind == ACTION_REPLY) {
        must(action->status >= 200 && action->status < 600 && action->content_type != NULL && !action->body.error);
        w->last_status = action->status;
        buf_reset(&w->last_body);
        buf_span(&w->last_body, buf_view(&action->body));
    }
    if (action->kind == ACTION_SEND) {
        must(action->path[0] == '/' && memchr(action->path, 0, sizeof action->path) && !action->body.error);
        struct sent *sent = &w->calls[w->call_count < CALLS_MAX ? w->call_count++ : CALLS_MAX - 1];
        *sent = (struct sent){.token = action->token};
        (void)snprintf(sent->method, sizeof sent->method, "%s", action->method);
        (void)snprintf(sent->path, sizeof sent->path, "%s", action->path);
    }
}

/* One event, then the flush that a shell would give. An error ends the input: the process would stop here. */
static inline void world_step(struct world *w, struct event *event)
{
    struct actions actions = {0};
    if (w->stopped)
        return;
    event->token = ++w->next_token;
    if (event->kind != EVENT_FLUSH)
        w->last_status = 0;
    int rc = node_step(w->node, event, w->now, &actions);
    for (size_t i = 0; i < actions.count; i++)
        action_take(w, &actions.list[i]);
    actions_clear(&actions);
    w->stopped = rc != 0;
    if (!w->stopped && event->kind != EVENT_FLUSH && node_wants_flush(w->node))
        world_step(w, &(struct event){.kind = EVENT_FLUSH});
}

/* A peer's request: it is answered, once. */
static inline int world_request(struct world *w, enum request_kind request, struct span body, const struct hash *hash)
{
    struct event event = {.kind = EVENT_REQUEST, .request = request, .body = body};
    if (hash)
        event.hash = *hash;
    world_step(w, &event);
    must(w->stopped || w->last_status != 0);
    return w->last_status;
}

/* Building */

/* The signer has signed one entry more of the own log than the node holds: the database was put back to before it. */
static inline void world_signer_ahead(struct world *w)
{
    struct hash leaves[2] = {{.b = {1}}, {.b = {2}}};
    struct buf note;
    buf_init(&note, NOTE_BYTES_MAX);
    must(w->signer->ops->checkpoint(w->signer, 0, leaves, 2, &note) == 0);
    buf_free(&note);
}

static inline void world_open_node(struct world *w, bool recovering, bool ahead)
{
    static const char *const channels[] = {"command", NULL};
    static const char *witness_logs[2];
    struct keyring *ring = NULL;
    witness_logs[0] = w->foreign_vkey;
    must(keyring_open(&ring, w->dir, span_str(key_passphrase), NULL) == 0);
    struct signer_config config = {.keys = ring,
                                   .party = "p00",
                                   .circle = w->subject.roster.circle,
                                   .state_fd = -1,
                                   .clock = world_clock,
                                   .clock_ctx = w};
    must(signer_local_open(&w->signer, &config, NULL) == 0);
    const struct env env = {.store = w->store, .signer = w->signer, .random = world_random, .ctx = w};
    const struct node_config node = {.roster = &w->subject.roster,
                                     .charter = buf_view(&w->subject.charter),
                                     .party = span_str("p00"),
                                     .recover_alone = !recovering,
                                     .witness_logs = witness_logs,
                                     .channels = channels};
    w->now = WORLD_START_MS;
    w->call_count = 0;
    w->next_token = 0;
    w->stopped = false;
    if (ahead)
        world_signer_ahead(w);
    must(node_open(&w->node, &env, &node, NULL) == 0);
    world_step(w, &(struct event){.kind = EVENT_START});
    must(!w->stopped);
}

static inline void world_close_node(struct world *w)
{
    node_close(w->node);
    w->signer->ops->close(w->signer);
}

/* What the node held before: the first entries of the writer's log, mirrored, and an inventory. */
static inline void world_history(struct world *w)
{
    static const char sbom[] = "Package: xz-utils\nStatus: install ok installed\nVersion: 3.0-1\n\n";
    struct buf body, note;
    struct tile_reader tiles = face_tiles(&w->faces[0]);
    struct entry_package package = {.start = 0, .end = HELD, .count = HELD};
    buf_init(&body, HTTP_BODY_MAX);
    buf_init(&note, NOTE_BYTES_MAX);
    world_step(w, &(struct event){.kind = EVENT_INVENTORY,
                                  .name = span_str("gateway"),
                                  .media = span_str("Debian:12"),
                                  .body = span_str(sbom)});
    writer_note(w, &w->faces[0], HELD, 0, &note);
    add_checkpoint_write(&body, 0, NULL, 0, buf_view(&note));
    must(world_request(w, REQ_MIRROR_ADD_CHECKPOINT, buf_view(&body), NULL) == 200);
    for (size_t i = 0; i < HELD; i++) {
        struct hash hash;
        sha256(buf_view(&w->documents[i]), &hash);
        must(world_request(w, REQ_PUT_DOCUMENT, buf_view(&w->documents[i]), &hash) == 202);
        package.entries[i] = buf_view(&w->faces[0].entries[i]);
    }
    must(tree_subtree_consistency(&tiles, 0, HELD, HELD, package.proof, &package.proof_count) == 0);
    buf_reset(&body);
    add_entries_write_head(&body, span_str(w->subject.writer->origin), 0, HELD, span_of(NULL, 0));
    add_entries_write_package(&body, &package);
    must(world_request(w, REQ_MIRROR_ADD_ENTRIES, buf_view(&body), NULL) == 200);
    buf_free(&body);
    buf_free(&note);
}

static char world_dir[64];

static inline void world_clean(void)
{
    key_folder_remove(world_dir);
}

static inline void world_keys(struct world *w)
{
    uint8_t seeds[KEY_COUNT][32];
    struct public_key key;
    struct buf vkey;
    for (int role = 0; role < KEY_COUNT; role++) {
        char text[64];
        struct hash seed;
        (void)snprintf(text, sizeof text, "seed of party 0, key %d of epoch 0", role);
        sha256(span_str(text), &seed);
        memcpy(seeds[role], seed.b, 32);
    }
    key_folder_make(w->dir, (const uint8_t(*)[32])seeds);
    (void)snprintf(world_dir, sizeof world_dir, "%s", w->dir);
    must(atexit(world_clean) == 0);
    w->foreign = secret_key_from_seed(seeds[KEY_WITNESS], &key);
    must(w->foreign != NULL);
    buf_init(&vkey, sizeof w->foreign_vkey - 1);
    note_vkey_write(&vkey, span_str(FOREIGN_ORIGIN), NOTE_ED25519, &key);
    (void)snprintf(w->foreign_vkey, sizeof w->foreign_vkey, "%.*s", (int)vkey.len, (const char *)vkey.data);
    buf_free(&vkey);
}

static inline struct world *world_get(void)
{
    static struct world *w;
    if (w)
        return w;
    w = calloc(1, sizeof *w);
    must(w && crypto_start() == 0);
    must(subject_make(&w->subject, WORLD_PARTIES, WORLD_COMMITTEE, 2, 2, WRITER) == 0);
    faces_make(w);
    world_keys(w);
    buf_init(&w->last_body, HTTP_BODY_MAX);
    must(store_memory_open(&w->store) == 0);
    world_open_node(w, false, false);
    world_history(w);
    must(!w->stopped);
    world_close_node(w);
    w->real = w->store->ops;
    w->inner = *w->real;
    w->inner.begin = w->inner.commit = w->inner.rollback = op_nothing;
    return w;
}

#endif
