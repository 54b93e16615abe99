/* Any bytes as a receipt, against a fixed circle with real keys: what stands must be a statement of that circle. The mutator changes
   the statement or the proof inside, computes the root anew and has everybody sign again. */
#include "circle/change.h"
#include "fuzz/mutate_note.h"

/* The same circle after p01, a mirror, and p04, the writer, have changed their keys: old signatures count up to the cuts. */
static const struct roster *changed_roster(void)
{
    static struct roster roster;
    static struct arena arena;
    static struct former_keys former[2];
    static struct cut cuts[2][SUBJECT_PARTIES_MAX];
    static const size_t who[] = {1, 4};
    if (roster.count)
        return &roster;
    arena_init(&arena, 1 << 20);
    must(roster_copy(&roster, &mutate_subject()->roster, &arena) == 0);
    for (size_t i = 0; i < 2; i++) {
        struct party *party = &roster.parties[who[i]];
        former[i] = (struct former_keys){.instant = subject_time(2), .cuts = cuts[i]};
        memcpy(former[i].keys, party->card.keys, sizeof former[i].keys);
        memcpy(former[i].kids, party->kids, sizeof former[i].kids);
        cuts[i][4].size = 4;
        for (int role = 0; role < KEY_COUNT; role++) {
            party->card.keys[role].b[0] ^= 1; /* nobody's: whoever has them does not appear here */
            key_id(&party->card.keys[role], &party->kids[role]);
        }
        party->former = &former[i];
        party->former_count = 1;
    }
    return &roster;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct subject *s = mutate_subject();
    struct arena arena;
    struct standing standing;
    struct fault fault = {0};
    struct span document = span_str(subject_document);
    arena_init(&arena, 1 << 20);
    int rc = receipt_verify(&s->roster, span_of(data, size), &document, &standing, &arena, &fault);
    must(rc != 0 || (standing.cosigned >= standing.needed && standing.document_checked &&
                     standing.index < standing.size && hash_eq(&standing.statement.circle, &s->roster.circle)));
    must(rc == 0 || fault.code == rc);
    must(standing_check_statement(&s->roster, span_of(data, size), NULL, &standing, NULL) != 0 ||
         roster_origin_hash(&s->roster, &standing.issuer->origin_hash) == standing.issuer);
    rc = receipt_verify(changed_roster(), span_of(data, size), &document, &standing, &arena, &fault);
    must(rc != 0 || standing.cosigned >= standing.needed);
    arena_free(&arena);
    return 0;
}

/* The statement's CBOR with one item changed, signed again by the writer (or, now and then, by another role or party). */
static bool statement_remake(struct subject *s, struct span bytes, unsigned random, struct buf *out)
{
    struct buf changed, message;
    struct cose_sign1 cose;
    size_t party = random % 8 ? s->writer_index : random / 8 % s->count;
    enum key_role role = random % 16 == 1 ? KEY_LOG : KEY_STATEMENT;
    buf_init(&changed, STATEMENT_BYTES_MAX);
    buf_init(&message, 2 * STATEMENT_BYTES_MAX);
    bool good = cbor_mutate(bytes, &changed, STATEMENT_BYTES_MAX, random) && cose_parse(&cose, buf_view(&changed)) == 0;
    if (good) {
        cose_to_be_signed(&message, cose.protected_bytes, cose.payload);
        sign(s->secret[party][role], buf_view(&message), &cose.signature);
        cose_write(out, cose.protected_bytes, cose.unprotected, cose.payload, &cose.signature);
    }
    buf_free(&changed);
    buf_free(&message);
    return good && !out->error;
}

struct remade {
    struct buf statement;
    uint64_t size, index;
    size_t count;
    struct hash proof[PROOF_HASHES_MAX], root;
    unsigned random;
};

/* Size, index or the proof may change too; the root is what they lead to. */
static bool proof_remake(struct remade *r)
{
    struct hash leaf;
    unsigned way = mutate_random(&r->random) % 8;
    if (way == 1)
        r->index = number_change(&(struct cbor_walk){.random = r->random}, r->index);
    if (way == 2)
        r->size = number_change(&(struct cbor_walk){.random = r->random}, r->size);
    if (way == 3 && r->count)
        r->proof[mutate_random(&r->random) % r->count].b[0] ^= 1;
    tree_leaf(buf_view(&r->statement), &leaf);
    return tree_inclusion_root(r->index, r->size, &leaf, r->proof, r->count, &r->root) == 0;
}

