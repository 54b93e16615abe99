/* What an entry means here, whatever way it came: checked against the roster, kept apart if it is wrong, its document awaited, and
   handed to the works. Derived views (all of them droppable):
     wanted    document hash || statement id -> log number (8 bytes): stated, not held
     leave     log number (8 bytes) -> index (8) || statement id (32): the last statement of a log
     current   advisories.c: the latest revision of each advisory
     followed, feed   followed.c
     told      told.c
   and what changes.c and others name. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mutant.h"
#include "circle/change.h"
#include "circle/faces.h"
#include "crypto/sha256.h"
#include "node/state.h"
#include "publish/publish.h"

bool document_missing(struct node *node, const struct hash *hash)
{
    struct stored_document info;
    return node->env.store->ops->document_info(node->env.store, hash, &info) != 0;
}

struct early_document *early_find(struct node *node, const struct hash *hash)
{
    for (size_t i = 0; i < node->early_count; i++)
        if (hash_eq(&node->early[i].hash, hash))
            return &node->early[i];
    return NULL;
}

void early_drop(struct node *node, struct early_document *document)
{
    size_t index = (size_t)(document - node->early);
    node->early_bytes -= document->bytes.len;
    buf_free(&document->bytes);
    memmove(document, document + 1, (node->early_count - index - 1) * sizeof *document);
    node->early_count--;
}

/* Why an entry does not count, though it is mirrored: another circle, a copied statement, a wrong key. */
static int statement_check(struct node *node, const struct held_log *log, uint64_t index, const struct statement *s,
                           struct fault *fault)
{
    const struct party *party = NULL;
    const struct public_key *key = NULL;
    if (span_is(s->media, MEDIA_KEY_CHANGE))
        return key_change_screen(node->roster, s, log->party, fault);
    if (!hash_eq(&s->circle, &node->roster->circle))
        return fail(fault, E_CIRCLE, "the statement names another circle");
    if (!span_is(s->issuer, log->party->card.name))
        return fail(fault, E_ISSUER, "issued by %.*s, found in the log of %s", (int)s->issuer.len,
                    (const char *)s->issuer.data, log->party->card.name);
    int rc = roster_entry_key(node->roster, s->issuer, &s->kid, index, &party, &key, fault);
    if (rc == 0 && !node->own_batch && statement_verify(s, key) != 0)
        rc = fail(fault, E_SIGNATURE, "the statement's signature does not verify");
    return rc;
}

static int refuse(struct node *node, const struct held_log *log, uint64_t index, const struct fault *fault)
{
    char key[ORIGIN_BYTES_MAX + 24];
    struct buf body;
    int64_t seq;
    node->refused_entries++;
    (void)snprintf(key, sizeof key, "%s %llu", log->party->origin, (unsigned long long)index);
    buf_init(&body, 4096);
    fault_json(&body, fault, fault->code);
    int rc = node->env.store->ops->journal_append(node->env.store, now_seconds(node), span_str("refused"),
                                                  span_str(key), buf_view(&body), &seq);
    buf_free(&body);
    return rc == E_EXISTS ? 0 : rc;
}

static int faces_fold(struct node *node, struct held_log *log, uint64_t index, const struct statement *s,
                      struct span document)
{
    (void)log;
    (void)index;
    return faces_told(node, &s->document, document);
}

static int change_fold(struct node *node, struct held_log *log, uint64_t index, const struct statement *s,
                       struct span document)
{
    (void)document;
    return change_note(node, log, index, s);
}

/* What a document of each kind does here; of other kinds nothing, and they need not be read. */
typedef int document_fold(struct node *node, struct held_log *log, uint64_t index, const struct statement *s,
                          struct span document);
static const struct {
    const char *media;
    document_fold *fold;
} folds[] = {
    {MEDIA_CSAF, advisory_fold},   {MEDIA_OSV, advisory_fold},      {MEDIA_CVE, advisory_fold},
    {MEDIA_TWO_FACES, faces_fold}, {MEDIA_KEY_CHANGE, change_fold},
};

