/* Inventories that other organisations entrust to this node. An organisation is added by the owner with its key, uploads by itself, and its
   inventories are kept under a key of their own, which goes with it. Its inventories are named ORGANIZATION/NAME. Nothing asks across
   organisations but the matching of an advisory; each access is in the journal, where the organisation reads it.
     state   "hosted/NAME" -> salt of its storage key (32), or empty once it is removed: then nobody opens what is left of it
     journal "organization": NAME, line feed, seconds, line feed, SHA-256 of the body -> JSON {name, key, state: added | removed}
             "upload": NAME, line feed, seconds signed, line feed, SHA-256 of the request -> JSON {inventory}; one that is older than the last
             counts no more, and none counts twice
             "access": NAME, line feed, SHA-256 of the body -> JSON {at, what, inventory, subject, by} */
#include "node/hosting.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "format/json.h"
#include "format/note.h"
#include "node/state.h"

static const struct span kind_organization = {(const uint8_t *)"organization", 12};
static const struct span kind_upload = {(const uint8_t *)"upload", 6};
static const struct span kind_access = {(const uint8_t *)"access", 6};

enum { ACCESS_BYTES_MAX = 16384, SALT_KEY_BYTES = 96 };

struct organization {
    char name[NAME_BYTES_MAX + 1];
    struct public_key key;
    int64_t since, uploaded; /* seconds; of the last signed request that was taken */
    struct storage_key *storage;
};
struct hosting {
    struct organization *list;
    size_t count, cap;
};

static struct organization *find(const struct node *node, struct span name)
{
    struct hosting *hosting = node->hosting;
    for (size_t i = 0; hosting && i < hosting->count; i++)
        if (span_is(name, hosting->list[i].name))
            return &hosting->list[i];
    return NULL;
}

bool hosting_key(const struct node *node, struct span organization, struct public_key *key)
{
    const struct organization *found = find(node, organization);
    if (found)
        *key = found->key;
    return found != NULL;
}

struct span hosted_by(struct span inventory)
{
    const uint8_t *slash = inventory.len ? memchr(inventory.data, '/', inventory.len) : NULL;
    return slash ? span_of(inventory.data, (size_t)(slash - inventory.data)) : span_of(NULL, 0);
}

static void salt_key(char out[static SALT_KEY_BYTES], const char *name)
{
    (void)snprintf(out, SALT_KEY_BYTES, "hosted/%s", name);
}

/* E_NOTFOUND: it was removed, and its rows are closed for ever. */
static int storage_open_for(struct node *node, struct organization *o)
{
    char key[SALT_KEY_BYTES];
    struct hash salt;
    struct buf value;
    salt_key(key, o->name);
    buf_init(&value, sizeof salt.b);
    int rc = node->env.store->ops->state_get(node->env.store, span_str(key), &value);
    if (rc == 0 && value.len != sizeof salt.b)
        rc = value.len ? E_CORRUPT : E_NOTFOUND;
    if (rc == 0)
        memcpy(salt.b, value.data, sizeof salt.b);
    buf_free(&value);
    if (rc)
        return rc;
    o->storage = storage_key_new();
    return !o->storage        ? E_NOMEM
           : node->env.signer ? node->env.signer->ops->storage_key(node->env.signer, &salt, o->storage)
                              : E_STATE;
}

static int list_add(struct node *node, const struct organization *o)
{
    struct hosting *hosting = node->hosting;
    if (hosting->count == hosting->cap) {
        size_t cap = hosting->cap ? 2 * hosting->cap : 16;
        struct organization *list = realloc(hosting->list, cap * sizeof *list);
        if (!list)
            return E_NOMEM;
        hosting->list = list;
        hosting->cap = cap;
    }
    hosting->list[hosting->count++] = *o;
    return 0;
}

static void list_remove(struct node *node, struct organization *o)
{
    struct hosting *hosting = node->hosting;
    storage_key_free(o->storage);
    memmove(o, o + 1, (size_t)(hosting->list + hosting->count - (o + 1)) * sizeof *o);
    hosting->count--;
}

