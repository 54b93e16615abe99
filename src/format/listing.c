#include "format/listing.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "format/advisory.h"
#include "format/json.h"

enum { KEYS_MAX = 64, PROBLEM_BYTES = 200 };

const char *const listing_names[LISTING_KINDS] = {
    [LISTING_PROVIDER] = "CSAF provider",
    [LISTING_AGGREGATOR] = "CSAF aggregator",
    [LISTING_ROLIE] = "ROLIE feed",
    [LISTING_CHANGES] = "CSAF directory",
    [LISTING_INDEX] = "CSAF directory without dates",
    [LISTING_MODIFIED] = "OSV directory",
    [LISTING_SECURITY] = "security.txt",
    [LISTING_EXPLOITED] = "known exploited vulnerabilities",
    [LISTING_DOCUMENT] = "advisory",
    [LISTING_ARCHIVE] = "archive",
};

struct reader {
    struct listing *out;
    struct listed *items;
    size_t room;
    struct arena *arena;
    struct fault *fault;
};

static int items_begin(struct reader *r, size_t room)
{
    if (room > FEED_DOCUMENTS_MAX)
        return fail(r->fault, E_LIMIT, "%zu rows", room);
    r->room = room;
    r->items = arena_array(r->arena, room + 1, sizeof *r->items);
    r->out->items = r->items;
    return r->items ? 0 : fail(r->fault, E_NOMEM, "rows");
}

static void item_add(struct reader *r, struct listed item)
{
    if (r->out->count < r->room)
        r->items[r->out->count++] = item;
}

static void problem(struct reader *r, const char *where, size_t row, const char *why)
{
    if (!r->out->problem_count++) {
        const char *text = arena_printf(r->arena, "%s %zu: %s", where, row, why);
        r->out->problem = text ? span_str(text) : span_of(NULL, 0);
    }
}

static bool url_text_good(struct span url)
{
    return url.len && url.len <= FOLLOWED_URL_MAX && text_is_line(url);
}

/* JSON */

static struct span link_of(const struct json *entry, const char *rel, const char *suffix)
{
    const struct json *links = json_get(entry, "link");
    for (uint32_t i = 0; links && links->type == JSON_ARRAY && i < links->count; i++) {
        struct span href = json_text(&links->child[i], "href");
        size_t n = suffix ? strlen(suffix) : 0;
        if (span_is(json_text(&links->child[i], "rel"), rel) && href.len >= n &&
            (!n || memcmp(href.data + href.len - n, suffix, n) == 0))
            return href;
    }
    return span_of(NULL, 0);
}

static int rolie_read(struct reader *r, const struct json *root)
{
    const struct json *feed = json_get(root, "feed"), *entries = json_get(feed, "entry");
    if (feed->type != JSON_OBJECT || (entries && entries->type != JSON_ARRAY))
        return fail(r->fault, E_TYPE, "\"feed\" has an array \"entry\"");
    int rc = items_begin(r, entries ? entries->count : 0);
    r->out->title = json_text(feed, "title");
    for (uint32_t i = 0; rc == 0 && entries && i < entries->count; i++) {
        const struct json *entry = &entries->child[i];
        struct listed item = {.url = json_text(json_get(entry, "content"), "src"), .updated = LISTED_NEVER};
        if (!item.url.len)
            item.url = link_of(entry, "self", NULL);
        item.hash_url = link_of(entry, "hash", ".sha512");
        if (!item.hash_url.len)
            item.hash_url = link_of(entry, "hash", ".sha256");
        item.signature_url = link_of(entry, "signature", NULL);
        if (!time_parse(json_text(entry, "updated"), &item.updated))
            item.updated = LISTED_NEVER;
        if (url_text_good(item.url))
            item_add(r, item);
        else
            problem(r, "feed.entry", i, "it names no document");
    }
    return rc;
}

static bool is_open(struct span tlp)
{
    return !span_is(tlp, "AMBER") && !span_is(tlp, "AMBER+STRICT") && !span_is(tlp, "RED");
}

static size_t rolie_feeds(const struct json *distribution)
{
    const struct json *feeds = json_path(distribution, "rolie.feeds");
    return feeds && feeds->type == JSON_ARRAY ? feeds->count : 0;
}

