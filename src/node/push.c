/* Pushing our log to the committee's mirrors (c2sp tlog-mirror client), and announcing checkpoints to everybody. */
#include <stdio.h>
#include <stdlib.h>

#include "node/state.h"

static void push_failed(struct node *node, struct peer *peer)
{
    peer->push_token = 0;
    peer->entries_phase = false;
    retry_failed(node, &peer->push);
}

static struct action *push_send(struct node *node, struct peer *peer, enum call_kind kind, const char *path)
{
    struct action *action = send_add(node, kind, (size_t)(peer - node->peers), 0, "POST");
    (void)snprintf(action->path, sizeof action->path, "%s", path);
    peer->push_token = action->token;
    call_last(node)->size = peer->target_size;
    return action;
}

static void checkpoint_send(struct node *node, struct peer *peer)
{
    struct hash proof[PROOF_HASHES_MAX];
    size_t count = 0;
    struct store_tiles space;
    struct tile_reader tiles = log_tiles(node, node->own, &space);
    peer->target_size = node->own_note_size;
    peer->entries_phase = false;
    if (peer->pending_size > peer->target_size ||
        (peer->pending_size && peer->pending_size < peer->target_size &&
         tree_consistency(&tiles, peer->pending_size, peer->target_size, proof, &count) != 0)) {
        push_failed(node, peer); /* it knows a newer checkpoint of ours: recovery's business, not a push's */
        return;
    }
    struct action *action = push_send(node, peer, CALL_PUSH_CHECKPOINT, "/mirror/add-checkpoint");
    add_checkpoint_write(&action->body, peer->pending_size, proof, count, buf_view(&node->own_note));
}

struct package_fill {
    struct entry_package package;
    struct buf bytes;
    size_t offsets[TILE_WIDTH + 1];
};

static int package_visit(void *ctx, uint64_t index, struct span bytes)
{
    struct package_fill *fill = ctx;
    (void)index;
    buf_span(&fill->bytes, bytes);
    fill->offsets[++fill->package.count] = fill->bytes.len;
    return fill->bytes.error;
}

static int package_write(struct node *node, uint64_t start, uint64_t end, uint64_t upload_end, struct buf *out)
{
    struct store_tiles space;
    struct tile_reader tiles = log_tiles(node, node->own, &space);
    struct package_fill *fill = calloc(1, sizeof *fill);
    if (!fill)
        return E_NOMEM;
    buf_init(&fill->bytes, BUNDLE_BYTES_MAX);
    fill->package.start = start;
    fill->package.end = end;
    int rc = node->env.store->ops->entries_scan(node->env.store, node->own->id, start, end, package_visit, fill);
    for (size_t i = 0; i < fill->package.count; i++)
        fill->package.entries[i] =
            span_of(fill->bytes.data + fill->offsets[i], fill->offsets[i + 1] - fill->offsets[i]);
    if (rc == 0)
        rc = tree_subtree_consistency(&tiles, start / TILE_WIDTH * TILE_WIDTH, end, upload_end, fill->package.proof,
                                      &fill->package.proof_count);
    if (rc == 0)
        add_entries_write_package(out, &fill->package);
    buf_free(&fill->bytes);
    free(fill);
    return rc;
}

static int entries_send(struct node *node, struct peer *peer)
{
    uint64_t start = peer->next_entry, end = peer->target_size;
    struct action *action = push_send(node, peer, CALL_PUSH_ENTRIES, "/mirror/add-entries");
    action->packable = true; /* c2sp tlog-mirror: mirrors must take gzip here, and clients may send it unasked */
    add_entries_write_head(&action->body, span_str(node->self->origin), start, end, span_of(NULL, 0));
    int rc = 0;
    /* A link that breaks lets only less through: half as much after each failure. */
    unsigned most = peer->push.failures < 5 ? (unsigned)PACKAGES_PER_REQUEST_MAX >> peer->push.failures : 1;
    for (unsigned i = 0; i < most && start < end && rc == 0; i++) {
        uint64_t stop = (start / TILE_WIDTH + 1) * TILE_WIDTH;
        stop = stop < end ? stop : end;
        rc = package_write(node, start, stop, peer->target_size, &action->body);
        start = stop;
    }
    return rc ? rc : action->body.error;
}

static int document_send(struct node *node, struct peer *peer, const struct hash *hash)
{
    struct action *action = send_add(node, CALL_PUSH_DOCUMENT, (size_t)(peer - node->peers), 0, "PUT");
    char hex[65];
    hash_hex(hash, hex);
    (void)snprintf(action->path, sizeof action->path, "/documents/%s", hex);
    call_last(node)->hash = *hash;
    peer->documents_under_way++;
    return node->env.store->ops->document_get(node->env.store, hash, &action->body);
}

struct early {
    struct node *node;
    struct peer *peer;
    unsigned sent;
};

