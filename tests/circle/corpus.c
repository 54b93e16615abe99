/* corpus DIR: writes the seed inputs of fuzz/corpus/{card,charter,bundle,verify,keychange} and tests/lib/fixture, all made up. Not a
   test: it is built by hand when a format changes (cc with the rooms circle, record, format, crypto and base). */
#include "circle/change.h"
#include "tests/circle/subject.h"

static const char *root;

static void put(const char *name, struct span bytes)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes.data, 1, bytes.len, file) != bytes.len || fclose(file) != 0)
        abort();
}

static void put_free(const char *name, struct buf *bytes)
{
    put(name, buf_view(bytes));
    buf_free(bytes);
}

static void receipts(struct subject *s)
{
    struct buf out;
    subject_log(s, 6);
    subject_receipt(s, 3, 15, 0, &out);
    put("fuzz/corpus/verify/standing", buf_view(&out));
    put_free("tests/lib/fixture/standing.receipt", &out);
    subject_receipt(s, 0, 3, 0, &out);
    put("fuzz/corpus/verify/unwitnessed", buf_view(&out));
    put_free("tests/lib/fixture/unwitnessed.receipt", &out);
    subject_receipt(s, 5, 15, 2, &out);
    put_free("fuzz/corpus/verify/bad-cosignature", &out);
    subject_transparent(s, 4, 15, -1, (struct subject_mirror_twist){0}, &out);
    put("fuzz/corpus/verify/cose", buf_view(&out));
    put_free("tests/lib/fixture/standing.cose", &out);
    subject_transparent(s, 1, 1, -1, (struct subject_mirror_twist){0}, &out);
    put_free("fuzz/corpus/verify/cose-one", &out);
    put("fuzz/corpus/verify/statement", buf_view(&s->entries[0]));
}

/* Receipts that are wrong in one thing each. */
static void bad_receipts(struct subject *s)
{
    struct buf out;
    struct hash other[SUBJECT_ENTRIES_MAX];
    memcpy(other, s->leaves, sizeof other);
    other[0].b[0] ^= 1;
    subject_receipt(s, 5, 15, 1u << 31, &out);
    put_free("fuzz/corpus/verify/bad-log-signature", &out);
    subject_transparent(s, 4, 15, 2, (struct subject_mirror_twist){.broken = true}, &out);
    put_free("fuzz/corpus/verify/cose-broken", &out);
    subject_transparent(s, 4, 15, 2, (struct subject_mirror_twist){.other_name = true}, &out);
    put_free("fuzz/corpus/verify/cose-other-name", &out);
    subject_transparent(s, 4, 15, 2, (struct subject_mirror_twist){.other_origin = true}, &out);
    put_free("fuzz/corpus/verify/cose-other-origin", &out);
    subject_transparent(s, 4, 15, 2, (struct subject_mirror_twist){.leaves = other}, &out);
    put_free("fuzz/corpus/verify/cose-other-tree", &out);
}

static void broken_entries(struct subject *s)
{
    static const struct {
        const char *name;
        struct subject_twist twist;
    } rows[] = {{"other-circle", {.other_circle = true}},
                {"other-issuer", {.other_issuer = true}},
                {"wrong-role", {.wrong_role = true}},
                {"broken", {.broken = true}}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[64];
        struct buf out;
        size_t index = s->size;
        subject_entry(s, "EX-2026-X", rows[i].twist);
        subject_receipt(s, index, 15, 0, &out);
        (void)snprintf(name, sizeof name, "fuzz/corpus/verify/entry-%s", rows[i].name);
        put_free(name, &out);
    }
}

/* The document by which `party` gets the keys of its epoch 1; in `s` it keeps its old ones. */
static void change_document(struct subject *s, size_t party, bool used_key, bool other_role, struct buf *document)
{
    const struct card before = s->cards[party];
    struct secret_key *old[KEY_COUNT];
    struct cut cuts[SUBJECT_PARTIES_MAX] = {0};
    struct buf text, card;
    memcpy(old, s->secret[party], sizeof old);
    subject_keys(s, party, 1);
    if (used_key) {
        secret_key_free(s->secret[party][KEY_LOG]);
        s->secret[party][KEY_LOG] = s->secret[0][KEY_LOG];
        s->cards[party].keys[KEY_LOG] = s->cards[0].keys[KEY_LOG];
    }
    if (other_role)
        s->cards[party].role = (enum party_role)((before.role + 1) % ROLE_COUNT);
    buf_init(&text, CARD_BYTES_MAX);
    buf_init(&card, CARD_BYTES_MAX);
    card_write_text(&text, &s->cards[party]);
    subject_card_sign(s, party, buf_view(&text), &card);
    cuts[party].size = cuts[s->count - 1].size = 3;
    subject_root(s->leaves, 3, &cuts[s->count - 1].root);
    buf_init(document, KEY_CHANGE_BYTES_MAX);
    key_change_write(document, &(struct key_change_draft){.roster = &s->roster,
                                                          .party = roster_party(&s->roster, span_str(before.name)),
                                                          .card_note = buf_view(&card),
                                                          .cuts = cuts});
    for (int role = 0; role < KEY_SEAL; role++)
        if (!(used_key && role == KEY_LOG))
            secret_key_free(s->secret[party][role]);
    memcpy(s->secret[party], old, sizeof old);
    s->cards[party] = before;
    buf_free(&text);
    buf_free(&card);
}

