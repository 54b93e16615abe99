/* Which advisories count. Of one source's advisory only the latest revision counts: an OSV record by `modified`, a
   CSAF document by its tracking version, and of two alike the one that was stated or seen later. What an older one said and the latest does
   not is taken back from whoever was told. Derived view:
     current  SHA-256 of type, source and advisory id -> log number (8; NO_LOG: of a feed), index in it or the journal's seq of the sighting
              (8), id of the statement or sighting (32), document (32), modified (8), version
   The source is the issuer, whose statements count in its own log alone, so that the same index means the same statement; or "feed:" and the
   feed's name, which no party can have. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "crypto/sha256.h"
#include "node/state.h"

static const struct span view = {(const uint8_t *)"current", 7};

enum { REVISION_FIXED_BYTES = 88, REVISION_VERSION_MAX = 64 };
#define NO_LOG UINT64_MAX

struct revision {
    struct held_log *log; /* NULL: of a feed */
    uint64_t index;
    struct hash id, document;
    int64_t modified;
    size_t version_len;
    uint8_t version[REVISION_VERSION_MAX];
};

static void stated_init(struct stated *stated)
{
    *stated = (struct stated){0};
    buf_init(&stated->entry, STATEMENT_BYTES_MAX);
    buf_init(&stated->document, DOCUMENT_BYTES_MAX);
    arena_init(&stated->arena, 8 * (size_t)DOCUMENT_BYTES_MAX);
}

void stated_close(struct stated *stated)
{
    buf_free(&stated->entry);
    buf_free(&stated->document);
    arena_free(&stated->arena);
}

static void source_of_statement(struct notice_source *out, struct held_log *log, uint64_t index,
                                const struct statement *s, const struct advisory *advisory)
{
    *out = (struct notice_source){.media = s->media,
                                  .log = log,
                                  .index = index,
                                  .id = s->id,
                                  .document = s->document,
                                  .issuer = s->issuer,
                                  .advisory = advisory};
}

static void source_of_sighting(struct notice_source *out, const struct sighting *s, const struct advisory *advisory)
{
    *out = (struct notice_source){.media = s->media,
                                  .index = (uint64_t)s->seq,
                                  .id = s->id,
                                  .document = s->document,
                                  .feed = s->feed,
                                  .url = s->url,
                                  .seen = s->seen,
                                  .advisory = advisory};
}

static int statement_again(struct node *node, const struct revision *revision, struct stated *stated)
{
    int rc = entry_read(node, revision->log->id, revision->index, &revision->id, &stated->entry);
    rc = rc ? rc : statement_parse(&stated->statement, buf_view(&stated->entry), NULL);
    source_of_statement(&stated->source, revision->log, revision->index, &stated->statement, &stated->advisory);
    return rc;
}

static int sighting_again(struct node *node, const struct revision *revision, struct stated *stated)
{
    int rc = sighting_read(node, (int64_t)revision->index, &stated->sighting, &stated->arena);
    if (rc == 0 && !hash_eq(&stated->sighting.id, &revision->id))
        rc = E_CORRUPT;
    source_of_sighting(&stated->source, &stated->sighting, &stated->advisory);
    return rc;
}

static int stated_read(struct node *node, const struct revision *revision, struct stated *stated)
{
    struct store *store = node->env.store;
    int rc = revision->log ? statement_again(node, revision, stated) : sighting_again(node, revision, stated);
    rc = rc ? rc : store->ops->document_get(store, &revision->document, &stated->document);
    return rc ? rc
              : document_read(node, &revision->document, stated->source.media, buf_view(&stated->document),
                              &stated->advisory, &stated->arena, &stated->readable);
}

void advisory_identity(struct span media, struct span source, struct span id, struct hash *out)
{
    const struct span nl = span_str("\n");
    const struct span parts[] = {span_str("comity-advisory/1\n"), media, nl, source, nl, text_cut(id, NOTICE_TEXT_MAX)};
    sha256_parts(parts, sizeof parts / sizeof parts[0], out);
}

static void identify(struct notice_source *source)
{
    char name[NAME_BYTES_MAX + 8];
    (void)snprintf(name, sizeof name, "feed:%.*s", (int)source->feed.len, (const char *)source->feed.data);
    advisory_identity(source->media, source->log ? source->issuer : span_str(name), source->advisory->id,
                      &source->identity);
}

static void revision_of(const struct notice_source *source, struct revision *out)
{
    const struct advisory *advisory = source->advisory;
    *out =
        (struct revision){.log = source->log, .index = source->index, .id = source->id, .document = source->document};
    if (!time_parse(advisory->modified, &out->modified))
        out->modified = INT64_MIN;
    out->version_len = advisory->version.len < sizeof out->version ? advisory->version.len : sizeof out->version;
    if (out->version_len)
        memcpy(out->version, advisory->version.data, out->version_len);
}