static int key_parse(struct span vkey, struct organization *out, struct fault *fault)
{
    struct span name;
    enum note_type type;
    if (note_vkey_parse(vkey, &name, &type, &out->key) != 0 || type != NOTE_ED25519)
        return fail(fault, E_KEY, "an organisation's key is the line that \"comity host key\" prints");
    if (!name_valid(name) || name.len > NAME_BYTES_MAX)
        return fail(fault, E_SYNTAX, "an organisation's name is like a host name: letters, digits, - and .");
    (void)snprintf(out->name, sizeof out->name, "%.*s", (int)name.len, (const char *)name.data);
    return 0;
}

static int organization_visit(void *ctx, const struct journal_row *row)
{
    struct node *node = ctx;
    struct arena arena;
    const struct json *root = NULL;
    struct organization o = {.since = row->at};
    arena_init(&arena, 1 << 20);
    int rc = json_parse(&root, row->body, ACCESS_BYTES_MAX, &arena, NULL);
    rc = rc ? rc : key_parse(json_text(root, "key"), &o, NULL);
    struct organization *known = rc ? NULL : find(node, span_str(o.name));
    bool added = span_is(json_text(root, "state"), "added");
    arena_free(&arena);
    if (rc)
        return rc == E_NOMEM ? rc : E_CORRUPT;
    if (known)
        list_remove(node, known);
    return added ? list_add(node, &o) : 0;
}

static int upload_visit(void *ctx, const struct journal_row *row)
{
    struct node *node = ctx;
    struct span key = row->key, name, seconds;
    uint64_t signed_at;
    if (!span_line(&key, &name) || !span_line(&key, &seconds) || !decimal_parse(seconds, &signed_at))
        return E_CORRUPT;
    struct organization *o = find(node, name);
    if (o && (int64_t)signed_at > o->uploaded)
        o->uploaded = (int64_t)signed_at;
    return 0;
}

int hosting_load(struct node *node)
{
    struct store *store = node->env.store;
    node->hosting = calloc(1, sizeof *node->hosting);
    int rc = node->hosting ? store->ops->journal_scan(store, kind_organization, 0, organization_visit, node) : E_NOMEM;
    rc = rc ? rc : store->ops->journal_scan(store, kind_upload, 0, upload_visit, node);
    for (size_t i = 0; rc == 0 && i < node->hosting->count; i++) {
        rc = storage_open_for(node, &node->hosting->list[i]);
        rc = rc == E_STATE ? 0 : rc; /* a reader without a signer opens none of it */
    }
    return rc;
}

void hosting_free(struct node *node)
{
    for (size_t i = 0; node->hosting && i < node->hosting->count; i++)
        storage_key_free(node->hosting->list[i].storage);
    free(node->hosting ? node->hosting->list : NULL);
    free(node->hosting);
    node->hosting = NULL;
}

/* What is kept of an organisation */

int hosted_seal(const struct node *node, struct span inventory, struct span what, struct span plain, struct buf *out)
{
    const struct organization *o = find(node, hosted_by(inventory));
    if (!o || !o->storage)
        return E_NOTFOUND;
    storage_seal(o->storage, what, plain, out);
    return out->error;
}

int hosted_open(const struct node *node, struct span inventory, struct span what, struct span sealed, struct buf *out)
{
    const struct organization *o = find(node, hosted_by(inventory));
    return o && o->storage ? storage_open(o->storage, what, sealed, out) : E_NOTFOUND;
}

