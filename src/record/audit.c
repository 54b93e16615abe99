#include "record/audit.h"

#include <stdlib.h>

#include "record/wire.h"

enum { LEVELS = 8 }; /* a tree below 2^63 leaves has tiles at levels 0 to 7 */

/* The tile that is growing at one level. */
struct growing {
    struct hash nodes[TILE_WIDTH];
    unsigned width;
    uint64_t index;
};

struct audit {
    const struct audit_source *source;
    const struct audit_options *options;
    struct frontier frontier;
    struct growing levels[LEVELS];
    struct buf bytes; /* one resource at a time */
    struct span entries[TILE_WIDTH];
    uint64_t verified;
};

static int entry_check(struct audit *audit, uint64_t index, struct span entry, struct fault *fault)
{
    const struct audit_options *o = audit->options;
    struct statement s;
    int rc = statement_parse(&s, entry, fault);
    if (rc == 0 && o->circle && !hash_eq(&s.circle, o->circle))
        rc = fail(fault, E_CIRCLE, "the statement names another circle");
    if (rc == 0 && !span_eq(s.issuer, o->issuer) && !span_is(s.media, MEDIA_KEY_CHANGE))
        rc = fail(fault, E_ISSUER, "issued by %.*s", (int)s.issuer.len, (const char *)s.issuer.data);
    const struct public_key *key = rc == 0 ? o->key(o->key_ctx, &s.kid, s.issuer, index) : NULL;
    if (rc == 0 && !key)
        rc = fail(fault, E_KEY, "the signing key is not the party's statement key");
    if (rc == 0 && (rc = statement_verify(&s, key)) != 0)
        (void)fail(fault, rc, "the statement's signature");
    audit->verified += rc == 0;
    return rc ? fail_at(fault, rc, "entry %llu", (unsigned long long)index) : 0;
}

static int fetch(struct audit *audit, const char *path, struct fault *fault)
{
    buf_reset(&audit->bytes);
    int rc = audit->source->get(audit->source->ctx, path, &audit->bytes, fault);
    return rc ? rc : audit->bytes.error;
}

/* A log may drop a partial tile once the full one exists (c2sp tlog-tiles): `*stored` is the width of what was read. */
static int resource(struct audit *audit, int level, uint64_t index, unsigned width, unsigned *stored,
                    struct fault *fault)
{
    char path[64];
    tile_path(path, level, index, width);
    *stored = width;
    int rc = fetch(audit, path, fault);
    if (rc == E_NOTFOUND && width < TILE_WIDTH) {
        char full[64];
        tile_path(full, level, index, TILE_WIDTH);
        *stored = TILE_WIDTH;
        rc = fetch(audit, full, fault);
    }
    return rc ? fail_at(fault, rc, "%s", path) : 0;
}

static int tile_compare(struct audit *audit, unsigned level, struct fault *fault)
{
    const struct growing *tile = &audit->levels[level];
    unsigned stored;
    char path[64];
    if (audit->options->skip_tiles)
        return 0;
    int rc = resource(audit, (int)level, tile->index, tile->width, &stored, fault);
    if (rc)
        return rc;
    if (audit->bytes.len == stored * 32u && memcmp(audit->bytes.data, tile->nodes, tile->width * 32u) == 0)
        return 0;
    tile_path(path, (int)level, tile->index, tile->width);
    return fail_at(fault, fail(fault, E_PROOF, "the tile differs from the entries"), "%s", path);
}

/* A full tile is compared, and its root becomes a node of the level above. */
static int leaf_append(struct audit *audit, const struct hash *leaf, struct fault *fault)
{
    struct hash node = *leaf;
    int rc = 0;
    frontier_append(&audit->frontier, leaf);
    for (unsigned level = 0; level < LEVELS && rc == 0; level++) {
        struct growing *tile = &audit->levels[level];
        struct frontier inner = {0};
        tile->nodes[tile->width++] = node;
        if (tile->width < TILE_WIDTH)
            break;
        rc = tile_compare(audit, level, fault);
        for (unsigned i = 0; i < TILE_WIDTH; i++)
            frontier_append(&inner, &tile->nodes[i]);
        frontier_root(&inner, &node);
        tile->width = 0;
        tile->index++;
    }
    return rc;
}

/* Leaf tiles are compared from another resource, so the entries are hashed first: comparing reuses the buffer they
 * stand in. */
