#include "record/statement.h"

#include "base/text.h"
#include "record/tree.h"

enum { ALG_SHA256 = -16 };
enum { CLAIM_ISS = 1, CLAIM_SUB = 2, CLAIM_IAT = 6 };

static int take_hash(struct cbor *c, struct hash *out)
{
    struct span bytes;
    int rc = cbor_take_bytes(c, &bytes);
    if (rc == 0 && bytes.len != sizeof out->b)
        rc = E_TYPE;
    if (rc == 0)
        memcpy(out->b, bytes.data, sizeof out->b);
    return rc;
}

static int take_claims(struct cbor *c, struct statement *s)
{
    struct span previous = {0};
    size_t pairs;
    int64_t key;
    int rc = cbor_take_map(c, &pairs);
    if (rc == 0 && pairs != 3)
        return E_MISSING;
    for (int i = 0; i < 3 && rc == 0; i++) {
        static const int64_t keys[] = {CLAIM_ISS, CLAIM_SUB, CLAIM_IAT};
        rc = cbor_take_key(c, &previous, &key);
        if (rc == 0 && key != keys[i])
            rc = E_UNSUPPORTED;
        if (rc == 0)
            rc = i == 0   ? cbor_take_text(c, &s->issuer)
                 : i == 1 ? cbor_take_text(c, &s->subject)
                          : cbor_take_int(c, &s->issued_at);
    }
    return rc;
}

static int take_answers(struct cbor *c, struct statement *s)
{
    int rc = cbor_take_array(c, &s->answer_count);
    if (rc == 0 && (s->answer_count == 0 || s->answer_count > STATEMENT_ANSWERS_MAX))
        return E_LIMIT;
    for (size_t i = 0; i < s->answer_count && rc == 0; i++) {
        rc = take_hash(c, &s->answers[i]);
        for (size_t j = 0; j < i && rc == 0; j++)
            if (hash_eq(&s->answers[i], &s->answers[j]))
                rc = E_DUPLICATE;
    }
    return rc;
}

static int take_constant(struct cbor *c, int64_t want)
{
    int64_t value;
    int rc = cbor_take_int(c, &value);
    return rc == 0 && value != want ? E_UNSUPPORTED : rc;
}

static int take_typ(struct cbor *c)
{
    struct span typ;
    int rc = cbor_take_text(c, &typ);
    return rc == 0 && !span_is(typ, STATEMENT_TYP) ? E_UNSUPPORTED : rc;
}

/* Exactly these labels, in deterministic order; the last one may be absent. */
static const int64_t labels[] = {1, 4, 15, 16, 258, 259, LABEL_CIRCLE, LABEL_ANSWERS};

static int take_label(struct cbor *c, int64_t label, struct statement *s)
{
    switch (label) {
    case 1:
        return take_constant(c, COSE_ALG_ED25519);
    case 4:
        return take_hash(c, &s->kid);
    case 15:
        return take_claims(c, s);
    case 16:
        return take_typ(c);
    case 258:
        return take_constant(c, ALG_SHA256);
    case 259:
        return cbor_take_text(c, &s->media);
    case LABEL_CIRCLE:
        return take_hash(c, &s->circle);
    default:
        return take_answers(c, s);
    }
}

static int take_protected(struct statement *s, struct fault *fault)
{
    struct cbor c;
    struct span previous = {0};
    size_t pairs = 0, most = sizeof labels / sizeof labels[0];
    int64_t key = 0;
    cbor_open(&c, s->cose.protected_bytes);
    int rc = cbor_take_map(&c, &pairs);
    if (rc == 0 && (pairs < most - 1 || pairs > most))
        return fail(fault, E_MISSING, "the protected header has %zu labels, %zu or %zu are wanted", pairs, most - 1,
                    most);
    for (size_t i = 0; i < pairs && rc == 0; i++) {
        rc = cbor_take_key(&c, &previous, &key);
        if (rc == 0 && key != labels[i])
            rc = E_UNSUPPORTED;
        if (rc == 0)
            rc = take_label(&c, labels[i], s);
        if (rc)
            return fail(fault, rc, "protected header, label %lld", (long long)labels[i]);
    }
    rc = rc ? rc : cbor_end(&c);
    return rc ? fail(fault, rc, "protected header") : 0;
}