static int access_note_at(struct node *node, int64_t when, struct span inventory, const char *what, struct span subject,
                          struct span by)
{
    struct span organization = hosted_by(inventory);
    struct buf key, body;
    struct hash hash;
    char at[21];
    int64_t seq;
    if (!find(node, organization))
        return 0;
    buf_init(&key, 256);
    buf_init(&body, ACCESS_BYTES_MAX);
    time_format(when, at);
    buf_byte(&body, '{');
    buf_member(&body, "at", span_str(at));
    buf_member(&body, "what", span_str(what));
    buf_member(&body, "inventory", inventory);
    buf_member(&body, "subject", text_cut(subject, NOTICE_TEXT_MAX));
    buf_text(&body, "\"by\":");
    buf_json(&body, by);
    buf_byte(&body, '}');
    sha256(buf_view(&body), &hash);
    buf_span(&key, organization);
    buf_byte(&key, '\n');
    buf_hex(&key, span_hash(&hash));
    int rc = key.error ? key.error : body.error ? body.error : write_begin(node);
    if (rc == 0)
        rc = node->env.store->ops->journal_append(node->env.store, now_seconds(node), kind_access, buf_view(&key),
                                                  buf_view(&body), &seq);
    buf_free(&key);
    buf_free(&body);
    return rc == E_EXISTS ? 0 : rc; /* the same within the same second */
}

int access_note(struct node *node, struct span inventory, const char *what, struct span subject, struct span by)
{
    return access_note_at(node, now_seconds(node), inventory, what, subject, by);
}

static int told_any(void *ctx, const struct told *told)
{
    bool *any = ctx;
    (void)told;
    *any = true;
    return 0;
}

/* Noted once an hour, by the hour: whoever is on duty asks often. */
int hosted_listed(struct node *node)
{
    int64_t hour = now_seconds(node) / 3600 * 3600;
    int rc = 0;
    for (size_t i = 0; node->hosting && node->hosting->count && i < node->inventory_count && rc == 0; i++) {
        struct span name = span_str(node->inventories[i].name);
        if (!hosted_by(name).len || node->inventories[i].listed == hour)
            continue;
        bool any = false;
        rc = told_scan(node, name, NULL, told_any, &any);
        if (rc == 0 && any)
            rc = access_note_at(node, hour, name, "listed", span_str("its notices"), span_str("the node's owner"));
        node->inventories[i].listed = hour;
    }
    return rc;
}

/* The owner adds and removes */

static int organization_record(struct node *node, const char *name, struct span vkey, bool added)
{
    struct buf key, body;
    struct hash hash;
    int64_t seq;
    buf_init(&key, 256);
    buf_init(&body, ACCESS_BYTES_MAX);
    buf_byte(&body, '{');
    buf_member(&body, "name", span_str(name));
    buf_member(&body, "key", vkey);
    buf_printf(&body, "\"state\":\"%s\"}", added ? "added" : "removed");
    sha256(buf_view(&body), &hash);
    buf_printf(&key, "%s\n%lld\n", name, (long long)now_seconds(node));
    buf_hex(&key, span_hash(&hash));
    int rc = key.error ? key.error : body.error ? body.error : write_begin(node);
    if (rc == 0)
        rc = node->env.store->ops->journal_append(node->env.store, now_seconds(node), kind_organization, buf_view(&key),
                                                  buf_view(&body), &seq);
    buf_free(&key);
    buf_free(&body);
    return rc == E_EXISTS ? 0 : rc;
}

static int salt_put(struct node *node, const char *name, struct span salt)
{
    char key[SALT_KEY_BYTES];
    salt_key(key, name);
    int rc = write_begin(node);
    return rc ? rc : node->env.store->ops->state_put(node->env.store, span_str(key), salt);
}

/* `event->hash` is random, from the shell. */
static int organization_add(struct node *node, const struct event *event, struct fault *fault)
{
    struct organization o = {.since = now_seconds(node)};
    if (!node->roster)
        return fail(fault, E_STATE,
                    "only a node in a circle has the key for it; one of its own is enough: comity charter new"),
               0;
    if (key_parse(event->body, &o, fault))
        return 0;
    if (find(node, span_str(o.name)))
        return fail(fault, E_EXISTS, "organisation %s; to change its key, remove it first", o.name), 0;
    int rc = salt_put(node, o.name, span_hash(&event->hash));
    rc = rc ? rc : organization_record(node, o.name, event->body, true);
    rc = rc ? rc : storage_open_for(node, &o);
    return rc ? rc : list_add(node, &o);
}