/* ROLIE is preferred where there are both (section 7.3.2). */
static void distribution_read(struct reader *r, const struct json *distribution, bool rolie)
{
    const struct json *feeds = json_path(distribution, "rolie.feeds");
    struct span directory = json_text(distribution, "directory_url");
    for (size_t i = 0; i < rolie_feeds(distribution); i++) {
        struct span url = json_text(&feeds->child[i], "url");
        if (!is_open(json_text(&feeds->child[i], "tlp_label")))
            problem(r, "rolie.feeds", i, "its label wants a login, which a follower has not");
        else if (url_text_good(url))
            item_add(r, (struct listed){.what = LISTED_ROLIE, .url = url, .updated = LISTED_NEVER});
        else
            problem(r, "rolie.feeds", i, "it has no url");
    }
    if (!rolie && url_text_good(directory))
        item_add(r, (struct listed){.what = LISTED_DIRECTORY, .url = directory, .updated = LISTED_NEVER});
}

static struct span fingerprint_read(struct reader *r, struct span text)
{
    char *upper = arena_text(r->arena, text);
    if (!upper || text.len < 40 || text.len > 64)
        return span_of(NULL, 0);
    for (size_t i = 0; i < text.len; i++) {
        char c = upper[i];
        upper[i] = (char)(c >= 'a' && c <= 'f' ? c - 'a' + 'A' : c);
        if (!strchr("0123456789ABCDEF", upper[i]))
            return span_of(NULL, 0);
    }
    return span_of(upper, text.len);
}

static int keys_read(struct reader *r, const struct json *list)
{
    if (!list || list->type != JSON_ARRAY)
        return 0;
    struct listed_key *keys = arena_array(r->arena, list->count + (size_t)1, sizeof *keys);
    if (!keys)
        return fail(r->fault, E_NOMEM, "keys");
    r->out->keys = keys;
    for (uint32_t i = 0; i < list->count && r->out->key_count < KEYS_MAX; i++) {
        struct span url = json_text(&list->child[i], "url");
        if (url_text_good(url))
            keys[r->out->key_count++] = (struct listed_key){
                .url = url, .fingerprint = fingerprint_read(r, json_text(&list->child[i], "fingerprint"))};
        else
            problem(r, "public_openpgp_keys", i, "it has no url");
    }
    return 0;
}

static int provider_read(struct reader *r, const struct json *root)
{
    const struct json *list = json_get(root, "distributions");
    size_t room = 0, feeds = 0;
    if (list && list->type != JSON_ARRAY)
        return fail(r->fault, E_TYPE, "\"distributions\" is an array");
    for (uint32_t i = 0; list && i < list->count; i++) {
        feeds += rolie_feeds(&list->child[i]);
        room += rolie_feeds(&list->child[i]) + 1;
    }
    int rc = room > FEED_SOURCES_MAX ? fail(r->fault, E_LIMIT, "%zu distributions", room) : items_begin(r, room);
    for (uint32_t i = 0; rc == 0 && list && i < list->count; i++)
        distribution_read(r, &list->child[i], feeds > 0);
    r->out->title = json_text(json_get(root, "publisher"), "name");
    r->out->trusted = span_is(json_text(root, "role"), "csaf_trusted_provider");
    return rc ? rc : keys_read(r, json_get(root, "public_openpgp_keys"));
}

/* A publisher has no metadata of its own: its first mirror stands for it. */
static void party_read(struct reader *r, const char *where, size_t row, const struct json *party, bool publisher)
{
    const struct json *mirrors = json_get(party, "mirrors");
    struct listed item = {
        .what = LISTED_PROVIDER, .url = json_text(json_get(party, "metadata"), "url"), .updated = LISTED_NEVER};
    if (mirrors && mirrors->type == JSON_ARRAY && mirrors->count && mirrors->child[0].type == JSON_STRING)
        item.mirror = mirrors->child[0].text;
    if (publisher) {
        item.url = item.mirror;
        item.mirror = span_of(NULL, 0);
    }
    if (url_text_good(item.url) && (!item.mirror.len || url_text_good(item.mirror)))
        item_add(r, item);
    else
        problem(r, where, row, "it has no url");
}

static int aggregator_read(struct reader *r, const struct json *root)
{
    static const char *const lists[] = {"csaf_providers", "csaf_publishers"};
    size_t room = 0;
    for (size_t i = 0; i < 2; i++) {
        const struct json *list = json_get(root, lists[i]);
        if (list && list->type != JSON_ARRAY)
            return fail(r->fault, E_TYPE, "\"%s\" is an array", lists[i]);
        room += list ? list->count : 0;
    }
    int rc = room > FEED_SOURCES_MAX ? fail(r->fault, E_LIMIT, "%zu providers", room) : items_begin(r, room);
    for (size_t i = 0; rc == 0 && i < 2; i++) {
        const struct json *list = json_get(root, lists[i]);
        for (uint32_t k = 0; list && k < list->count; k++)
            party_read(r, lists[i], k, &list->child[k], i == 1);
    }
    r->out->title = json_text(json_get(root, "aggregator"), "name");
    return rc;
}

