/* Reading requests, answered from what is durable: checkpoints and tiles (c2sp tlog-tiles), documents by their label, SCRAPI, and what
   peers ask on recovery. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "format/cbor.h"
#include "node/metrics.h"
#include "node/state.h"

static const char text_plain[] = "text/plain; charset=utf-8", octets[] = "application/octet-stream",
                  cose_type[] = "application/cose";

static void served_set(struct served *out, int status, const char *content_type)
{
    out->status = status;
    out->content_type = content_type;
}

/* RFC 9290 concise problem details, as SCRAPI wants them. */
static void problem(struct served *out, int status, const char *title, const char *detail)
{
    served_set(out, status, "application/concise-problem-details+cbor");
    buf_reset(&out->body);
    cbor_put_map(&out->body, 2);
    cbor_put_int(&out->body, -1);
    cbor_put_text(&out->body, span_str(title));
    cbor_put_int(&out->body, -2);
    cbor_put_text(&out->body, span_str(detail));
}

static void not_found(struct served *out)
{
    if (out->body.error == E_NOMEM)
        return; /* node_serve says so */
    served_set(out, 404, text_plain);
    buf_reset(&out->body);
    buf_text(&out->body, "not found\n");
}

/* What fails its own check is not served, and nobody is told that it does not exist. */
static void refused(struct served *out, int rc)
{
    if (rc == E_NOTFOUND) {
        not_found(out);
        return;
    }
    served_set(out, 500, text_plain);
    buf_reset(&out->body);
    buf_text(&out->body, "what is stored here cannot be read; ask another mirror\n");
}

/* The newest checkpoint of a log: own or followed (kind SIGNED), or as we mirror it. */
static void serve_checkpoint(struct node *node, struct held_log *log, enum note_kind kind, struct served *out)
{
    struct buf note;
    uint64_t size;
    buf_init(&note, NOTE_BYTES_MAX);
    int rc = 0;
    if (log->own && node->own_note_size)
        buf_span(&note, buf_view(&node->own_note));
    else
        rc = node->env.store->ops->note_latest(node->env.store, log->id, kind, &size, &note);
    rc = rc ? rc : note.error;
    if (rc == 0)
        rc = note.len ? note_with_cosignatures(node, log, buf_view(&note), &out->body) : E_NOTFOUND;
    if (rc == 0)
        served_set(out, 200, text_plain);
    else
        not_found(out);
    node->failed = rc == E_NOMEM ? rc : node->failed;
    buf_free(&note);
}

static int bundle_visit(void *ctx, uint64_t index, struct span bytes)
{
    struct buf *out = ctx;
    (void)index;
    bundle_add(out, bytes);
    return out->error;
}

static void serve_tile(struct node *node, struct held_log *log, struct span path, struct served *out)
{
    int level;
    uint64_t index;
    unsigned width;
    struct hash hashes[TILE_WIDTH];
    struct store *store = node->env.store;
    if (tile_path_parse(path, &level, &index, &width) != 0 || index > (UINT64_MAX >> 9)) {
        not_found(out);
        return;
    }
    unsigned shift = level < 0 ? 0 : 8 * (unsigned)level;
    uint64_t nodes = shift > 56 ? 0 : log->size >> shift, first = index * TILE_WIDTH;
    if (first + width > nodes) {
        not_found(out);
        return;
    }
    int rc = level < 0 ? store->ops->entries_scan(store, log->id, first, first + width, bundle_visit, &out->body)
                       : store->ops->tile_get(store, log->id, (unsigned)level, index, width, hashes);
    if (rc) {
        refused(out, rc);
        return;
    }
    if (level >= 0)
        buf_add(&out->body, hashes, (size_t)width * 32);
    served_set(out, 200, octets);
    out->immutable = true;
}