/* New statements' documents go out beside the checkpoint, which saves a round trip; a mirror that misses one asks. */
static int early_visit(void *ctx, uint64_t index, struct span bytes)
{
    struct early *early = ctx;
    struct statement statement;
    early->peer->documents_sent = index + 1;
    if (statement_parse(&statement, bytes, NULL) != 0 || span_is(statement.media, MEDIA_SEALED))
        return 0;
    if (++early->sent > 32)
        return 1;
    int rc = document_send(early->node, early->peer, &statement.document);
    return rc == E_NOTFOUND ? 0 : rc;
}

static int documents_send_early(struct node *node, struct peer *peer)
{
    struct early early = {.node = node, .peer = peer};
    uint64_t from = peer->documents_sent > peer->cosigned ? peer->documents_sent : peer->cosigned;
    uint64_t size = node->own->size;
    if (size - from > 64)
        return 0; /* a backlog: let the mirror ask */
    int rc = node->env.store->ops->entries_scan(node->env.store, node->own->id, from, size, early_visit, &early);
    return rc < 0 ? rc : 0;
}

void push_start(struct node *node)
{
    for (size_t i = 0; i < node->peer_count; i++) {
        struct peer *peer = &node->peers[i];
        if (!peer->push_token && peer->cosigned >= node->own_note_size)
            retry_ok(&peer->push);
        if (!peer->is_mirror || peer->push_token || !retry_due(node, &peer->push) ||
            peer->cosigned >= node->own_note_size || !node->own_note_size)
            continue;
        checkpoint_send(node, peer);
        if (peer->push_token && documents_send_early(node, peer) != 0)
            push_failed(node, peer);
    }
}

static int checkpoint_answered(struct node *node, struct peer *peer, const struct event *event)
{
    uint64_t size;
    if (event->status == 200) {
        peer->pending_size = peer->target_size;
        peer->entries_phase = true;
        if (peer->next_entry < peer->cosigned)
            peer->next_entry = peer->cosigned;
        if (peer->next_entry > peer->target_size || peer->push.failures)
            peer->next_entry =
                peer->target_size; /* after a failure: ask what it holds by now, perhaps by pulling, with an empty upload */
        return entries_send(node, peer);
    }
    struct span line, rest = event->body;
    if (event->status == 409 && span_line(&rest, &line) && decimal_parse(line, &size) && size != peer->pending_size &&
        size <= node->own_note_size) {
        peer->pending_size = size;
        checkpoint_send(node, peer);
        return 0;
    }
    push_failed(node, peer);
    return 0;
}

static int cosigned(struct node *node, struct peer *peer, const struct event *event)
{
    struct buf bytes;
    struct note note;
    struct checkpoint checkpoint;
    struct store_tiles space;
    struct tile_reader tiles = log_tiles(node, node->own, &space);
    struct hash root;
    buf_init(&bytes, NOTE_BYTES_MAX);
    int rc = tree_root(&tiles, peer->target_size, &root);
    if (rc == 0) {
        checkpoint_write_text(&bytes, span_str(node->self->origin), peer->target_size, &root);
        buf_byte(&bytes, '\n');
        buf_span(&bytes, event->body);
        char name[ORIGIN_BYTES_MAX + 8];
        int64_t timestamp;
        mirror_key_name(name, peer->party);
        int read = bytes.error ? bytes.error : body_checkpoint(node, buf_view(&bytes), &checkpoint, &note);
        if (read == 0 && note_verify_cosignature(&note, span_str(name), &peer->party->card.keys[KEY_MIRROR], &timestamp,
                                                 NULL) == 0) {
            peer->cosigned = peer->target_size;
            peer->push_token = 0;
            retry_ok(&peer->push);
            rc = own_note_keep(node);
            if (rc == 0)
                rc = cosignatures_take(node, node->own, &note, &checkpoint, peer, event->header);
        } else {
            push_failed(node, peer);
        }
    }
    buf_free(&bytes);
    return rc;
}

/* 503 with hashes: send those documents, then the entries again (which the mirror has kept). */
static int documents_wanted(struct node *node, struct peer *peer, const struct event *event)
{
    struct span rest = event->body, line;
    struct hash hash, first = {0}, none = {0};
    unsigned sent = 0;
    int rc = 0;
    if (span_line(&rest, &line) && hash_parse(line, &first) && hash_eq(&first, &peer->document_asked)) {
        peer->document_asked = none; /* it has been given that one: something there is amiss, and haste mends nothing */
        push_failed(node, peer);
        return 0;
    }
    peer->document_asked = first;
    rest = event->body;
    while (rc == 0 && sent < 32 && span_line(&rest, &line) && hash_parse(line, &hash)) {
        rc = document_send(node, peer, &hash);
        sent += rc == 0;
        if (rc == E_NOTFOUND) { /* we do not hold it either: drop the empty request */
            rc = 0;
            if (node->actions->count)
                buf_reset(&node->actions->list[node->actions->count - 1].body);
        }
    }
    if (!sent)
        push_failed(node, peer); /* it is recovering, or full: later */
    else
        peer->push_token = call_last(node)->token; /* document_answered goes on when all are there */
    return rc;
}

