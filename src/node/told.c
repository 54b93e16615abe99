/* What the owner was told last of each component: what a notice can take back or take the place of. Derived view, folded from the journal's
   notices:
     told  inventory (16), advisory (16), component (16): hashes, cut -> verdict (1), id of the notice (32)
   A notice that says "no longer affected" leaves nothing. Its texts are hashed as the notice has them, cut and escaped, so that the view
   comes out of the journal as it was. */
#include "base/limits.h"
#include "crypto/sha256.h"
#include "format/json.h"
#include "node/state.h"

static const struct span view = {(const uint8_t *)"told", 4}, kind_notice = {(const uint8_t *)"notice", 6};

enum { PART = TOLD_PART_BYTES, KEY_BYTES = 3 * PART, VALUE_BYTES = 33 };

void told_inventory(struct span name, uint8_t out[static TOLD_PART_BYTES])
{
    struct hash hash;
    sha256(name, &hash);
    memcpy(out, hash.b, PART);
}

static void component_part(const struct component *c, size_t text_max, uint8_t out[static TOLD_PART_BYTES])
{
    const struct span texts[] = {c->ecosystem, c->name, c->version, c->purl};
    struct hash hash;
    struct buf text;
    buf_init(&text, NOTICE_BYTES_MAX);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        buf_json(&text, text_cut(texts[i], text_max));
    sha256(buf_view(&text), &hash);
    memcpy(out, hash.b, PART);
    buf_free(&text);
}

void told_component(const struct component *c, uint8_t out[static TOLD_PART_BYTES])
{
    component_part(c, NOTICE_TEXT_MAX, out);
}

int told_put(struct node *node, struct span inventory, const struct hash *advisory,
             const uint8_t component[static TOLD_PART_BYTES], enum verdict verdict, const struct hash *id)
{
    uint8_t key[KEY_BYTES], value[VALUE_BYTES];
    const struct store_ops *ops = node->env.store->ops;
    told_inventory(inventory, key);
    memcpy(key + PART, advisory->b, PART);
    memcpy(key + 2 * (ptrdiff_t)PART, component, PART);
    if (verdict != VERDICT_AFFECTED && verdict != VERDICT_UNDECIDED)
        return ops->view_delete(node->env.store, view, span_of(key, sizeof key));
    value[0] = (uint8_t)verdict;
    memcpy(value + 1, id->b, 32);
    return ops->view_put(node->env.store, view, span_of(key, sizeof key), span_of(value, sizeof value));
}

struct scan {
    uint8_t prefix[2 * PART];
    size_t prefix_len;
    told_visit *visit;
    void *ctx;
};

static int scan_visit(void *ctx, struct span key, struct span value)
{
    const struct scan *scan = ctx;
    struct told told;
    if (key.len != KEY_BYTES || value.len != VALUE_BYTES)
        return E_CORRUPT;
    if (memcmp(key.data, scan->prefix, scan->prefix_len) != 0)
        return 1;
    memcpy(told.advisory, key.data + PART, PART);
    memcpy(told.component, key.data + 2 * (ptrdiff_t)PART, PART);
    told.verdict = value.data[0] == VERDICT_AFFECTED ? VERDICT_AFFECTED : VERDICT_UNDECIDED;
    memcpy(told.id.b, value.data + 1, 32);
    int rc = scan->visit(scan->ctx, &told);
    return rc > 0 ? E_STATE : rc;
}

int told_scan(struct node *node, struct span inventory, const struct hash *advisory, told_visit *visit, void *ctx)
{
    struct scan scan = {.prefix_len = advisory ? 2 * PART : PART, .visit = visit, .ctx = ctx};
    told_inventory(inventory, scan.prefix);
    if (advisory)
        memcpy(scan.prefix + PART, advisory->b, PART);
    int rc = node->env.store->ops->view_scan(node->env.store, view, span_of(scan.prefix, scan.prefix_len), scan_visit,
                                             &scan);
    return rc == 1 ? 0 : rc;
}

/* From the journal */

static void component_read(const struct json *notice, struct component *out)
{
    const struct json *c = json_get(notice, "component");
    *out = (struct component){.ecosystem = json_text(c, "ecosystem"),
                              .name = json_text(c, "name"),
                              .version = json_text(c, "version"),
                              .purl = json_text(c, "purl"),
                              .path = json_text(c, "path")};
}

struct reading {
    struct component *out;
    struct arena *arena;
};

static int reading_visit(void *ctx, const struct journal_row *row)
{
    struct reading *reading = ctx;
    const struct json *root = NULL;
    struct span body = arena_copy(reading->arena, row->body);
    int rc = body.data ? json_parse(&root, body, NOTICE_BYTES_MAX, reading->arena, NULL) : E_NOMEM;
    component_read(root, reading->out);
    return rc;
}

int told_of(struct node *node, const struct hash *id, struct component *out, struct arena *arena)
{
    struct reading reading = {.out = out, .arena = arena};
    char hex[65];
    hash_hex(id, hex);
    return node->env.store->ops->journal_find(node->env.store, kind_notice, span_str(hex), reading_visit, &reading);
}

/* Notices of earlier releases do not name the media type: it stands in the statement. */
static int media_find(struct node *node, const struct hash *id, struct buf *entry, struct span *media)
{
    struct statement s;
    log_id log;
    uint64_t index;
    int rc = node->env.store->ops->entry_find(node->env.store, id, &log, &index);
    rc = rc ? rc : entry_read(node, log, index, id, entry);
    rc = rc ? rc : statement_parse(&s, buf_view(entry), NULL);
    *media = rc ? span_of(NULL, 0) : s.media;
    return rc;
}

static int identity_read(struct node *node, const struct json *advisory, struct hash *out)
{
    struct span media = json_text(advisory, "media"), source = json_text(advisory, "source");
    struct buf entry;
    struct hash id;
    int rc = 0;
    buf_init(&entry, STATEMENT_BYTES_MAX);
    if (!media.len)
        rc = hash_parse(json_text(advisory, "statement"), &id) ? media_find(node, &id, &entry, &media) : E_CORRUPT;
    if (rc == 0)
        advisory_identity(media, source.len ? source : json_text(advisory, "issuer"), json_text(advisory, "id"), out);
    buf_free(&entry);
    return rc;
}

static int fold_visit(void *ctx, const struct journal_row *row)
{
    struct node *node = ctx;
    const struct json *root = NULL;
    struct arena arena;
    struct component component;
    struct hash advisory, id;
    uint8_t part[PART];
    arena_init(&arena, 1 << 20);
    int rc = json_parse(&root, row->body, NOTICE_BYTES_MAX, &arena, NULL);
    if (rc == 0 && !hash_parse(row->key, &id))
        rc = E_CORRUPT;
    component_read(root, &component);
    component_part(&component, SIZE_MAX, part); /* cut already */
    if (rc == 0)
        rc = identity_read(node, json_get(root, "advisory"), &advisory);
    if (rc == 0) {
        struct span verdict = json_text(root, "verdict");
        rc = told_put(node, json_text(root, "inventory"), &advisory, part,
                      span_is(verdict, verdict_names[VERDICT_AFFECTED])    ? VERDICT_AFFECTED
                      : span_is(verdict, verdict_names[VERDICT_UNDECIDED]) ? VERDICT_UNDECIDED
                                                                           : VERDICT_NONE,
                      &id);
    }
    arena_free(&arena);
    return rc == E_NOTFOUND ? 0 : rc; /* of a statement that a repair could not bring back */
}

int told_fold(struct node *node)
{
    return node->env.store->ops->journal_scan(node->env.store, kind_notice, 0, fold_visit, node);
}
