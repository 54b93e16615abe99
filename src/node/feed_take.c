/* A document of a feed is taken, or refused. Journal, kind "feed-refusal": feed, SHA-256 of the url, document (or "none") and the error's id,
   a line each -> JSON {feed, url, document, error, detail, seen_at}: once for each document and reason. */
#include <stdarg.h>
#include <stdio.h>

#include "crypto/sha256.h"
#include "format/json.h"
#include "node/feeds.h"

enum { REFUSAL_BYTES_MAX = 16384 };

static const struct span kind_refusal = {(const uint8_t *)"feed-refusal", 12};

static void refusal_key(struct span feed, struct span url, const char *document, int code, struct buf *key)
{
    struct hash hash;
    sha256(url, &hash);
    buf_span(key, feed);
    buf_byte(key, '\n');
    buf_hex(key, span_hash(&hash));
    buf_printf(key, "\n%s\n%s", *document ? document : "none", error_text(code)->id);
}

int feed_refuse(struct node *node, struct span feed, struct span url, const struct hash *document, int code,
                const char *format, ...)
{
    char hex[65] = "", at[21], detail[FEED_PROBLEM_BYTES];
    struct buf key, body;
    int64_t seq;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    if (document)
        hash_hex(document, hex);
    time_format(now_seconds(node), at);
    buf_init(&key, 512);
    buf_init(&body, REFUSAL_BYTES_MAX);
    refusal_key(feed, url, hex, code, &key);
    buf_byte(&body, '{');
    buf_member(&body, "feed", feed);
    buf_member(&body, "url", url);
    buf_member(&body, "document", span_str(hex));
    buf_member(&body, "error", span_str(error_text(code)->id));
    buf_member(&body, "detail", span_str(detail));
    buf_printf(&body, "\"seen_at\":\"%s\"}", at);
    int rc = key.error ? key.error : body.error ? body.error : write_begin(node);
    rc = rc ? rc
            : node->env.store->ops->journal_append(node->env.store, now_seconds(node), kind_refusal, buf_view(&key),
                                                   buf_view(&body), &seq);
    buf_free(&key);
    buf_free(&body);
    return rc == E_EXISTS ? 0 : rc;
}

/* What is no advisory may be the catalogue of what is exploited. */
static int other_take(struct node *node, struct span feed, const struct feed_document *document, bool *is_other,
                      enum feed_taken *taken)
{
    struct arena arena;
    struct listing listing;
    arena_init(&arena, 8 * (size_t)DOCUMENT_BYTES_MAX);
    int rc = node->env.parser->ops->listing(node->env.parser, document->bytes, &listing, &arena, NULL);
    *is_other = rc == 0 && listing.kind == LISTING_EXPLOITED;
    bool hard = rc == E_NOMEM || rc == E_IO;
    if (*is_other)
        rc = exploited_take(node, feed, document->url, document->bytes, &listing, taken);
    arena_free(&arena);
    return *is_other || hard ? rc : 0;
}

int feed_take(struct node *node, struct span feed, const struct feed_document *document, enum feed_taken *taken)
{
    char media[MEDIA_BYTES_MAX] = "";
    struct hash hash;
    struct place place;
    bool other = false;
    *taken = FEED_SAME;
    sha256(document->bytes, &hash);
    int rc = place_get(node, feed, document->url, &place);
    if (rc == 0 && !place.gone && hash_eq(&place.document, &hash) && !document_missing(node, &hash))
        return 0;
    if (rc && rc != E_NOTFOUND)
        return rc;
    rc = node->env.parser->ops->media(node->env.parser, document->bytes, media);
    if (rc && rc != E_PARSER)
        return rc;
    if (rc == 0 && !media[0]) {
        rc = other_take(node, feed, document, &other, taken);
        if (rc || other)
            return rc;
    }
    const struct followed followed = {.feed = feed,
                                      .url = document->url,
                                      .media = span_str(media[0] ? media : "application/json"),
                                      .bytes = document->bytes,
                                      .hash = &hash,
                                      .seen = now_seconds(node),
                                      .hash_checked = document->hash_checked,
                                      .signature = document->signature};
    rc = advisory_followed(node, &followed);
    *taken = FEED_TAKEN;
    return rc == E_SYNTAX || rc == E_LIMIT ? feed_refuse(node, feed, document->url, &hash, rc, "it cannot be kept")
                                           : rc;
}

