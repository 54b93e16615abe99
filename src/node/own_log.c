/* The owner's log: group commit, the signed checkpoint, and what the owner is told of it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mutant.h"
#include "crypto/sha256.h"
#include "node/state.h"

int own_note_take(struct node *node, const struct buf *note)
{
    struct checkpoint checkpoint;
    struct note parsed;
    int rc = checkpoint_parse(&checkpoint, &parsed, buf_view(note), NULL);
    if (rc)
        return rc;
    buf_reset(&node->own_note);
    buf_span(&node->own_note, buf_view(note));
    node->own_note_size = checkpoint.size;
    node->own->signed_size = checkpoint.size;
    return node->own_note.error;
}

int own_note_keep(struct node *node)
{
    if (!node->own_note_size)
        return 0;
    int rc = write_begin(node);
    struct store *store = node->env.store;
    return rc ? rc
              : store->ops->note_put(store, node->own->id, NOTE_SIGNED, node->own_note_size, buf_view(&node->own_note));
}

struct leaves {
    struct hash *hashes;
    size_t count;
};

static int leaf_collect(void *ctx, uint64_t index, struct span bytes)
{
    struct leaves *leaves = ctx;
    (void)index;
    tree_leaf(bytes, &leaves->hashes[leaves->count++]);
    return 0;
}

int own_leaves(struct node *node, uint64_t start, uint64_t end, struct hash **leaves)
{
    struct leaves collected = {.hashes = calloc((size_t)(end - start) + 1, sizeof *collected.hashes)};
    *leaves = collected.hashes;
    return collected.hashes ? entries_read(node, node->own, start, end, leaf_collect, &collected) : E_NOMEM;
}

/* After a crash between the commit and the signature the signer stands behind the store: give it the leaves that it lacks. */
int own_log_open(struct node *node)
{
    struct signer *signer = node->env.signer;
    struct signer_position position = {0};
    struct buf note;
    int rc = signer->ops->position(signer, KEY_LOG, span_str(node->self->origin), &position);
    if (rc && rc != E_NOTFOUND)
        return rc;
    if (position.size > node->own->size)
        return E_AHEAD;
    buf_init(&note, NOTE_BYTES_MAX);
    rc = 0;
    while (rc == 0 && (position.size < node->own->size || !note.len)) {
        uint64_t end = position.size + BATCH_STATEMENTS_MAX < node->own->size ? position.size + BATCH_STATEMENTS_MAX
                                                                              : node->own->size;
        struct hash *leaves = NULL;
        rc = own_leaves(node, position.size, end, &leaves);
        buf_reset(&note);
        if (rc == 0)
            rc = signer->ops->checkpoint(signer, position.size, leaves, (size_t)(end - position.size), &note);
        position.size = end;
        free(leaves);
    }
    if (rc == 0)
        rc = own_note_take(node, &note);
    buf_free(&note);
    return rc;
}

static void submission_reply(struct node *node, const struct pending_submission *pending, const struct hash *id,
                             uint64_t index)
{
    char hex[65], document[65];
    hash_hex(id, hex);
    hash_hex(&pending->request.document, document);
    if (!pending->token)
        return;
    struct action *action = action_add(node, ACTION_REPLY);
    action->token = pending->token;
    action->status = 201;
    action->content_type = "application/json";
    buf_printf(&action->body, "{\"id\":\"%s\",\"document\":\"%s\",\"origin\":\"%s\",\"index\":%llu,\"state\":\"%s\"}\n",
               hex, document, node->self->origin, (unsigned long long)index, "logged");
}

