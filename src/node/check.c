#include "node/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "circle/change.h"
#include "node/state.h"
#include "record/receipt.h"
#include "store/check.h"

int checkpoint_is_signed(const struct party *party, struct span note_bytes, struct checkpoint *checkpoint,
                         struct note *note)
{
    int rc = checkpoint_parse(checkpoint, note, note_bytes, NULL);
    if (rc == 0 && !span_is(checkpoint->origin, party->origin))
        rc = E_KEY;
    if (rc)
        return rc;
    rc = note_verify(note, span_str(party->origin), &party->card.keys[KEY_LOG]);
    for (uint32_t e = party->former_count; rc == E_KEY && e-- > 0;)
        rc = note_verify(note, span_str(party->origin), &party->former[e].keys[KEY_LOG]);
    return rc;
}

static bool cose_is_good(const struct public_key *key, const char *name, const struct party *writer,
                         const struct stored_cosignature *c)
{
    struct buf protected_bytes, message;
    buf_init(&protected_bytes, STATEMENT_BYTES_MAX);
    buf_init(&message, STATEMENT_BYTES_MAX);
    cose_receipt_protected(&protected_bytes, &c->kid, span_str(name), span_str(writer->origin), c->size);
    cose_to_be_signed(&message, buf_view(&protected_bytes), span_hash(&c->root));
    bool good = !message.error && sign_verify(key, buf_view(&message), &c->cose);
    buf_free(&protected_bytes);
    buf_free(&message);
    return good;
}

/* A key that the party has or had. */
static const struct public_key *mirror_key(const struct party *party, const struct hash *kid)
{
    if (hash_eq(&party->kids[KEY_MIRROR], kid))
        return &party->card.keys[KEY_MIRROR];
    for (uint32_t e = 0; e < party->former_count; e++)
        if (hash_eq(&party->former[e].kids[KEY_MIRROR], kid))
            return &party->former[e].keys[KEY_MIRROR];
    return NULL;
}

const struct party *cosignature_is_good(const struct roster *roster, const struct party *writer,
                                        const struct stored_cosignature *c, bool *cose)
{
    const struct party *mirror = NULL;
    const struct public_key *key = NULL;
    char name[ORIGIN_BYTES_MAX + 8];
    struct buf text;
    for (size_t i = 0; i < roster->count && !key; i++) {
        mirror = &roster->parties[i];
        key = mirror->committee ? mirror_key(mirror, &c->kid) : NULL;
    }
    *cose = true;
    if (!key)
        return NULL;
    buf_init(&text, NOTE_BYTES_MAX);
    checkpoint_write_text(&text, span_str(writer->origin), c->size, &c->root);
    bool good = cosignature_verify(key, c->timestamp, buf_view(&text), &c->signature) == 0;
    buf_free(&text);
    mirror_key_name(name, mirror);
    if (good && c->has_cose)
        *cose = cose_is_good(key, name, writer, c);
    return good ? mirror : NULL;
}

/* The roots of one log at every size that something signed speaks of, from one walk over its entries. */
struct claim {
    uint64_t size;
    struct hash root;
    char what[96]; /* "table note: checkpoint of size 7" */
};
struct log_claims {
    struct store *store;
    const struct roster *roster;
    const struct party *party;
    log_id log;
    uint64_t held; /* entries */
    struct claim *list;
    size_t count, cap;
    int64_t last_note; /* size of the greatest signed checkpoint */
    struct findings *findings;
};

static void place_of(const struct log_claims *claims, const char *what, char place[static 192])
{
    (void)snprintf(place, 192, "state.db: %s: log of %s", what, claims->party->card.name);
}

static int claim_add(struct log_claims *claims, uint64_t size, const struct hash *root, const char *what)
{
    if (claims->count == claims->cap) {
        size_t cap = claims->cap ? 2 * claims->cap : 256;
        struct claim *list = realloc(claims->list, cap * sizeof *list);
        if (!list)
            return E_NOMEM;
        claims->list = list;
        claims->cap = cap;
    }
    struct claim *claim = &claims->list[claims->count++];
    *claim = (struct claim){.size = size, .root = *root};
    (void)snprintf(claim->what, sizeof claim->what, "%s", what);
    return 0;
}

static int note_check(struct log_claims *claims, enum note_kind kind, uint64_t size, struct span bytes)
{
    static const char *const kinds[] = {"checkpoint", "pending checkpoint", "mirrored checkpoint", "heard checkpoint"};
    struct checkpoint checkpoint;
    struct note *note = malloc(sizeof *note);
    char what[96], place[192];
    (void)snprintf(what, sizeof what, "table note: %s of size %" PRIu64, kinds[kind], size);
    place_of(claims, what, place);
    int rc = note ? checkpoint_is_signed(claims->party, bytes, &checkpoint, note) : E_NOMEM;
    free(note);
    if (rc == E_NOMEM)
        return rc;
    if (rc || checkpoint.size != size) {
        findings_add(claims->findings, place, "%s", rc ? error_text(rc)->message : "stands under another size");
        return 0;
    }
    if ((kind == NOTE_SIGNED || kind == NOTE_MIRRORED) && size > claims->held)
        findings_add(claims->findings, place, "only %" PRIu64 " entries are held", claims->held);
    if (kind == NOTE_SIGNED && (int64_t)size > claims->last_note)
        claims->last_note = (int64_t)size;
    /* What was only heard may be of another face. */
    return kind != NOTE_HEARD && size <= claims->held ? claim_add(claims, size, &checkpoint.root, what) : 0;
}

