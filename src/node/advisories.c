/* Which advisories count, and whom they affect. Of one source's advisory only the latest revision counts: an OSV record by `modified`, a
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

/* One advisory as it was stated or seen, read whole. */
struct stated {
    struct statement statement;
    struct sighting sighting;
    struct span media;
    struct advisory advisory;
    struct notice_source source;
    struct buf entry, document;
    struct arena arena;
    bool readable; /* a release that reads more strictly may not read what was folded before */
};

static void stated_init(struct stated *stated)
{
    *stated = (struct stated){0};
    buf_init(&stated->entry, STATEMENT_BYTES_MAX);
    buf_init(&stated->document, DOCUMENT_BYTES_MAX);
    arena_init(&stated->arena, 8 * (size_t)DOCUMENT_BYTES_MAX);
}

static void stated_free(struct stated *stated)
{
    buf_free(&stated->entry);
    buf_free(&stated->document);
    arena_free(&stated->arena);
}

static void source_of_statement(struct notice_source *out, struct held_log *log, uint64_t index,
                                const struct statement *s, const struct advisory *advisory)
{
    *out = (struct notice_source){
        .log = log, .index = index, .id = s->id, .document = s->document, .issuer = s->issuer, .advisory = advisory};
}

static void source_of_sighting(struct notice_source *out, const struct sighting *s, const struct advisory *advisory)
{
    *out = (struct notice_source){.index = (uint64_t)s->seq,
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
    stated->media = stated->statement.media;
    source_of_statement(&stated->source, revision->log, revision->index, &stated->statement, &stated->advisory);
    return rc;
}

static int sighting_again(struct node *node, const struct revision *revision, struct stated *stated)
{
    int rc = sighting_read(node, (int64_t)revision->index, &stated->sighting, &stated->arena);
    if (rc == 0 && !hash_eq(&stated->sighting.id, &revision->id))
        rc = E_CORRUPT;
    stated->media = stated->sighting.media;
    source_of_sighting(&stated->source, &stated->sighting, &stated->advisory);
    return rc;
}

static int stated_read(struct node *node, const struct revision *revision, struct stated *stated)
{
    struct store *store = node->env.store;
    int rc = revision->log ? statement_again(node, revision, stated) : sighting_again(node, revision, stated);
    rc = rc ? rc : store->ops->document_get(store, &revision->document, &stated->document);
    return rc ? rc
              : document_read(node, &revision->document, stated->media, buf_view(&stated->document), &stated->advisory,
                              &stated->arena, &stated->readable);
}

static void identity(const struct notice_source *source, struct span media, struct hash *out)
{
    const struct span nl = span_str("\n");
    const struct span parts[] = {span_str("comity-advisory/1\n"),
                                 media,
                                 nl,
                                 span_str(source->log ? "" : "feed:"),
                                 source->log ? source->issuer : source->feed,
                                 nl,
                                 source->advisory->id};
    sha256_parts(parts, sizeof parts / sizeof parts[0], out);
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

/* Matching: an advisory, and the revision before it if it takes its place */

struct matching {
    struct node *node;
    struct notice_source source, before; /* before.advisory is NULL when there was none */
    const struct loaded_inventory *inventory;
    uint8_t *verdicts, *verdicts_before; /* by component; NULL without a revision before */
    struct match_counts *counts;
};

static size_t number_of(const struct matching *m, const struct component *component)
{
    return (size_t)(component - m->inventory->inventory.components);
}

static bool is_told(enum verdict verdict)
{
    return verdict == VERDICT_AFFECTED || verdict == VERDICT_UNDECIDED;
}

static int before_visit(void *ctx, enum verdict verdict, const struct evidence *evidence)
{
    struct matching *m = ctx;
    m->verdicts_before[number_of(m, evidence->component)] = (uint8_t)verdict;
    return 0;
}

/* The notice that was made of the revision before about this component. False when there was none. */
static bool told_before(struct matching *m, const struct component *component, struct hash *id)
{
    enum verdict verdict =
        m->verdicts_before ? (enum verdict)m->verdicts_before[number_of(m, component)] : VERDICT_NONE;
    if (!is_told(verdict))
        return false;
    notice_id(&m->before, m->inventory, component, verdict_names[verdict], id);
    return notice_exists(m->node, id);
}

static int now_visit(void *ctx, enum verdict verdict, const struct evidence *evidence)
{
    struct matching *m = ctx;
    struct hash before;
    m->counts->affected += verdict == VERDICT_AFFECTED;
    m->counts->undecided += verdict == VERDICT_UNDECIDED;
    if (!is_told(verdict))
        return 0;
    if (m->verdicts)
        m->verdicts[number_of(m, evidence->component)] = (uint8_t)verdict;
    return notice_record(m->node, &m->source, m->inventory, verdict_names[verdict], evidence,
                         told_before(m, evidence->component, &before) ? &before : NULL);
}

/* Whoever was told of a component that the latest revision does not affect is told so. */
static int clear(struct matching *m)
{
    const struct inventory *inventory = &m->inventory->inventory;
    int rc = 0;
    for (size_t i = 0; i < inventory->count && rc == 0; i++) {
        const struct component *component = &inventory->components[i];
        struct evidence evidence;
        struct hash before;
        if (is_told((enum verdict)m->verdicts[i]) || !told_before(m, component, &before))
            continue;
        if (match_component(m->source.advisory, component, &evidence) == VERDICT_NONE) {
            evidence = (struct evidence){.component = component, .version = component->version};
            (void)snprintf(evidence.reason, sizeof evidence.reason, "the advisory %s",
                           m->source.advisory->withdrawn ? "is withdrawn" : "does not name it any more");
        }
        rc = notice_record(m->node, &m->source, m->inventory, NOTICE_CLEARED, &evidence, &before);
    }
    return rc;
}

static int inventory_match(struct matching *m)
{
    size_t count = m->inventory->inventory.count;
    int rc = 0;
    if (m->before.advisory) {
        m->verdicts = calloc(count + 1, 1);
        m->verdicts_before = calloc(count + 1, 1);
        rc = m->verdicts && m->verdicts_before ? 0 : E_NOMEM;
        if (rc == 0)
            rc = match_index_run(m->inventory->index, m->before.advisory, before_visit, m);
    }
    if (rc == 0)
        rc = match_index_run(m->inventory->index, m->source.advisory, now_visit, m);
    if (rc == 0 && m->before.advisory)
        rc = clear(m);
    free(m->verdicts);
    free(m->verdicts_before);
    m->verdicts = m->verdicts_before = NULL;
    return rc;
}

static int inventories_match(struct matching *m, const struct loaded_inventory *only)
{
    int rc = 0;
    for (size_t i = 0; i < m->node->inventory_count && rc == 0; i++) {
        m->inventory = m->node->inventories[i];
        if (!only || only == m->inventory)
            rc = inventory_match(m);
    }
    return rc;
}

static int revised_match(struct node *node, const struct notice_source *source, const struct revision *replaced)
{
    struct match_counts counts = {0};
    struct matching m = {.node = node, .source = *source, .counts = &counts};
    struct stated before;
    int rc = 0;
    stated_init(&before);
    if (replaced) {
        rc = stated_read(node, replaced, &before);
        if (before.readable)
            m.before = before.source;
    }
    rc = rc ? rc : inventories_match(&m, NULL);
    stated_free(&before);
    return rc;
}

/* Takes the place of what counted until now, if it is later. */
static int advisory_count(struct node *node, const struct notice_source *source, struct span media)
{
    struct revision revision, known;
    struct hash key;
    identity(source, media, &key);
    revision_of(source, &revision);
    int rc = revision_get(node, &key, &known);
    bool first = rc == E_NOTFOUND;
    if ((rc && !first) || (!first && !is_later(&revision, &known)))
        return first ? 0 : rc;
    rc = revision_put(node, &key, &revision);
    if (rc == 0 && !node->refolding && node->inventory_count)
        rc = revised_match(node, source, first ? NULL : &known);
    return rc;
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
        rc = advisory_count(node, &source, s->media);
    arena_free(&arena);
    return rc;
}

int advisory_sighted(struct node *node, const struct sighting *sighting, const struct advisory *advisory)
{
    struct notice_source source;
    source_of_sighting(&source, sighting, advisory);
    return advisory_count(node, &source, sighting->media);
}

struct against {
    struct node *node;
    const struct loaded_inventory *only;
    struct match_counts *counts;
};

static int against_visit(void *ctx, struct span key, struct span value)
{
    struct against *against = ctx;
    struct revision revision;
    struct stated stated;
    (void)key;
    int rc = revision_parse(against->node, value, &revision);
    if (rc)
        return rc;
    stated_init(&stated);
    rc = stated_read(against->node, &revision, &stated);
    if (stated.readable) {
        struct matching m = {.node = against->node, .source = stated.source, .counts = against->counts};
        rc = inventories_match(&m, against->only);
    }
    against->counts->advisories++;
    stated_free(&stated);
    return rc;
}

int advisories_match(struct node *node, const struct loaded_inventory *only, struct match_counts *counts)
{
    struct against against = {.node = node, .only = only, .counts = counts};
    *counts = (struct match_counts){0};
    return node->env.store->ops->view_scan(node->env.store, view, span_of(NULL, 0), against_visit, &against);
}
