/* Inventories stay in the journal; advisories meet them here; a notice is recorded once under a stable id and handed out until
   every channel has taken it. */
#include <stdio.h>
#include <stdlib.h>

#include "affected/match.h"
#include "crypto/sha256.h"
#include "format/json.h"
#include "node/state.h"

static const struct span kind_inventory = {(const uint8_t *)"inventory", 9};
static const struct span kind_notice = {(const uint8_t *)"notice", 6};
static const struct span kind_delivered = {(const uint8_t *)"delivered", 9};

static void inventory_free(struct loaded_inventory *inventory)
{
    if (!inventory)
        return;
    arena_free(&inventory->arena);
    buf_free(&inventory->bytes);
    free(inventory);
}

void inventories_free(struct node *node)
{
    for (size_t i = 0; i < node->inventory_count; i++)
        inventory_free(node->inventories[i]);
    free(node->inventories);
    node->inventories = NULL;
    node->inventory_count = 0;
}

static int inventory_parse(struct loaded_inventory **out, struct span name, struct span distribution, struct span bytes,
                           struct fault *fault)
{
    struct loaded_inventory *loaded = calloc(1, sizeof *loaded);
    if (!loaded)
        return fail(fault, E_NOMEM, "inventory");
    arena_init(&loaded->arena, 4 * (size_t)INVENTORY_BYTES_MAX);
    buf_init(&loaded->bytes, INVENTORY_BYTES_MAX);
    buf_span(&loaded->bytes, bytes);
    (void)snprintf(loaded->name, sizeof loaded->name, "%.*s", (int)name.len, (const char *)name.data);
    sha256(bytes, &loaded->hash);
    struct span ecosystem = arena_copy(&loaded->arena, distribution);
    int rc = loaded->bytes.error
                 ? fail(fault, loaded->bytes.error, "%zu bytes", bytes.len)
                 : inventory_read(&loaded->inventory, buf_view(&loaded->bytes), ecosystem, &loaded->arena, fault);
    if (rc) {
        inventory_free(loaded);
        return rc;
    }
    *out = loaded;
    return 0;
}

/* Replaces the inventory of the same name. */
static int inventory_place(struct node *node, struct loaded_inventory *loaded)
{
    for (size_t i = 0; i < node->inventory_count; i++)
        if (strcmp(node->inventories[i]->name, loaded->name) == 0) {
            inventory_free(node->inventories[i]);
            node->inventories[i] = loaded;
            return 0;
        }
    struct loaded_inventory **list =
        realloc(node->inventories, (node->inventory_count + 1) * sizeof(struct loaded_inventory *));
    if (!list)
        return E_NOMEM;
    node->inventories = list;
    list[node->inventory_count++] = loaded;
    return 0;
}

static int load_visit(void *ctx, const struct journal_row *row)
{
    struct node *node = ctx;
    struct span name, distribution, key = row->key, body = row->body;
    struct loaded_inventory *loaded = NULL;
    int rc = 0;
    if (!span_line(&key, &name) || !span_line(&body, &distribution) ||
        (rc = inventory_parse(&loaded, name, distribution, body, NULL)) != 0)
        return rc == E_NOMEM ? rc : E_CORRUPT;
    return inventory_place(node, loaded);
}

int inventories_load(struct node *node)
{
    return node->env.store->ops->journal_scan(node->env.store, kind_inventory, 0, load_visit, node);
}

/* Notices */

struct matching {
    struct node *node;
    struct held_log *log; /* where the statement stands, at `index` */
    uint64_t index;
    const struct statement *statement;
    const struct advisory *advisory;
    const struct loaded_inventory *inventory;
    bool
        supported; /* `standing` says whether the statement stood, and since when; asked for once, with its first notice */
    struct support standing;
    unsigned affected, undecided, not_affected;
};

static void standing_write(const struct support *standing, struct buf *out)
{
    char at[21] = "";
    if (standing->size)
        time_format(standing->instant, at);
    buf_printf(out, "\"state\":\"%s\",\"standing_since\":\"%s\"", standing->size ? "standing" : "logged", at);
}

