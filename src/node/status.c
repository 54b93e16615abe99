/* What the owner sees: status, one statement, its receipt in both forms, and the rebuild of derived views. */
#include <stdio.h>
#include <stdlib.h>

#include "node/state.h"

static void field_time(struct buf *out, const char *name, int64_t ms)
{
    char at[21] = "";
    if (ms)
        time_format(ms / 1000, at);
    buf_member(out, name, span_str(at));
}

static void peer_json(struct node *node, const struct peer *peer, struct buf *out)
{
    const struct held_log *log = log_of(node, peer->party);
    buf_byte(out, '{');
    buf_member(out, "party", span_str(peer->party->card.name));
    buf_member(out, "role", span_str(party_role_names[peer->party->card.role]));
    buf_member(out, "jurisdiction", span_str(peer->party->card.jurisdiction));
    buf_member(out, "url", span_str(peer->party->card.url));
    field_time(out, "missing_since", peer->missing_since_ms);
    buf_printf(out, "\"identity_level\":%u,\"mirror\":%s,", identity_level(&peer->party->proof),
               peer->is_mirror ? "true" : "false");
    buf_printf(out, "\"cosigned_our_size\":%llu,", (unsigned long long)peer->cosigned);
    buf_printf(
        out, "\"their_log\":{\"held\":%llu,\"standing\":%llu,\"mirrored\":%llu,\"pull_target\":%llu,\"two_faces\":%s",
        (unsigned long long)log->size, (unsigned long long)log->standing_size, (unsigned long long)log->mirrored_size,
        (unsigned long long)log->pull.target, log->two_faces ? "true" : "false");
    quota_json(node, log, out);
    buf_byte(out, '}');
    leave_json(node, log, out);
    buf_byte(out, '}');
}

/* ,"ahead":{...} of the own log, when the signer has signed what nobody holds. */
static void ahead_json(const struct node *node, struct buf *out)
{
    char root[65];
    if (!node->ahead.size)
        return;
    hash_hex(&node->ahead.root, root);
    buf_printf(out, ",\"ahead\":{\"size\":%llu,\"root\":\"%s\",\"missing_from\":%llu}",
               (unsigned long long)node->ahead.size, root, (unsigned long long)node->own->size);
}

int node_ahead_note(struct node *node, struct buf *out, struct fault *fault)
{
    struct signer *signer = node->env.signer;
    if (!node->ahead.size)
        return fail(fault, E_NOTFOUND, "the signer has signed nothing of the own log that is not held here");
    int rc = signer->ops->checkpoint(signer, node->ahead.size, NULL, 0, out);
    return rc ? fail(fault, rc, "the signer does not sign its checkpoint again") : 0;
}

uint64_t node_ahead(const struct node *node)
{
    return node->ahead.size;
}

static void circle_json(struct node *node, struct buf *out)
{
    struct quorum q = quorum_for(node->roster, node->self);
    char circle[65];
    hash_hex(&node->roster->circle, circle);
    buf_member(out, "circle", span_str(circle));
    buf_member(out, "circle_name", span_str(node->roster->circle_name));
    buf_member(out, "origin", span_str(node->self->origin));
    buf_member(out, "role", span_str(party_role_names[node->self->card.role]));
    buf_member(out, "state", span_str(node->ahead.size ? "signer-ahead" : node->recovering ? "recovering" : "running"));
    buf_printf(out, "\"restored\":%s,\"recovery_answers_needed\":%zu,", node->restored ? "true" : "false",
               node->recovering ? node->recover_needed : 0);
    buf_printf(out, "\"log\":{\"size\":%llu,\"signed\":%llu,\"standing\":%llu,\"unwitnessed\":%llu,",
               (unsigned long long)node->own->size, (unsigned long long)node->own_note_size,
               (unsigned long long)node->own->standing_size,
               (unsigned long long)(node->own->size - node->own->standing_size));
    field_time(out, "standing_since", node->own->standing_instant * 1000);
    buf_printf(out, "\"quorum\":{\"mirrors\":%u,\"needed\":%u,\"may_lie\":%u}", q.m, q.k, q.f);
    leave_json(node, node->own, out);
    ahead_json(node, out);
    buf_printf(out, "},\"refused_entries\":%llu,\"documents_unread\":%zu,\"bodies_unread\":%llu,\"peers\":[",
               (unsigned long long)node->refused_entries, documents_unread(node),
               (unsigned long long)node->bodies_unread);
    for (size_t i = 0; i < node->peer_count; i++) {
        buf_text(out, i ? ",\n" : "\n");
        peer_json(node, &node->peers[i], out);
    }
    buf_text(out, "],");
}

