#include "record/audit.h"

#include <stdlib.h>

#include "record/wire.h"

struct audit {
    const struct audit_source *source;
    const struct audit_options *options;
    struct frontier frontier;
    struct buf bytes;       /* one resource at a time */
    struct span entries[TILE_WIDTH];
    struct hash leaves[TILE_WIDTH];
    struct hash bundle_roots[TILE_WIDTH];
    uint64_t verified;
};

static int entry_check(struct audit *audit, uint64_t index, struct span entry, struct fault *fault)
{
    const struct audit_options *o = audit->options;
    struct statement s;
    int rc = statement_parse(&s, entry, fault);
    if (rc == 0 && o->circle && !hash_eq(&s.circle, o->circle))
        rc = fail(fault, E_CIRCLE, "the statement names another circle");
    if (rc == 0 && !span_eq(s.issuer, o->issuer))
        rc = fail(fault, E_ISSUER, "issued by %.*s", (int)s.issuer.len, (const char *)s.issuer.data);
    const struct public_key *key = rc == 0 ? o->key(o->key_ctx, &s.kid, s.issuer, index) : NULL;
    if (rc == 0 && !key)
        rc = fail(fault, E_KEY, "the signing key is not the party's statement key");
    if (rc == 0 && statement_verify(&s, key) != 0)
        rc = fail(fault, E_SIGNATURE, "the statement's signature");
    audit->verified += rc == 0;
    return rc ? fail_at(fault, rc, "entry %llu", (unsigned long long)index) : 0;
}

static int resource(struct audit *audit, int level, uint64_t index, unsigned width, struct fault *fault)
{
    char path[64];
    tile_path(path, level, index, width);
    buf_reset(&audit->bytes);
    int rc = audit->source->get(audit->source->ctx, path, &audit->bytes, fault);
    return rc ? fail_at(fault, rc, "%s", path) : 0;
}

static int tile_compare(struct audit *audit, int level, uint64_t index, unsigned width, const struct hash *hashes, struct fault *fault)
{
    char path[64];
    int rc = resource(audit, level, index, width, fault);
    if (rc)
        return rc;
    tile_path(path, level, index, width);
    if (audit->bytes.len != (size_t)width * 32 || memcmp(audit->bytes.data, hashes, audit->bytes.len) != 0)
        return fail_at(fault, fail(fault, E_PROOF, "the tile differs from the entries"), "%s", path);
    return 0;
}

static int bundle_audit(struct audit *audit, uint64_t number, unsigned width, struct fault *fault)
{
    size_t count = 0;
    struct frontier inner = {0};
    int rc = resource(audit, -1, number, width, fault);
    if (rc == 0 && bundle_parse(buf_view(&audit->bytes), audit->entries, TILE_WIDTH, &count) != 0)
        rc = fail(fault, E_SYNTAX, "entry bundle %llu", (unsigned long long)number);
    if (rc == 0 && count != width)
        rc = fail(fault, E_TRUNCATED, "entry bundle %llu has %zu entries, %u are wanted", (unsigned long long)number, count, width);
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = entry_check(audit, number * TILE_WIDTH + i, audit->entries[i], fault);
        tree_leaf(audit->entries[i], &audit->leaves[i]);
        frontier_append(&audit->frontier, &audit->leaves[i]);
        frontier_append(&inner, &audit->leaves[i]);
    }
    if (rc == 0 && !audit->options->skip_tiles)
        rc = tile_compare(audit, 0, number, width, audit->leaves, fault);
    if (rc || width < TILE_WIDTH)
        return rc;
    unsigned at = (unsigned)(number % TILE_WIDTH);
    frontier_root(&inner, &audit->bundle_roots[at]);
    return at == TILE_WIDTH - 1 && !audit->options->skip_tiles
               ? tile_compare(audit, 1, number / TILE_WIDTH, TILE_WIDTH, audit->bundle_roots, fault)
               : 0;
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
    unsigned left = (unsigned)(size / TILE_WIDTH % TILE_WIDTH);
    if (rc == 0 && left && !o->skip_tiles)
        rc = tile_compare(audit, 1, size / TILE_WIDTH / TILE_WIDTH, left, audit->bundle_roots, fault);
    return rc;
}

static int checkpoint_audit(struct audit *audit, struct checkpoint *checkpoint, struct note *note, struct buf *bytes, struct fault *fault)
{
    const struct audit_options *o = audit->options;
    int rc = audit->source->get(audit->source->ctx, "checkpoint", bytes, fault);
    rc = rc ? rc : checkpoint_parse(checkpoint, note, buf_view(bytes), fault);
    if (rc == 0 && !span_eq(checkpoint->origin, o->log_name))
        rc = fail(fault, E_KEY, "the origin is %.*s", (int)checkpoint->origin.len, (const char *)checkpoint->origin.data);
    if (rc == 0) {
        rc = note_verify(note, o->log_name, o->log_key);
        if (rc)
            (void)fail(fault, rc, "the log's own signature");
    }
    return rc ? fail_at(fault, rc, "checkpoint") : 0;
}

int audit_log(const struct audit_source *source, const struct audit_options *options, struct audit_result *result, struct fault *fault)
{
    struct audit *audit = calloc(1, sizeof *audit);
    struct note *note = calloc(1, sizeof *note);
    struct checkpoint checkpoint = {0};
    struct buf bytes;
    buf_init(&bytes, NOTE_BYTES_MAX);
    int rc = audit && note ? 0 : fail(fault, E_NOMEM, "audit");
    if (rc == 0) {
        audit->source = source;
        audit->options = options;
        buf_init(&audit->bytes, BUNDLE_BYTES_MAX);
        rc = checkpoint_audit(audit, &checkpoint, note, &bytes, fault);
    }
    if (rc == 0)
        rc = entries_audit(audit, checkpoint.size, fault);
    if (rc == 0) {
        frontier_root(&audit->frontier, &result->root);
        result->size = checkpoint.size;
        result->verified = audit->verified;
        if (!hash_eq(&result->root, &checkpoint.root))
            rc = fail(fault, E_PROOF, "the entries lead to another root than the checkpoint's");
    }
    if (audit)
        buf_free(&audit->bytes);
    buf_free(&bytes);
    free(note);
    free(audit);
    return rc;
}
