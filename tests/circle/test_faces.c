#include "circle/faces.h"

#include "tests/circle/subject.h"
#include "tests/test.h"

enum { LEAVES = 13 };
static struct subject s;
static struct hash one[LEAVES], other[LEAVES]; /* two trees that differ in their last leaf but one of each prefix */

/* RFC 6962 section 2.1.2, from its words: SUBPROOF(m, D[n], complete). */
static size_t subproof(const struct hash *leaves, size_t m, size_t n, bool complete, struct hash *out)
{
    size_t k = 1, count;
    if (m == n) {
        if (!complete)
            subject_root(leaves, n, out);
        return complete ? 0 : 1;
    }
    while (k * 2 < n)
        k *= 2;
    if (m <= k) {
        count = subproof(leaves, m, k, complete, out);
        subject_root(leaves + k, n - k, &out[count]);
    } else {
        count = subproof(leaves + k, m - k, n - k, false, out);
        subject_root(leaves, k, &out[count]);
    }
    return count + 1;
}

static void checkpoint_note(const struct hash *leaves, size_t size, const struct party *writer, bool broken,
                            struct buf *note)
{
    struct buf text;
    struct hash root;
    struct signature signature;
    buf_init(&text, NOTE_BYTES_MAX);
    buf_init(note, NOTE_BYTES_MAX);
    subject_root(leaves, size, &root);
    checkpoint_write_text(&text, span_str(writer->origin), size, &root);
    buf_span(note, buf_view(&text));
    buf_byte(note, '\n');
    size_t index = (size_t)atoi(writer->card.name + 1);
    sign(s.secret[index][KEY_LOG], buf_view(&text), &signature);
    signature.b[7] ^= broken;
    note_signature_write(note, span_str(writer->origin), &writer->card.keys[KEY_LOG], &signature);
    buf_free(&text);
}

struct twist {
    bool broken, other_log, no_older_root, true_root, short_proof, swapped;
};

/* As a node does it: reads the document, takes it over from the flat form, reads the notes, judges. */
static int verify(struct span document, const struct party **party, struct arena *arena, struct fault *fault)
{
    static struct face faces[2];
    struct faces_proof proof;
    struct buf flat;
    int rc = faces_read(&proof, document, arena, fault);
    if (rc)
        return rc;
    buf_init(&flat, 8 * NOTE_BYTES_MAX);
    faces_flat_put(&flat, &proof);
    CHECK_INT(faces_flat_get(&proof, buf_view(&flat)), 0);
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = checkpoint_parse(&faces[i].checkpoint, &faces[i].note, i ? proof.second : proof.first, fault);
    rc = rc ? rc : faces_judge(&s.roster, &proof, faces, party, fault);
    buf_free(&flat);
    return rc;
}

static int convict(const struct hash *older, size_t m, const struct hash *newer, size_t n, struct twist twist)
{
    struct hash proof[PROOF_HASHES_MAX], root;
    struct buf notes[2], document;
    struct arena arena;
    struct fault fault = {0};
    const struct party *party = NULL;
    size_t count = m < n ? subproof(newer, m, n, true, proof) : 0;
    subject_root(twist.true_root ? older : newer, m, &root);
    checkpoint_note(older, m, s.writer, twist.broken, &notes[0]);
    checkpoint_note(newer, n, twist.other_log ? &s.roster.parties[0] : s.writer, false, &notes[1]);
    buf_init(&document, 4 * NOTE_BYTES_MAX);
    CHECK_INT(faces_write(&document, &(struct faces_proof){.first = buf_view(&notes[twist.swapped]),
                                                           .second = buf_view(&notes[!twist.swapped]),
                                                           .older_root = m == n || twist.no_older_root ? NULL : &root,
                                                           .proof = proof,
                                                           .count = count - (twist.short_proof && count)}),
              0);
    arena_init(&arena, 1 << 22);
    int rc = verify(buf_view(&document), &party, &arena, &fault);
    if (rc == 0)
        CHECK(party == s.writer);
    else
        CHECK(strncmp(fault.where, "two faces", 9) == 0 && fault.detail[0]);
    arena_free(&arena);
    buf_free(&notes[0]);
    buf_free(&notes[1]);
    buf_free(&document);
    return rc;
}

int main(void)
{
    if (crypto_start() != 0 || subject_make(&s, 6, 4, 3, 0, 5) != 0)
        return 1;
    for (size_t i = 0; i < LEAVES; i++) {
        tree_leaf(span_of(&i, sizeof i), &one[i]);
        tree_leaf(span_of("otherotherother", i), &other[i]);
    }
    test("every pair of sizes convicts, powers of two too, in either order");
    for (size_t n = 1; n <= LEAVES; n++)
        for (size_t m = 1; m <= n; m++)
            for (int swapped = 0; swapped < 2; swapped++)
                CHECK_INT(convict(other, m, one, n, (struct twist){.swapped = swapped}), 0);
    test("a log that only grew is not convicted");
    for (size_t n = 1; n <= LEAVES; n++)
        for (size_t m = 1; m <= n; m++)
            CHECK_INT(convict(one, m, one, n, (struct twist){0}), E_PROOF);
    test("what does not prove does not convict");
    for (size_t n = 2; n <= LEAVES; n++)
        for (size_t m = 1; m < n; m++) {
            CHECK_INT(convict(other, m, one, n, (struct twist){.true_root = true}), E_PROOF);
            CHECK_INT(convict(other, m, one, n, (struct twist){.no_older_root = true}), E_PROOF);
            CHECK_INT(convict(other, m, one, n, (struct twist){.short_proof = true}), E_PROOF);
            CHECK_INT(convict(other, m, one, n, (struct twist){.broken = true}), E_SIGNATURE);
            CHECK_INT(convict(other, m, one, n, (struct twist){.other_log = true}), E_KEY);
        }
    test("what is no such document is refused");
    static const struct {
        const char *text;
        int code;
    } refused[] = {{"", E_TRUNCATED},
                   {"{}", E_MISSING},
                   {"{\"comity\":\"two-faces/2\"}", E_UNSUPPORTED},
                   {"{\"comity\":\"two-faces/1\",\"more\":1}", E_SYNTAX},
                   {"{\"comity\":\"two-faces/1\",\"first\":\"\",\"second\":\"\",\"consistency\":[]}", E_SYNTAX},
                   {"{\"comity\":\"two-faces/1\",\"second\":\"\",\"consistency\":[]}", E_MISSING}};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const struct party *party = NULL;
        struct arena arena;
        arena_init(&arena, 1 << 22);
        CHECK_INT(verify(span_str(refused[i].text), &party, &arena, NULL), refused[i].code);
        arena_free(&arena);
    }
    subject_free(&s);
    return test_end();
}
