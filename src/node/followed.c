/* Documents of feeds. Journal, kind "followed": feed, SHA-256 of the url, SHA-256 of the document (or "gone"), and the instant, a line each ->
   JSON {feed, url, media, document, seen_at, id, state: read | unreadable | gone}. Derived views:
     followed  feed, newline, url -> seq (8) of the row of what was there last, document (32), instant since when it is gone or 0 (8),
               readable (1), SHA-256 of the advisory's id, version and instant of modification (32), instant when other bytes came last
               without another revision or 0 (8)
     feed      feed -> urls (8), of these unreadable (8), gone (8), changed without another revision (8)
   and what advisories.c makes of it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "crypto/sha256.h"
#include "format/json.h"
#include "node/state.h"

static const struct span kind_followed = {(const uint8_t *)"followed", 8};
static const struct span view_followed = {(const uint8_t *)"followed", 8};
static const struct span view_feed = {(const uint8_t *)"feed", 4};

enum {
    PLACE_BYTES = 89,
    FEED_BYTES = 32,
    PLACE_KEY_MAX = NAME_BYTES_MAX + 1 + FOLLOWED_URL_MAX,
    SIGHTING_BYTES_MAX = 16384,
    KEY_BYTES_MAX = 256
};
static const int64_t SEEN_MAX = 253402300799; /* 9999-12-31T23:59:59Z */

static void place_key(struct span feed, struct span url, struct buf *out)
{
    buf_init(out, PLACE_KEY_MAX);
    buf_span(out, feed);
    buf_byte(out, '\n');
    buf_span(out, url);
}

static int place_parse(struct span value, struct place *out)
{
    if (value.len != PLACE_BYTES)
        return E_CORRUPT;
    *out = (struct place){.seq = (int64_t)u64_get(value.data),
                          .gone = (int64_t)u64_get(value.data + 40),
                          .readable = value.data[48] != 0,
                          .silent = (int64_t)u64_get(value.data + 81)};
    memcpy(out->document.b, value.data + 8, 32);
    memcpy(out->revision.b, value.data + 49, 32);
    return 0;
}

int place_get(struct node *node, struct span feed, struct span url, struct place *out)
{
    struct buf key, value;
    place_key(feed, url, &key);
    buf_init(&value, PLACE_BYTES);
    int rc = key.error;
    rc = rc ? rc : node->env.store->ops->view_get(node->env.store, view_followed, buf_view(&key), &value);
    rc = rc ? rc : place_parse(buf_view(&value), out);
    buf_free(&key);
    buf_free(&value);
    return rc;
}

static int place_put(struct node *node, struct span feed, struct span url, const struct place *place)
{
    uint8_t value[PLACE_BYTES];
    struct buf key;
    u64_put(value, (uint64_t)place->seq);
    memcpy(value + 8, place->document.b, 32);
    u64_put(value + 40, (uint64_t)place->gone);
    value[48] = place->readable;
    memcpy(value + 49, place->revision.b, 32);
    u64_put(value + 81, (uint64_t)place->silent);
    place_key(feed, url, &key);
    int rc = key.error;
    rc = rc ? rc
            : node->env.store->ops->view_put(node->env.store, view_followed, buf_view(&key),
                                             span_of(value, sizeof value));
    buf_free(&key);
    return rc;
}

struct places {
    struct span feed;
    place_visit *visit;
    void *ctx;
};

static int places_visit(void *ctx, struct span key, struct span value)
{
    struct places *places = ctx;
    struct place place;
    size_t n = places->feed.len;
    if (key.len <= n || key.data[n] != '\n' || !span_eq(span_of(key.data, n), places->feed))
        return 1;
    int rc = place_parse(value, &place);
    return rc ? rc : places->visit(places->ctx, span_from(key, n + 1), &place);
}

int places_scan(struct node *node, struct span feed, struct span from, place_visit *visit, void *ctx)
{
    struct places places = {.feed = feed, .visit = visit, .ctx = ctx};
    struct buf key;
    place_key(feed, from, &key);
    int rc = key.error;
    rc = rc ? rc
            : node->env.store->ops->view_scan(node->env.store, view_followed, buf_view(&key), places_visit, &places);
    buf_free(&key);
    return rc > 0 ? 0 : rc;
}

