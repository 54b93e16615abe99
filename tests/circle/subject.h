/* A made-up circle with real keys: cards, a charter, one writer's log, its mirrors' cosignatures, receipts in both forms. */
#ifndef COMITY_TESTS_CIRCLE_SUBJECT_H
#define COMITY_TESTS_CIRCLE_SUBJECT_H

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "circle/roster.h"
#include "crypto/sha256.h"

enum { SUBJECT_PARTIES_MAX = 20, SUBJECT_ENTRIES_MAX = 320 };

struct subject {
    size_t count, committee;
    unsigned jurisdictions_min;
    struct card cards[SUBJECT_PARTIES_MAX];
    struct secret_key *secret[SUBJECT_PARTIES_MAX][KEY_COUNT]; /* of KEY_SEAL none */
    struct buf notes[SUBJECT_PARTIES_MAX];
    struct buf charter, bundle;
    struct arena arena;
    struct roster roster;
    /* the log of `writer` */
    const struct party *writer;
    size_t writer_index, size;
    struct buf entries[SUBJECT_ENTRIES_MAX];
    struct hash leaves[SUBJECT_ENTRIES_MAX];
};

static const char subject_document[] = "{\"made\": \"up\"}\n";

static inline void subject_keys(struct subject *s, size_t party, unsigned epoch)
{
    for (int role = 0; role < KEY_COUNT; role++) {
        char text[64];
        struct hash seed;
        (void)snprintf(text, sizeof text, "seed of party %zu, key %d of epoch %u", party, role, epoch);
        sha256(span_str(text), &seed);
        struct secret_key *key = secret_key_from_seed(seed.b, &s->cards[party].keys[role]);
        if (!key)
            abort();
        if (role == KEY_SEAL)
            secret_key_free(key); /* any 32 bytes do: nothing is sealed here */
        else
            s->secret[party][role] = key;
    }
}

static inline void subject_card_sign(struct subject *s, size_t party, struct span text, struct buf *out)
{
    buf_span(out, text);
    buf_byte(out, '\n');
    for (int role = 0; role < KEY_SEAL; role++) {
        struct signature signature;
        sign(s->secret[party][role], text, &signature);
        note_signature_write(out, span_str(s->cards[party].name), &s->cards[party].keys[role], &signature);
    }
}

/* Parties p00, p01, ..; the first `committee` of them mirror; jurisdictions go round through `jurisdictions`. */
static inline void subject_parties(struct subject *s, size_t count, size_t committee, unsigned jurisdictions)
{
    memset(s, 0, sizeof *s);
    s->count = count;
    s->committee = committee;
    arena_init(&s->arena, 64 << 20);
    for (size_t i = 0; i < count; i++) {
        struct card *card = &s->cards[i];
        struct buf text;
        (void)snprintf(card->name, sizeof card->name, "p%02zu", i);
        (void)snprintf(card->jurisdiction, sizeof card->jurisdiction, "X%u", (unsigned)(i % jurisdictions));
        (void)snprintf(card->url, sizeof card->url, "http://p%02zu.example:8440", i);
        card->role = (enum party_role)(i % ROLE_COUNT);
        card->made_at = 1700000000 + (int64_t)i;
        subject_keys(s, i, 0);
        buf_init(&text, CARD_BYTES_MAX);
        buf_init(&s->notes[i], CARD_BYTES_MAX);
        card_write_text(&text, card);
        subject_card_sign(s, i, buf_view(&text), &s->notes[i]);
        buf_free(&text);
    }
}

static inline void subject_draft(struct subject *s)
{
    struct charter_party parties[SUBJECT_PARTIES_MAX] = {0};
    struct charter_draft draft = {.name = span_str("Made-up circle"),
                                  .founded_at = 1700000100,
                                  .jurisdictions_min = s->jurisdictions_min,
                                  .quota_entries_day = 1000,
                                  .quota_bytes_day = 1000000,
                                  .parties = parties,
                                  .count = s->count};
    memset(draft.nonce, 7, sizeof draft.nonce);
    for (size_t i = 0; i < s->count; i++)
        parties[i] = (struct charter_party){.card_note = buf_view(&s->notes[i]),
                                            .proof = {.letter = i % 2, .call_backs = (unsigned)(i % 3)},
                                            .committee = i < s->committee};
    parties[0].proof.has_evidence = true;
    buf_init(&s->charter, CHARTER_BYTES_MAX);
    buf_init(&s->bundle, 2 * CHARTER_BYTES_MAX);
    charter_write(&s->charter, &draft);
    bundle_write(&s->bundle, buf_view(&s->charter), NULL, 0);
}