void node_status_json(struct node *node, int64_t now_ms, struct buf *out)
{
    buf_byte(out, '{');
    buf_member(out, "party", span_str(node->party_name));
    field_time(out, "now", now_ms);
    if (node->roster)
        circle_json(node, out);
    else
        buf_member(out, "state", span_str("in no circle"));
    buf_text(out, "\"inventories\":[");
    size_t shown = 0, hosted = 0;
    for (size_t i = 0; i < node->inventory_count; i++) {
        const struct held_inventory *inventory = &node->inventories[i];
        bool other = hosted_by(span_str(inventory->name)).len > 0;
        hosted += other;
        if (other || !inventory->name[0])
            continue;
        buf_text(out, shown++ ? ",{" : "{");
        buf_member(out, "name", span_str(inventory->name));
        buf_printf(out, "\"components\":%zu,\"problems\":%zu,\"critical\":%s,", inventory->components,
                   inventory->problems, inventory->critical ? "true" : "false");
        buf_text(out, "\"sector\":");
        buf_json(out, span_str(inventory->sector));
        buf_byte(out, '}');
    }
    buf_printf(out, "],\"hosted_inventories\":%zu,\"feeds\":", hosted);
    feeds_json(node, out);
    buf_text(out, "}\n");
}

/* Finding a statement and what supports it. The entry's bytes stay in `entry`. */
struct found {
    struct held_log *log;
    uint64_t index;
    struct statement statement;
    struct buf entry, note; /* note: of the checkpoint that supports it */
    struct support support;
};

static void found_free(struct found *found)
{
    buf_free(&found->entry);
    buf_free(&found->note);
    free(found);
}

static int standing_find(struct node *node, struct found *found)
{
    int rc = support_find(node, found->log, found->index, true, &found->support);
    if (rc == 0 && found->support.size)
        rc = note_find(node, found->log, found->support.size, &found->note);
    return rc;
}

static int statement_find(struct node *node, const struct hash *id, struct found **out)
{
    struct store *store = node->env.store;
    struct found *found = calloc(1, sizeof *found);
    log_id number = 0;
    if (!found)
        return E_NOMEM;
    buf_init(&found->entry, STATEMENT_BYTES_MAX);
    buf_init(&found->note, NOTE_BYTES_MAX);
    int rc = store->ops->entry_find(store, id, &number, &found->index);
    for (size_t i = 0; i < node->log_count && rc == 0; i++)
        if (node->logs[i].id == number)
            found->log = &node->logs[i];
    if (rc == 0 && !found->log)
        rc = E_NOTFOUND;
    if (rc == 0)
        rc = entry_read(node, number, found->index, id, &found->entry);
    if (rc == 0)
        rc = statement_parse(&found->statement, buf_view(&found->entry), NULL);
    if (rc == 0 && !hash_eq(&found->statement.id, id))
        rc = E_CORRUPT; /* the index led elsewhere */
    if (rc == 0)
        rc = standing_find(node, found);
    if (rc) {
        found_free(found);
        return rc;
    }
    *out = found;
    return 0;
}

static const struct cosigner *cosigner_of(const struct found *found, const struct party *party)
{
    for (size_t i = 0; i < found->support.count; i++)
        if (found->support.cosigners[i].party == party)
            return &found->support.cosigners[i];
    return NULL;
}