/* Documents that the owner has at hand: each its path and its bytes, both behind their length (4 bytes, big-endian). */

static bool piece_take(struct span *rest, struct span *piece)
{
    if (rest->len < 4)
        return false;
    size_t len = (size_t)rest->data[0] << 24 | (size_t)rest->data[1] << 16 | (size_t)rest->data[2] << 8 | rest->data[3];
    *rest = span_from(*rest, 4);
    if (len > rest->len)
        return false;
    *piece = span_of(rest->data, len);
    *rest = span_from(*rest, len);
    return true;
}

static int import_one(struct node *node, struct span feed, struct span path, struct span bytes, uint64_t counts[3])
{
    struct buf url;
    enum feed_taken taken = FEED_SAME;
    buf_init(&url, FOLLOWED_URL_MAX);
    buf_text(&url, "import:");
    buf_span(&url, path);
    bool good = !url.error && path.len && text_is_line(path) && bytes.len <= DOCUMENT_BYTES_MAX;
    const struct feed_document document = {.url = buf_view(&url), .bytes = bytes};
    int rc = good ? feed_take(node, feed, &document, &taken) : 0;
    counts[!good ? 2 : taken == FEED_SAME]++;
    buf_free(&url);
    return rc;
}

int feed_import_take(struct node *node, const struct event *event)
{
    struct span rest = event->body, path, bytes;
    struct fault fault = {0};
    uint64_t counts[3] = {0}; /* taken, same, refused */
    int rc = 0;
    if (!name_valid(event->name))
        (void)fail(&fault, E_SYNTAX, "a feed's name is as a party's: a-z, 0-9, inner \"-\", labels with dots between");
    while (rc == 0 && !fault.code && rest.len) {
        if (!piece_take(&rest, &path) || !piece_take(&rest, &bytes))
            (void)fail(&fault, E_TRUNCATED, "a piece of the body is shorter than its length");
        else
            rc = import_one(node, event->name, path, bytes, counts);
    }
    if (fault.code) {
        reply_error(node, event->token, 400, &fault);
        return rc;
    }
    struct action *action = action_add(node, ACTION_REPLY);
    action->token = event->token;
    action->status = 200;
    action->content_type = "application/json";
    buf_printf(&action->body, "{\"taken\":%llu,\"same\":%llu,\"refused\":%llu}\n", (unsigned long long)counts[0],
               (unsigned long long)counts[1], (unsigned long long)counts[2]);
    return rc;
}

/* Views */

struct refusals {
    struct span feed;
    struct buf *out;
    bool more;
};

static int refusal_visit(void *ctx, const struct journal_row *row)
{
    struct refusals *refusals = ctx;
    size_t n = refusals->feed.len;
    if (row->key.len <= n || row->key.data[n] != '\n' || !span_eq(span_of(row->key.data, n), refusals->feed))
        return 0;
    buf_text(refusals->out, refusals->more ? ",\n" : "");
    buf_span(refusals->out, row->body);
    refusals->more = true;
    return refusals->out->error;
}

int feed_refusals_json(struct node *node, struct span feed, struct buf *out)
{
    struct refusals refusals = {.feed = feed, .out = out};
    buf_byte(out, '[');
    int rc = node->env.store->ops->journal_scan(node->env.store, kind_refusal, 0, refusal_visit, &refusals);
    buf_byte(out, ']');
    return rc;
}
