/* Organisations whose inventories this node hosts, at the public listener: PUT /hosted/ORGANIZATION/NAME[/DISTRIBUTION] with a file (an empty
   body withdraws the inventory), GET /hosted/ORGANIZATION/accesses[/AFTER] and .../notices[/AFTER]. Each request is signed by the
   organisation's key; without that nobody hears even whether it is hosted. */
#include <stdio.h>

#include "base/text.h"
#include "circle/member.h"
#include "crypto/sha256.h"
#include "node/hosting.h"
#include "shell/log.h"
#include "shell/shell.h"

enum { PARTS_MAX = 3 };
struct hosted_path {
    struct span parts[PARTS_MAX]; /* organisation; inventory, "accesses" or "notices"; distribution or position */
    size_t count;
};

static bool path_parse(struct hosted_path *out, const char *path)
{
    struct span rest = span_from(span_str(path), strlen("/hosted/"));
    *out = (struct hosted_path){0};
    while (rest.len && out->count < PARTS_MAX) {
        const uint8_t *slash = memchr(rest.data, '/', rest.len);
        size_t len = slash ? (size_t)(slash - rest.data) : rest.len;
        out->parts[out->count++] = span_of(rest.data, len);
        rest = span_from(rest, len + (slash != NULL));
    }
    return !rest.len && out->count >= 2 && name_valid(out->parts[0]) && out->parts[1].len;
}

/* 0 when it is signed by the organisation that the path names. */
static int signed_by(struct shell *shell, const struct request_message *r, struct span organization,
                     const struct hash *digest, int64_t *created)
{
    const struct roster *roster = node_roster(shell->node);
    const struct party *self = roster ? roster_party(roster, span_str(shell->serve->config.name)) : NULL;
    struct public_key key;
    if (!self || r->twice || !r->signature_input[0] || !r->signature[0])
        return E_SIGNATURE;
    if (!hosting_key(shell->node, organization, &key))
        return E_KEY;
    struct hosted_request request = {.method = span_str(method_names[r->method]),
                                     .head = {.host = span_str(r->host),
                                              .own_url = span_str(self->card.url),
                                              .path = span_str(r->path),
                                              .input = span_str(r->signature_input),
                                              .signature = span_str(r->signature),
                                              .now = clock_ms() / 1000},
                                     .digest = digest,
                                     .key = &key};
    int rc = hosted_verify(&request);
    *created = request.created;
    return rc;
}

static void refuse(struct shell *shell, const struct request_message *r, int rc)
{
    static const char text[] = "not signed by an organisation that is hosted here, or not within five minutes\n";
    log_say(LOG_REQUEST_UNSIGNED, "a request for hosted inventories is refused: %s", error_text(rc)->message);
    answer_text(shell, r->token, 401, "text/plain", span_str(text));
}

void hosted_put(struct shell *shell, const struct request_message *r, struct buf *body, uint64_t token)
{
    struct hosted_path path;
    struct hash digest;
    int64_t created = 0;
    char name[2 * NAME_BYTES_MAX + 2], distribution[INVENTORY_NAME_MAX + 1] = "";
    if (!path_parse(&path, r->path)) {
        answer_text(shell, r->token, 404, "text/plain",
                    span_str("the path is /hosted/ORGANIZATION/NAME or /hosted/ORGANIZATION/NAME/DISTRIBUTION\n"));
        return;
    }
    sha256(buf_view(body), &digest); /* as it was sent */
    int rc = signed_by(shell, r, path.parts[0], &digest, &created);
    if (rc) {
        refuse(shell, r, rc);
        return;
    }
    int status = body_unpack(shell, r, body);
    if (status != 200) {
        answer_text(shell, r->token, status, "text/plain", span_str("the body does not follow its encoding\n"));
        return;
    }
    (void)snprintf(name, sizeof name, "%.*s/%.*s", (int)path.parts[0].len, (const char *)path.parts[0].data,
                   (int)path.parts[1].len, (const char *)path.parts[1].data);
    if (path.count == 3)
        (void)snprintf(distribution, sizeof distribution, "%.*s", (int)path.parts[2].len,
                       (const char *)path.parts[2].data);
    for (char *c = distribution; *c; c++)
        *c = *c == '+' ? ' ' : *c; /* "Rocky+Linux:9": a path of ours has neither spaces nor escapes */
    struct event event = {.kind = EVENT_HOSTED,
                          .token = token,
                          .name = span_str(name),
                          .media = span_str(distribution),
                          .signed_at = created,
                          .body = buf_view(body)};
    shell_step(shell, &event);
}

/* False: the path is none of these. */
bool hosted_get(struct shell *shell, const struct request_message *r)
{
    struct hosted_path path;
    struct buf out;
    uint64_t after = 0;
    int64_t created;
    if (!span_starts(span_str(r->path), "/hosted/") || !path_parse(&path, r->path))
        return false;
    bool accesses = span_is(path.parts[1], "accesses"), notices = span_is(path.parts[1], "notices");
    if ((!accesses && !notices) || (path.count == 3 && (!decimal_parse(path.parts[2], &after) || after > INT64_MAX)))
        return false;
    int rc = signed_by(shell, r, path.parts[0], NULL, &created);
    if (rc) {
        refuse(shell, r, rc);
        return true;
    }
    buf_init(&out, HTTP_BODY_MAX);
    rc = accesses ? hosted_accesses(shell->node, path.parts[0], (int64_t)after, &out)
                  : hosted_notices(shell->node, path.parts[0], (int64_t)after, &out);
    rc = rc ? rc : node_sound(shell->node);
    struct answer_message answer = {.token = r->token, .status = rc ? 500 : 200};
    (void)snprintf(answer.content_type, sizeof answer.content_type, "application/json");
    if (rc)
        buf_reset(&out);
    answer_send(shell, &answer, &out);
    buf_free(&out);
    return true;
}