/* Which mirrors hold it under one checkpoint, since when, and which of the committee do not; in the roster's order. */
static void cosigners_json(struct node *node, const struct found *found, struct buf *out)
{
    struct quorum q = quorum_for(node->roster, found->log->party);
    struct buf missing;
    unsigned listed = 0;
    buf_init(&missing, 4096);
    buf_printf(out, "\"cosigned\":%zu,\"needed\":%u,\"mirrors\":%u,\"cosigners\":[", found->support.count, q.k, q.m);
    for (size_t i = 0; i < node->roster->count; i++) {
        const struct party *party = &node->roster->parties[i];
        const struct cosigner *cosigner = cosigner_of(found, party);
        char at[21];
        if (!party->committee || party == found->log->party)
            continue;
        if (!cosigner) {
            buf_text(&missing, missing.len ? "," : "");
            buf_json(&missing, span_str(party->card.name));
            continue;
        }
        time_format(cosigner->timestamp, at);
        buf_text(out, listed++ ? ",{" : "{");
        buf_member(out, "party", span_str(party->card.name));
        buf_printf(out, "\"cosigned_at\":\"%s\"}", at);
    }
    buf_text(out, "],\"missing\":[");
    buf_span(out, buf_view(&missing));
    buf_text(out, "],");
    buf_free(&missing);
}

int node_statement_json(struct node *node, const struct hash *id, struct buf *out, struct fault *fault)
{
    struct found *found = NULL;
    char hex[65];
    hash_hex(id, hex);
    int rc = node->roster ? statement_find(node, id, &found) : E_NOTFOUND;
    if (rc)
        return fail(fault, rc, "statement %s", hex);
    const struct statement *s = &found->statement;
    buf_byte(out, '{');
    buf_member(out, "id", span_str(hex));
    buf_member(out, "issuer", s->issuer);
    buf_member(out, "subject", s->subject);
    buf_member(out, "media", s->media);
    hash_hex(&s->document, hex);
    buf_member(out, "document", span_str(hex));
    field_time(out, "issued_at", s->issued_at * 1000);
    buf_member(out, "origin", span_str(found->log->party->origin));
    buf_printf(out, "\"index\":%llu,\"document_held\":%s,", (unsigned long long)found->index,
               document_missing(node, &s->document) ? "false" : "true");
    buf_member(out, "state", span_str(found->support.size ? "standing" : "logged"));
    field_time(out, "standing_since", found->support.size ? found->support.instant * 1000 : 0);
    cosigners_json(node, found, out);
    buf_printf(out, "\"witnessed\":%s,\"size\":%llu}\n", found->support.size ? "true" : "false",
               (unsigned long long)found->support.size);
    found_free(found);
    return out->error;
}

static int receipt_text(struct node *node, struct found *found, struct buf *out)
{
    struct hash proof[PROOF_HASHES_MAX];
    struct store_tiles space;
    struct tile_reader tiles = log_tiles(node, found->log, &space);
    struct buf note;
    size_t count = 0;
    buf_init(&note, NOTE_BYTES_MAX);
    int rc = tree_inclusion(&tiles, found->index, found->support.size, proof, &count);
    if (rc == 0)
        rc = note_with_cosignatures(node, found->log, buf_view(&found->note), &note);
    if (rc == 0)
        receipt_write(out, buf_view(&found->entry), found->index, proof, count, buf_view(&note));
    buf_free(&note);
    return rc ? rc : out->error;
}

int receipt_at(struct node *node, struct held_log *log, uint64_t index, uint64_t size, struct buf *out)
{
    struct store *store = node->env.store;
    struct found *found = calloc(1, sizeof *found);
    if (!found)
        return E_NOMEM;
    *found = (struct found){.log = log, .index = index, .support = {.size = size}};
    buf_init(&found->entry, STATEMENT_BYTES_MAX);
    buf_init(&found->note, NOTE_BYTES_MAX);
    int rc = store->ops->entry_get(store, log->id, index, &found->entry);
    rc = rc ? rc : note_find(node, log, size, &found->note);
    rc = rc ? rc : receipt_text(node, found, out);
    found_free(found);
    return rc;
}