static void vkey_write(const struct organization *o, struct buf *out)
{
    note_vkey_write(out, span_str(o->name), NOTE_ED25519, &o->key);
}

static int organization_remove(struct node *node, const struct event *event, struct fault *fault)
{
    struct organization *o = find(node, event->name);
    struct buf vkey;
    if (!o)
        return fail(fault, E_NOTFOUND, "no organisation of this name is hosted here"), 0;
    buf_init(&vkey, 256);
    vkey_write(o, &vkey);
    int rc = vkey.error ? vkey.error : organization_record(node, o->name, buf_view(&vkey), false);
    rc = rc ? rc : inventories_remove(node, event->name);
    rc = rc ? rc : salt_put(node, o->name, span_of(NULL, 0)); /* what is left of it in old pages opens no more */
    if (rc == 0)
        list_remove(node, o);
    buf_free(&vkey);
    return rc;
}

int hosting_change(struct node *node, const struct event *event)
{
    struct fault fault = {0};
    int rc = event->body.len ? organization_add(node, event, &fault) : organization_remove(node, event, &fault);
    if (fault.code)
        reply_error(node, event->token,
                    fault.code == E_NOTFOUND                          ? 404
                    : fault.code == E_EXISTS || fault.code == E_STATE ? 409
                                                                      : 400,
                    &fault);
    else if (rc == 0)
        reply(node, event->token, 200, "application/json",
              event->body.len ? "{\"hosted\":true}\n" : "{\"hosted\":false}\n");
    return rc;
}

/* Uploads */

static void upload_key(const struct organization *o, const struct event *event, struct buf *out)
{
    const struct span nl = span_str("\n");
    const struct span parts[] = {event->name, nl, event->media, nl, event->body};
    struct hash hash;
    sha256_parts(parts, sizeof parts / sizeof parts[0], &hash);
    buf_printf(out, "%s\n%lld\n", o->name, (long long)event->signed_at);
    buf_hex(out, span_hash(&hash));
}

/* E_EXISTS: this very request was taken before. */
static int upload_record(struct node *node, struct organization *o, const struct event *event)
{
    struct buf key, body;
    int64_t seq;
    buf_init(&key, 256);
    buf_init(&body, ACCESS_BYTES_MAX);
    upload_key(o, event, &key);
    buf_byte(&body, '{');
    buf_text(&body, "\"inventory\":");
    buf_json(&body, event->name);
    buf_byte(&body, '}');
    int rc = key.error ? key.error : body.error ? body.error : write_begin(node);
    if (rc == 0)
        rc = node->env.store->ops->journal_append(node->env.store, now_seconds(node), kind_upload, buf_view(&key),
                                                  buf_view(&body), &seq);
    buf_free(&key);
    buf_free(&body);
    if (rc == 0)
        o->uploaded = event->signed_at;
    return rc;
}

int hosted_upload(struct node *node, const struct event *event)
{
    struct organization *o = find(node, hosted_by(event->name));
    struct fault fault = {0};
    struct span name = span_from(event->name, o ? strlen(o->name) + 1 : 0);
    if (!o)
        (void)fail(&fault, E_NOTFOUND, "no such organisation is hosted here");
    else if (!name_valid(name))
        (void)fail(&fault, E_SYNTAX, "a hosted inventory's name is like a host name: letters, digits, - and .");
    else if (event->signed_at < o->uploaded)
        (void)fail(&fault, E_STATE, "a request that was signed later has been taken: sign this one anew");
    int rc = fault.code ? 0 : upload_record(node, o, event);
    if (rc == E_EXISTS)
        (void)fail(&fault, E_EXISTS, "this very request");
    if (fault.code) {
        reply_error(node, event->token, fault.code == E_NOTFOUND ? 404 : fault.code == E_SYNTAX ? 400 : 409, &fault);
        return 0;
    }
    rc = rc ? rc
            : access_note(node, event->name, event->body.len ? "uploaded" : "withdrawn", span_of(NULL, 0),
                          span_str(o->name));
    if (rc)
        return rc;
    if (event->body.len)
        return inventory_take(node, event);
    rc = inventories_remove(node, event->name);
    if (rc == 0)
        reply(node, event->token, 200, "application/json", "{\"withdrawn\":true}\n");
    return rc;
}

