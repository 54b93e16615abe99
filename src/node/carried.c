/* What comes on a medium, where there is no link: the files that a peer would have answered with (docs/formats.md, "Bundles"). Each is
   checked as an answer is, so nobody has to trust whoever carried it; and each may come again, or in part. */
#include <stdio.h>

#include "crypto/sha256.h"
#include "node/state.h"

static void log_json(const struct node *node, struct held_log *log, struct buf *out)
{
    char path[64];
    buf_byte(out, '{');
    buf_member(out, "party", span_str(log->party->card.name));
    buf_printf(out, "\"size\":%llu,\"signed\":%llu,\"standing\":%llu,\"wants\":", (unsigned long long)log->size,
               (unsigned long long)log->signed_size, (unsigned long long)log->standing_size);
    if (follow_wants(node, log, path))
        buf_json(out, span_str(path));
    else
        buf_text(out, "null");
    buf_byte(out, '}');
}

struct wants {
    struct buf *out;
    size_t count;
    struct hash last; /* a document that several statements name has several rows */
    uint8_t after[64];
};

static int wants_visit(void *ctx, struct span key, struct span value)
{
    struct wants *wants = ctx;
    (void)value;
    if (key.len != sizeof wants->after)
        return E_CORRUPT;
    if (wants->count == CARRIED_DOCUMENTS_MAX)
        return 1;
    memcpy(wants->after, key.data, sizeof wants->after);
    if (wants->count && memcmp(wants->last.b, key.data, sizeof wants->last.b) == 0)
        return 0;
    memcpy(wants->last.b, key.data, sizeof wants->last.b);
    buf_text(wants->out, wants->count++ ? ",\"" : "\"");
    buf_hex(wants->out, span_hash(&wants->last));
    buf_byte(wants->out, '"');
    return 0;
}

static int documents_json(struct node *node, struct span after, struct buf *out)
{
    struct wants wants = {.out = out};
    uint8_t from[sizeof wants.after + 1] = {0}; /* just behind `after` */
    if (after.len && !hex_parse(after, from, sizeof wants.after))
        return E_USAGE;
    buf_text(out, ",\"documents\":[");
    int rc =
        node->env.store->ops->view_scan(node->env.store, span_str("wanted"),
                                        after.len ? span_of(from, sizeof from) : span_of(NULL, 0), wants_visit, &wants);
    buf_text(out, "],\"after\":\"");
    if (rc == 1)
        buf_hex(out, span_of(wants.after, sizeof wants.after));
    buf_byte(out, '"');
    return rc < 0 ? rc : 0;
}

int node_wants_json(struct node *node, struct span after, struct buf *out, struct fault *fault)
{
    char circle[65];
    if (!node->roster)
        return fail(fault, E_STATE, "this node is in no circle");
    hash_hex(&node->roster->circle, circle);
    buf_text(out, "{\"comity\":\"wants/1\",");
    buf_member(out, "party", span_str(node->party_name));
    buf_member(out, "circle", span_str(circle));
    buf_text(out, "\"logs\":[");
    for (size_t i = 0; i < node->log_count; i++) {
        buf_text(out, i ? "," : "");
        log_json(node, &node->logs[i], out);
    }
    buf_byte(out, ']');
    int rc = documents_json(node, after, out);
    buf_text(out, "}\n");
    return rc ? fail(fault, rc, "the list of documents that are wanted") : out->error;
}

static int document_carried(struct node *node, const struct event *event, bool *taken, struct fault *fault)
{
    struct hash named, is;
    if (!hash_parse(span_from(event->media, strlen("documents/")), &named))
        return fail(fault, E_USAGE, "a document's path is documents/ and 64 hex digits");
    sha256(event->body, &is);
    if (!hash_eq(&named, &is))
        return fail(fault, E_HASH, "documents/%.16s...", (const char *)event->media.data + strlen("documents/"));
    *taken = document_missing(node, &named) && document_wanted(node, &named);
    return *taken ? document_take(node, &named, LABEL_CLOSED, event->body) : 0;
}

static int checkpoint_carried(struct node *node, struct held_log *log, const struct event *event, struct fault *fault)
{
    int status;
    struct span rest = event->body, line;
    if (!span_line(&rest, &line) || !span_is(line, log->party->origin))
        return fail(fault, E_CIRCLE, "the checkpoint is not of %s", log->party->origin);
    int rc = checkpoint_heard(node, event->body, &status);
    if (rc == 0 && status != 200)
        return fail(fault, status == 403 ? E_SIGNATURE : E_SYNTAX, "the checkpoint of %s", log->party->card.name);
    return rc;
}

/* Faults of what was carried; others end the process. */
static int carried_take(struct node *node, const struct event *event, struct held_log **log, bool *taken,
                        struct fault *fault)
{
    if (!node->roster)
        return fail(fault, E_STATE, "this node is in no circle");
    if (!event->name.len && span_starts(event->media, "documents/"))
        return document_carried(node, event, taken, fault);
    const struct party *party = roster_party(node->roster, event->name);
    *log = party ? log_of(node, party) : NULL;
    if (!*log)
        return fail(fault, E_NOTFOUND, "no party of this circle has this name");
    if (!span_is(event->media, "checkpoint"))
        return follow_carried(node, *log, event->media, event->body, taken);
    *taken = true;
    return checkpoint_carried(node, *log, event, fault);
}

int carried(struct node *node, const struct event *event)
{
    struct held_log *log = NULL;
    struct fault fault = {0};
    bool taken = false;
    int rc = carried_take(node, event, &log, &taken, &fault);
    if (fault.code) {
        reply_error(node, event->token, fault.code == E_NOTFOUND ? 404 : fault.code == E_STATE ? 409 : 400, &fault);
        return 0;
    }
    if (rc)
        return rc;
    struct action *action = action_add(node, ACTION_REPLY);
    action->token = event->token;
    action->status = 200;
    action->content_type = "application/json";
    buf_printf(&action->body, "{\"taken\":%s", taken ? "true" : "false");
    if (log) {
        buf_text(&action->body, ",\"log\":");
        log_json(node, log, &action->body);
    }
    buf_text(&action->body, "}\n");
    return 0;
}