static int notes_check(struct log_claims *claims)
{
    struct store *store = claims->store;
    struct buf note;
    int rc = 0;
    buf_init(&note, NOTE_BYTES_MAX);
    for (int kind = NOTE_SIGNED; kind <= NOTE_HEARD && rc == 0; kind++)
        for (uint64_t size = 0, found = 0; rc == 0; size = found + 1) {
            buf_reset(&note);
            rc = store->ops->note_at_least(store, claims->log, (enum note_kind)kind, size, &found, &note);
            if (rc == 0)
                rc = note_check(claims, (enum note_kind)kind, found, buf_view(&note));
            else if (rc == E_CORRUPT && found >= size && found)
                rc = 0; /* the row's sum has told of it */
            else
                break;
        }
    buf_free(&note);
    return rc == E_NOMEM ? rc : 0;
}

static int cosignature_check(void *ctx, const struct stored_cosignature *c)
{
    struct log_claims *claims = ctx;
    char what[96], place[192];
    bool cose;
    const struct party *mirror = cosignature_is_good(claims->roster, claims->party, c, &cose);
    (void)snprintf(what, sizeof what, "table cosignature: size %" PRIu64 " by %.63s", c->size,
                   mirror ? mirror->card.name : "?");
    place_of(claims, what, place);
    if (!mirror || !cose)
        findings_add(claims->findings, place, mirror ? "the COSE receipt does not verify" : "does not verify");
    return mirror && c->size <= claims->held ? claim_add(claims, c->size, &c->root, what) : 0;
}

static int claim_order(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    return (x->size > y->size) - (x->size < y->size);
}

static void roots_check(struct log_claims *claims)
{
    struct frontier frontier = {0};
    struct hash leaf, root;
    struct buf entry;
    char place[192];
    size_t next = 0;
    if (claims->count)
        qsort(claims->list, claims->count, sizeof *claims->list, claim_order);
    buf_init(&entry, 2 * STATEMENT_BYTES_MAX);
    for (uint64_t index = 0; index <= claims->held && next < claims->count; index++) {
        if (claims->list[next].size == index)
            frontier_root(&frontier, &root);
        for (; next < claims->count && claims->list[next].size == index; next++)
            if (!hash_eq(&claims->list[next].root, &root)) {
                place_of(claims, claims->list[next].what, place);
                findings_add(claims->findings, place, "the entries lead to another root");
            }
        buf_reset(&entry);
        if (index < claims->held && claims->store->ops->entry_get(claims->store, claims->log, index, &entry) != 0)
            break; /* named already */
        tree_leaf(buf_view(&entry), &leaf);
        frontier_append(&frontier, &leaf);
    }
    buf_free(&entry);
}

/* What no stored checkpoint covers is vouched for by its own signatures. */
static int tail_check(void *ctx, uint64_t index, struct span bytes)
{
    struct log_claims *claims = ctx;
    const struct party *party = NULL;
    const struct public_key *key = NULL;
    struct statement s;
    struct fault fault = {0};
    char what[96], place[192];
    int rc = statement_parse(&s, bytes, &fault);
    if (rc == 0 && span_is(s.media, MEDIA_KEY_CHANGE))
        return 0; /* by another party's recovery key */
    if (rc == 0)
        rc = roster_entry_key(claims->roster, s.issuer, &s.kid, index, &party, &key, &fault);
    if (rc == 0)
        rc = party == claims->party ? statement_verify(&s, key) : E_ISSUER;
    if (rc) {
        (void)snprintf(what, sizeof what, "table entry: entry %" PRIu64, index);
        place_of(claims, what, place);
        findings_add(claims->findings, place, "%s", error_text(rc)->message);
    }
    return 0;
}

static int log_claims_check(struct log_claims *claims, const struct party *self, const struct signer_position *own)
{
    struct store *store = claims->store;
    char place[192];
    int rc = notes_check(claims);
    if (rc == 0 && store->ops->cosignatures(store, claims->log, 0, cosignature_check, claims) == E_NOMEM)
        rc = E_NOMEM;
    if (rc == 0 && claims->party == self) {
        if (own->size > claims->held) {
            place_of(claims, "table entry", place);
            findings_add(claims->findings, place, "%" PRIu64 " entries are held, the signer has signed %" PRIu64,
                         claims->held, own->size);
        } else if (own->size) {
            rc = claim_add(claims, own->size, &own->root, "what the signer signed last");
        }
        (void)store->ops->entries_scan(store, claims->log, (uint64_t)claims->last_note, claims->held, tail_check,
                                       claims);
    }
    if (rc == 0)
        roots_check(claims);
    free(claims->list);
    return rc;
}

int record_check(struct store *store, const struct roster *roster, const struct party *self,
                 const struct signer_position *own, struct findings *findings)
{
    int rc = 0;
    for (size_t i = 0; i < roster->count && rc == 0; i++) {
        struct log_claims claims = {
            .store = store, .roster = roster, .party = &roster->parties[i], .findings = findings};
        int known = store->ops->log_open(store, span_str(claims.party->origin), false, &claims.log);
        if (known == 0)
            known = store->ops->log_size(store, claims.log, &claims.held);
        if (known == 0)
            rc = log_claims_check(&claims, self, own);
        else if (claims.party == self && own->size)
            findings_add(findings, "state.db: table log", "the own log is missing");
    }
    return rc;
}

int folds_check(struct node *node, struct findings *findings)
{
    struct store *store = node->env.store;
    struct actions ignored = {0};
    node->actions = &ignored;
    int rc = views_keep(store);
    rc = rc ? rc : views_fold(node);
    rc = rc ? rc : views_compare(store, findings);
    if (rc)
        findings_add(findings, "state.db: derived views", "cannot be folded: %s", error_text(rc)->message);
    node->actions = NULL;
    actions_clear(&ignored);
    return rc == E_NOMEM ? rc : 0;
}
