/* The owner's inventories: parsed and indexed in memory, kept whole in the journal, and never anywhere else. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "node/state.h"

static const struct span kind_inventory = {(const uint8_t *)"inventory", 9};

static void inventory_free(struct loaded_inventory *inventory)
{
    if (!inventory)
        return;
    match_index_free(inventory->index);
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

static int inventory_parse(struct node *node, struct loaded_inventory **out, struct span name, struct span distribution,
                           struct span bytes, struct fault *fault)
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
                 : node->env.parser->ops->inventory(node->env.parser, buf_view(&loaded->bytes), ecosystem,
                                                    &loaded->inventory, &loaded->arena, fault);
    if (rc == 0 && (rc = match_index_new(&loaded->index, &loaded->inventory)) != 0)
        (void)fail(fault, rc, "an index of %zu components", loaded->inventory.count);
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
        (rc = inventory_parse(node, &loaded, name, distribution, body, NULL)) != 0)
        return rc == E_NOMEM ? rc : E_CORRUPT;
    return inventory_place(node, loaded);
}

int inventories_load(struct node *node)
{
    return node->env.store->ops->journal_scan(node->env.store, kind_inventory, 0, load_visit, node);
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
    int rc = key.error ? key.error : body.error ? body.error : write_begin(node);
    if (rc == 0)
        rc = node->env.store->ops->journal_append(node->env.store, now_seconds(node), kind_inventory, buf_view(&key),
                                                  buf_view(&body), &seq);
    buf_free(&key);
    buf_free(&body);
    return rc == E_EXISTS ? 0 : rc;
}

/* Both stand as lines in the journal, and on screens. */
static void words_check(struct span name, struct span distribution, struct fault *fault)
{
    if (!name.len || name.len > INVENTORY_NAME_MAX)
        (void)fail(fault, E_LIMIT, "an inventory's name has 1 to %d bytes", INVENTORY_NAME_MAX);
    else if (distribution.len > INVENTORY_NAME_MAX)
        (void)fail(fault, E_LIMIT, "a distribution has at most %d bytes", INVENTORY_NAME_MAX);
    else if (!text_is_line(name))
        (void)fail(fault, E_SYNTAX, "an inventory's name is one line of UTF-8 without control characters");
    else if (!text_is_line(distribution))
        (void)fail(fault, E_SYNTAX, "a distribution is one line of UTF-8 without control characters");
}

static int inventory_keep(struct node *node, const struct event *event, struct loaded_inventory *loaded)
{
    int rc = inventory_record(node, event, loaded);
    rc = rc ? rc : inventory_place(node, loaded);
    if (rc)
        inventory_free(loaded);
    return rc;
}

int inventory_take(struct node *node, const struct event *event)
{
    struct loaded_inventory *loaded = NULL;
    struct fault fault = {0};
    struct match_counts counts = {0};
    words_check(event->name, event->media, &fault);
    if (fault.code || inventory_parse(node, &loaded, event->name, event->media, event->body, &fault) != 0) {
        (void)fail_at(&fault, fault.code, "inventory");
        reply_error(node, event->token, 400, &fault);
        return 0;
    }
    int rc = inventory_keep(node, event, loaded);
    if (rc == 0)
        rc = advisories_match(node, loaded, &counts);
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
        loaded->inventory.format, loaded->inventory.count, loaded->inventory.problem_count, counts.advisories,
        counts.affected, counts.undecided);
    return 0;
}