/* "2021-11-03" as its midnight. */
static bool day_parse(struct span text, int64_t *out)
{
    char instant[24];
    if (text.len != 10)
        return false;
    (void)snprintf(instant, sizeof instant, "%.10sT00:00:00Z", (const char *)text.data);
    return time_parse(span_str(instant), out);
}

static int exploited_read(struct reader *r, const struct json *root)
{
    const struct json *list = json_get(root, "vulnerabilities");
    if (list->type != JSON_ARRAY)
        return fail(r->fault, E_TYPE, "\"vulnerabilities\" is an array");
    if (list->count > FEED_DOCUMENTS_MAX)
        return fail(r->fault, E_LIMIT, "%u rows", (unsigned)list->count);
    struct exploited *rows = arena_array(r->arena, list->count + (size_t)1, sizeof *rows);
    if (!rows)
        return fail(r->fault, E_NOMEM, "rows");
    r->out->exploited = rows;
    r->out->title = json_text(root, "catalogVersion");
    for (uint32_t i = 0; i < list->count; i++) {
        const struct json *row = &list->child[i];
        struct exploited e = {.id = json_text(row, "cveID"),
                              .ransomware = span_is(json_text(row, "knownRansomwareCampaignUse"), "Known")};
        if (!day_parse(json_text(row, "dueDate"), &e.due))
            e.due = LISTED_NEVER;
        if (span_starts(e.id, "CVE-") && e.id.len <= 32 && text_is_line(e.id) &&
            day_parse(json_text(row, "dateAdded"), &e.added))
            rows[r->out->exploited_count++] = e;
        else
            problem(r, "vulnerabilities", i, "cveID or dateAdded is missing");
    }
    return 0;
}

static int document_read(struct reader *r, const struct json *root)
{
    (void)root;
    return items_begin(r, 0);
}

static bool is_provider(const struct json *root)
{
    return json_get(root, "canonical_url") && (json_get(root, "distributions") || json_get(root, "metadata_version"));
}

static bool is_aggregator(const struct json *root)
{
    return json_get(root, "aggregator") && json_get(root, "csaf_providers");
}

static bool is_rolie(const struct json *root)
{
    return json_get(root, "feed");
}

static bool is_exploited(const struct json *root)
{
    return json_get(root, "vulnerabilities") && json_get(root, "catalogVersion");
}

static bool is_document(const struct json *root)
{
    return advisory_media(root);
}

static int json_listing(struct reader *r, struct span bytes)
{
    static const struct {
        enum listing_kind kind;
        bool (*is)(const struct json *);
        int (*read)(struct reader *, const struct json *);
    } kinds[] = {
        {LISTING_AGGREGATOR, is_aggregator, aggregator_read},
        {LISTING_PROVIDER, is_provider, provider_read},
        {LISTING_ROLIE, is_rolie, rolie_read},
        {LISTING_EXPLOITED, is_exploited, exploited_read},
        {LISTING_DOCUMENT, is_document, document_read},
    };
    const struct json *root = NULL;
    int rc = json_parse(&root, bytes, LISTING_BYTES_MAX, r->arena, r->fault);
    if (rc)
        return rc;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].is(root)) {
            r->out->kind = kinds[i].kind;
            return kinds[i].read(r, root);
        }
    return fail(r->fault, E_UNSUPPORTED, "no list of advisories that is known here");
}

/* Lines */

static bool line_next(struct span *rest, struct span *line)
{
    if (!span_line(rest, line)) {
        *line = *rest;
        *rest = span_of(NULL, 0);
        if (!line->len)
            return false;
    }
    while (line->len && (line->data[line->len - 1] == '\r' || line->data[line->len - 1] == ' '))
        line->len--;
    return true;
}

/* One field of a CSV line, in quotes or not. What neither a path nor an instant can hold (a quote, a comma) ends it. */
static bool field_take(struct span *rest, struct span *field)
{
    bool quoted = rest->len && rest->data[0] == '"';
    size_t at = quoted, end;
    for (end = at; end < rest->len && rest->data[end] != '"' && rest->data[end] != ','; end++)
        ;
    if (quoted && (end == rest->len || rest->data[end] != '"'))
        return false;
    *field = span_of(rest->data + at, end - at);
    *rest = span_from(*rest, end + quoted);
    return field->len > 0;
}

static bool pair_take(struct span line, struct span *first, struct span *second)
{
    if (!field_take(&line, first) || !line.len || line.data[0] != ',')
        return false;
    line = span_from(line, 1);
    return field_take(&line, second) && !line.len;
}

static bool is_json_path(struct span path)
{
    return url_text_good(path) && path.len > 5 && memcmp(path.data + path.len - 5, ".json", 5) == 0 &&
           !memchr(path.data, ' ', path.len);
}

