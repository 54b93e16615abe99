#include "notify/route.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "crypto/sha256.h"

const char *const channel_kind_names[CHANNEL_KINDS] = {"command", "webhook", "mail"};
static const char default_name[] = "default";

bool url_plain(const char *url)
{
    struct span text = span_str(url);
    size_t scheme = span_starts(text, "https://") ? 8 : span_starts(text, "http://") ? 7 : 0;
    for (size_t i = scheme; i < text.len; i++)
        if (url[i] <= ' ' || url[i] >= 0x7f || strchr("\"<>\\^`{|}", url[i]))
            return false;
    return scheme && text.len > scheme && text.len < URL_BYTES_MAX && url[scheme] != '/' && url[scheme] != ':';
}

bool command_plain(const char *words)
{
    size_t count = 0;
    for (const char *c = words; *c; c++)
        count += *c != ' ' && (c == words || c[-1] == ' ');
    return words[0] == '/' && count <= COMMAND_WORDS_MAX;
}

/* RFC 5321 section 4.1.2, dot-string and domain, no quoted string, no address literal: what every server takes. */
bool mail_address_plain(const char *address)
{
    static const char atom[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~";
    static const char label[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    const char *at = strchr(address, '@');
    if (!at || at == address || at - address > 64 || strlen(address) > 254 || !at[1])
        return false;
    for (const char *c = address; c < at; c++)
        if (!strchr(*c == '.' && c > address && c[-1] != '.' && c + 1 < at ? "." : atom, *c))
            return false;
    for (const char *c = at + 1; *c; c++)
        if (!strchr(*c == '.' && c[-1] != '.' && c[-1] != '@' && c[1] ? "." : label, *c))
            return false;
    return true;
}

const char *channel_address(const struct notify_channel *channel)
{
    return strchr(channel->text, ':') + 1;
}

static struct span trim(struct span s)
{
    while (s.len && s.data[0] == ' ')
        s = span_from(s, 1);
    while (s.len && s.data[s.len - 1] == ' ')
        s.len--;
    return s;
}

static int copy(char *out, size_t size, struct span value, const char *what, struct fault *fault)
{
    if (!value.len || value.len >= size || !text_is_line(value))
        return fail(fault, E_CONFIG, "%s has 1 to %zu bytes", what, size - 1);
    memcpy(out, value.data, value.len);
    out[value.len] = 0;
    return 0;
}

static int inventory_take(struct notify_route *route, struct span value, struct fault *fault)
{
    int rc = copy(route->inventory, sizeof route->inventory, value, "inventory", fault);
    route->prefix = rc == 0 && value.data[value.len - 1] == '*';
    if (route->prefix)
        route->inventory[value.len - 1] = 0;
    return rc == 0 && strlen(route->inventory) > INVENTORY_NAME_MAX
               ? fail(fault, E_CONFIG, "inventory has at most %d bytes", INVENTORY_NAME_MAX)
               : rc;
}

static int sector_take(struct notify_route *route, struct span value, struct fault *fault)
{
    return copy(route->sector, sizeof route->sector, value, "sector", fault);
}

static int verdict_take(struct notify_route *route, struct span value, struct fault *fault)
{
    for (int i = 0; i < NOTICE_VERDICTS; i++)
        if (span_is(value, notice_verdict_words[i])) {
            route->verdict = i;
            return 0;
        }
    return fail(fault, E_CONFIG, "verdict is affected, undecided or cleared");
}

static int critical_take(struct notify_route *route, struct span value, struct fault *fault)
{
    route->critical = span_is(value, "yes") ? 1 : span_is(value, "no") ? 0 : -1;
    return route->critical < 0 ? fail(fault, E_CONFIG, "critical is yes or no") : 0;
}

static bool two_digits(const uint8_t *at, unsigned most, unsigned *out)
{
    if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
        return false;
    *out = (at[0] - (unsigned)'0') * 10 + (at[1] - (unsigned)'0');
    return *out <= most;
}

static int digest_take(struct notify_route *route, struct span value, struct fault *fault)
{
    unsigned hour, minute;
    if (value.len != 5 || value.data[2] != ':' || !two_digits(value.data, 23, &hour) ||
        !two_digits(value.data + 3, 59, &minute))
        return fail(fault, E_CONFIG, "digest is HH:MM, UTC");
    route->digest = (struct digest){.kind = DIGEST_DAILY, .minutes = hour * 60 + minute};
    return 0;
}

static int digest_minutes_take(struct notify_route *route, struct span value, struct fault *fault)
{
    uint64_t minutes;
    if (!decimal_parse(value, &minutes) || !minutes || minutes > 10080)
        return fail(fault, E_CONFIG, "digest-minutes is 1 to 10080");
    route->digest = (struct digest){.kind = DIGEST_INTERVAL, .minutes = (unsigned)minutes};
    return 0;
}

static const struct {
    const char *key;
    int (*take)(struct notify_route *route, struct span value, struct fault *fault);
    bool condition, digest;
} items[] = {
    {"inventory", inventory_take, true, false}, {"sector", sector_take, true, false},
    {"verdict", verdict_take, true, false},     {"critical", critical_take, true, false},
    {"digest", digest_take, false, true},       {"digest-minutes", digest_minutes_take, false, true},
};

/* A channel stands in `texts` until the line is whole. */
struct reading {
    struct notify_route route;
    char texts[ROUTE_CHANNELS_MAX][CHANNEL_BYTES_MAX + 1];
    enum channel_kind kinds[ROUTE_CHANNELS_MAX];
    unsigned seen; /* a bit for each of `items` */
};

static int channel_take(struct reading *r, struct span value, struct fault *fault)
{
    static bool (*const plain[CHANNEL_KINDS])(const char *) = {command_plain, url_plain, mail_address_plain};
    if (r->route.channel_count == ROUTE_CHANNELS_MAX)
        return fail(fault, E_CONFIG, "more than %d channels", ROUTE_CHANNELS_MAX);
    char *text = r->texts[r->route.channel_count];
    int rc = copy(text, sizeof r->texts[0], value, "channel", fault);
    for (unsigned kind = 0; rc == 0 && kind < CHANNEL_KINDS; kind++) {
        size_t n = strlen(channel_kind_names[kind]);
        if (strncmp(text, channel_kind_names[kind], n) != 0 || text[n] != ':' || !plain[kind](text + n + 1))
            continue;
        for (size_t i = 0; i < r->route.channel_count; i++)
            if (strcmp(text, r->texts[i]) == 0)
                return fail(fault, E_CONFIG, "channel %.80s stands twice", text);
        r->kinds[r->route.channel_count++] = (enum channel_kind)kind;
        return 0;
    }
    return rc ? rc
              : fail(fault, E_CONFIG, "channel is mail:ADDRESS, webhook:URL or command:/PROGRAM, not \"%.80s\"", text);
}

static int item_take(struct reading *r, struct span item, struct fault *fault)
{
    const uint8_t *equals = item.len ? memchr(item.data, '=', item.len) : NULL;
    if (!equals)
        return fail(fault, E_CONFIG, "a route's item is KEY=VALUE, with commas between them");
    size_t at = (size_t)(equals - item.data);
    struct span key = trim(span_of(item.data, at)), value = trim(span_from(item, at + 1));
    if (span_is(key, "channel"))
        return channel_take(r, value, fault);
    for (unsigned i = 0; i < sizeof items / sizeof items[0]; i++)
        if (span_is(key, items[i].key)) {
            if (r->seen & 1u << i || (items[i].digest && r->route.digest.kind != DIGEST_NONE))
                return fail(fault, E_CONFIG, "%s stands twice, or beside another digest", items[i].key);
            if (items[i].condition && strcmp(r->route.name, default_name) == 0)
                return fail(fault, E_CONFIG, "the route default has no conditions: it takes what no other route took");
            r->seen |= 1u << i;
            return items[i].take(&r->route, value, fault);
        }
    return fail(fault, E_CONFIG, "unknown item \"%.*s\"", (int)(key.len < 60 ? key.len : 60), (const char *)key.data);
}

static int line_read(struct reading *r, struct span value, struct fault *fault)
{
    const uint8_t *colon = value.len ? memchr(value.data, ':', value.len) : NULL;
    *r = (struct reading){.route = {.verdict = -1, .critical = -1}};
    if (!colon)
        return fail(fault, E_CONFIG, "a route is NAME: KEY=VALUE, ...");
    size_t at = (size_t)(colon - value.data);
    int rc = copy(r->route.name, sizeof r->route.name, trim(span_of(value.data, at)), "a route's name", fault);
    struct span rest = span_from(value, at + 1);
    while (rc == 0) {
        const uint8_t *comma = rest.len ? memchr(rest.data, ',', rest.len) : NULL;
        size_t end = comma ? (size_t)(comma - rest.data) : rest.len;
        rc = item_take(r, trim(span_of(rest.data, end)), fault);
        rest = span_from(rest, end + 1);
        if (!comma)
            break;
    }
    return rc || r->route.channel_count ? rc : fail(fault, E_CONFIG, "a route needs a channel");
}

static bool grown(void **list, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return true;
    size_t wanted = *cap ? *cap * 2 : 16;
    void *more = realloc(*list, wanted * size);
    if (!more)
        return false;
    *list = more;
    *cap = wanted;
    return true;
}

static void channel_name(struct notify_channel *channel)
{
    struct hash hash;
    char hex[65];
    sha256(span_str(channel->text), &hash);
    hash_hex(&hash, hex);
    (void)snprintf(channel->name, sizeof channel->name, "%s:%.16s", channel_kind_names[channel->kind], hex);
}

static int channel_place(struct routes *routes, const struct reading *r, size_t which, uint32_t *out,
                         struct fault *fault)
{
    for (size_t i = 0; i < routes->channel_count; i++) {
        struct notify_channel *known = &routes->channels[i];
        if (strcmp(known->text, r->texts[which]) != 0)
            continue;
        *out = (uint32_t)i;
        return known->digest.kind == r->route.digest.kind && known->digest.minutes == r->route.digest.minutes
                   ? 0
                   : fail(fault, E_CONFIG, "%.80s has another digest, or none, in an earlier route", known->text);
    }
    if (!grown((void **)&routes->channels, &routes->channel_cap, routes->channel_count, sizeof *routes->channels))
        return fail(fault, E_NOMEM, "%zu channels", routes->channel_count);
    struct notify_channel *channel = &routes->channels[routes->channel_count];
    *channel = (struct notify_channel){.kind = r->kinds[which], .digest = r->route.digest};
    memcpy(channel->text, r->texts[which], sizeof channel->text);
    channel_name(channel);
    *out = (uint32_t)routes->channel_count++;
    return 0;
}

static int reading_place(struct routes *routes, struct reading *r, struct fault *fault)
{
    int rc = 0;
    for (size_t i = 0; i < routes->count; i++)
        if (strcmp(routes->routes[i].name, r->route.name) == 0)
            return fail(fault, E_CONFIG, "two routes have this name");
    if (routes->count == ROUTES_MAX)
        return fail(fault, E_CONFIG, "more than %d routes", ROUTES_MAX);
    if (!grown((void **)&routes->routes, &routes->cap, routes->count, sizeof *routes->routes))
        return fail(fault, E_NOMEM, "%zu routes", routes->count);
    for (size_t i = 0; i < r->route.channel_count && rc == 0; i++)
        rc = channel_place(routes, r, i, &r->route.channels[i], fault);
    if (rc == 0)
        routes->routes[routes->count++] = r->route;
    return rc;
}

int routes_add(struct routes *routes, struct span value, struct fault *fault)
{
    struct reading *r = calloc(1, sizeof *r);
    if (!r)
        return fail(fault, E_NOMEM, "a route");
    int rc = line_read(r, value, fault);
    rc = rc ? rc : reading_place(routes, r, fault);
    if (rc)
        (void)fail_at(fault, rc, "route %.60s", r->route.name);
    free(r);
    return rc;
}

void routes_free(struct routes *routes)
{
    free(routes->routes);
    free(routes->channels);
    *routes = (struct routes){0};
}

/* Matching */

bool route_matches(const struct notify_route *route, const struct notice *notice)
{
    if (strcmp(route->name, default_name) == 0 || (route->verdict >= 0 && route->verdict != (int)notice->verdict) ||
        (route->critical >= 0 && route->critical != (int)notice->critical) ||
        (route->sector[0] && !span_is(notice->sector, route->sector)))
        return false;
    return route->prefix ? span_starts(notice->inventory, route->inventory)
                         : !route->inventory[0] || span_is(notice->inventory, route->inventory);
}

static size_t channels_join(const struct notify_route *route, uint32_t *out, size_t count)
{
    for (size_t i = 0; i < route->channel_count; i++) {
        size_t at = 0;
        while (at < count && out[at] != route->channels[i])
            at++;
        if (at == count && count < CHANNELS_OF_NOTICE_MAX)
            out[count++] = route->channels[i];
    }
    return count;
}

size_t routes_match(const struct routes *routes, const struct notice *notice,
                    uint32_t out[static CHANNELS_OF_NOTICE_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < routes->count; i++)
        if (route_matches(&routes->routes[i], notice))
            count = channels_join(&routes->routes[i], out, count);
    for (size_t i = 0; i < routes->count && !count; i++)
        if (strcmp(routes->routes[i].name, default_name) == 0)
            count = channels_join(&routes->routes[i], out, count);
    return count;
}

int64_t digest_due(const struct digest *digest, int64_t since)
{
    if (digest->kind != DIGEST_DAILY)
        return since + (int64_t)digest->minutes * 60;
    int64_t day = since - ((since % 86400) + 86400) % 86400, due = day + (int64_t)digest->minutes * 60;
    return due > since ? due : due + 86400;
}