/* The whole circle; the writer is the last party. */
static inline int subject_make(struct subject *s, size_t count, size_t committee, unsigned jurisdictions,
                               unsigned jurisdictions_min, size_t writer)
{
    subject_parties(s, count, committee, jurisdictions);
    s->jurisdictions_min = jurisdictions_min;
    subject_draft(s);
    struct fault fault = {0};
    int rc = charter_parse(&s->roster, buf_view(&s->charter), &s->arena, &fault);
    if (rc)
        printf("# %s: %s\n", fault.where, fault.detail);
    s->writer_index = writer;
    s->writer = rc ? NULL : roster_party(&s->roster, span_str(s->cards[writer].name));
    return rc;
}

static inline void subject_free(struct subject *s)
{
    for (size_t i = 0; i < s->count; i++) {
        for (int role = 0; role < KEY_COUNT; role++)
            secret_key_free(s->secret[i][role]);
        buf_free(&s->notes[i]);
    }
    for (size_t i = 0; i < s->size; i++)
        buf_free(&s->entries[i]);
    buf_free(&s->charter);
    buf_free(&s->bundle);
    arena_free(&s->arena);
}

/* What may be wrong with a statement, to see that it is noticed. */
struct subject_twist {
    bool other_circle, other_issuer, wrong_role, broken;
};

static inline void subject_entry(struct subject *s, const char *subject, struct subject_twist twist)
{
    struct statement fields = {.circle = s->roster.circle,
                               .subject = span_str(subject),
                               .media = span_str("application/csaf+json"),
                               .issued_at = 1700000200,
                               .issuer = span_str(s->cards[s->writer_index].name)};
    size_t signer = twist.other_issuer ? (s->writer_index + 1) % s->count : s->writer_index;
    enum key_role role = twist.wrong_role ? KEY_WITNESS : KEY_STATEMENT;
    struct buf header, signed_bytes, *entry = &s->entries[s->size];
    struct signature signature;
    if (twist.other_circle)
        fields.circle.b[31] ^= 1;
    if (twist.other_issuer)
        fields.issuer = span_str(s->cards[signer].name);
    key_id(&s->cards[signer].keys[role], &fields.kid);
    sha256(span_str(subject_document), &fields.document);
    buf_init(&header, STATEMENT_BYTES_MAX);
    buf_init(&signed_bytes, STATEMENT_BYTES_MAX);
    buf_init(entry, STATEMENT_BYTES_MAX);
    statement_protected(&header, &fields);
    cose_to_be_signed(&signed_bytes, buf_view(&header), span_hash(&fields.document));
    sign(s->secret[signer][role], buf_view(&signed_bytes), &signature);
    signature.b[0] ^= twist.broken;
    cose_write(entry, buf_view(&header), span_of(NULL, 0), span_hash(&fields.document), &signature);
    tree_leaf(buf_view(entry), &s->leaves[s->size++]);
    buf_free(&header);
    buf_free(&signed_bytes);
}

static inline void subject_log(struct subject *s, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char subject[32];
        (void)snprintf(subject, sizeof subject, "EX-2026-%zu", i);
        subject_entry(s, subject, (struct subject_twist){0});
    }
}

/* The tree from its definition: slow, and independent of the code under test. */
static inline void subject_root(const struct hash *leaves, size_t size, struct hash *root)
{
    struct hash left, right;
    size_t split = 1;
    if (size <= 1) {
        if (size)
            *root = leaves[0];
        else
            tree_empty(root);
        return;
    }
    while (split * 2 < size)
        split *= 2;
    subject_root(leaves, split, &left);
    subject_root(leaves + split, size - split, &right);
    tree_node(&left, &right, root);
}

static inline size_t subject_proof(const struct hash *leaves, size_t size, size_t index, struct hash *proof)
{
    size_t split = 1, count;
    if (size <= 1)
        return 0;
    while (split * 2 < size)
        split *= 2;
    if (index < split) {
        count = subject_proof(leaves, split, index, proof);
        subject_root(leaves + split, size - split, &proof[count]);
    } else {
        count = subject_proof(leaves + split, size - split, index - split, proof);
        subject_root(leaves, split, &proof[count]);
    }
    return count + 1;
}

/* Checkpoint of the writer's log, and cosignatures of the parties whose bit is set, party i at time subject_clock + 10 * i. */
static int64_t subject_clock = 1700001000;
static inline int64_t subject_time(size_t party)
{
    return subject_clock + 10 * (int64_t)party;
}