/* Stated by the recovery key in the log of p00, the first committee member. */
static void change_receipt(struct subject *s, size_t party, struct span document, struct buf *out)
{
    struct statement fields = {.circle = s->roster.circle,
                               .subject = span_str("keys"),
                               .media = span_str(MEDIA_KEY_CHANGE),
                               .issued_at = 1700000300,
                               .issuer = span_str(s->cards[party].name)};
    struct buf header, message, *entry;
    struct signature signature;
    while (s->size)
        buf_free(&s->entries[--s->size]);
    s->writer_index = 0;
    s->writer = roster_party(&s->roster, span_str("p00"));
    subject_log(s, 1);
    entry = &s->entries[s->size];
    key_id(&s->cards[party].keys[KEY_RECOVERY], &fields.kid);
    sha256(document, &fields.document);
    buf_init(&header, STATEMENT_BYTES_MAX);
    buf_init(&message, STATEMENT_BYTES_MAX);
    buf_init(entry, STATEMENT_BYTES_MAX);
    statement_protected(&header, &fields);
    cose_to_be_signed(&message, buf_view(&header), span_hash(&fields.document));
    sign(s->secret[party][KEY_RECOVERY], buf_view(&message), &signature);
    cose_write(entry, buf_view(&header), span_of(NULL, 0), span_hash(&fields.document), &signature);
    tree_leaf(buf_view(entry), &s->leaves[s->size++]);
    buf_free(&header);
    buf_free(&message);
    subject_receipt(s, 1, 15, 0, out);
}

static void key_changes(struct subject *s)
{
    struct buf document, receipt, bundle;
    change_document(s, 2, true, false, &document);
    put_free("fuzz/corpus/keychange/used-key", &document);
    change_document(s, 3, false, true, &document);
    put_free("fuzz/corpus/keychange/other-role", &document);
    change_document(s, 1, false, false, &document);
    put("fuzz/corpus/keychange/good", buf_view(&document));
    change_receipt(s, 1, buf_view(&document), &receipt);
    put("fuzz/corpus/verify/key-change", buf_view(&receipt));
    buf_init(&bundle, BUNDLE_JSON_BYTES_MAX);
    bundle_write(&bundle, buf_view(&s->charter),
                 &(struct bundle_change){.receipt = buf_view(&receipt), .document = buf_view(&document)}, 1);
    put_free("fuzz/corpus/bundle/changed", &bundle);
    buf_free(&receipt);
    buf_free(&document);
}

int main(int argc, char **argv)
{
    struct subject s;
    if (argc != 2 || crypto_start() != 0 || subject_make(&s, 5, 4, 2, 2, 4) != 0)
        return 1;
    root = argv[1];
    for (size_t i = 0; i < 4; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "fuzz/corpus/card/party-%zu", i);
        put(name, buf_view(&s.notes[i]));
    }
    put("fuzz/corpus/charter/five", buf_view(&s.charter));
    put("fuzz/corpus/bundle/five", buf_view(&s.bundle));
    put("tests/lib/fixture/bundle.json", buf_view(&s.bundle));
    put("tests/lib/fixture/document", span_str(subject_document));
    receipts(&s);
    bad_receipts(&s);
    broken_entries(&s);
    key_changes(&s);
    subject_free(&s);
    for (size_t n = 1; n < 4; n++) {
        char name[64];
        if (subject_make(&s, n, n / 2, 1, 0, 0) != 0)
            return 1;
        (void)snprintf(name, sizeof name, "fuzz/corpus/charter/of-%zu", n);
        put(name, buf_view(&s.charter));
        (void)snprintf(name, sizeof name, "fuzz/corpus/bundle/of-%zu", n);
        put(name, buf_view(&s.bundle));
        subject_free(&s);
    }
    return 0;
}