static int entries_answered(struct node *node, struct peer *peer, const struct event *event)
{
    struct arena arena;
    struct mirror_info info;
    if (event->status == 200)
        return cosigned(node, peer, event);
    if (event->status == 503)
        return documents_wanted(node, peer, event);
    arena_init(&arena, NOTE_BYTES_MAX);
    bool told = (event->status == 202 || event->status == 409) && mirror_info_parse(&info, event->body, &arena) == 0;
    arena_free(&arena);
    if (told && info.next_entry > info.size)
        info.next_entry = info.size; /* it follows us already beyond what it has accepted from a push */
    bool moved = told && (info.next_entry != peer->next_entry || info.size != peer->target_size);
    if (moved && info.next_entry <= info.size && info.size <= node->own->size && info.size >= peer->cosigned) {
        peer->next_entry = info.next_entry;
        peer->target_size = info.size;
        return entries_send(node, peer);
    }
    push_failed(node, peer);
    return 0;
}

static int document_answered(struct node *node, struct peer *peer, const struct call *call, const struct event *event)
{
    (void)call;
    bool ok = event->status >= 200 && event->status < 300;
    if (peer->documents_under_way)
        peer->documents_under_way--;
    if (!ok && peer->push_token == event->token)
        push_failed(node, peer);
    bool waited = peer->entries_phase && (peer->push_token == event->token || !peer->push_token);
    if (ok && waited && !peer->documents_under_way)
        return entries_send(node, peer);
    if (ok && peer->push_token == event->token) { /* wait for another of the documents still under way */
        for (size_t i = 0; i < node->call_count; i++)
            if (node->calls[i].kind == CALL_PUSH_DOCUMENT && &node->peers[node->calls[i].peer] == peer)
                peer->push_token = node->calls[i].token;
    }
    return 0;
}

/* Announcements: first that there is something new (those outside the committee learn of it at once), then that it stands. */
void announce_start(struct node *node)
{
    struct held_log *own = node->own;
    if (!node->own_note_size)
        return;
    for (size_t i = 0; i < node->peer_count; i++) {
        struct peer *peer = &node->peers[i];
        bool news = peer->announced_size < node->own_note_size && !peer->is_mirror;
        bool stands = peer->announced_standing < own->standing_size;
        if (!news && !stands && !peer->announce_token)
            retry_ok(&peer->announce); /* nothing is left to tell, though the last try failed */
        if (peer->announce_token || !retry_due(node, &peer->announce) || (!news && !stands))
            continue;
        struct buf note;
        uint64_t size;
        buf_init(&note, NOTE_BYTES_MAX);
        if (news && own->standing_size < node->own_note_size)
            buf_span(&note, buf_view(&node->own_note));
        else if (own->standing_size == node->own_note_size)
            buf_span(&note, buf_view(&node->own_note));
        else if (node->env.store->ops->note_at_least(node->env.store, own->id, NOTE_SIGNED, own->standing_size, &size,
                                                     &note) != 0 ||
                 size != own->standing_size) {
            peer->announced_standing = own->standing_size; /* its note is gone with the crash; a newer one will come */
            buf_free(&note);
            continue;
        }
        struct action *action = send_add(node, CALL_ANNOUNCE, i, 0, "POST");
        (void)snprintf(action->path, sizeof action->path, "/announce");
        action->content_type = "text/plain; charset=utf-8";
        struct checkpoint checkpoint;
        struct note parsed;
        if (checkpoint_parse(&checkpoint, &parsed, buf_view(&note), NULL) == 0)
            call_last(node)->size = checkpoint.size;
        call_last(node)->standing = own->standing_size;
        (void)note_with_cosignatures(node, own, buf_view(&note), &action->body);
        peer->announce_token = action->token;
        buf_free(&note);
    }
}

static int announce_answered(struct node *node, struct peer *peer, const struct call *call, const struct event *event)
{
    peer->announce_token = 0;
    if (event->status < 200 || event->status >= 300) {
        retry_failed(node, &peer->announce);
        return 0;
    }
    retry_ok(&peer->announce);
    if (call->size > peer->announced_size)
        peer->announced_size = call->size;
    if (call->standing > peer->announced_standing) /* what stood when it was sent: later cosignatures are news again */
        peer->announced_standing = call->standing;
    return 0;
}

int push_response(struct node *node, const struct call *call, const struct event *event)
{
    struct peer *peer = &node->peers[call->peer];
    switch (call->kind) {
    case CALL_ANNOUNCE:
        return announce_answered(node, peer, call, event);
    case CALL_PUSH_DOCUMENT:
        return document_answered(node, peer, call, event);
    case CALL_PUSH_CHECKPOINT:
        return peer->push_token == call->token ? checkpoint_answered(node, peer, event) : 0;
    default:
        return peer->push_token == call->token ? entries_answered(node, peer, event) : 0;
    }
}
