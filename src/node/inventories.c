/* The owner's inventories. The file of each is kept as it came, until the next one replaces it; the journal notes each upload ("uploaded")
   without its components. Nothing of it goes anywhere else. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "crypto/sha256.h"
#include "format/flat.h"
#include "format/json.h"
#include "node/matching.h"

static const struct span space_held = {(const uint8_t *)"inventory", 9}, space_file = {(const uint8_t *)"file", 4},
                         space_flat = {(const uint8_t *)"flat", 4}, kind_uploaded = {(const uint8_t *)"uploaded", 8},
                         kind_whole = {(const uint8_t *)"inventory", 9}; /* of earlier releases, with the file */

enum { ARENA_BYTES = 4 * INVENTORY_BYTES_MAX, FACTS_BYTES_MAX = 4096 };

void inventories_free(struct node *node)
{
    free(node->inventories);
    node->inventories = NULL;
    node->inventory_count = node->inventory_cap = 0;
}

static struct held_inventory *held_find(struct node *node, struct span name)
{
    for (size_t i = 0; i < node->inventory_count; i++)
        if (span_is(name, node->inventories[i].name))
            return &node->inventories[i];
    return NULL;
}

/* In place of the one of that name, or as one more. */
static int held_put(struct node *node, const struct held_inventory *held, uint32_t *number)
{
    struct held_inventory *known = held_find(node, span_str(held->name));
    if (!known && node->inventory_count == node->inventory_cap) {
        size_t cap = node->inventory_cap ? 2 * node->inventory_cap : 16;
        struct held_inventory *list = realloc(node->inventories, cap * sizeof *list);
        if (!list)
            return E_NOMEM;
        node->inventories = list;
        node->inventory_cap = cap;
    }
    known = known ? known : &node->inventories[node->inventory_count++];
    *known = *held;
    *number = (uint32_t)(known - node->inventories);
    return 0;
}

static void text_set(char *out, size_t size, struct span text)
{
    (void)snprintf(out, size, "%.*s", (int)text.len, text.data ? (const char *)text.data : "");
}

/* What is kept of it, and noted of it */

static void facts_write(const struct held_inventory *held, struct buf *out)
{
    char hex[65];
    hash_hex(&held->hash, hex);
    buf_member(out, "hash", span_str(hex));
    buf_member(out, "distribution", span_str(held->distribution));
    buf_member(out, "columns", span_str(held->columns));
    buf_member(out, "format", span_str(held->format));
    buf_member(out, "sector", span_str(held->sector));
    buf_printf(out, "\"critical\":%s,\"components\":%zu,\"problems\":%zu", held->critical ? "true" : "false",
               held->components, held->problems);
}

/* File and components: of a hosted inventory they are sealed. */

static void row_name(struct span space, const char *name, struct buf *out)
{
    buf_span(out, space);
    buf_byte(out, '\n');
    buf_text(out, name);
}

static int row_keep(struct node *node, struct span space, const char *name, struct span bytes)
{
    struct buf what, sealed;
    if (!hosted_by(span_str(name)).len)
        return node->env.store->ops->kept_put(node->env.store, space, span_str(name), bytes);
    buf_init(&what, 256);
    buf_init(&sealed, KEPT_BYTES_MAX);
    row_name(space, name, &what);
    int rc = what.error ? what.error : hosted_seal(node, span_str(name), buf_view(&what), bytes, &sealed);
    rc = rc ? rc : node->env.store->ops->kept_put(node->env.store, space, span_str(name), buf_view(&sealed));
    buf_free(&what);
    buf_free(&sealed);
    return rc;
}

static int row_get(struct node *node, struct span space, const char *name, struct buf *out)
{
    struct buf what, sealed;
    if (!hosted_by(span_str(name)).len)
        return node->env.store->ops->kept_get(node->env.store, space, span_str(name), out);
    buf_init(&what, 256);
    buf_init(&sealed, KEPT_BYTES_MAX);
    row_name(space, name, &what);
    int rc = what.error ? what.error : node->env.store->ops->kept_get(node->env.store, space, span_str(name), &sealed);
    rc = rc ? rc : hosted_open(node, span_str(name), buf_view(&what), buf_view(&sealed), out);
    buf_free(&what);
    buf_free(&sealed);
    return rc;
}

static int facts_keep(struct node *node, const struct held_inventory *held)
{
    struct buf text;
    buf_init(&text, FACTS_BYTES_MAX);
    buf_byte(&text, '{');
    facts_write(held, &text);
    buf_byte(&text, '}');
    int rc = text.error
                 ? text.error
                 : node->env.store->ops->kept_put(node->env.store, space_held, span_str(held->name), buf_view(&text));
    buf_free(&text);
    return rc;
}