/* Takes what was there out of the feed's counts, and what is there now into them; NULL: nothing. */
static int feed_count(struct node *node, struct span feed, const struct place *before, const struct place *now)
{
    struct store *store = node->env.store;
    struct buf value;
    uint8_t counts[FEED_BYTES] = {0};
    buf_init(&value, FEED_BYTES);
    int rc = store->ops->view_get(store, view_feed, feed, &value);
    if (rc == 0 && value.len == FEED_BYTES)
        memcpy(counts, value.data, FEED_BYTES);
    buf_free(&value);
    if (rc && rc != E_NOTFOUND)
        return rc;
    enum { COUNTS = FEED_BYTES / 8 };
    const uint64_t add[COUNTS] = {1, !now->readable, now->gone != 0, now->silent != 0},
                   take[COUNTS] = {before != NULL, before && !before->readable, before && before->gone,
                                   before && before->silent};
    for (int i = 0; i < COUNTS; i++)
        u64_put(counts + (ptrdiff_t)8 * i, u64_get(counts + (ptrdiff_t)8 * i) + add[i] - take[i]);
    return store->ops->view_put(store, view_feed, feed, span_of(counts, sizeof counts));
}

/* Rows of the journal */

static void key_write(const struct sighting *s, struct buf *out)
{
    struct hash url;
    sha256(s->url, &url);
    buf_span(out, s->feed);
    buf_byte(out, '\n');
    buf_hex(out, span_hash(&url));
    buf_byte(out, '\n');
    if (s->gone)
        buf_text(out, "gone");
    else
        buf_hex(out, span_hash(&s->document));
    buf_printf(out, "\n%lld", (long long)s->seen);
}

static void sighting_identify(struct sighting *s, struct span key)
{
    const struct span parts[] = {span_str("comity-followed/1\n"), key};
    sha256_parts(parts, sizeof parts / sizeof parts[0], &s->id);
}

static void body_write(const struct sighting *s, const struct advisory *advisory, struct buf *out)
{
    char hex[65], at[21];
    hash_hex(&s->document, hex);
    time_format(s->seen, at);
    buf_byte(out, '{');
    buf_member(out, "feed", s->feed);
    buf_member(out, "url", s->url);
    buf_member(out, "media", s->media);
    buf_member(out, "document", span_str(hex));
    buf_member(out, "seen_at", span_str(at));
    buf_member(out, "id", advisory ? text_cut(advisory->id, NOTICE_TEXT_MAX) : span_str(""));
    if (!s->gone) {
        buf_member(out, "hash", span_str(s->hash_checked ? s->hash_checked : "not checked"));
        buf_member(out, "signature", span_str(s->signature ? s->signature : "not checked"));
    }
    buf_printf(out, "\"state\":\"%s\"}", s->gone ? "gone" : advisory ? "read" : "unreadable");
}

/* Spans live in the arena. */
int sighting_parse(const struct journal_row *row, struct sighting *out, struct arena *arena)
{
    const struct json *root = NULL;
    struct span body = arena_copy(arena, row->body);
    *out = (struct sighting){.seq = row->seq};
    int rc = body.data ? json_parse(&root, body, SIGHTING_BYTES_MAX, arena, NULL) : E_NOMEM;
    if (rc)
        return rc == E_NOMEM ? rc : E_CORRUPT;
    out->feed = json_text(root, "feed");
    out->url = json_text(root, "url");
    out->media = json_text(root, "media");
    out->gone = span_is(json_text(root, "state"), "gone");
    sighting_identify(out, row->key);
    return time_parse(json_text(root, "seen_at"), &out->seen) &&
                   hash_parse(json_text(root, "document"), &out->document) && out->feed.len
               ? 0
               : E_CORRUPT;
}

struct reading {
    struct sighting *out;
    struct arena *arena;
    int64_t seq;
};

static int read_visit(void *ctx, const struct journal_row *row)
{
    struct reading *reading = ctx;
    int rc = row->seq == reading->seq ? sighting_parse(row, reading->out, reading->arena) : E_CORRUPT;
    return rc ? rc : 1;
}

int sighting_read(struct node *node, int64_t seq, struct sighting *out, struct arena *arena)
{
    struct reading reading = {.out = out, .arena = arena, .seq = seq};
    int rc = node->env.store->ops->journal_scan(node->env.store, kind_followed, seq - 1, read_visit, &reading);
    return rc == 1 ? 0 : rc ? rc : E_CORRUPT;
}