static int batch_commit(struct node *node, const struct signed_statement *signed_list, size_t count, struct hash *ids)
{
    struct span *entries = calloc(count, sizeof *entries);
    int rc = entries ? write_begin(node) : E_NOMEM;
    for (size_t i = 0; i < count && rc == 0; i++) {
        entries[i] = span_of(signed_list[i].bytes, signed_list[i].len);
        tree_leaf(entries[i], &ids[i]);
        rc = document_take(node, &node->pending[i].request.document, node->pending[i].label,
                           buf_view(&node->pending[i].document));
    }
    if (rc == 0)
        rc = own_note_keep(node);
    node->own_batch = true;
    if (rc == 0)
        rc = entries_take(node, node->own, entries, ids, count);
    node->own_batch = false;
    if (rc == 0 && !MUTANT(OWN_NOT_DURABLE))
        rc = write_commit(node); /* the signature below covers only what is durable */
    free(entries);
    return rc;
}

/* The signer composes and signs our own statements; those that came ready keep their place among them. */
static int pending_sign(struct node *node, size_t count, struct sign_statement *requests, struct signed_statement *made)
{
    struct signer *signer = node->env.signer;
    size_t ours = 0;
    for (size_t i = 0; i < count; i++)
        if (!node->pending[i].ready)
            requests[ours++] = node->pending[i].request;
    int rc = ours ? signer->ops->statements(signer, requests, ours, made) : 0;
    for (size_t i = count; rc == 0 && i-- > 0;)
        made[i] = node->pending[i].ready ? *node->pending[i].ready : made[--ours];
    return rc;
}

static int batch_sign(struct node *node, size_t count)
{
    struct signer *signer = node->env.signer;
    struct sign_statement *requests = calloc(count, sizeof *requests);
    struct signed_statement *made = malloc(count * sizeof *made); /* 4 MiB: not to be cleared */
    struct hash *ids = calloc(count, sizeof *ids);
    struct buf note;
    buf_init(&note, NOTE_BYTES_MAX);
    int rc = requests && made && ids ? 0 : E_NOMEM;
    uint64_t first = node->own->size;
    if (rc == 0)
        rc = pending_sign(node, count, requests, made);
    if (rc == 0)
        rc = batch_commit(node, made, count, ids);
    if (rc == 0)
        rc = signer->ops->checkpoint(signer, first, ids, count, &note);
    if (rc == 0)
        rc = own_note_take(node, &note);
    for (size_t i = 0; i < count && rc == 0; i++)
        submission_reply(node, &node->pending[i], &ids[i], first + i);
    free(requests);
    free(made);
    free(ids);
    buf_free(&note);
    return rc;
}

void pending_free(struct pending_submission *pending)
{
    buf_free(&pending->document);
    free(pending->ready);
}

/* A refusal by the signer (E_REFUSED) is the submitter's problem, not the node's. */
static bool is_refusal(int rc)
{
    return rc == E_REFUSED || rc == E_LIMIT || rc == E_SYNTAX || rc == E_LEFT;
}

int own_log_flush(struct node *node)
{
    while (node->pending_count) {
        size_t count = node->pending_count < BATCH_STATEMENTS_MAX ? node->pending_count : BATCH_STATEMENTS_MAX;
        int rc = batch_sign(node, count);
        if (is_refusal(rc) && count > 1) { /* find out which one: the others must not suffer */
            count = 1;
            rc = batch_sign(node, count);
        }
        if (is_refusal(rc) && node->pending[0].token) {
            struct fault fault = {0};
            (void)fail(&fault, rc, "the signer refuses to sign a statement of type %.80s",
                       node->pending[0].request.media);
            reply_error(node, node->pending[0].token, 400, &fault);
        } else if (rc && !is_refusal(rc)) {
            return rc;
        }
        for (size_t i = 0; i < count; i++)
            pending_free(&node->pending[i]);
        memmove(node->pending, node->pending + count, (node->pending_count - count) * sizeof *node->pending);
        node->pending_count -= count;
    }
    return 0;
}