static document_fold *fold_of(const struct statement *s)
{
    for (size_t i = 0; i < sizeof folds / sizeof folds[0]; i++)
        if (span_is(s->media, folds[i].media))
            return folds[i].fold;
    return NULL;
}

static int fold_document(struct node *node, struct held_log *log, uint64_t index, const struct statement *s,
                         struct span document)
{
    document_fold *fold = fold_of(s);
    return fold ? fold(node, log, index, s, document) : 0;
}

static int fold_held(struct node *node, struct held_log *log, uint64_t index, const struct statement *s)
{
    struct buf document;
    if (!fold_of(s))
        return 0;
    buf_init(&document, DOCUMENT_BYTES_MAX);
    int rc = node->env.store->ops->document_get(node->env.store, &s->document, &document);
    rc = rc ? rc : fold_document(node, log, index, s, buf_view(&document));
    buf_free(&document);
    return rc;
}

static int want(struct node *node, struct held_log *log, uint64_t index, const struct statement *s)
{
    uint8_t key[64], value[WANTED_BYTES];
    memcpy(key, s->document.b, 32);
    memcpy(key + 32, s->id.b, 32);
    u64_put(value, (uint64_t)(log - node->logs));
    u64_put(value + 8, index);
    log->wanted = log->wanted_seen = true;
    if (!log->document_retry.at_ms && node->self->committee && !log->own)
        log->document_retry.at_ms =
            node->now_ms + PULL_GRACE_MS; /* the writer sends it to its mirrors: wait a moment */
    return node->env.store->ops->view_put(node->env.store, span_str("wanted"), span_of(key, sizeof key),
                                          span_of(value, sizeof value));
}

static int labelled_put(struct node *node, struct held_log *log, uint64_t index, const struct statement *s,
                        struct span document)
{
    enum label label;
    int rc = document_label_tell(node, &s->document, s->media, document, &label);
    if (rc == 0 && document_missing(node, &s->document))
        quota_count(node, log, index, 0, document.len);
    return rc ? rc : node->env.store->ops->document_put(node->env.store, &s->document, label, document);
}

/* A document that a feed had before is held, and served to nobody: now the statement's label counts. */
static int label_raise(struct node *node, struct held_log *log, uint64_t index, const struct statement *s)
{
    struct stored_document info;
    struct buf bytes;
    if (node->refolding)
        return 0; /* labels are no view: they were told when the entry came */
    int rc = node->env.store->ops->document_info(node->env.store, &s->document, &info);
    if (rc || info.label != LABEL_CLOSED)
        return rc;
    buf_init(&bytes, DOCUMENT_BYTES_MAX);
    rc = node->env.store->ops->document_get(node->env.store, &s->document, &bytes);
    rc = rc ? rc : labelled_put(node, log, index, s, buf_view(&bytes));
    buf_free(&bytes);
    return rc;
}

/* The index says that the statement stood earlier in this log: did it? */
static int repeated(struct node *node, struct held_log *log, uint64_t first, const struct hash *id)
{
    struct buf entry;
    struct hash leaf;
    buf_init(&entry, STATEMENT_BYTES_MAX);
    int rc = node->env.store->ops->entry_get(node->env.store, log->id, first, &entry);
    tree_leaf(buf_view(&entry), &leaf);
    buf_free(&entry);
    return rc ? rc : hash_eq(&leaf, id) ? 0 : E_CORRUPT;
}