static inline void subject_cosign(struct subject *s, size_t party, struct span text, bool broken, struct buf *note)
{
    struct buf message;
    struct signature signature;
    char name[ORIGIN_BYTES_MAX + 8];
    const struct party *mirror = roster_party(&s->roster, span_str(s->cards[party].name));
    buf_init(&message, NOTE_BYTES_MAX);
    note_cosigned_message(&message, subject_time(party), text);
    sign(s->secret[party][KEY_MIRROR], buf_view(&message), &signature);
    signature.b[3] ^= broken;
    (void)snprintf(name, sizeof name, "%s/mirror", mirror->origin);
    note_cosignature_write(note, span_str(name), &s->cards[party].keys[KEY_MIRROR], subject_time(party), &signature);
    buf_free(&message);
}

static inline void subject_note(struct subject *s, uint32_t cosigners, uint32_t broken, struct buf *note)
{
    struct buf text;
    struct hash root;
    struct signature signature;
    buf_init(&text, NOTE_BYTES_MAX);
    buf_init(note, NOTE_BYTES_MAX);
    subject_root(s->leaves, s->size, &root);
    checkpoint_write_text(&text, span_str(s->writer->origin), s->size, &root);
    buf_span(note, buf_view(&text));
    buf_byte(note, '\n');
    sign(s->secret[s->writer_index][KEY_LOG], buf_view(&text), &signature);
    signature.b[0] ^= broken >> 31;
    note_signature_write(note, span_str(s->writer->origin), &s->cards[s->writer_index].keys[KEY_LOG], &signature);
    for (size_t i = 0; i < s->count; i++)
        if (cosigners >> i & 1)
            subject_cosign(s, i, buf_view(&text), broken >> i & 1, note);
    buf_free(&text);
}

/* A tlog-proof for entry `index`. Bit 31 of `broken`: the log's own signature. */
static inline void subject_receipt(struct subject *s, size_t index, uint32_t cosigners, uint32_t broken,
                                   struct buf *out)
{
    struct hash proof[PROOF_HASHES_MAX];
    struct buf note;
    size_t count = subject_proof(s->leaves, s->size, index, proof);
    subject_note(s, cosigners, broken, &note);
    buf_init(out, RECEIPT_BYTES_MAX);
    receipt_write(out, buf_view(&s->entries[index]), index, proof, count, buf_view(&note));
    buf_free(&note);
}

struct subject_mirror_twist {
    bool broken, other_name, other_origin;
    const struct hash *leaves; /* another tree of the same size */
};

static inline void subject_mirror_receipt(struct subject *s, size_t index, size_t party,
                                          struct subject_mirror_twist twist, struct buf *out)
{
    const struct hash *leaves = twist.leaves ? twist.leaves : s->leaves;
    struct hash proof[PROOF_HASHES_MAX], root, kid;
    struct buf header, message;
    struct signature signature;
    char name[ORIGIN_BYTES_MAX + 8];
    const struct party *mirror = roster_party(&s->roster, span_str(s->cards[party].name));
    size_t count = subject_proof(leaves, s->size, index, proof);
    subject_root(leaves, s->size, &root);
    key_id(&s->cards[party].keys[KEY_MIRROR], &kid);
    (void)snprintf(name, sizeof name, "%s/%s", mirror->origin, twist.other_name ? "witness" : "mirror");
    buf_init(&header, STATEMENT_BYTES_MAX);
    buf_init(&message, STATEMENT_BYTES_MAX);
    buf_init(out, STATEMENT_BYTES_MAX);
    cose_receipt_protected(&header, &kid, span_str(name),
                           span_str(twist.other_origin ? mirror->origin : s->writer->origin), s->size);
    cose_to_be_signed(&message, buf_view(&header), span_hash(&root));
    sign(s->secret[party][KEY_MIRROR], buf_view(&message), &signature);
    signature.b[1] ^= twist.broken;
    cose_receipt_write(out, buf_view(&header), s->size, index, proof, count, &signature);
    buf_free(&header);
    buf_free(&message);
}

/* The same twist for the party `odd`; -1 for none. */
static inline void subject_transparent(struct subject *s, size_t index, uint32_t cosigners, int odd,
                                       struct subject_mirror_twist twist, struct buf *out)
{
    struct buf receipts[SUBJECT_PARTIES_MAX];
    struct span spans[SUBJECT_PARTIES_MAX];
    struct statement statement;
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++)
        if (cosigners >> i & 1) {
            subject_mirror_receipt(s, index, i, (int)i == odd ? twist : (struct subject_mirror_twist){0},
                                   &receipts[count]);
            spans[count] = buf_view(&receipts[count]);
            count++;
        }
    buf_init(out, RECEIPT_BYTES_MAX);
    (void)statement_parse(&statement, buf_view(&s->entries[index]), NULL);
    transparent_write(out, &statement, spans, count);
    while (count)
        buf_free(&receipts[--count]);
}

#endif
