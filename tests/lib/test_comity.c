#include "lib/comity.h"
#include "tests/circle/subject.h"
#include "tests/test.h"

static struct subject s;

static bool text_is(const comity_result *result, enum comity_text which, const char *want)
{
    return strcmp(comity_result_text(result, which), want) == 0;
}

static enum comity_verdict ask(const struct buf *receipt, const void *document, size_t len, comity_result **result)
{
    return comity_verify_receipt(s.bundle.data, s.bundle.len, receipt->data, receipt->len, document, len, result);
}

static void facts(void)
{
    struct buf receipt;
    comity_result *result = NULL;
    char hex[65];
    test("what stands is told in full");
    subject_receipt(&s, 2, 15, 0, &receipt);
    CHECK_INT(ask(&receipt, subject_document, strlen(subject_document), &result), COMITY_STANDS);
    hash_hex(&s.roster.circle, hex);
    CHECK(text_is(result, COMITY_CIRCLE, hex));
    CHECK(text_is(result, COMITY_CIRCLE_NAME, "Made-up circle"));
    CHECK(text_is(result, COMITY_ISSUER, "p04"));
    CHECK(text_is(result, COMITY_SUBJECT, "EX-2026-2"));
    CHECK(text_is(result, COMITY_MEDIA, "application/csaf+json"));
    hash_hex(&s.leaves[2], hex);
    CHECK(text_is(result, COMITY_STATEMENT_ID, hex));
    static const int64_t numbers[] = {2, 5, 1700000200, 1700001020, 4, 3, 4, 1};
    for (int i = 0; i < 8; i++)
        CHECK_INT(comity_result_number(result, (enum comity_number)i), numbers[i]);
    CHECK(!comity_result_error(result)[0] && !comity_result_message(result)[0]);
    CHECK(!comity_result_text(result, (enum comity_text)99)[0] &&
          !comity_result_number(result, (enum comity_number)99));
    CHECK(!comity_result_text(result, (enum comity_text) - 1)[0] &&
          !comity_result_number(result, (enum comity_number) - 1));
    comity_result_free(result);

    test("what does not stand says why, and claims nothing");
    CHECK_INT(ask(&receipt, "other", 5, &result), COMITY_INVALID);
    CHECK(strcmp(comity_result_error(result), "hash-mismatch") == 0);
    CHECK(strstr(comity_result_message(result), "document") != NULL);
    for (int i = COMITY_ISSUER; i <= COMITY_STATEMENT_ID; i++)
        CHECK(text_is(result, (enum comity_text)i, ""));
    comity_result_free(result);
    CHECK_INT(ask(&receipt, "", 0, &result), COMITY_INVALID);
    comity_result_free(result);
    CHECK_INT(ask(&receipt, NULL, 0, &result), COMITY_STANDS);
    CHECK_INT(comity_result_number(result, COMITY_DOCUMENT_CHECKED), 0);
    comity_result_free(result);
    CHECK_INT(ask(&receipt, NULL, 5, &result), COMITY_INVALID);
    CHECK(strcmp(comity_result_error(result), "usage") == 0);
    comity_result_free(result);
    CHECK_INT(ask(&receipt, NULL, 0, NULL), COMITY_STANDS);
    CHECK_INT(comity_verify_receipt(NULL, 0, receipt.data, receipt.len, NULL, 0, &result), COMITY_INVALID);
    CHECK(text_is(result, COMITY_CIRCLE, ""));
    comity_result_free(result);
    CHECK_INT(comity_verify_receipt(s.charter.data, s.charter.len, receipt.data, receipt.len, NULL, 0, NULL),
              COMITY_STANDS);
    buf_free(&receipt);
    subject_receipt(&s, 2, 3, 0, &receipt);
    CHECK_INT(ask(&receipt, NULL, 0, &result), COMITY_UNWITNESSED);
    CHECK(strcmp(comity_result_error(result), "not-standing") == 0);
    CHECK(text_is(result, COMITY_ISSUER, "p04"));
    CHECK_INT(comity_result_number(result, COMITY_COSIGNED), 2);
    CHECK_INT(comity_result_number(result, COMITY_STANDING_SINCE), 0);
    comity_result_free(result);
    buf_free(&receipt);

    test("no result is no crash");
    comity_result_free(NULL);
    CHECK(!comity_result_text(NULL, COMITY_ISSUER)[0] && !comity_result_number(NULL, COMITY_INDEX) &&
          !comity_result_error(NULL)[0] && !comity_result_message(NULL)[0] && comity_version()[0]);
}

static void statements(void)
{
    const struct buf *entry = &s.entries[1];
    comity_result *result = NULL;
    test("a statement alone never stands");
    CHECK_INT(comity_verify_statement(s.bundle.data, s.bundle.len, entry->data, entry->len, NULL, 0, &result),
              COMITY_UNWITNESSED);
    CHECK(text_is(result, COMITY_SUBJECT, "EX-2026-1"));
    comity_result_free(result);
    CHECK_INT(comity_verify_statement(s.bundle.data, s.bundle.len, entry->data, entry->len, "x", 1, NULL),
              COMITY_INVALID);
    CHECK_INT(comity_verify_statement(s.bundle.data, s.bundle.len, entry->data, entry->len - 1, NULL, 0, NULL),
              COMITY_INVALID);
    entry->data[entry->len - 1] ^= 1;
    CHECK_INT(comity_verify_statement(s.bundle.data, s.bundle.len, entry->data, entry->len, NULL, 0, &result),
              COMITY_INVALID);
    CHECK(strcmp(comity_result_error(result), "bad-signature") == 0);
    comity_result_free(result);
    entry->data[entry->len - 1] ^= 1;
}

static enum comity_verdict included(size_t entry, uint64_t index, uint64_t size, const struct hash *proof, size_t count,
                                    const struct hash *root)
{
    return comity_check_inclusion(s.entries[entry].data, s.entries[entry].len, index, size, proof->b, count, root->b);
}

static void inclusion(void)
{
    struct hash proof[64], root;
    test("inclusion, for every index of every size");
    for (size_t size = 1; size <= s.size; size++)
        for (size_t i = 0; i < size; i++) {
            memset(proof, 0, sizeof proof);
            size_t count = subject_proof(s.leaves, size, i, proof);
            subject_root(s.leaves, size, &root);
            CHECK_INT(included(i, i, size, proof, count, &root), COMITY_STANDS);
            CHECK_INT(included(i, i, size, proof, count + 1, &root), COMITY_INVALID);
            CHECK_INT(included((i + 1) % s.size, i, size, proof, count, &root), COMITY_INVALID);
            CHECK_INT(included(i, size, size, proof, count, &root), COMITY_INVALID);
            root.b[0] ^= 1;
            CHECK_INT(included(i, i, size, proof, count, &root), COMITY_INVALID);
        }
    CHECK_INT(included(0, 0, 1, proof, 64, &root), COMITY_INVALID);
    CHECK_INT(comity_check_inclusion("x", 1, 0, 1, NULL, 1, root.b), COMITY_INVALID);
    CHECK_INT(comity_check_inclusion("x", 1, 0, 1, NULL, 0, NULL), COMITY_INVALID);
    CHECK_INT(comity_check_inclusion(NULL, 1, 0, 1, NULL, 0, root.b), COMITY_INVALID);
}

int main(void)
{
    if (crypto_start() != 0 || subject_make(&s, 5, 4, 2, 2, 4) != 0)
        return 1;
    subject_log(&s, 5);
    facts();
    statements();
    inclusion();
    subject_free(&s);
    return test_end();
}