static int fold_entry(struct node *node, struct held_log *log, uint64_t index, struct span entry)
{
    struct statement s;
    struct fault fault = {0};
    struct store *store = node->env.store;
    log_id first_log = 0;
    uint64_t first = index;
    int rc = statement_parse(&s, entry, &fault);
    if (rc == 0)
        rc = statement_check(node, log, index, &s, &fault);
    if (rc == 0 && log->left && index > log->left_index)
        rc = fail(&fault, E_LEFT, "the leaving statement of %s has index %llu", log->party->card.name,
                  (unsigned long long)log->left_index);
    if (rc)
        return refuse(node, log, index, &fault);
    rc = store->ops->entry_find(store, &s.id, &first_log, &first);
    if (rc == 0 && first_log == log->id && first != index && !MUTANT(LATER_INDEX))
        return first < index ? repeated(node, log, first, &s.id) : E_CORRUPT; /* it counts at its lowest index only */
    if (rc)
        return rc == E_NOTFOUND ? E_CORRUPT : rc; /* every entry is in the index */
    if (span_is(s.media, MEDIA_SEALED))
        return 0;
    if (span_is(s.media, MEDIA_LEAVE) && (rc = leave_told(node, log, index, &s.id)) != 0)
        return rc;
    if (node->own_batch) /* its document was stored with this batch, under the label that its owner gave it */
        return fold_held(node, log, index, &s);
    if (!document_missing(node, &s.document)) {
        rc = label_raise(node, log, index, &s);
        return rc ? rc : fold_held(node, log, index, &s);
    }
    struct early_document *early = early_find(node, &s.document);
    if (!early)
        return want(node, log, index, &s);
    if (!MUTANT(EARLY_DROPPED))
        rc = labelled_put(node, log, index, &s, buf_view(&early->bytes));
    rc = rc ? rc : fold_document(node, log, index, &s, buf_view(&early->bytes));
    early_drop(node, early);
    return rc;
}

/* The store has extended its tiles from what it read of them: they must give the root of the frontier, which was kept here. Else a bit
   of a tile has flipped, and the batch that would carry it on is not committed. */
static int tiles_check(struct node *node, struct held_log *log)
{
    struct store_tiles space;
    struct tile_reader tiles = log_tiles(node, log, &space);
    struct hash kept, stored;
    frontier_root(&log->frontier, &kept);
    int rc = tree_root(&tiles, log->frontier.size, &stored);
    return rc == 0 && !hash_eq(&kept, &stored) ? E_CORRUPT : rc;
}

int entries_take(struct node *node, struct held_log *log, const struct span *entries, const struct hash *ids,
                 size_t count)
{
    int rc = write_begin(node);
    if (rc == 0)
        rc = node->env.store->ops->entries_append(node->env.store, log->id, entries, ids, count);
    uint64_t first = log->size;
    log->size += rc ? 0 : count; /* what is folded may ask for this tree */
    for (size_t i = 0; i < count; i++)
        frontier_append(&log->frontier, &ids[i]);
    rc = rc ? rc : tiles_check(node, log);
    for (size_t i = 0; i < count && rc == 0; i++) {
        quota_count(node, log, first + i, 1, entries[i].len);
        rc = fold_entry(node, log, first + i, entries[i]);
    }
    return rc;
}

struct wanted {
    struct hash document;
    size_t count;
    struct hash ids[64];
};

static int wanted_visit(void *ctx, struct span key, struct span value)
{
    struct wanted *wanted = ctx;
    (void)value;
    if (key.len != 64 || memcmp(key.data, wanted->document.b, 32) != 0 || wanted->count == 64)
        return 1;
    memcpy(wanted->ids[wanted->count++].b, key.data + 32, 32);
    return 0;
}

static int wanted_list(struct node *node, const struct hash *hash, struct wanted *wanted)
{
    *wanted = (struct wanted){.document = *hash};
    int rc =
        node->env.store->ops->view_scan(node->env.store, span_str("wanted"), span_hash(hash), wanted_visit, wanted);
    return rc < 0 ? rc : 0;
}

bool document_wanted(struct node *node, const struct hash *hash)
{
    struct wanted *wanted = malloc(sizeof *wanted);
    bool found = wanted && wanted_list(node, hash, wanted) == 0 && wanted->count > 0;
    free(wanted);
    return found;
}

