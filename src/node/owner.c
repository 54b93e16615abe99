/* What the owner does with the party as a whole: that a backup was made is noted; the party leaves the circle. */
#include <stdio.h>

#include "node/state.h"

/* The journal remembers when there was last a copy. */
int backed_up(struct node *node, const struct event *event)
{
    char id[65];
    int64_t seq;
    hash_hex(&event->hash, id);
    int rc = write_begin(node);
    if (rc == 0)
        rc = node->env.store->ops->journal_append(node->env.store, now_seconds(node), span_str("backup"), span_str(id),
                                                  event->body, &seq);
    if (rc == 0 || rc == E_EXISTS)
        reply(node, event->token, 201, "application/json", "{\"recorded\":true}\n");
    return rc == E_EXISTS ? 0 : rc;
}

/* Leaving. A statement of this media type is the last of its log: by its header alone, so that it ends the log whether its document is
   here or not, and every node sees the same end. */

int leave_told(struct node *node, struct held_log *log, uint64_t index, const struct hash *id)
{
    uint8_t key[8], value[40];
    log->left = true;
    log->left_index = index;
    log->left_id = *id;
    u64_put(key, (uint64_t)(log - node->logs));
    u64_put(value, index);
    memcpy(value + 8, id->b, sizeof id->b);
    return node->env.store->ops->view_put(node->env.store, span_str("leave"), span_of(key, sizeof key),
                                          span_of(value, sizeof value));
}

static int leave_visit(void *ctx, struct span key, struct span value)
{
    struct node *node = ctx;
    uint64_t number = key.len == 8 ? u64_get(key.data) : UINT64_MAX;
    if (number >= node->log_count || value.len != 40)
        return E_CORRUPT;
    struct held_log *log = &node->logs[number];
    log->left = true;
    log->left_index = u64_get(value.data);
    memcpy(log->left_id.b, value.data + 8, sizeof log->left_id.b);
    return 0;
}

int leaves_load(struct node *node)
{
    return node->env.store->ops->view_scan(node->env.store, span_str("leave"), span_of(NULL, 0), leave_visit, node);
}

int own_leave_close(struct node *node)
{
    return node->own->left ? node->env.signer->ops->close_log(node->env.signer, &node->own->left_id) : 0;
}

static int leave_document(struct node *node, struct span reason, struct buf *out)
{
    char circle[65];
    hash_hex(&node->roster->circle, circle);
    buf_printf(out, "{\"comity\":\"leave/1\",\"party\":\"%s\",\"circle\":\"%s\",\"size\":%llu,\"reason\":",
               node->self->card.name, circle, (unsigned long long)node->own->size + 1);
    buf_json(out, reason);
    buf_text(out, "}\n");
    return out->error;
}

static void leave_check(struct node *node, const struct event *event, struct fault *fault)
{
    bool line = event->body.len > 0 && event->body.len <= REASON_BYTES_MAX && utf8_valid(event->body);
    for (size_t i = 0; line && i < event->body.len; i++)
        line = event->body.data[i] >= ' ' && event->body.data[i] != 0x7f;
    if (!node->roster)
        (void)fail(fault, E_STATE, "this node is in no circle");
    else if (node->ahead.size)
        (void)ahead_tell(node, fault);
    else if (node->recovering)
        (void)fail(fault, E_RECOVERING, "it waits for %zu answers of the committee", node->recover_needed);
    else if (!span_is(event->name, node->self->card.name))
        (void)fail(fault, E_REFUSED, "leaving is confirmed by the party's own name");
    else if (!line)
        (void)fail(fault, E_SYNTAX, "the reason is one line of 1 to %d bytes", REASON_BYTES_MAX);
}

static void left_already(struct node *node, const struct event *event)
{
    char id[65];
    hash_hex(&node->own->left_id, id);
    struct action *action = action_add(node, ACTION_REPLY);
    action->token = event->token;
    action->status = 200;
    action->content_type = "application/json";
    buf_printf(&action->body, "{\"id\":\"%s\",\"origin\":\"%s\",\"index\":%llu,\"state\":\"%s\"}\n", id,
               node->self->origin, (unsigned long long)node->own->left_index,
               node->own->standing_size > node->own->left_index ? "standing" : "logged");
}

int leave(struct node *node, const struct event *event)
{
    struct submission submission = {.media = MEDIA_LEAVE, .label = LABEL_OPEN};
    struct fault fault = {0};
    struct buf document;
    leave_check(node, event, &fault);
    if (fault.code) {
        reply_error(node, event->token,
                    fault.code == E_RECOVERING                       ? 503
                    : fault.code == E_STATE || fault.code == E_AHEAD ? 409
                                                                     : 400,
                    &fault);
        return 0;
    }
    if (node->own->left) {
        left_already(node, event);
        return 0;
    }
    int rc = own_log_flush(node); /* what was submitted before goes before; then its index is known */
    buf_init(&document, 4 * REASON_BYTES_MAX + 4096);
    rc = rc ? rc : leave_document(node, event->body, &document);
    (void)snprintf(submission.subject, sizeof submission.subject, "%s", node->self->card.name);
    submission.document = buf_view(&document);
    rc = rc ? rc : submission_add(node, &submission, event->token);
    rc = rc ? rc : own_log_flush(node);
    buf_free(&document);
    return rc;
}

static void reason_json(struct node *node, const struct held_log *log, struct buf *out)
{
    struct store *store = node->env.store;
    struct buf entry, document;
    struct statement s;
    struct arena arena;
    struct texts reason;
    buf_init(&entry, STATEMENT_BYTES_MAX);
    buf_init(&document, 8 * REASON_BYTES_MAX);
    arena_init(&arena, 1 << 20);
    if (store->ops->entry_get(store, log->id, log->left_index, &entry) == 0 &&
        statement_parse(&s, buf_view(&entry), NULL) == 0 &&
        store->ops->document_get(store, &s.document, &document) == 0 &&
        body_texts(node, buf_view(&document), "reason", &reason, &arena) == 0) {
        buf_text(out, ",\"reason\":");
        buf_json(out, reason.count ? reason.list[0] : span_of(NULL, 0));
    }
    buf_free(&entry);
    buf_free(&document);
    arena_free(&arena);
}

void leave_json(struct node *node, const struct held_log *log, struct buf *out)
{
    char id[65];
    if (!log->left)
        return;
    hash_hex(&log->left_id, id);
    buf_printf(out, ",\"leave\":{\"id\":\"%s\",\"index\":%llu,\"state\":\"%s\"", id,
               (unsigned long long)log->left_index, log->standing_size > log->left_index ? "standing" : "logged");
    reason_json(node, log, out);
    buf_byte(out, '}');
}