static int bundle_audit(struct audit *audit, uint64_t number, unsigned width, struct fault *fault)
{
    struct hash leaves[TILE_WIDTH];
    size_t count = 0;
    unsigned stored;
    int rc = resource(audit, -1, number, width, &stored, fault);
    if (rc == 0 && (rc = bundle_parse(buf_view(&audit->bytes), audit->entries, TILE_WIDTH, &count)) != 0)
        (void)fail(fault, rc, "entry bundle %llu", (unsigned long long)number);
    if (rc == 0 && count != stored)
        rc = fail(fault, E_TRUNCATED, "entry bundle %llu has %zu entries, %u are wanted", (unsigned long long)number,
                  count, stored);
    for (unsigned i = 0; i < width && rc == 0; i++) {
        rc = entry_check(audit, number * TILE_WIDTH + i, audit->entries[i], fault);
        tree_leaf(audit->entries[i], &leaves[i]);
    }
    for (unsigned i = 0; i < width && rc == 0; i++)
        rc = leaf_append(audit, &leaves[i], fault);
    return rc;
}

static int entries_audit(struct audit *audit, uint64_t size, struct fault *fault)
{
    const struct audit_options *o = audit->options;
    int rc = 0;
    for (uint64_t at = 0; at < size && rc == 0; at += TILE_WIDTH) {
        unsigned width = size - at < TILE_WIDTH ? (unsigned)(size - at) : TILE_WIDTH;
        rc = bundle_audit(audit, at / TILE_WIDTH, width, fault);
        if (rc == 0 && o->progress && !o->progress(o->progress_ctx, at + width, size))
            rc = fail(fault, E_STATE, "stopped");
    }
    for (unsigned level = 0; level < LEVELS && rc == 0; level++)
        if (audit->levels[level].width)
            rc = tile_compare(audit, level, fault);
    return rc;
}

static int checkpoint_audit(struct audit *audit, struct checkpoint *checkpoint, struct note *note, struct buf *bytes,
                            struct fault *fault)
{
    const struct audit_options *o = audit->options;
    int rc = audit->source->get(audit->source->ctx, "checkpoint", bytes, fault);
    rc = rc ? rc : checkpoint_parse(checkpoint, note, buf_view(bytes), fault);
    if (rc == 0 && !span_eq(checkpoint->origin, o->log_name))
        rc = fail(fault, E_KEY, "the origin is %.*s", (int)checkpoint->origin.len,
                  (const char *)checkpoint->origin.data);
    if (rc == 0) {
        rc = o->log_signed ? o->log_signed(o->log_ctx, note, checkpoint) : note_verify(note, o->log_name, o->log_key);
        if (rc)
            (void)fail(fault, rc, "the log's own signature");
    }
    return rc ? fail_at(fault, rc, "checkpoint") : 0;
}

static int audit_run(struct audit *audit, struct note *note, struct buf *bytes, struct audit_result *result,
                     struct fault *fault)
{
    struct checkpoint checkpoint = {0};
    int rc = checkpoint_audit(audit, &checkpoint, note, bytes, fault);
    rc = rc ? rc : entries_audit(audit, checkpoint.size, fault);
    if (rc)
        return rc;
    frontier_root(&audit->frontier, &result->root);
    result->size = checkpoint.size;
    result->verified = audit->verified;
    if (!hash_eq(&result->root, &checkpoint.root))
        return fail(fault, E_PROOF, "the entries lead to another root than the checkpoint's");
    return 0;
}

int audit_log(const struct audit_source *source, const struct audit_options *options, struct audit_result *result,
              struct fault *fault)
{
    struct audit *audit = calloc(1, sizeof *audit);
    struct note *note = calloc(1, sizeof *note);
    struct buf bytes;
    *result = (struct audit_result){0};
    buf_init(&bytes, NOTE_BYTES_MAX);
    int rc = E_NOMEM;
    if (!audit || !note) {
        (void)fail(fault, rc, "audit");
    } else {
        audit->source = source;
        audit->options = options;
        buf_init(&audit->bytes, BUNDLE_BYTES_MAX);
        rc = audit_run(audit, note, &bytes, result, fault);
        buf_free(&audit->bytes);
    }
    buf_free(&bytes);
    free(note);
    free(audit);
    return rc;
}