static struct held_log *log_by_id(struct node *node, log_id id)
{
    for (size_t i = 0; i < node->log_count; i++)
        if (node->logs[i].id == id)
            return &node->logs[i];
    return NULL;
}

static int document_arrived(struct node *node, const struct hash *hash, const struct hash *id, struct span bytes)
{
    struct store *store = node->env.store;
    struct statement s;
    struct buf entry;
    uint8_t key[64];
    log_id number;
    uint64_t index;
    buf_init(&entry, STATEMENT_BYTES_MAX);
    memcpy(key, hash->b, 32);
    memcpy(key + 32, id->b, 32);
    int rc = store->ops->entry_find(store, id, &number, &index);
    if (rc == 0)
        rc = entry_read(node, number, index, id, &entry);
    struct held_log *log = rc == 0 ? log_by_id(node, number) : NULL;
    if (log && statement_parse(&s, buf_view(&entry), NULL) == 0) {
        rc = labelled_put(node, log, index, &s, bytes);
        if (rc == 0)
            rc = fold_document(node, log, index, &s, bytes);
    }
    if (rc == 0)
        rc = store->ops->view_delete(store, span_str("wanted"), span_of(key, sizeof key));
    buf_free(&entry);
    return rc;
}

int document_take(struct node *node, const struct hash *hash, enum label label, struct span bytes)
{
    struct wanted *wanted = malloc(sizeof *wanted);
    int rc = wanted ? write_begin(node) : E_NOMEM;
    if (rc == 0)
        rc = wanted_list(node, hash, wanted);
    if (rc == 0 && !wanted->count && document_missing(node, hash))
        rc = node->env.store->ops->document_put(node->env.store, hash, label, bytes);
    while (rc == 0 && wanted->count) { /* so many at a time: each that was met is wanted no more */
        for (size_t i = 0; rc == 0 && i < wanted->count; i++)
            rc = document_arrived(node, hash, &wanted->ids[i], bytes);
        rc = rc ? rc : wanted_list(node, hash, wanted);
    }
    free(wanted);
    return rc;
}

struct refold {
    struct node *node;
    struct held_log *log;
};

static int refold_visit(void *ctx, uint64_t index, struct span bytes)
{
    struct refold *refold = ctx;
    return fold_entry(refold->node, refold->log, index, bytes);
}

static int fold_log(struct node *node, struct held_log *log)
{
    struct refold refold = {.node = node, .log = log};
    log->left = false; /* it is found again, if it still counts */
    return entries_read(node, log, 0, log->size, refold_visit, &refold);
}

/* Advisories meet inventories when all is folded: only the latest revisions count, whatever order their documents once came in. */
int views_fold(struct node *node)
{
    int rc = write_begin(node);
    rc = rc ? rc : node->env.store->ops->views_drop(node->env.store);
    node->refolding = true;
    for (size_t i = 0; i < node->log_count && rc == 0; i++)
        rc = fold_log(node, &node->logs[i]);
    rc = rc ? rc : followed_fold(node);
    rc = rc ? rc : told_fold(node);
    node->refolding = false;
    return rc ? rc : matching_refold(node);
}

/* Views that another release folded by other rules are folded anew, once. */
int views_check(struct node *node)
{
    static const char key[] = "views", rules[] = "6";
    struct buf known;
    buf_init(&known, 16);
    int rc = node->env.store->ops->state_get(node->env.store, span_str(key), &known);
    bool same = rc == 0 && span_is(buf_view(&known), rules);
    buf_free(&known);
    if (same || (rc && rc != E_NOTFOUND && rc != E_LIMIT))
        return same ? 0 : rc;
    rc = views_fold(node);
    rc = rc ? rc : node->env.store->ops->state_put(node->env.store, span_str(key), span_str(rules));
    return rc ? rc : write_commit(node);
}