static int facts_read(struct span name, struct span text, struct held_inventory *out)
{
    const struct json *root = NULL;
    struct arena arena;
    int64_t components = 0, problems = 0;
    const struct json *critical;
    arena_init(&arena, 1 << 20);
    *out = (struct held_inventory){0};
    int rc = json_parse(&root, text, FACTS_BYTES_MAX, &arena, NULL);
    if (rc == 0 && (!hash_parse(json_text(root, "hash"), &out->hash) || !json_int(root, "components", &components) ||
                    !json_int(root, "problems", &problems) || !(critical = json_get(root, "critical"))))
        rc = E_CORRUPT;
    if (rc == 0) {
        text_set(out->name, sizeof out->name, name);
        text_set(out->distribution, sizeof out->distribution, json_text(root, "distribution"));
        text_set(out->columns, sizeof out->columns, json_text(root, "columns"));
        text_set(out->sector, sizeof out->sector, json_text(root, "sector"));
        text_set(out->format, sizeof out->format, json_text(root, "format"));
        out->components = (size_t)components;
        out->problems = (size_t)problems;
        out->critical = critical->type == JSON_TRUE;
    }
    arena_free(&arena);
    return rc;
}

/* Components */

static int flat_keep(struct node *node, const struct held_inventory *held, const struct inventory *inventory)
{
    struct buf flat;
    buf_init(&flat, KEPT_BYTES_MAX);
    flat_put_u32(&flat, FLAT_INVENTORY_VERSION);
    flat_put_inventory(&flat, inventory);
    int rc = flat.error ? flat.error : row_keep(node, space_flat, held->name, buf_view(&flat));
    buf_free(&flat);
    return rc;
}

static int file_parse(struct node *node, const struct held_inventory *held, struct span bytes, struct inventory *out,
                      struct arena *arena, struct fault *fault)
{
    const char *about = arena_printf(arena, "%s;%s", held->distribution, held->columns);
    if (!about)
        return fail(fault, E_NOMEM, "an inventory");
    return node->env.parser->ops->inventory(node->env.parser, bytes, span_str(about), out, arena, fault);
}

/* Errors of the reader, not of what was read. */
static bool hard(int code)
{
    return code == E_NOMEM || code == E_IO;
}

/* From the file, as this release reads it. */
static int components_again(struct node *node, const struct held_inventory *held, struct inventory *out,
                            struct arena *arena)
{
    struct buf file;
    buf_init(&file, INVENTORY_BYTES_MAX);
    int rc = row_get(node, space_file, held->name, &file);
    struct span bytes = rc ? span_of(NULL, 0) : arena_copy(arena, buf_view(&file));
    if (rc == 0)
        rc = !bytes.data && file.len ? E_NOMEM : file_parse(node, held, bytes, out, arena, NULL);
    buf_free(&file);
    if (rc)
        return hard(rc) ? rc : E_NOTFOUND;
    rc = write_begin(node);
    return rc ? rc : flat_keep(node, held, out);
}

int components_read(struct node *node, const struct held_inventory *held, struct inventory *out, struct arena *arena)
{
    struct buf flat;
    uint8_t version[4] = {0};
    buf_init(&flat, KEPT_BYTES_MAX);
    int rc = row_get(node, space_flat, held->name, &flat);
    if (rc == 0 && flat.len >= sizeof version)
        memcpy(version, flat.data, sizeof version);
    bool known = rc == 0 && version[3] == FLAT_INVENTORY_VERSION && !version[0] && !version[1] && !version[2];
    struct span bytes = known ? arena_copy(arena, span_from(buf_view(&flat), sizeof version)) : span_of(NULL, 0);
    known = known && bytes.data && flat_get_inventory(out, bytes, arena) == 0;
    buf_free(&flat);
    if (arena->exhausted)
        return E_NOMEM;
    return known ? 0 : rc && rc != E_NOTFOUND && rc != E_CORRUPT ? rc : components_again(node, held, out, arena);
}

/* Loading. What an earlier release kept in the journal alone is kept anew, once. */

static int facts_visit(void *ctx, struct span key, struct span value)
{
    struct node *node = ctx;
    struct held_inventory held;
    uint32_t number;
    int rc = facts_read(key, value, &held);
    return rc ? rc : held_put(node, &held, &number);
}

static int whole_visit(void *ctx, const struct journal_row *row)
{
    struct node *node = ctx;
    struct held_inventory held = {0};
    struct span name, distribution, key = row->key, body = row->body;
    uint32_t number;
    if (!span_line(&key, &name) || !span_line(&body, &distribution))
        return E_CORRUPT;
    text_set(held.name, sizeof held.name, name);
    text_set(held.distribution, sizeof held.distribution, distribution);
    sha256(body, &held.hash);
    int rc = node->env.store->ops->kept_put(node->env.store, space_file, name, body);
    return rc ? rc : held_put(node, &held, &number);
}

