/* The public library: a thin coat over circle/. Nothing of the rooms below shows through it. */
#include "lib/comity.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "circle/roster.h"

#ifndef COMITY_VERSION
#define COMITY_VERSION "0.1.0"
#endif

enum { TEXT_COUNT = COMITY_STATEMENT_ID + 1, NUMBER_COUNT = COMITY_DOCUMENT_CHECKED + 1 };

/* A charter of the largest size, as text in its bundle and as parsed. */
static const size_t memory_max = (size_t)64 << 20;

struct comity_result {
    char text[TEXT_COUNT][SUBJECT_BYTES_MAX];
    int64_t number[NUMBER_COUNT];
    char error[64], message[640];
};

struct question {
    struct span bundle, subject, document;
    bool statement_alone, ill_given;
    struct roster roster;
    struct standing standing;
    struct arena arena;
    struct fault fault;
};

static void put_span(comity_result *result, enum comity_text which, struct span text)
{
    size_t n = text.len < SUBJECT_BYTES_MAX - 1 ? text.len : SUBJECT_BYTES_MAX - 1; /* parsed texts are shorter */
    if (n)
        memcpy(result->text[which], text.data, n);
}

static void put_hash(comity_result *result, enum comity_text which, const struct hash *hash)
{
    char hex[65];
    hash_hex(hash, hex);
    put_span(result, which, span_str(hex));
}

static void put_statement(comity_result *result, const struct standing *standing)
{
    const struct statement *s = &standing->statement;
    put_span(result, COMITY_ISSUER, s->issuer);
    put_span(result, COMITY_SUBJECT, s->subject);
    put_span(result, COMITY_MEDIA, s->media);
    put_hash(result, COMITY_DOCUMENT_HASH, &s->document);
    put_hash(result, COMITY_STATEMENT_ID, &s->id);
    const int64_t numbers[NUMBER_COUNT] = {
        [COMITY_INDEX] = (int64_t)standing->index,
        [COMITY_SIZE] = (int64_t)standing->size,
        [COMITY_ISSUED_AT] = s->issued_at,
        [COMITY_STANDING_SINCE] = standing->instant,
        [COMITY_COSIGNED] = (int64_t)standing->cosigned,
        [COMITY_NEEDED] = (int64_t)standing->needed,
        [COMITY_MEMBERS] = (int64_t)standing->members,
        [COMITY_DOCUMENT_CHECKED] = standing->document_checked,
    };
    memcpy(result->number, numbers, sizeof numbers);
}

static void put_error(comity_result *result, int code, const struct fault *fault)
{
    const struct error_text *text = error_text(code);
    struct buf sentence;
    buf_init(&sentence, 4096);
    if (fault->where[0]) {
        text_show(&sentence, span_str(fault->where));
        buf_text(&sentence, ": ");
    }
    buf_text(&sentence, text->message);
    if (fault->detail[0]) {
        buf_text(&sentence, ": ");
        text_show(&sentence, span_str(fault->detail));
    }
    (void)snprintf(result->error, sizeof result->error, "%s", text->id);
    (void)snprintf(result->message, sizeof result->message, "%.*s", (int)sentence.len, (const char *)sentence.data);
    buf_free(&sentence);
}

static enum comity_verdict verdict_of(int code)
{
    switch (code) {
    case 0:
        return COMITY_STANDS;
    case E_UNWITNESSED:
        return COMITY_UNWITNESSED;
    case E_NOMEM:
    case E_STATE:
        return COMITY_FAILED;
    default:
        return COMITY_INVALID;
    }
}

