/* Cosignatures: the primary data of receipts. Taken from wherever they come, kept for ever, and folded to "standing up to". */
#include "crypto/sha256.h"
#include "node/state.h"

static int cosignature_store(struct node *node, struct held_log *log, const struct party *mirror,
                             const struct stored_cosignature *c)
{
    (void)mirror;
    int rc = write_begin(node);
    return rc ? rc : node->env.store->ops->cosignature_put(node->env.store, log->id, c);
}

/* A COSE receipt signature travels beside the answer of add-entries, base64, so that any entry's receipt can be composed here. */
static void cose_take(const struct held_log *log, const struct party *mirror, const char *name, struct span text,
                      struct stored_cosignature *c)
{
    size_t len;
    struct buf protected_bytes, message;
    if (!text.len || !base64_parse(text, c->cose.b, sizeof c->cose.b, &len) || len != sizeof c->cose.b)
        return;
    buf_init(&protected_bytes, STATEMENT_BYTES_MAX);
    buf_init(&message, STATEMENT_BYTES_MAX);
    cose_receipt_protected(&protected_bytes, &c->kid, span_str(name), span_str(log->party->origin), c->size);
    cose_to_be_signed(&message, buf_view(&protected_bytes), span_hash(&c->root));
    c->has_cose = !message.error && sign_verify(&mirror->card.keys[KEY_MIRROR], buf_view(&message), &c->cose);
    buf_free(&protected_bytes);
    buf_free(&message);
}

int cosignatures_take(struct node *node, struct held_log *log, const struct note *note,
                      const struct checkpoint *checkpoint, const struct peer *from, struct span cose)
{
    int rc = 0, taken = 0;
    for (size_t i = 0; i < node->roster->count && rc == 0; i++) {
        const struct party *mirror = &node->roster->parties[i];
        struct stored_cosignature c = {
            .size = checkpoint->size, .root = checkpoint->root, .kid = mirror->kids[KEY_MIRROR]};
        char name[ORIGIN_BYTES_MAX + 8];
        mirror_key_name(name, mirror);
        if (!mirror->committee || mirror == log->party ||
            note_verify_cosignature(note, span_str(name), &mirror->card.keys[KEY_MIRROR], &c.timestamp, &c.signature) !=
                0)
            continue;
        if (from && from->party == mirror)
            cose_take(log, mirror, name, cose, &c);
        rc = cosignature_store(node, log, mirror, &c);
        taken++;
    }
    return rc == 0 && taken ? standing_refresh(node, log) : rc;
}

struct gather {
    struct node *node;
    struct held_log *log;
    uint64_t size; /* of the group being gathered */
    struct hash root;
    bool only; /* stop after this one size */
    size_t count;
    struct cosigner list[COMMITTEE_MAX];
};

static const struct party *mirror_by_kid(const struct node *node, const struct hash *kid)
{
    for (size_t i = 0; i < node->roster->count; i++)
        if (node->roster->parties[i].committee && hash_eq(&node->roster->parties[i].kids[KEY_MIRROR], kid))
            return &node->roster->parties[i];
    return NULL;
}

static void gather_close(struct gather *g)
{
    int64_t instant;
    if (g->count && g->size >= g->log->standing_size &&
        quorum_met(g->node->roster, g->log->party, g->list, g->count, &instant)) {
        g->log->standing_instant = instant;
        g->log->standing_size = g->size;
    }
}

static int gather_visit(void *ctx, const struct stored_cosignature *c)
{
    struct gather *g = ctx;
    if (g->only && c->size != g->size)
        return c->size > g->size ? 1 : 0;
    if (g->count && (c->size != g->size || !hash_eq(&c->root, &g->root))) {
        if (g->only) /* another root of the same size: not ours */
            return 0;
        gather_close(g);
        g->count = 0;
    }
    const struct party *mirror = mirror_by_kid(g->node, &c->kid);
    if (!mirror || mirror == g->log->party || g->count == COMMITTEE_MAX || (g->only && !hash_eq(&c->root, &g->root)))
        return 0;
    g->size = c->size;
    g->root = c->root;
    g->list[g->count++] = (struct cosigner){.party = mirror, .timestamp = c->timestamp};
    return 0;
}

int standing_refresh(struct node *node, struct held_log *log)
{
    struct gather g = {.node = node, .log = log};
    uint64_t from = log->standing_size ? log->standing_size : 1;
    int rc = node->env.store->ops->cosignatures(node->env.store, log->id, from, gather_visit, &g);
    gather_close(&g);
    return rc < 0 ? rc : 0;
}

int cosigners_at(struct node *node, struct held_log *log, uint64_t size, struct cosigner out[static COMMITTEE_MAX],
                 size_t *count)
{
    struct store_tiles space;
    struct tile_reader tiles = log_tiles(node, log, &space);
    struct gather g = {.node = node, .log = log, .size = size, .only = true};
    *count = 0;
    int rc = size <= log->size ? tree_root(&tiles, size, &g.root) : E_NOTFOUND;
    if (rc)
        return rc;
    rc = node->env.store->ops->cosignatures(node->env.store, log->id, size, gather_visit, &g);
    *count = g.count;
    memcpy(out, g.list, sizeof g.list);
    return rc < 0 ? rc : 0;
}

struct compose {
    struct node *node;
    struct held_log *log;
    struct checkpoint checkpoint;
    struct buf *out;
};

static int compose_visit(void *ctx, const struct stored_cosignature *c)
{
    struct compose *compose = ctx;
    const struct party *mirror = mirror_by_kid(compose->node, &c->kid);
    if (c->size != compose->checkpoint.size)
        return 1;
    if (!mirror || !hash_eq(&c->root, &compose->checkpoint.root))
        return 0;
    char name[ORIGIN_BYTES_MAX + 8];
    mirror_key_name(name, mirror);
    note_cosignature_write(compose->out, span_str(name), &mirror->card.keys[KEY_MIRROR], c->timestamp, &c->signature);
    return 0;
}

/* The note with the log's own signature and every cosignature on it that we have. */
int note_with_cosignatures(struct node *node, struct held_log *log, struct span note, struct buf *out)
{
    struct compose compose = {.node = node, .log = log, .out = out};
    struct note parsed;
    int rc = checkpoint_parse(&compose.checkpoint, &parsed, note, NULL);
    if (rc)
        return rc;
    uint32_t id = note_key_id(span_str(log->party->origin), NOTE_ED25519, &log->party->card.keys[KEY_LOG]);
    buf_span(out, parsed.text);
    buf_byte(out, '\n');
    for (size_t i = 0; i < parsed.count; i++)
        if (parsed.signatures[i].id == id && span_is(parsed.signatures[i].name, log->party->origin))
            buf_span(out, parsed.signatures[i].line);
    rc = node->env.store->ops->cosignatures(node->env.store, log->id, compose.checkpoint.size, compose_visit, &compose);
    return rc < 0 ? rc : out->error;
}