static int whole_keep(struct node *node, struct held_inventory *held)
{
    struct inventory inventory = {0};
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    int rc = components_again(node, held, &inventory, &arena);
    if (rc == 0) {
        text_set(held->format, sizeof held->format, span_str(inventory.format));
        held->components = inventory.count;
        held->problems = inventory.problem_count;
    } else if (rc == E_NOTFOUND) { /* this release reads more strictly: it stays as a name with a problem */
        held->problems = 1;
    }
    arena_free(&arena);
    return hard(rc) ? rc : facts_keep(node, held);
}

static int wholes_take_over(struct node *node)
{
    static const char key[] = "inventories", rules[] = "1";
    struct buf known;
    struct store *store = node->env.store;
    buf_init(&known, 16);
    int rc = store->ops->state_get(store, span_str(key), &known);
    buf_free(&known);
    if (rc != E_NOTFOUND)
        return rc;
    rc = write_begin(node);
    rc = rc ? rc : store->ops->journal_scan(store, kind_whole, 0, whole_visit, node);
    for (size_t i = 0; i < node->inventory_count && rc == 0; i++)
        rc = whole_keep(node, &node->inventories[i]);
    inventories_free(node);
    rc = rc ? rc : store->ops->state_put(store, span_str(key), span_str(rules));
    return rc ? rc : write_commit(node);
}

int inventories_load(struct node *node)
{
    int rc = wholes_take_over(node);
    return rc ? rc : node->env.store->ops->kept_scan(node->env.store, space_held, facts_visit, node);
}

/* An upload */

/* All of them stand as lines in the journal, and on screens. */
static void words_check(const struct event *event, struct fault *fault)
{
    const struct {
        const char *what;
        struct span text;
        size_t least, most;
    } words[] = {{"an inventory's name", event->name, 1, INVENTORY_NAME_MAX},
                 {"a distribution", event->media, 0, INVENTORY_NAME_MAX},
                 {"a sector", event->sector, 0, INVENTORY_NAME_MAX},
                 {"a mapping of columns", event->columns, 0, COLUMNS_BYTES_MAX}};
    for (size_t i = 0; i < sizeof words / sizeof words[0] && !fault->code; i++)
        if (words[i].text.len < words[i].least || words[i].text.len > words[i].most)
            (void)fail(fault, E_LIMIT, "%s has %zu to %zu bytes", words[i].what, words[i].least, words[i].most);
        else if (!text_is_line(words[i].text))
            (void)fail(fault, E_SYNTAX, "%s is one line of UTF-8 without control characters", words[i].what);
    if (!fault->code && event->media.len && memchr(event->media.data, ';', event->media.len))
        (void)fail(fault, E_SYNTAX, "a distribution has no semicolon");
    if (!fault->code && event->kind != EVENT_HOSTED && hosted_by(event->name).len)
        (void)fail(fault, E_SYNTAX, "a name with / is for inventories that are hosted (comity host)");
}

static void held_make(const struct event *event, struct held_inventory *out)
{
    *out = (struct held_inventory){.critical = event->critical};
    text_set(out->name, sizeof out->name, event->name);
    text_set(out->distribution, sizeof out->distribution, event->media);
    text_set(out->columns, sizeof out->columns, event->columns);
    text_set(out->sector, sizeof out->sector, event->sector);
    sha256(event->body, &out->hash);
}

static void upload_write(const struct upload *upload, struct buf *out)
{
    buf_printf(out, ",\"added\":%zu,\"removed\":%zu,\"unchanged\":%zu,\"notices\":%zu", upload->added, upload->removed,
               upload->unchanged, upload->notices);
}

static int upload_note(struct node *node, const struct held_inventory *held, const struct upload *upload)
{
    struct buf key, body;
    int64_t seq;
    buf_init(&key, 256);
    buf_init(&body, FACTS_BYTES_MAX);
    buf_printf(&key, "%s\n%lld\n", held->name, (long long)node->now_ms);
    buf_hex(&key, span_hash(&held->hash));
    buf_byte(&body, '{');
    buf_member(&body, "inventory", span_str(held->name));
    facts_write(held, &body);
    upload_write(upload, &body);
    buf_byte(&body, '}');
    int rc = key.error ? key.error : body.error ? body.error : write_begin(node);
    if (rc == 0)
        rc = node->env.store->ops->journal_append(node->env.store, now_seconds(node), kind_uploaded, buf_view(&key),
                                                  buf_view(&body), &seq);
    buf_free(&key);
    buf_free(&body);
    return rc == E_EXISTS ? 0 : rc;
}