static void notice_id(const struct matching *m, enum verdict verdict, const struct component *component,
                      struct hash *id)
{
    const struct span nl = span_str("\n");
    const struct span parts[] = {span_str("comity-notice/1\n"),
                                 span_hash(&m->statement->id),
                                 nl,
                                 span_str(m->inventory->name),
                                 nl,
                                 component->ecosystem,
                                 nl,
                                 component->name,
                                 nl,
                                 component->version,
                                 nl,
                                 component->purl,
                                 nl,
                                 span_str(verdict_names[verdict])};
    sha256_parts(parts, sizeof parts / sizeof parts[0], id);
}

static void member(struct buf *out, const char *name, struct span value)
{
    buf_json(out, span_str(name));
    buf_byte(out, ':');
    buf_json(out, value);
    buf_byte(out, ',');
}

static void notice_write(const struct matching *m, enum verdict verdict, const struct evidence *e,
                         const struct hash *id, struct buf *out)
{
    char hex[65], at[21];
    hash_hex(id, hex);
    time_format(now_seconds(m->node), at);
    buf_byte(out, '{');
    member(out, "id", span_str(hex));
    member(out, "verdict", span_str(verdict_names[verdict]));
    member(out, "recorded_at", span_str(at));
    member(out, "inventory", span_str(m->inventory->name));
    buf_text(out, "\"component\":{");
    member(out, "ecosystem", e->component->ecosystem);
    member(out, "name", e->component->name);
    member(out, "version", e->component->version);
    member(out, "purl", e->component->purl);
    buf_text(out, "\"path\":");
    buf_json(out, e->component->path);
    buf_text(out, "},\"advisory\":{");
    member(out, "id", m->advisory->id);
    member(out, "title", m->advisory->title);
    member(out, "version", m->advisory->version);
    member(out, "issuer", m->statement->issuer);
    hash_hex(&m->statement->id, hex);
    member(out, "statement", span_str(hex));
    hash_hex(&m->statement->document, hex);
    member(out, "document", span_str(hex));
    standing_write(&m->standing, out);
    buf_text(out, m->advisory->withdrawn ? ",\"withdrawn\":true}," : ",\"withdrawn\":false},");
    buf_text(out, "\"evidence\":{");
    member(out, "row", e->package ? e->package->path : span_str(""));
    buf_text(out, "\"reason\":");
    buf_json(out, span_str(e->reason));
    buf_text(out, "}}");
}

static int matched(void *ctx, enum verdict verdict, const struct evidence *evidence)
{
    struct matching *m = ctx;
    struct node *node = m->node;
    struct hash id;
    char hex[65];
    int64_t seq;
    int rc = 0;
    if (verdict == VERDICT_NOT_AFFECTED) {
        m->not_affected++;
        return 0;
    }
    if (!m->supported)
        rc = support_find(node, m->log, m->index, false, &m->standing);
    m->supported = true;
    m->affected += verdict == VERDICT_AFFECTED;
    m->undecided += verdict == VERDICT_UNDECIDED;
    struct buf body;
    buf_init(&body, 65536);
    notice_id(m, verdict, evidence->component, &id);
    notice_write(m, verdict, evidence, &id, &body);
    hash_hex(&id, hex);
    rc = rc ? rc : body.error ? body.error : write_begin(node);
    if (rc == 0)
        rc = node->env.store->ops->journal_append(node->env.store, now_seconds(node), kind_notice, span_str(hex),
                                                  buf_view(&body), &seq);
    if (rc == 0 && node->actions && node->channels && node->channels[0]) {
        struct action *action = action_add(node, ACTION_NOTICE);
        action->hash = id;
        buf_span(&action->body, buf_view(&body));
    }
    buf_free(&body);
    return rc == E_EXISTS ? 0 : rc;
}

