/* Plain tlog-witness service for foreign logs that the owner added: consistency only, no entries held, never part of a quorum. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "node/state.h"

static bool foreign_key(const struct node *node, struct span origin, struct public_key *key)
{
    for (size_t i = 0; node->witness_logs && node->witness_logs[i]; i++) {
        struct span name;
        enum note_type type;
        if (note_vkey_parse(span_str(node->witness_logs[i]), &name, &type, key) == 0 && type == NOTE_ED25519 &&
            span_eq(name, origin))
            return true;
    }
    return false;
}

static void state_key(char out[static 80], const struct hash *origin_hash)
{
    char hex[65];
    hash_hex(origin_hash, hex);
    (void)snprintf(out, 80, "witness/%s", hex);
}

static int note_keep(struct node *node, const struct add_checkpoint *request, struct span line)
{
    struct hash origin_hash;
    char key[80];
    struct buf note;
    sha256(request->checkpoint.origin, &origin_hash);
    state_key(key, &origin_hash);
    buf_init(&note, 2 * NOTE_BYTES_MAX);
    buf_span(&note, request->note.text);
    buf_byte(&note, '\n');
    for (size_t i = 0; i < request->note.count; i++)
        if (span_eq(request->note.signatures[i].name, request->checkpoint.origin))
            buf_span(&note, request->note.signatures[i].line);
    buf_span(&note, line);
    int rc = note.error ? note.error : write_begin(node);
    if (rc == 0)
        rc = node->env.store->ops->state_put(node->env.store, span_str(key), buf_view(&note));
    buf_free(&note);
    return rc ? rc : write_commit(node);
}

/* All checks passed: the signer has saved its new position and signed. */
static int witness_answer(struct node *node, const struct event *event, const struct add_checkpoint *request,
                          const struct cosigned *cosigned)
{
    char name[ORIGIN_BYTES_MAX + 8];
    struct buf line;
    (void)snprintf(name, sizeof name, "%s/witness", node->self->origin);
    buf_init(&line, 1024);
    note_cosignature_write(&line, span_str(name), &node->self->card.keys[KEY_WITNESS], cosigned->timestamp,
                           &cosigned->signature);
    int rc = note_keep(node, request, buf_view(&line));
    if (rc == 0) {
        struct action *action = action_add(node, ACTION_REPLY);
        action->token = event->token;
        action->status = 200;
        action->content_type = "text/plain; charset=utf-8";
        buf_span(&action->body, buf_view(&line));
    }
    buf_free(&line);
    return rc;
}

static int witness_request(struct node *node, const struct event *event, struct add_checkpoint *request)
{
    struct public_key key;
    struct signer_position position = {0};
    struct sign_cosignature sign = {0};
    struct cosigned cosigned;
    char text[32];
    const struct checkpoint *c = &request->checkpoint;
    int read = body_add_checkpoint(node, event->body, request), status = body_status(read);
    if (read == E_NOMEM)
        return read;
    if (status == 200 && !foreign_key(node, c->origin, &key))
        status = 404;
    if (status == 200 && note_verify(&request->note, c->origin, &key) != 0)
        status = 403;
    /* The signer composes the three lines itself, so extension lines cannot be cosigned: they are refused. */
    if (status == 200 && (request->old_size > c->size || c->origin.len >= sizeof sign.origin || c->extensions.len))
        status = 400;
    if (status == 200 && recover_silent(node))
        status = 503;
    struct signer *signer = node->env.signer;
    int rc = status == 200 ? signer->ops->position(signer, KEY_WITNESS, c->origin, &position) : E_NOTFOUND;
    if (rc && rc != E_NOTFOUND)
        return rc;
    if (status == 200 && position.size != request->old_size) {
        (void)snprintf(text, sizeof text, "%llu\n", (unsigned long long)position.size);
        reply(node, event->token, 409, "text/x.tlog.size", text);
        return 0;
    }
    if (status == 200)
        status = consistency_screen(position.size, &position.root, request);
    if (status != 200) {
        reply(node, event->token, status, "text/plain; charset=utf-8", body_reason(read));
        return 0;
    }
    memcpy(sign.origin, c->origin.data, c->origin.len);
    sign.size = c->size;
    sign.root = c->root;
    sign.proof_count = (uint32_t)request->count;
    memcpy(sign.proof, request->proof, request->count * sizeof *request->proof);
    rc = signer->ops->cosign(signer, KEY_WITNESS, &sign, &cosigned);
    if (rc == E_PROOF || rc == E_TWO_FACES || rc == E_BACKWARDS || rc == E_LIMIT || rc == E_REFUSED) {
        reply(node, event->token, rc == E_LIMIT || rc == E_REFUSED ? 403 : 422, "text/plain; charset=utf-8", "");
        return 0;
    }
    return rc ? rc : witness_answer(node, event, request, &cosigned);
}

int witness_add_checkpoint(struct node *node, const struct event *event)
{
    struct add_checkpoint *request = calloc(1, sizeof *request);
    int rc = request ? witness_request(node, event, request) : E_NOMEM;
    free(request);
    return rc;
}

int witness_checkpoint_get(struct node *node, const struct hash *origin_hash, struct buf *out)
{
    char key[80];
    state_key(key, origin_hash);
    return node->env.store->ops->state_get(node->env.store, span_str(key), out);
}