static int upload_keep(struct node *node, const struct held_inventory *held, struct span file,
                       const struct inventory *inventory, uint32_t *number)
{
    int rc = write_begin(node);
    rc = rc ? rc : row_keep(node, space_file, held->name, file);
    rc = rc ? rc : flat_keep(node, held, inventory);
    rc = rc ? rc : facts_keep(node, held);
    return rc ? rc : held_put(node, held, number);
}

/* In place of what it was. */
static int upload_take(struct node *node, struct held_inventory *held, struct span file,
                       const struct inventory *inventory, struct upload *upload)
{
    const struct held_inventory *known = held_find(node, span_str(held->name));
    struct inventory before = {0};
    struct arena arena;
    uint32_t number;
    arena_init(&arena, ARENA_BYTES);
    int rc = known ? components_read(node, known, &before, &arena) : 0;
    rc = rc == E_NOTFOUND ? 0 : rc;
    rc = rc ? rc : upload_keep(node, held, file, inventory, &number);
    rc = rc ? rc : inventory_matched(node, number, &before, inventory, upload);
    rc = rc ? rc : upload_note(node, held, upload);
    arena_free(&arena);
    return rc;
}

/* Taking away: as if nothing were in it, so that what was told of it is taken back; then it is gone but for its number. */
static int inventory_remove(struct node *node, struct held_inventory *held)
{
    static const struct inventory nothing = {.format = "none"};
    struct store *store = node->env.store;
    struct inventory before = {0};
    struct upload upload;
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    int rc = components_read(node, held, &before, &arena);
    rc = rc == E_NOTFOUND ? 0 : rc;
    rc = rc ? rc : write_begin(node);
    rc = rc ? rc : inventory_matched(node, (uint32_t)(held - node->inventories), &before, &nothing, &upload);
    const struct span spaces[] = {space_held, space_file, space_flat};
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0] && rc == 0; i++)
        rc = store->ops->kept_drop(store, spaces[i], span_str(held->name));
    rc = rc ? rc : snapshot_drop(node); /* it is in there too */
    arena_free(&arena);
    if (rc == 0)
        *held = (struct held_inventory){0};
    return rc;
}

static bool is_of(const struct held_inventory *held, struct span name)
{
    return span_is(name, held->name) || (held->name[0] && span_eq(hosted_by(span_str(held->name)), name));
}

int inventories_remove(struct node *node, struct span name)
{
    int rc = 0;
    for (size_t i = 0; i < node->inventory_count && rc == 0; i++)
        if (name.len && is_of(&node->inventories[i], name))
            rc = inventory_remove(node, &node->inventories[i]);
    return rc;
}

size_t inventories_of(const struct node *node, struct span organization)
{
    size_t count = 0;
    for (size_t i = 0; i < node->inventory_count; i++)
        count += node->inventories[i].name[0] && span_eq(hosted_by(span_str(node->inventories[i].name)), organization);
    return count;
}

static void upload_reply(struct node *node, const struct event *event, const struct held_inventory *held,
                         const struct upload *upload)
{
    struct action *action = action_add(node, ACTION_REPLY);
    action->token = event->token;
    action->status = 201;
    action->content_type = "application/json";
    buf_text(&action->body, "{\"inventory\":");
    buf_json(&action->body, span_str(held->name));
    buf_printf(&action->body,
               ",\"format\":\"%s\",\"components\":%zu,\"problems\":%zu,\"advisories\":%zu,\"affected\":%zu,"
               "\"undecided\":%zu",
               held->format, held->components, held->problems, upload->advisories, upload->affected, upload->undecided);
    upload_write(upload, &action->body);
    buf_text(&action->body, "}\n");
}

int inventory_take(struct node *node, const struct event *event)
{
    struct held_inventory held;
    struct inventory inventory = {0};
    struct arena arena;
    struct fault fault = {0};
    struct upload upload;
    words_check(event, &fault);
    arena_init(&arena, ARENA_BYTES);
    if (!fault.code) {
        held_make(event, &held);
        int read = file_parse(node, &held, event->body, &inventory, &arena, &fault);
        fault.code = read;
    }
    if (!fault.code && inventory.count > COMPONENTS_MAX)
        (void)fail(&fault, E_LIMIT, "%zu components", inventory.count);
    int rc = 0;
    if (fault.code) {
        (void)fail_at(&fault, fault.code, "inventory");
        reply_error(node, event->token, 400, &fault);
    } else {
        text_set(held.format, sizeof held.format, span_str(inventory.format));
        held.components = inventory.count;
        held.problems = inventory.problem_count;
        rc = upload_take(node, &held, event->body, &inventory, &upload);
        if (rc == 0)
            upload_reply(node, event, &held, &upload);
    }
    arena_free(&arena);
    return rc;
}
