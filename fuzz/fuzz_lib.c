/* libcomity as a vendor calls it: the first byte chooses the call, then bundle, receipt and document, each behind its length. An empty
   bundle stands for a good one with real keys. */
#include "lib/comity.h"
#include "tests/circle/subject.h"

#include "fuzz/fuzz.h"

static struct subject s;

static void facts(const comity_result *result, enum comity_verdict verdict)
{
    must((verdict == COMITY_STANDS) == !comity_result_error(result)[0]);
    for (int i = -1; i <= COMITY_STATEMENT_ID + 1; i++)
        sound(span_str(comity_result_text(result, (enum comity_text)i)));
    for (int i = -1; i <= COMITY_DOCUMENT_CHECKED + 1; i++)
        (void)comity_result_number(result, (enum comity_number)i);
    sound(span_str(comity_result_message(result)));
    if (verdict == COMITY_STANDS)
        must(comity_result_number(result, COMITY_COSIGNED) >= comity_result_number(result, COMITY_NEEDED));
    if (result && verdict == COMITY_STANDS)
        must(comity_result_text(result, COMITY_ISSUER)[0]);
}

static void inclusion(struct span plan)
{
    struct span entry = plan_piece(&plan);
    uint64_t index = plan_number(&plan, 8), tree_size = plan_number(&plan, 8);
    uint8_t root[32] = {0};
    size_t count = plan.len / 32;
    (void)comity_check_inclusion(entry.data, entry.len, index, tree_size, plan.data, count, root);
    (void)comity_check_inclusion(NULL, 0, index, tree_size, NULL, 0, index & 1 ? root : NULL);
}

/* A length without bytes, which no caller should give. */
static void ill_given(struct span plan)
{
    comity_result *result = NULL;
    must(comity_verify_receipt(NULL, 1 + plan_byte(&plan), plan.data, plan.len, NULL, 0, &result) == COMITY_INVALID);
    facts(result, COMITY_INVALID);
    comity_result_free(result);
    facts(NULL, COMITY_STANDS);
    sound(span_str(comity_version()));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span plan = span_of(data, size);
    uint8_t call = plan_byte(&plan) % 6;
    comity_result *result = NULL;
    must(s.count || (crypto_start() == 0 && subject_make(&s, 5, 4, 2, 2, 4) == 0));
    if (call >= 4) {
        call == 4 ? inclusion(plan) : ill_given(plan);
        return 0;
    }
    struct span bundle = plan_piece(&plan), document = plan_piece(&plan);
    if (!bundle.len)
        bundle = buf_view(&s.bundle);
    if (call & 1)
        document = span_str(subject_document);
    enum comity_verdict verdict = (call & 2 ? comity_verify_statement : comity_verify_receipt)(
        bundle.data, bundle.len, plan.data, plan.len, document.data, document.len, &result);
    must(result != NULL && (verdict != COMITY_STANDS || !(call & 2)));
    facts(result, verdict);
    comity_result_free(result);
    must((call & 2 ? comity_verify_statement : comity_verify_receipt)(bundle.data, bundle.len, plan.data, plan.len,
                                                                      document.data, document.len, NULL) == verdict);
    return 0;
}