/* PREFIX/checkpoint, PREFIX/tile/..., PREFIX/pending, PREFIX/cosigned/SIZE */
static void serve_log(struct node *node, struct held_log *log, enum note_kind kind, struct span rest,
                      struct served *out)
{
    struct buf note;
    uint64_t size, found;
    if (span_is(rest, "checkpoint")) {
        serve_checkpoint(node, log, kind, out);
    } else if (span_starts(rest, "tile/")) {
        serve_tile(node, log, rest, out);
    } else if (span_is(rest, "pending")) {
        serve_checkpoint(node, log, log->own ? kind : NOTE_PENDING, out);
    } else if (span_starts(rest, "cosigned/") && decimal_parse(span_from(rest, 9), &size)) {
        buf_init(&note, NOTE_BYTES_MAX);
        if (size <= log->standing_size &&
            node->env.store->ops->note_at_least(node->env.store, log->id, NOTE_SIGNED, size, &found, &note) == 0 &&
            note_with_cosignatures(node, log, buf_view(&note), &out->body) == 0)
            served_set(out, 200, text_plain);
        else
            not_found(out);
        buf_free(&note);
    } else {
        not_found(out);
    }
}

static void serve_mirror(struct node *node, struct span rest, struct served *out)
{
    struct hash origin_hash;
    const struct party *party = NULL;
    if (span_is(rest, "checkpoints")) {
        served_set(out, 200, "application/json");
        compare_answer(node, &out->body);
        return;
    }
    if (rest.len > 65 && rest.data[64] == '/' && hash_parse(span_of(rest.data, 64), &origin_hash))
        party = roster_origin_hash(node->roster, &origin_hash);
    if (party)
        serve_log(node, log_of(node, party), node->self->committee ? NOTE_MIRRORED : NOTE_SIGNED, span_from(rest, 65),
                  out);
    else
        not_found(out);
}

static void serve_witness(struct node *node, struct span rest, struct served *out)
{
    struct hash origin_hash;
    if (rest.len > 65 && hash_parse(span_of(rest.data, 64), &origin_hash) &&
        span_is(span_from(rest, 64), "/checkpoint") && witness_checkpoint_get(node, &origin_hash, &out->body) == 0)
        served_set(out, 200, text_plain);
    else
        not_found(out);
}

static void serve_document(struct node *node, struct span name, bool member, struct served *out)
{
    struct hash hash;
    struct stored_document info;
    struct store *store = node->env.store;
    int rc = hash_parse(name, &hash) ? store->ops->document_info(store, &hash, &info) : E_NOTFOUND;
    if (rc) {
        refused(out, rc);
        return;
    }
    bool may = info.label == LABEL_OPEN || info.label == LABEL_SEALED || (info.label == LABEL_MEMBERS && member);
    if (!may) {
        served_set(out, 403, text_plain);
        buf_text(&out->body, "this document's label does not allow serving it to everybody\n");
        return;
    }
    rc = store->ops->document_get(store, &hash, &out->body);
    if (rc) {
        refused(out, rc);
        return;
    }
    served_set(out, 200, octets);
    out->immutable = true;
}

/* SCRAPI resolve receipt: a COSE receipt of this node as mirror, or for the own log a transparent statement once it stands. */
static void serve_entry(struct node *node, struct span name, struct served *out)
{
    struct hash id;
    struct fault fault = {0};
    log_id number;
    uint64_t index;
    if (!hash_parse(name, &id)) {
        problem(out, 400, "Invalid locator", "Operation locator is not in a valid form");
        return;
    }
    if (node->env.store->ops->entry_find(node->env.store, &id, &number, &index) != 0) {
        problem(out, 404, "Not Found", "Receipt with this entry ID is not known to this Transparency Service");
        return;
    }
    int rc = node_receipt(node, &id, true, &out->body, &fault);
    if (rc == 0) {
        served_set(out, 200, cose_type);
    } else if (rc == E_UNWITNESSED) {
        buf_reset(&out->body);
        served_set(out, 303, cose_type); /* registered; not standing yet */
        (void)snprintf(out->location, sizeof out->location, "/entries/%.*s", 64, (const char *)name.data);
    } else {
        problem(out, 500, error_text(rc)->message, fault.detail);
    }
}

static void key_write(struct buf *out, const struct public_key *key, const struct hash *kid)
{
    cbor_put_map(out, 5); /* COSE_Key: kty OKP, kid, alg, crv Ed25519, x; deterministic order */
    cbor_put_int(out, 1);
    cbor_put_int(out, 1);
    cbor_put_int(out, 2);
    cbor_put_bytes(out, span_hash(kid));
    cbor_put_int(out, 3);
    cbor_put_int(out, COSE_ALG_ED25519);
    cbor_put_int(out, -1);
    cbor_put_int(out, 6);
    cbor_put_int(out, -2);
    cbor_put_bytes(out, span_of(key->b, sizeof key->b));
}