/* Does `a` take the place of `b`? A feed that has the same bytes in two places has one advisory. */
static bool is_later(const struct revision *a, const struct revision *b)
{
    if (!a->log && hash_eq(&a->document, &b->document))
        return false;
    int order = advisory_revision_order(span_of(a->version, a->version_len), a->modified,
                                        span_of(b->version, b->version_len), b->modified);
    return order ? order > 0 : a->index > b->index;
}

static int revision_put(struct node *node, const struct hash *key, const struct revision *revision)
{
    struct buf value;
    buf_init(&value, REVISION_FIXED_BYTES + REVISION_VERSION_MAX);
    buf_u64(&value, revision->log ? (uint64_t)(revision->log - node->logs) : NO_LOG);
    buf_u64(&value, revision->index);
    buf_span(&value, span_hash(&revision->id));
    buf_span(&value, span_hash(&revision->document));
    buf_u64(&value, (uint64_t)revision->modified);
    buf_add(&value, revision->version, revision->version_len);
    int rc = value.error ? value.error
                         : node->env.store->ops->view_put(node->env.store, view, span_hash(key), buf_view(&value));
    buf_free(&value);
    return rc;
}

static int revision_parse(struct node *node, struct span value, struct revision *out)
{
    *out = (struct revision){0};
    if (value.len < REVISION_FIXED_BYTES || value.len > REVISION_FIXED_BYTES + REVISION_VERSION_MAX)
        return E_CORRUPT;
    uint64_t log = u64_get(value.data);
    if (log != NO_LOG && log >= node->log_count)
        return E_CORRUPT;
    out->log = log == NO_LOG ? NULL : &node->logs[log];
    out->index = u64_get(value.data + 8);
    memcpy(out->id.b, value.data + 16, 32);
    memcpy(out->document.b, value.data + 48, 32);
    out->modified = (int64_t)u64_get(value.data + 80);
    out->version_len = value.len - REVISION_FIXED_BYTES;
    if (out->version_len)
        memcpy(out->version, value.data + REVISION_FIXED_BYTES, out->version_len);
    return 0;
}

/* E_NOTFOUND when none is known. */
static int revision_get(struct node *node, const struct hash *key, struct revision *out)
{
    struct buf value;
    buf_init(&value, REVISION_FIXED_BYTES + REVISION_VERSION_MAX);
    int rc = node->env.store->ops->view_get(node->env.store, view, span_hash(key), &value);
    rc = rc ? rc : revision_parse(node, buf_view(&value), out);
    buf_free(&value);
    return rc;
}

int stated_open(struct node *node, const struct hash *identity, struct stated *out)
{
    struct revision revision;
    stated_init(out);
    int rc = revision_get(node, identity, &revision);
    rc = rc ? rc : stated_read(node, &revision, out);
    out->source.identity = *identity;
    return rc;
}

/* Takes the place of what counted until now, if it is later. */
static int advisory_count(struct node *node, struct notice_source *source)
{
    struct revision revision, known;
    identify(source);
    revision_of(source, &revision);
    int rc = revision_get(node, &source->identity, &known);
    bool first = rc == E_NOTFOUND;
    if ((rc && !first) || (!first && !is_later(&revision, &known)))
        return first ? 0 : rc;
    rc = revision_put(node, &source->identity, &revision);
    return rc || node->refolding ? rc : advisory_matched(node, source);
}

int advisory_fold(struct node *node, struct held_log *log, uint64_t index, const struct statement *s,
                  struct span document)
{
    struct advisory advisory;
    struct notice_source source;
    struct arena arena;
    bool readable;
    arena_init(&arena, 8 * (size_t)DOCUMENT_BYTES_MAX);
    int rc = document_read(node, &s->document, s->media, document, &advisory, &arena, &readable);
    source_of_statement(&source, log, index, s, &advisory);
    if (rc == 0 && readable) /* else it is no advisory, whatever it was stated as */
        rc = advisory_count(node, &source);
    arena_free(&arena);
    return rc;
}

int advisory_sighted(struct node *node, const struct sighting *sighting, const struct advisory *advisory)
{
    struct notice_source source;
    source_of_sighting(&source, sighting, advisory);
    return advisory_count(node, &source);
}

struct scan {
    int (*visit)(void *ctx, const struct hash *identity);
    void *ctx;
};

static int scan_visit(void *ctx, struct span key, struct span value)
{
    const struct scan *scan = ctx;
    struct hash identity;
    (void)value;
    if (key.len != sizeof identity.b)
        return E_CORRUPT;
    memcpy(identity.b, key.data, sizeof identity.b);
    return scan->visit(scan->ctx, &identity);
}

int advisories_scan(struct node *node, int (*visit)(void *ctx, const struct hash *identity), void *ctx)
{
    struct scan scan = {.visit = visit, .ctx = ctx};
    return node->env.store->ops->view_scan(node->env.store, view, span_of(NULL, 0), scan_visit, &scan);
}