static void note_remake(struct subject *s, struct remade *r, struct buf *note)
{
    struct buf text;
    struct signature signature;
    const struct public_key *key = &s->cards[s->writer_index].keys[KEY_LOG];
    buf_init(&text, NOTE_BYTES_MAX);
    checkpoint_write_text(&text, span_str(s->writer->origin), r->size, &r->root);
    buf_span(note, buf_view(&text));
    buf_byte(note, '\n');
    sign(s->secret[s->writer_index][KEY_LOG], buf_view(&text), &signature);
    note_signature_write(note, span_str(s->writer->origin), key, &signature);
    for (size_t i = 0; i < s->count; i++)
        if (mutate_random(&r->random) % 4)
            subject_cosign(s, i, buf_view(&text), mutate_random(&r->random) % 32 == 0, note);
    buf_free(&text);
}

static bool tlog_remake(struct subject *s, struct span bytes, struct remade *r, struct buf *out)
{
    static struct receipt old;
    struct arena arena;
    struct buf note;
    arena_init(&arena, RECEIPT_BYTES_MAX);
    bool good = receipt_parse(&old, bytes, &arena, NULL) == 0;
    if (good) {
        r->size = old.checkpoint.size;
        r->index = old.index;
        r->count = old.count;
        memcpy(r->proof, old.proof, sizeof r->proof);
        good = statement_remake(s, old.extra, r->random, &r->statement) && proof_remake(r);
    }
    if (good) {
        buf_init(&note, NOTE_BYTES_MAX);
        note_remake(s, r, &note);
        receipt_write(out, buf_view(&r->statement), r->index, r->proof, r->count, buf_view(&note));
        buf_free(&note);
    }
    arena_free(&arena);
    return good;
}

static void mirror_receipt_remake(struct subject *s, struct remade *r, size_t party, struct buf *out)
{
    struct buf header, message;
    struct signature signature;
    struct hash kid;
    char name[MIRROR_NAME_BYTES];
    const struct party *mirror = roster_party(&s->roster, span_str(s->cards[party].name));
    bool foreign = mutate_random(&r->random) % 16 == 0;
    key_id(&s->cards[party].keys[KEY_MIRROR], &kid);
    mirror_name(name, foreign ? s->writer : mirror);
    buf_init(&header, STATEMENT_BYTES_MAX);
    buf_init(&message, STATEMENT_BYTES_MAX);
    cose_receipt_protected(&header, &kid, span_str(name),
                           span_str(mutate_random(&r->random) % 16 ? s->writer->origin : mirror->origin), r->size);
    cose_to_be_signed(&message, buf_view(&header), span_hash(&r->root));
    sign(s->secret[party][KEY_MIRROR], buf_view(&message), &signature);
    buf_init(out, STATEMENT_BYTES_MAX);
    cose_receipt_write(out, buf_view(&header), r->size, r->index, r->proof, r->count, &signature);
    buf_free(&header);
    buf_free(&message);
}

static bool transparent_remake(struct subject *s, struct span bytes, struct remade *r, struct buf *out)
{
    struct span logged, spans[COMMITTEE_MAX];
    struct buf made[COMMITTEE_MAX];
    struct cose_receipt old;
    struct statement statement;
    struct arena arena;
    size_t count = 0;
    arena_init(&arena, RECEIPT_BYTES_MAX);
    bool good = transparent_parse(bytes, &logged, spans, COMMITTEE_MAX, &count, &arena, NULL) == 0 && count &&
                cose_receipt_parse(&old, spans[0], NULL) == 0;
    if (good) {
        r->size = old.size;
        r->index = old.index;
        r->count = old.count;
        memcpy(r->proof, old.proof, sizeof r->proof);
        good = statement_remake(s, logged, r->random, &r->statement) && proof_remake(r) &&
               statement_parse(&statement, buf_view(&r->statement), NULL) == 0;
    }
    count = 0;
    for (size_t i = 0; good && i < 6; i++)
        if (mutate_random(&r->random) % 3) {
            mirror_receipt_remake(s, r, i % s->count, &made[count]);
            spans[count] = buf_view(&made[count]);
            count++;
        }
    if (good)
        transparent_write(out, &statement, spans, count);
    while (count)
        buf_free(&made[--count]);
    arena_free(&arena);
    return good;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    struct subject *s = mutate_subject();
    struct remade r = {.random = seed};
    struct span bytes = span_of(data, size);
    struct buf out;
    buf_init(&out, max);
    buf_init(&r.statement, STATEMENT_BYTES_MAX);
    bool good = seed % 3 && (tlog_remake(s, bytes, &r, &out) || transparent_remake(s, bytes, &r, &out)) && !out.error;
    size_t len = good ? out.len : cbor_mutator(data, size, max, seed);
    if (good)
        memcpy(data, out.data, len);
    buf_free(&r.statement);
    buf_free(&out);
    return len;
}