static int match_one(struct node *node, struct held_log *log, uint64_t index, const struct statement *s,
                     struct span document, const struct loaded_inventory *only, struct matching *m)
{
    struct arena arena;
    struct advisory advisory;
    arena_init(&arena, 8 * (size_t)DOCUMENT_BYTES_MAX);
    int read = advisory_read(&advisory, s->media, document, &arena, NULL), rc = arena.exhausted ? E_NOMEM : 0;
    if (rc == 0 && read == 0 && !advisory.withdrawn) {
        m->node = node;
        m->log = log;
        m->index = index;
        m->statement = s;
        m->advisory = &advisory;
        m->supported = false;
        for (size_t i = 0; i < node->inventory_count && rc == 0; i++) {
            m->inventory = node->inventories[i];
            if (!only || only == m->inventory)
                rc = match_inventory(&advisory, &m->inventory->inventory, matched, m);
        }
    }
    arena_free(&arena);
    return rc;
}

int advisory_match(struct node *node, struct held_log *log, uint64_t index, const struct statement *statement,
                   struct span document)
{
    struct matching m = {0};
    return node->inventory_count ? match_one(node, log, index, statement, document, NULL, &m) : 0;
}

struct against {
    struct node *node;
    const struct loaded_inventory *inventory;
    struct matching m;
    unsigned advisories;
};

static uint64_t get_u64(const uint8_t *in)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | in[i];
    return value;
}

static int against_visit(void *ctx, struct span key, struct span value)
{
    struct against *against = ctx;
    struct node *node = against->node;
    struct store *store = node->env.store;
    struct buf entry, document;
    struct statement s;
    struct hash id;
    if (key.len != 32 || value.len != 48 || get_u64(value.data) >= node->log_count)
        return E_CORRUPT;
    buf_init(&entry, STATEMENT_BYTES_MAX);
    buf_init(&document, DOCUMENT_BYTES_MAX);
    struct held_log *log = &node->logs[get_u64(value.data)];
    memcpy(id.b, key.data, 32);
    int rc = entry_read(node, log->id, get_u64(value.data + 8), &id, &entry);
    if (rc == 0)
        rc = statement_parse(&s, buf_view(&entry), NULL);
    if (rc == 0)
        rc = store->ops->document_get(store, &s.document, &document);
    if (rc == 0)
        rc = match_one(node, log, get_u64(value.data + 8), &s, buf_view(&document), against->inventory, &against->m);
    against->advisories++;
    buf_free(&entry);
    buf_free(&document);
    return rc;
}

static int inventory_record(struct node *node, const struct event *event, const struct loaded_inventory *loaded)
{
    struct buf key, body;
    int64_t seq;
    buf_init(&key, 256);
    buf_init(&body, INVENTORY_BYTES_MAX + 256);
    buf_printf(&key, "%s\n%lld\n", loaded->name, (long long)node->now_ms);
    buf_hex(&key, span_hash(&loaded->hash));
    buf_span(&body, event->media);
    buf_byte(&body, '\n');
    buf_span(&body, event->body);
    int rc = body.error ? body.error : write_begin(node);
    if (rc == 0)
        rc = node->env.store->ops->journal_append(node->env.store, now_seconds(node), kind_inventory, buf_view(&key),
                                                  buf_view(&body), &seq);
    buf_free(&key);
    buf_free(&body);
    return rc == E_EXISTS ? 0 : rc;
}

int inventory_take(struct node *node, const struct event *event)
{
    struct loaded_inventory *loaded = NULL;
    struct fault fault = {0};
    struct against against = {.node = node};
    if (!event->name.len || event->name.len > 63)
        (void)fail(&fault, E_LIMIT, "an inventory's name has 1 to 63 bytes");
    if (fault.code || inventory_parse(&loaded, event->name, event->media, event->body, &fault) != 0) {
        (void)fail_at(&fault, fault.code, "inventory");
        reply_error(node, event->token, 400, &fault);
        return 0;
    }
    int rc = inventory_record(node, event, loaded);
    if (rc == 0)
        rc = inventory_place(node, loaded);
    against.inventory = loaded;
    if (rc == 0 && node->roster)
        rc = node->env.store->ops->view_scan(node->env.store, span_str("advisory"), span_of(NULL, 0), against_visit,
                                             &against);
    if (rc)
        return rc;
    struct action *action = action_add(node, ACTION_REPLY);
    action->token = event->token;
    action->status = 201;
    action->content_type = "application/json";
    buf_text(&action->body, "{\"inventory\":");
    buf_json(&action->body, span_str(loaded->name));
    buf_printf(
        &action->body,
        ",\"format\":\"%s\",\"components\":%zu,\"problems\":%zu,\"advisories\":%u,\"affected\":%u,\"undecided\":%u}\n",
        loaded->inventory.format, loaded->inventory.count, loaded->inventory.problem_count, against.advisories,
        against.m.affected, against.m.undecided);
    return 0;
}