/* What the owner and the organisation see */

void hosting_json(struct node *node, struct buf *out)
{
    buf_text(out, "{\"organizations\":[");
    for (size_t i = 0; node->hosting && i < node->hosting->count; i++) {
        const struct organization *o = &node->hosting->list[i];
        char since[21], uploaded[21] = "";
        time_format(o->since, since);
        if (o->uploaded)
            time_format(o->uploaded, uploaded);
        buf_text(out, i ? ",{" : "{");
        buf_member(out, "name", span_str(o->name));
        buf_member(out, "since", span_str(since));
        buf_member(out, "uploaded", span_str(uploaded));
        buf_printf(out, "\"inventories\":%zu,\"key\":\"", inventories_of(node, span_str(o->name)));
        vkey_write(o, out);
        buf_text(out, "\"}");
    }
    buf_text(out, "]}\n");
}

/* The rows of one kind that are an organisation's, behind a position; so many, and after so many looked at, at a time. */
struct rows_of_one {
    struct buf *out;
    struct span organization;
    bool (*is_of)(const struct journal_row *row, struct span organization);
    const char *name;
    size_t count, looked;
    int64_t last;
};
enum { LISTED_MAX = 1000, LOOKED_MAX = 100000 };

static int row_visit(void *ctx, const struct journal_row *row)
{
    struct rows_of_one *rows = ctx;
    if (rows->count == LISTED_MAX || rows->looked++ == LOOKED_MAX)
        return 1;
    rows->last = row->seq;
    if (!rows->is_of(row, rows->organization))
        return 0;
    buf_printf(rows->out, "%s{\"seq\":%lld,\"%s\":", rows->count++ ? ",\n" : "", (long long)row->seq, rows->name);
    buf_span(rows->out, row->body);
    buf_byte(rows->out, '}');
    return rows->out->error;
}

static int rows_json(struct node *node, struct span kind, const char *list, int64_t after, struct rows_of_one *rows)
{
    rows->last = after;
    buf_printf(rows->out, "{\"%s\":[", list);
    int rc = node->env.store->ops->journal_scan(node->env.store, kind, after, row_visit, rows);
    buf_printf(rows->out, "],\"after\":%lld,\"more\":%s}\n", (long long)rows->last, rc == 1 ? "true" : "false");
    return rc < 0 ? rc : rows->out->error;
}

static bool access_is_of(const struct journal_row *row, struct span organization)
{
    struct span key = row->key, name;
    return span_line(&key, &name) && span_eq(name, organization);
}

int hosted_accesses(struct node *node, struct span organization, int64_t after, struct buf *out)
{
    struct rows_of_one rows = {.out = out, .organization = organization, .is_of = access_is_of, .name = "access"};
    return rows_json(node, kind_access, "accesses", after, &rows);
}

/* A notice names its inventory among its first members, before any text of others. */
static bool notice_is_of(const struct journal_row *row, struct span organization)
{
    const struct span notice = row->body;
    static const char member[] = "\"inventory\":\"";
    const uint8_t *at = notice.len ? memmem(notice.data, notice.len, member, sizeof member - 1) : NULL;
    struct span rest = at ? span_from(notice, (size_t)(at - notice.data) + sizeof member - 1) : span_of(NULL, 0);
    return rest.len > organization.len && memcmp(rest.data, organization.data, organization.len) == 0 &&
           rest.data[organization.len] == '/';
}

int hosted_notices(struct node *node, struct span organization, int64_t after, struct buf *out)
{
    struct rows_of_one rows = {.out = out, .organization = organization, .is_of = notice_is_of, .name = "notice"};
    return rows_json(node, span_str("notice"), "notices", after, &rows);
}