static size_t restricted_name(struct span text, size_t at)
{
    while (at < text.len && text.data[at] &&
           strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&-^_.+", text.data[at]))
        at++;
    return at;
}

/* type/subtype (RFC 6838 section 4.2), then parameters in printable ASCII: it becomes a Content-Type, so no line may end in it. */
static bool media_valid(struct span media)
{
    size_t slash = restricted_name(media, 0);
    if (!slash || slash == media.len || media.data[slash] != '/')
        return false;
    size_t end = restricted_name(media, slash + 1);
    if (end == slash + 1 || (end < media.len && media.data[end] != ';'))
        return false;
    for (size_t i = end; i < media.len; i++)
        if (media.data[i] < 0x20 || media.data[i] > 0x7e)
            return false;
    return true;
}

static int check_texts(const struct statement *s, struct fault *fault)
{
    if (!name_valid(s->issuer))
        return fail(fault, E_SYNTAX, "iss is not a party name");
    if (!s->subject.len || s->subject.len >= SUBJECT_BYTES_MAX)
        return fail(fault, E_LIMIT, "sub has %zu bytes, 1 to %d are allowed", s->subject.len, SUBJECT_BYTES_MAX - 1);
    if (s->media.len >= MEDIA_BYTES_MAX)
        return fail(fault, E_LIMIT, "a media type has at most %d bytes", MEDIA_BYTES_MAX - 1);
    if (!media_valid(s->media))
        return fail(fault, E_SYNTAX, "label 259 is not a media type");
    return 0;
}

int statement_parse(struct statement *out, struct span bytes, struct fault *fault)
{
    *out = (struct statement){.bytes = bytes};
    if (bytes.len > STATEMENT_BYTES_MAX)
        return fail(fault, E_LIMIT, "a statement has at most %d bytes, this has %zu", STATEMENT_BYTES_MAX, bytes.len);
    int rc = cose_parse(&out->cose, bytes);
    if (rc)
        return fail(fault, rc, "COSE_Sign1");
    if (out->cose.unprotected.len != 1 || out->cose.unprotected.data[0] != 0xa0)
        return fail(fault, E_UNSUPPORTED, "the unprotected header must be empty");
    if (out->cose.detached || out->cose.payload.len != sizeof out->document.b)
        return fail(fault, E_TYPE, "the payload must be a SHA-256 hash");
    memcpy(out->document.b, out->cose.payload.data, sizeof out->document.b);
    rc = take_protected(out, fault);
    if (rc == 0)
        rc = check_texts(out, fault);
    if (rc == 0)
        tree_leaf(bytes, &out->id);
    return rc;
}

int statement_verify(const struct statement *s, const struct public_key *key)
{
    struct hash kid;
    key_id(key, &kid);
    if (!hash_eq(&kid, &s->kid))
        return E_KEY;
    return cose_verify(&s->cose, s->cose.payload, key);
}

void statement_protected(struct buf *out, const struct statement *s)
{
    cbor_put_map(out, s->answer_count ? 8 : 7);
    cbor_put_int(out, 1);
    cbor_put_int(out, COSE_ALG_ED25519);
    cbor_put_int(out, 4);
    cbor_put_bytes(out, span_hash(&s->kid));
    cbor_put_int(out, 15);
    cbor_put_map(out, 3);
    cbor_put_int(out, CLAIM_ISS);
    cbor_put_text(out, s->issuer);
    cbor_put_int(out, CLAIM_SUB);
    cbor_put_text(out, s->subject);
    cbor_put_int(out, CLAIM_IAT);
    cbor_put_int(out, s->issued_at);
    cbor_put_int(out, 16);
    cbor_put_text(out, span_str(STATEMENT_TYP));
    cbor_put_int(out, 258);
    cbor_put_int(out, ALG_SHA256);
    cbor_put_int(out, 259);
    cbor_put_text(out, s->media);
    cbor_put_int(out, LABEL_CIRCLE);
    cbor_put_bytes(out, span_hash(&s->circle));
    if (!s->answer_count)
        return;
    cbor_put_int(out, LABEL_ANSWERS);
    cbor_put_array(out, s->answer_count);
    for (size_t i = 0; i < s->answer_count; i++)
        cbor_put_bytes(out, span_hash(&s->answers[i]));
}

int statement_compose(struct buf *out, const struct statement *fields, const struct secret_key *key)
{
    struct buf header, message;
    struct signature signature;
    struct statement check;
    buf_init(&header, STATEMENT_BYTES_MAX);
    buf_init(&message, 2 * STATEMENT_BYTES_MAX);
    statement_protected(&header, fields);
    cose_to_be_signed(&message, buf_view(&header), span_hash(&fields->document));
    int rc = header.error ? header.error : message.error;
    if (rc == 0) {
        sign(key, buf_view(&message), &signature);
        cose_write(out, buf_view(&header), span_of(NULL, 0), span_hash(&fields->document), &signature);
        rc = out->error ? out->error : statement_parse(&check, buf_view(out), NULL);
    }
    buf_free(&header);
    buf_free(&message);
    return rc;
}