/* E_EXISTS: the same was seen there in this very second. */
static int sighting_record(struct node *node, struct sighting *s, const struct advisory *advisory)
{
    struct buf key, body;
    buf_init(&key, KEY_BYTES_MAX);
    buf_init(&body, SIGHTING_BYTES_MAX);
    key_write(s, &key);
    body_write(s, advisory, &body);
    sighting_identify(s, buf_view(&key));
    int rc = key.error ? key.error : body.error ? body.error : write_begin(node);
    if (rc == 0)
        rc = node->env.store->ops->journal_append(node->env.store, s->seen, kind_followed, buf_view(&key),
                                                  buf_view(&body), &s->seq);
    buf_free(&key);
    buf_free(&body);
    feeds_unstated(node);
    return rc;
}

/* Folding */

static void revision_mark(const struct advisory *advisory, struct hash *out)
{
    const struct span nl = span_str("\n");
    *out = (struct hash){0};
    if (advisory) {
        const struct span parts[] = {advisory->id, nl, advisory->version, nl, advisory->modified};
        sha256_parts(parts, sizeof parts / sizeof parts[0], out);
    }
}

/* Other bytes that call themselves the same revision. */
static bool is_silent(const struct place *before, const struct place *now)
{
    return before->readable && now->readable && hash_eq(&before->revision, &now->revision) &&
           !hash_eq(&before->document, &now->document);
}

/* `advisory`: NULL when it cannot be read, or is gone. */
static int sighting_fold(struct node *node, const struct sighting *s, const struct advisory *advisory)
{
    struct place before, now;
    int rc = place_get(node, s->feed, s->url, &before);
    bool first = rc == E_NOTFOUND;
    if ((rc && !first) || (first && s->gone))
        return first ? 0 : rc; /* the row of what is gone was lost with a damaged page */
    if (s->gone) {
        now = before;
        now.gone = s->seen;
    } else {
        now = (struct place){.seq = s->seq, .document = s->document, .readable = advisory != NULL};
        revision_mark(advisory, &now.revision);
        now.silent = first ? 0 : is_silent(&before, &now) ? s->seen : before.silent;
    }
    rc = place_put(node, s->feed, s->url, &now);
    rc = rc ? rc : feed_count(node, s->feed, first ? NULL : &before, &now);
    return rc || !advisory ? rc : advisory_sighted(node, s, advisory);
}

/* A document that was kept, but whose row has decayed or gone, is as one that cannot be read: the check of the store tells of it. */
static int refold_document(struct node *node, const struct sighting *s)
{
    struct buf bytes;
    struct arena arena;
    struct advisory advisory;
    bool readable = false;
    buf_init(&bytes, DOCUMENT_BYTES_MAX);
    arena_init(&arena, 8 * (size_t)DOCUMENT_BYTES_MAX);
    int rc = node->env.store->ops->document_get(node->env.store, &s->document, &bytes);
    if (rc == 0)
        rc = document_read(node, &s->document, s->media, buf_view(&bytes), &advisory, &arena, &readable);
    else if (rc == E_NOTFOUND)
        rc = 0;
    rc = rc ? rc : sighting_fold(node, s, readable ? &advisory : NULL);
    arena_free(&arena);
    buf_free(&bytes);
    return rc;
}

static int refold_visit(void *ctx, const struct journal_row *row)
{
    struct node *node = ctx;
    struct arena arena;
    struct sighting s;
    arena_init(&arena, 1 << 20);
    int rc = sighting_parse(row, &s, &arena);
    rc = rc ? rc : s.gone ? sighting_fold(node, &s, NULL) : refold_document(node, &s);
    arena_free(&arena);
    return rc;
}

int followed_fold(struct node *node)
{
    return node->env.store->ops->journal_scan(node->env.store, kind_followed, 0, refold_visit, node);
}

/* What comes in */

static int fields_check(const struct followed *f)
{
    struct hash hash;
    if (!name_valid(f->feed) || !f->url.len || !text_is_line(f->url) || !f->media.len || !text_is_line(f->media))
        return E_SYNTAX;
    if (f->url.len > FOLLOWED_URL_MAX || f->media.len > MEDIA_BYTES_MAX || f->bytes.len > DOCUMENT_BYTES_MAX)
        return E_LIMIT;
    if (f->seen <= 0 || f->seen > SEEN_MAX)
        return E_LIMIT;
    sha256(f->bytes, &hash);
    return hash_eq(&hash, f->hash) ? 0 : E_HASH;
}