/* COSE: every mirror's receipt over the same size, for which we hold its signature. */
struct cose_make {
    struct node *node;
    struct found *found;
    const struct hash *proof;
    size_t proof_count;
    bool only_own; /* a mirror asked for a foreign statement gives its own receipt alone */
    size_t count;
    struct buf receipts[COMMITTEE_MAX];
};

static int cose_visit(void *ctx, const struct stored_cosignature *c)
{
    struct cose_make *make = ctx;
    struct buf protected_bytes;
    char name[ORIGIN_BYTES_MAX + 8];
    const struct public_key *key;
    struct cut state = {.size = c->size, .root = c->root};
    if (c->size != make->found->support.size)
        return 1;
    const struct party *mirror = /* such a receipt carries no time: a replaced key counts up to its cut only */
        roster_mirror(make->node->roster, &c->kid, make->found->log->party, &state, 0, &key);
    if (!mirror || !c->has_cose || make->count == COMMITTEE_MAX || (make->only_own && mirror != make->node->self))
        return 0;
    mirror_key_name(name, mirror);
    buf_init(&protected_bytes, STATEMENT_BYTES_MAX);
    struct buf *receipt = &make->receipts[make->count++];
    buf_init(receipt, STATEMENT_BYTES_MAX);
    cose_receipt_protected(&protected_bytes, &c->kid, span_str(name), span_str(make->found->log->party->origin),
                           c->size);
    cose_receipt_write(receipt, buf_view(&protected_bytes), c->size, make->found->index, make->proof, make->proof_count,
                       &c->cose);
    buf_free(&protected_bytes);
    return receipt->error;
}

static int receipt_cose(struct node *node, struct found *found, struct buf *out, struct fault *fault)
{
    struct hash proof[PROOF_HASHES_MAX];
    struct store_tiles space;
    struct tile_reader tiles = log_tiles(node, found->log, &space);
    struct cose_make make = {.node = node, .found = found, .proof = proof, .only_own = !found->log->own};
    struct span receipts[COMMITTEE_MAX];
    unsigned needed = quorum_for(node->roster, found->log->party).k;
    int rc = tree_inclusion(&tiles, found->index, found->support.size, proof, &make.proof_count);
    if (rc == 0)
        rc =
            node->env.store->ops->cosignatures(node->env.store, found->log->id, found->support.size, cose_visit, &make);
    rc = rc < 0 ? rc : 0;
    for (size_t i = 0; i < make.count; i++)
        receipts[i] = buf_view(&make.receipts[i]);
    if (rc == 0 && make.only_own && make.count == 1)
        buf_span(out, receipts[0]);
    else if (rc == 0 && !make.only_own && make.count >= needed)
        transparent_write(out, &found->statement, receipts, make.count);
    else if (rc == 0)
        rc = fail(fault, E_UNWITNESSED, "%zu COSE receipts of mirrors are here, %u are needed", make.count,
                  make.only_own ? 1 : needed);
    for (size_t i = 0; i < make.count; i++)
        buf_free(&make.receipts[i]);
    return rc ? rc : out->error;
}

int node_receipt(struct node *node, const struct hash *id, bool cose, struct buf *out, struct fault *fault)
{
    struct found *found = NULL;
    int rc = node->roster ? statement_find(node, id, &found) : E_NOTFOUND;
    if (rc)
        return fail(fault, rc, "no such statement is held here");
    if (!found->support.size)
        rc =
            fail(fault, E_UNWITNESSED, "index %llu of %s", (unsigned long long)found->index, found->log->party->origin);
    else
        rc = cose ? receipt_cose(node, found, out, fault) : receipt_text(node, found, out);
    found_free(found);
    return rc;
}

void node_rebuild(struct node *node, int *result)
{
    struct actions ignored = {0};
    node->actions = &ignored; /* notices are in the journal already: nothing is sent again */
    int rc = views_fold(node);
    if (rc == 0 && node->roster)
        rc = changes_refresh(node, true);
    if (rc == 0)
        rc = write_commit(node);
    node->actions = NULL;
    actions_clear(&ignored);
    *result = rc;
}