static bool changes_line(struct reader *r, struct span line, struct listed *item)
{
    struct span path, instant;
    (void)r;
    if (!pair_take(line, &path, &instant) || !is_json_path(path) || !time_parse(instant, &item->updated))
        return false;
    item->url = path;
    return true;
}

static bool modified_line(struct reader *r, struct span line, struct listed *item)
{
    struct span instant, id;
    if (!pair_take(line, &instant, &id) || !time_parse(instant, &item->updated) || !url_text_good(id) ||
        memchr(id.data, ' ', id.len))
        return false;
    const char *path = arena_printf(r->arena, "%.*s.json", (int)id.len, (const char *)id.data);
    item->url = path ? span_str(path) : span_of(NULL, 0);
    return path != NULL;
}

static bool index_line(struct reader *r, struct span line, struct listed *item)
{
    (void)r;
    item->url = line;
    item->updated = LISTED_NEVER;
    return is_json_path(line);
}

static bool security_line(struct reader *r, struct span line, struct listed *item)
{
    (void)r;
    if (line.len < 5 || (line.data[0] | 0x20) != 'c' || (line.data[1] | 0x20) != 's' || (line.data[2] | 0x20) != 'a' ||
        (line.data[3] | 0x20) != 'f' || line.data[4] != ':')
        return false;
    line = span_from(line, 5);
    while (line.len && line.data[0] == ' ')
        line = span_from(line, 1);
    *item = (struct listed){.what = LISTED_PROVIDER, .url = line, .updated = LISTED_NEVER};
    return span_starts(line, "https://") && url_text_good(line);
}

static const struct line_kind {
    bool (*read)(struct reader *, struct span line, struct listed *);
    enum listing_kind kind;
    bool others; /* lines of other forms are no problem of it */
} line_kinds[] = {
    {changes_line, LISTING_CHANGES, false},
    {modified_line, LISTING_MODIFIED, false},
    {index_line, LISTING_INDEX, false},
    {security_line, LISTING_SECURITY, true},
};

/* The first kind that reads one of the lines. Blank lines and comments count in none. */
static const struct line_kind *line_kind_of(struct reader *r, struct span bytes, size_t *lines)
{
    const struct line_kind *found = NULL;
    struct span line;
    *lines = 0;
    while (line_next(&bytes, &line)) {
        struct listed item = {0};
        for (size_t i = 0; !found && line.len && i < sizeof line_kinds / sizeof line_kinds[0]; i++)
            if (line_kinds[i].read(r, line, &item))
                found = &line_kinds[i];
        *lines += 1;
    }
    return found;
}

static int line_listing(struct reader *r, struct span bytes)
{
    size_t lines, number = 0;
    struct span line;
    if (!utf8_valid(bytes))
        return fail(r->fault, E_UNSUPPORTED, "neither JSON nor lines of text");
    const struct line_kind *kind = line_kind_of(r, bytes, &lines);
    if (!kind)
        return fail(r->fault, E_UNSUPPORTED, "no list of advisories that is known here");
    int rc = items_begin(r, lines);
    r->out->kind = kind->kind;
    while (rc == 0 && line_next(&bytes, &line)) {
        struct listed item = {0};
        number++;
        if (!line.len || line.data[0] == '#')
            continue;
        if (kind->read(r, line, &item))
            item_add(r, item);
        else if (!kind->others)
            problem(r, "line", number, "it has not the form of the others");
    }
    return rc;
}

int listing_read(struct listing *out, struct span bytes, struct arena *arena, struct fault *fault)
{
    struct reader r = {.out = out, .arena = arena, .fault = fault};
    size_t at = 0;
    *out = (struct listing){0};
    if (bytes.len > LISTING_BYTES_MAX)
        return fail(fault, E_LIMIT, "%zu bytes", bytes.len);
    while (at < bytes.len && strchr(" \t\r\n", bytes.data[at]) && bytes.data[at])
        at++;
    if (at < bytes.len && (bytes.data[at] == '{' || bytes.data[at] == '['))
        return json_listing(&r, bytes);
    return line_listing(&r, bytes);
}

size_t hash_file_read(struct span bytes, uint8_t out[static 64])
{
    char hex[128];
    size_t len = 0;
    while (len < bytes.len && len < sizeof hex && strchr("0123456789abcdefABCDEF", bytes.data[len]) &&
           bytes.data[len]) {
        char c = (char)bytes.data[len];
        hex[len++] = (char)(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    }
    bool ends = len == bytes.len || strchr(" \t\r\n", bytes.data[len]);
    if (!ends || (len != 64 && len != 128) || !hex_parse(span_of(hex, len), out, len / 2))
        return 0;
    return len / 2;
}