static int decide(struct question *q)
{
    if (q->ill_given)
        return fail(&q->fault, E_USAGE, "a length was given for no bytes");
    int rc = crypto_start();
    if (rc)
        return fail(&q->fault, rc, "the cryptographic libraries do not start");
    rc = bundle_parse_charter(q->bundle, &q->roster, &q->arena, &q->fault);
    if (rc)
        return rc;
    if (!q->statement_alone)
        return receipt_verify(&q->roster, q->subject, &q->document, &q->standing, &q->arena, &q->fault);
    rc = standing_check_statement(&q->roster, q->subject, &q->document, &q->standing, &q->fault);
    return rc ? rc : fail(&q->fault, E_UNWITNESSED, "a statement alone says nothing of who holds it");
}

/* A result tells of a statement only when nothing was wrong with it. */
static comity_result *result_new(const struct question *q, int code)
{
    comity_result *result = calloc(1, sizeof *result);
    if (!result)
        return NULL;
    if (q->roster.count) {
        put_hash(result, COMITY_CIRCLE, &q->roster.circle);
        put_span(result, COMITY_CIRCLE_NAME, span_str(q->roster.circle_name));
    }
    if (code == 0 || code == E_UNWITNESSED)
        put_statement(result, &q->standing);
    if (code)
        put_error(result, code, &q->fault);
    return result;
}

/* NULL is "not given"; an empty input of the caller's is a place with no bytes. A length without bytes must not pass for either. */
static enum comity_verdict answer(struct question *q, comity_result **result)
{
    q->ill_given = (!q->bundle.data && q->bundle.len) || (!q->subject.data && q->subject.len) ||
                   (!q->document.data && q->document.len);
    if (result)
        *result = NULL;
    arena_init(&q->arena, memory_max);
    int code = decide(q);
    if (result)
        *result = result_new(q, code);
    arena_free(&q->arena);
    return verdict_of(code);
}

enum comity_verdict comity_verify_receipt(const void *bundle, size_t bundle_len, const void *receipt,
                                          size_t receipt_len, const void *document, size_t document_len,
                                          comity_result **result)
{
    struct question q = {.bundle = span_of(bundle, bundle_len),
                         .subject = span_of(receipt, receipt_len),
                         .document = span_of(document, document_len)};
    return answer(&q, result);
}

enum comity_verdict comity_verify_statement(const void *bundle, size_t bundle_len, const void *statement,
                                            size_t statement_len, const void *document, size_t document_len,
                                            comity_result **result)
{
    struct question q = {.bundle = span_of(bundle, bundle_len),
                         .subject = span_of(statement, statement_len),
                         .document = span_of(document, document_len),
                         .statement_alone = true};
    return answer(&q, result);
}

enum comity_verdict comity_check_inclusion(const void *entry, size_t entry_len, uint64_t index, uint64_t size,
                                           const uint8_t *proof, size_t proof_count, const uint8_t root[32])
{
    struct hash hashes[PROOF_HASHES_MAX], leaf, want;
    if (!root || proof_count > PROOF_HASHES_MAX || (proof_count && !proof) || (entry_len && !entry))
        return COMITY_INVALID;
    if (crypto_start() != 0)
        return COMITY_FAILED;
    for (size_t i = 0; i < proof_count; i++)
        memcpy(hashes[i].b, proof + 32 * i, 32);
    memcpy(want.b, root, sizeof want.b);
    tree_leaf(span_of(entry, entry_len), &leaf);
    return tree_verify_inclusion(index, size, &leaf, hashes, proof_count, &want) == 0 ? COMITY_STANDS : COMITY_INVALID;
}

void comity_result_free(comity_result *result)
{
    free(result);
}

const char *comity_result_text(const comity_result *result, enum comity_text which)
{
    return result && (unsigned)which < TEXT_COUNT ? result->text[which] : "";
}

int64_t comity_result_number(const comity_result *result, enum comity_number which)
{
    return result && (unsigned)which < NUMBER_COUNT ? result->number[which] : 0;
}

const char *comity_result_error(const comity_result *result)
{
    return result ? result->error : "";
}

const char *comity_result_message(const comity_result *result)
{
    return result ? result->message : "";
}

const char *comity_version(void)
{
    return COMITY_VERSION;
}
