/* Mirrors compare what they hold: every few minutes each asks another one for the checkpoints that it knows, of every log, pending ones
   included. So a second face that was shown to one mirror alone meets the first, and cosignatures spread while their log is away. */
#include <stdio.h>

#include "node/state.h"

enum { COMPARE_MS = 300000 };

static void compare_again(struct node *node)
{
    int64_t wait = node->poll_ms > COMPARE_MS ? node->poll_ms : COMPARE_MS;
    uint64_t jitter = node->env.random ? node->env.random(node->env.ctx) % ((uint64_t)wait / 2) : 0;
    node->compare_at_ms = node->now_ms + wait / 2 + (int64_t)jitter;
}

void compare_start(struct node *node)
{
    if (!node->self->committee || node->compare_token || node->compare_at_ms > node->now_ms)
        return;
    bool first = !node->compare_at_ms; /* just started: what matters now is recovery */
    compare_again(node);
    for (size_t i = 0; i < node->peer_count && !first; i++) {
        size_t at = node->compare_turn++ % node->peer_count;
        if (!node->peers[at].is_mirror)
            continue;
        struct action *action = send_add(node, CALL_COMPARE, at, 0, "GET");
        (void)snprintf(action->path, sizeof action->path, "/mirror/checkpoints");
        action->body_max = TEXTS_JSON_BYTES_MAX;
        node->compare_token = action->token;
        return;
    }
}

int compare_response(struct node *node, const struct event *event)
{
    struct texts notes = {0};
    struct arena arena;
    int status;
    node->compare_token = 0;
    if (event->status != 200)
        return 0;
    arena_init(&arena, 4 * (size_t)TEXTS_JSON_BYTES_MAX);
    int rc = body_texts(node, event->body, "checkpoints", &notes, &arena);
    rc = rc == E_NOMEM ? rc : 0;
    for (size_t i = 0; rc == 0 && i < notes.count; i++)
        rc = checkpoint_heard(node, notes.list[i], &status);
    arena_free(&arena);
    return rc;
}

static void note_add(struct node *node, struct held_log *log, enum note_kind kind, uint64_t above, struct buf *out)
{
    struct store *store = node->env.store;
    struct buf note, whole;
    uint64_t size = 0;
    buf_init(&note, NOTE_BYTES_MAX);
    buf_init(&whole, NOTE_BYTES_MAX);
    if (store->ops->note_latest(store, log->id, kind, &size, &note) == 0 && size > above &&
        note_with_cosignatures(node, log, buf_view(&note), &whole) == 0) {
        buf_text(out, out->data[out->len - 1] == '[' ? "" : ",");
        buf_json(out, buf_view(&whole));
    }
    buf_free(&note);
    buf_free(&whole);
}

void compare_answer(struct node *node, struct buf *out)
{
    buf_text(out, "{\"checkpoints\":[");
    for (size_t i = 0; i < node->log_count && !out->error; i++) {
        struct held_log *log = &node->logs[i];
        note_add(node, log, NOTE_SIGNED, 0, out);
        note_add(node, log, NOTE_PENDING, log->signed_size, out);
    }
    buf_text(out, "]}\n");
}