static int pending_add(struct node *node, struct span document, uint64_t token, struct pending_submission **out)
{
    if (node->pending_count == node->pending_cap) {
        size_t cap = node->pending_cap ? node->pending_cap * 2 : 64;
        struct pending_submission *more = realloc(node->pending, cap * sizeof *more);
        if (!more)
            return E_NOMEM;
        node->pending = more;
        node->pending_cap = cap;
    }
    struct pending_submission *to = &node->pending[node->pending_count];
    *to = (struct pending_submission){.token = token};
    buf_init(&to->document, DOCUMENT_BYTES_MAX);
    buf_span(&to->document, document);
    int rc = to->document.error; /* freeing it clears that */
    if (rc) {
        buf_free(&to->document);
        return rc;
    }
    node->pending_count++;
    *out = to;
    return 0;
}

int submission_add(struct node *node, const struct submission *from, uint64_t token)
{
    struct pending_submission *to;
    int rc = pending_add(node, from->document, token, &to);
    if (rc)
        return rc;
    to->label = from->label;
    memcpy(to->request.media, from->media, sizeof to->request.media);
    memcpy(to->request.subject, from->subject, sizeof to->request.subject);
    to->request.answer_count = (uint32_t)from->answer_count;
    memcpy(to->request.answers, from->answers, sizeof to->request.answers);
    to->request.issued_at = now_seconds(node);
    sha256(buf_view(&to->document), &to->request.document);
    return 0;
}

int ahead_tell(const struct node *node, struct fault *fault)
{
    return fail(fault, E_AHEAD, "%llu entries were signed, %llu are held", (unsigned long long)node->ahead.size,
                (unsigned long long)node->own->size);
}

/* Leaving is an act of its own: no other way may lead to it by accident. */
static bool would_leave(const struct event *event)
{
    for (size_t i = 0; i < event->submission_count; i++)
        if (strcmp(event->submissions[i].media, MEDIA_LEAVE) == 0)
            return true;
    return false;
}

int submission_take(struct node *node, const struct event *event)
{
    struct fault fault = {0};
    if (!node->roster)
        (void)fail(&fault, E_STATE, "this node is in no circle yet: accede to a charter first");
    else if (node->ahead.size)
        (void)ahead_tell(node, &fault);
    else if (node->recovering)
        (void)fail(&fault, E_RECOVERING, "it waits for %zu answers of the committee", node->recover_needed);
    else if (node->own->left)
        (void)fail(&fault, E_LEFT, "by its statement at index %llu", (unsigned long long)node->own->left_index);
    else if (would_leave(event))
        (void)fail(&fault, E_REFUSED, "a party leaves by comity leave, and no other way");
    if (fault.code) {
        reply_error(node, event->token, fault.code == E_RECOVERING ? 503 : 409, &fault);
        return 0;
    }
    for (size_t i = 0; i < event->submission_count; i++) {
        int rc = submission_add(node, &event->submissions[i], event->token);
        if (rc)
            return rc;
    }
    return 0;
}

int entry_ready(struct node *node, struct span statement, const struct hash *document, struct span bytes,
                uint64_t token)
{
    struct signed_statement *ready = calloc(1, sizeof *ready);
    struct pending_submission *to;
    int rc = ready && statement.len <= sizeof ready->bytes ? pending_add(node, bytes, token, &to) : E_NOMEM;
    if (rc) {
        free(ready);
        return rc;
    }
    ready->len = (uint32_t)statement.len;
    memcpy(ready->bytes, statement.data, statement.len);
    to->ready = ready;
    to->label = LABEL_OPEN;
    to->request.document = *document;
    return 0;
}

int submit_internal(struct node *node, const char *media, const char *subject, struct span document)
{
    struct submission submission = {.label = LABEL_OPEN, .document = document};
    (void)snprintf(submission.media, sizeof submission.media, "%s", media);
    (void)snprintf(submission.subject, sizeof submission.subject, "%s", subject);
    struct event event = {.kind = EVENT_SUBMIT, .submissions = &submission, .submission_count = 1};
    return submission_take(node, &event);
}