/* base64url without padding, 43 characters for a kid (RFC 7515 section 2). */
static bool kid_parse(struct span text, struct hash *kid)
{
    uint8_t padded[44];
    if (text.len != 43)
        return false;
    for (size_t i = 0; i < 43; i++)
        padded[i] = text.data[i] == '-' ? '+' : text.data[i] == '_' ? '/' : text.data[i];
    padded[43] = '=';
    return base64_hash(span_of(padded, 44), kid);
}

/* Present or replaced: receipts by an older key stay good up to its cut. */
static const struct public_key *mirror_key_find(const struct party *self, const struct hash *kid)
{
    if (hash_eq(kid, &self->kids[KEY_MIRROR]))
        return &self->card.keys[KEY_MIRROR];
    for (uint32_t e = 0; e < self->former_count; e++)
        if (hash_eq(kid, &self->former[e].kids[KEY_MIRROR]))
            return &self->former[e].keys[KEY_MIRROR];
    return NULL;
}

static void serve_keys(struct node *node, struct span rest, struct served *out)
{
    struct hash kid;
    served_set(out, 200, "application/cbor");
    if (!rest.len) {
        cbor_put_array(&out->body, 1);
        key_write(&out->body, &node->self->card.keys[KEY_MIRROR], &node->self->kids[KEY_MIRROR]);
    } else if (rest.data[0] == '/' && kid_parse(span_from(rest, 1), &kid) && mirror_key_find(node->self, &kid)) {
        key_write(&out->body, mirror_key_find(node->self, &kid), &kid);
    } else {
        problem(out, 404, "No such key", "No key could be found for this kid value");
    }
}

static void serve_bundle(struct node *node, struct span rest, struct served *out)
{
    struct fault fault = {0};
    int rc = rest.len ? E_NOTFOUND : node_bundle(node, &out->body, &fault);
    if (rc == 0) {
        served_set(out, 200, "application/json");
    } else {
        buf_reset(&out->body);
        not_found(out);
    }
}

static void serve_recovery(struct node *node, struct span name, struct served *out)
{
    served_set(out, 200, "application/json");
    int rc = recover_answer(node, name, &out->body);
    if (rc)
        refused(out, rc);
}

static void serve_health(struct node *node, struct served *out)
{
    const char *reason;
    served_set(out, node_health(node, &reason) ? 200 : 503, text_plain);
    buf_text(&out->body, reason);
    buf_byte(&out->body, '\n');
}

static void route(struct node *node, struct span path, bool member, struct served *out)
{
    static const struct {
        const char *prefix;
        void (*serve)(struct node *, struct span, struct served *);
    } routes[] = {
        {"/mirror/", serve_mirror},     {"/witness/", serve_witness}, {"/entries/", serve_entry},
        {"/recovery/", serve_recovery}, {"/bundle", serve_bundle},    {"/.well-known/scitt-keys", serve_keys},
    };
    *out = (struct served){0};
    buf_init(&out->body, HTTP_BODY_MAX);
    if (span_is(path, "/healthz")) {
        serve_health(node, out);
        return;
    }
    if (!node->roster) {
        not_found(out);
        return;
    }
    if (span_is(path, "/checkpoint") || span_is(path, "/pending") || span_starts(path, "/tile/") ||
        span_starts(path, "/cosigned/")) {
        serve_log(node, node->own, NOTE_SIGNED, span_from(path, 1), out);
        return;
    }
    if (span_starts(path, "/documents/")) {
        serve_document(node, span_from(path, strlen("/documents/")), member, out);
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (span_starts(path, routes[i].prefix)) {
            routes[i].serve(node, span_from(path, strlen(routes[i].prefix)), out);
            return;
        }
    not_found(out);
}

/* What could not be read is neither missing nor empty: an answer made without it would be false. */
void node_serve(struct node *node, struct span path, bool member, struct served *out)
{
    *out = (struct served){0};
    buf_init(&out->body, HTTP_BODY_MAX);
    route(node, path, member, out);
    if (node_sound(node) == 0 && out->body.error != E_NOMEM)
        return;
    buf_reset(&out->body);
    served_set(out, 500, text_plain);
    out->immutable = false;
    out->location[0] = 0;
    buf_text(&out->body, "this node cannot read its own data now\n");
}
