/* Auditing a log that lies. One resource of a small good log is replaced by the input's bytes: the first byte says which, or that the
   bytes are entries of which a whole log is made, signed and all, so that broken statements are reached behind good hashes. */
#include "record/audit.h"
#include "record/wire.h"
#include "tests/circle/subject.h"

#include "fuzz/fuzz.h"

enum { ENTRIES = 6, REPLACED_CHECKPOINT, REPLACED_BUNDLE, REPLACED_TILE, MADE_LOG };

struct world {
    struct subject subject;
    uint8_t way;
    struct span bytes; /* the foreign part */
    struct buf note, bundle, tile;
    uint64_t size;
};

static void log_make(struct world *w, const struct span *entries, size_t count)
{
    struct subject *s = &w->subject;
    struct frontier f = {0};
    struct hash root, leaf;
    struct buf text;
    struct signature signature;
    const struct public_key *key = &s->cards[s->writer_index].keys[KEY_LOG];
    buf_reset(&w->note);
    buf_reset(&w->bundle);
    buf_reset(&w->tile);
    for (size_t i = 0; i < count; i++) {
        tree_leaf(entries[i], &leaf);
        frontier_append(&f, &leaf);
        bundle_add(&w->bundle, entries[i]);
        buf_span(&w->tile, span_hash(&leaf));
    }
    frontier_root(&f, &root);
    w->size = count;
    buf_init(&text, NOTE_BYTES_MAX);
    checkpoint_write_text(&text, span_str(s->writer->origin), count, &root);
    sign(s->secret[s->writer_index][KEY_LOG], buf_view(&text), &signature);
    buf_span(&w->note, buf_view(&text));
    buf_byte(&w->note, '\n');
    note_signature_write(&w->note, span_str(s->writer->origin), key, &signature);
    buf_free(&text);
}

static struct world *world(void)
{
    static struct world w;
    struct span entries[ENTRIES];
    if (!w.subject.count) {
        must(crypto_start() == 0 && subject_make(&w.subject, 5, 4, 2, 2, 4) == 0);
        subject_log(&w.subject, ENTRIES);
        buf_init(&w.note, NOTE_BYTES_MAX);
        buf_init(&w.bundle, BUNDLE_BYTES_MAX);
        buf_init(&w.tile, TILE_BYTES_MAX);
    }
    for (size_t i = 0; i < ENTRIES; i++)
        entries[i] = buf_view(&w.subject.entries[i]);
    log_make(&w, entries, ENTRIES);
    return &w;
}

/* Bit 6: the narrow resource is gone, and the wide one, which a log may keep instead, has the bytes. */
static int get(void *ctx, const char *path, struct buf *out, struct fault *fault)
{
    const struct world *w = ctx;
    bool tile = strncmp(path, "tile/0/", 7) == 0, bundle = strncmp(path, "tile/entries/", 13) == 0;
    bool wide = (tile || bundle) && !strstr(path, ".p/");
    uint8_t replaced = w->way % 4 + REPLACED_CHECKPOINT;
    if ((w->way & 64) && (tile || bundle) && !wide)
        return fail(fault, E_NOTFOUND, "no such resource");
    bool mine = (replaced == REPLACED_TILE && tile) || (replaced == REPLACED_BUNDLE && bundle) ||
                (replaced == REPLACED_CHECKPOINT && !tile && !bundle);
    buf_span(out, mine ? w->bytes : tile ? buf_view(&w->tile) : bundle ? buf_view(&w->bundle) : buf_view(&w->note));
    return out->error;
}

static const struct public_key *key_of(void *ctx, const struct hash *kid, struct span issuer, uint64_t index)
{
    const struct world *w = ctx;
    const struct party *party;
    (void)index;
    return roster_statement_key(&w->subject.roster, issuer, kid, &party, NULL) == 0 ? &party->card.keys[KEY_STATEMENT]
                                                                                    : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *w = world();
    struct span entries[TILE_WIDTH];
    struct audit_result result;
    struct fault fault = {0};
    size_t count;
    w->bytes = span_of(data, size);
    w->way = plan_byte(&w->bytes);
    if (w->way % 4 + REPLACED_CHECKPOINT == MADE_LOG && bundle_parse(w->bytes, entries, TILE_WIDTH, &count) == 0)
        log_make(w, entries, count);
    const struct audit_source source = {get, w};
    const struct audit_options options = {.log_key = &w->subject.cards[w->subject.writer_index].keys[KEY_LOG],
                                          .log_name = span_str(w->subject.writer->origin),
                                          .circle = &w->subject.roster.circle,
                                          .issuer = span_str(w->subject.writer->card.name),
                                          .key = key_of,
                                          .key_ctx = w,
                                          .skip_tiles = w->way & 128};
    int rc = audit_log(&source, &options, &result, &fault);
    must(rc == 0 || fault.code == rc);
    must(rc != 0 || (result.size == w->size && result.verified == w->size));
    return 0;
}