static int document_keep(struct node *node, const struct followed *f)
{
    if (!document_missing(node, f->hash))
        return 0; /* a member may have stated it, and then its label counts */
    int rc = write_begin(node);
    return rc ? rc : node->env.store->ops->document_put(node->env.store, f->hash, LABEL_CLOSED, f->bytes);
}

int advisory_followed(struct node *node, const struct followed *f)
{
    struct sighting s = {.feed = f->feed,
                         .url = f->url,
                         .media = f->media,
                         .seen = f->seen,
                         .hash_checked = f->hash_checked,
                         .signature = f->signature};
    struct place known;
    struct advisory advisory;
    struct arena arena;
    bool readable = false;
    int rc = fields_check(f);
    if (rc)
        return rc;
    s.document = *f->hash;
    rc = place_get(node, f->feed, f->url, &known);
    if (rc && rc != E_NOTFOUND)
        return rc;
    if (rc == 0 && !known.gone && hash_eq(&known.document, f->hash) && !document_missing(node, f->hash))
        return 0;
    arena_init(&arena, 8 * (size_t)DOCUMENT_BYTES_MAX);
    rc = document_keep(node, f);
    rc = rc ? rc : document_read(node, f->hash, f->media, f->bytes, &advisory, &arena, &readable);
    rc = rc ? rc : sighting_record(node, &s, readable ? &advisory : NULL);
    rc = rc ? rc : sighting_fold(node, &s, readable ? &advisory : NULL);
    arena_free(&arena);
    return rc == E_EXISTS ? 0 : rc;
}

int advisory_gone(struct node *node, struct span feed, struct span url, int64_t seen)
{
    struct sighting s = {.feed = feed, .url = url, .seen = seen, .gone = true};
    struct place known;
    int rc = place_get(node, feed, url, &known);
    if (rc || known.gone)
        return rc;
    if (seen <= 0 || seen > SEEN_MAX)
        return E_LIMIT;
    s.document = known.document; /* of what is gone */
    rc = sighting_record(node, &s, NULL);
    rc = rc ? rc : sighting_fold(node, &s, NULL);
    return rc == E_EXISTS ? 0 : rc;
}

int followed_gone_since(struct node *node, struct span feed, struct span url, int64_t *gone)
{
    struct place known;
    int rc = place_get(node, feed, url, &known);
    *gone = rc ? 0 : known.gone;
    return rc == E_NOTFOUND ? 0 : rc;
}

int followed_scan(struct node *node, int64_t after, journal_visit *visit, void *ctx)
{
    return node->env.store->ops->journal_scan(node->env.store, kind_followed, after, visit, ctx);
}

/* What each feed had so far */

static int totals_parse(struct span value, struct feed_totals *out)
{
    if (value.len != FEED_BYTES)
        return E_CORRUPT;
    *out = (struct feed_totals){u64_get(value.data), u64_get(value.data + 8), u64_get(value.data + 16),
                                u64_get(value.data + 24)};
    return 0;
}

int feed_totals(struct node *node, struct span feed, struct feed_totals *out)
{
    struct buf value;
    *out = (struct feed_totals){0};
    buf_init(&value, FEED_BYTES);
    int rc = node->env.store->ops->view_get(node->env.store, view_feed, feed, &value);
    rc = rc ? rc : totals_parse(buf_view(&value), out);
    buf_free(&value);
    return rc;
}

struct totals {
    feed_totals_visit *visit;
    void *ctx;
};

static int totals_visit(void *ctx, struct span key, struct span value)
{
    struct totals *totals = ctx;
    struct feed_totals found;
    int rc = totals_parse(value, &found);
    return rc ? rc : totals->visit(totals->ctx, key, &found);
}

int feed_totals_scan(struct node *node, feed_totals_visit *visit, void *ctx)
{
    struct totals totals = {visit, ctx};
    return node->env.store->ops->view_scan(node->env.store, view_feed, span_of(NULL, 0), totals_visit, &totals);
}

static int known_visit(void *ctx, struct span key, struct span value)
{
    (void)ctx;
    (void)key;
    (void)value;
    return 1;
}

bool feeds_known(struct node *node)
{
    return node->env.store->ops->view_scan(node->env.store, view_feed, span_of(NULL, 0), known_visit, NULL) == 1;
}