/* Delivery */

static bool channel_done(struct node *node, const char *channel, struct span id)
{
    char key[160];
    (void)snprintf(key, sizeof key, "%s %.*s", channel, (int)id.len, (const char *)id.data);
    return node->env.store->ops->journal_find(node->env.store, kind_delivered, span_str(key), NULL, NULL) == 0;
}

static int undelivered_visit(void *ctx, const struct journal_row *row)
{
    struct node *node = ctx;
    bool open = false;
    for (size_t i = 0; node->channels[i]; i++)
        open = open || !channel_done(node, node->channels[i], row->key);
    if (!open)
        return 0;
    struct action *action = action_add(node, ACTION_NOTICE);
    if (!hash_parse(row->key, &action->hash))
        return E_CORRUPT;
    buf_span(&action->body, row->body);
    return 0;
}

int notices_undelivered(struct node *node)
{
    if (!node->channels || !node->channels[0])
        return 0;
    return node->env.store->ops->journal_scan(node->env.store, kind_notice, 0, undelivered_visit, node);
}

int notice_delivered(struct node *node, const struct event *event)
{
    char key[160], hex[65];
    int64_t seq;
    hash_hex(&event->hash, hex);
    (void)snprintf(key, sizeof key, "%.*s %s", (int)event->name.len, (const char *)event->name.data, hex);
    int rc = write_begin(node);
    if (rc == 0)
        rc = node->env.store->ops->journal_append(node->env.store, now_seconds(node), kind_delivered, span_str(key),
                                                  span_of(NULL, 0), &seq);
    return rc == E_EXISTS ? 0 : rc;
}

struct listing {
    struct node *node;
    struct buf *out;
    bool more;
    struct hash statement; /* of the row before: one advisory's notices stand together */
    struct support standing;
};

/* What the statement is now: it may have come to stand since the notice was made. */
static int listing_standing(struct listing *listing, struct span notice)
{
    struct node *node = listing->node;
    const struct json *root = NULL;
    struct arena arena;
    struct hash id;
    log_id number = 0;
    uint64_t index = 0;
    arena_init(&arena, 1 << 20);
    int rc = json_parse(&root, notice, 1 << 20, &arena, NULL);
    if (rc == 0 && !hash_parse(json_text(json_get(root, "advisory"), "statement"), &id))
        rc = E_CORRUPT;
    arena_free(&arena);
    if (rc || hash_eq(&id, &listing->statement))
        return rc;
    listing->statement = id;
    listing->standing = (struct support){0};
    rc = node->env.store->ops->entry_find(node->env.store, &id, &number, &index);
    for (size_t i = 0; rc == 0 && i < node->log_count; i++)
        if (node->logs[i].id == number)
            return support_find(node, &node->logs[i], index, false, &listing->standing);
    return rc == E_NOTFOUND ? 0 : rc;
}

static int listing_visit(void *ctx, const struct journal_row *row)
{
    struct listing *listing = ctx;
    int rc = listing_standing(listing, row->body);
    buf_printf(listing->out, "%s{\"seq\":%lld,", listing->more ? ",\n" : "", (long long)row->seq);
    standing_write(&listing->standing, listing->out);
    buf_text(listing->out, ",\"notice\":");
    buf_span(listing->out, row->body);
    buf_byte(listing->out, '}');
    listing->more = true;
    return rc ? rc : listing->out->error;
}

int node_notices_json(struct node *node, int64_t after, struct buf *out)
{
    struct listing listing = {.node = node, .out = out};
    buf_byte(out, '[');
    int rc = node->env.store->ops->journal_scan(node->env.store, kind_notice, after, listing_visit, &listing);
    buf_text(out, "]\n");
    return rc ? rc : out->error;
}
