#include "circle/member.h"

#include "base/text.h"

static const char label[] = "comity=", components[] = "(\"@method\" \"@authority\" \"@path\"",
                  and_digest[] = " \"content-digest\"", created_at[] = ");created=", key_id_is[] = ";keyid=\"",
                  ending[] = "\";alg=\"ed25519\"", documents[] = "/documents/";

static bool take(struct span *rest, const char *text)
{
    if (!span_starts(*rest, text))
        return false;
    *rest = span_from(*rest, strlen(text));
    return true;
}

int member_input_parse(struct member_input *out, struct span header)
{
    struct span rest = header;
    uint64_t created;
    size_t digits = 0;
    if (header.len > MEMBER_INPUT_BYTES_MAX || !take(&rest, label))
        return E_SYNTAX;
    out->params = rest;
    if (!take(&rest, components))
        return E_SYNTAX;
    out->digest = take(&rest, and_digest);
    if (!take(&rest, created_at))
        return E_SYNTAX;
    while (digits < rest.len && rest.data[digits] != ';')
        digits++;
    if (digits > MEMBER_CREATED_DIGITS_MAX || !decimal_parse(span_of(rest.data, digits), &created))
        return E_SYNTAX;
    out->created = (int64_t)created;
    rest = span_from(rest, digits);
    if (!take(&rest, key_id_is) || rest.len != 44 + sizeof ending - 1 || !span_is(span_from(rest, 44), ending))
        return E_SYNTAX;
    return base64_hash(span_of(rest.data, 44), &out->kid) ? 0 : E_SYNTAX;
}

int member_signature_parse(struct signature *out, struct span header)
{
    size_t len = 0;
    struct span rest = header;
    if (header.len != MEMBER_SIGNATURE_BYTES || !take(&rest, label) || rest.data[0] != ':' ||
        rest.data[rest.len - 1] != ':')
        return E_SYNTAX;
    return base64_parse(span_of(rest.data + 1, rest.len - 2), out->b, sizeof out->b, &len) && len == sizeof out->b
               ? 0
               : E_SYNTAX;
}

void member_input_write(struct buf *out, int64_t created, const struct hash *kid)
{
    hosted_input_write(out, created, kid, false);
}

void hosted_input_write(struct buf *out, int64_t created, const struct hash *kid, bool digest)
{
    buf_printf(out, "%s%s%s%s%lld%s", label, components, digest ? and_digest : "", created_at, (long long)created,
               key_id_is);
    buf_base64(out, span_hash(kid));
    buf_text(out, ending);
}

void member_signature_write(struct buf *out, const struct signature *signature)
{
    buf_printf(out, "%s:", label);
    buf_base64(out, span_of(signature->b, sizeof signature->b));
    buf_byte(out, ':');
}

static bool authority_valid(struct span text)
{
    static const char more[] = "-._:[]";
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && !(c && strchr(more, c)))
            return false;
    }
    return text.len && text.len <= MEMBER_AUTHORITY_BYTES_MAX;
}

int member_request_check(struct span method, struct span authority, struct span path)
{
    struct hash document;
    bool good = span_is(method, "GET") && span_starts(path, documents) &&
                hash_parse(span_from(path, sizeof documents - 1), &document);
    return good && authority_valid(authority) ? 0 : E_REFUSED;
}

void member_base_write(struct buf *out, struct span authority, struct span path, struct span params)
{
    hosted_base_write(out, span_str("GET"), authority, path, NULL, params);
}

void hosted_digest_write(struct buf *out, const struct hash *digest)
{
    buf_text(out, "sha-256=:");
    buf_base64(out, span_hash(digest));
    buf_byte(out, ':');
}

void hosted_base_write(struct buf *out, struct span method, struct span authority, struct span path,
                       const struct hash *digest, struct span params)
{
    buf_text(out, "\"@method\": ");
    buf_span(out, method);
    buf_text(out, "\n\"@authority\": ");
    buf_span(out, authority);
    buf_text(out, "\n\"@path\": ");
    buf_span(out, path);
    if (digest) {
        buf_text(out, "\n\"content-digest\": ");
        hosted_digest_write(out, digest);
    }
    buf_text(out, "\n\"@signature-params\": ");
    buf_span(out, params);
}

static void lower(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        text[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
}

int member_authority(char out[static MEMBER_AUTHORITY_BYTES_MAX + 1], struct span url)
{
    bool tls = span_starts(url, "https://");
    const char *own_port = tls ? ":443" : ":80";
    size_t len = 0, port = strlen(own_port);
    if (!tls && !span_starts(url, "http://"))
        return E_SYNTAX;
    url = span_from(url, tls ? 8 : 7);
    while (len < url.len && url.data[len] != '/')
        len++;
    if (len > port && memcmp(url.data + len - port, own_port, port) == 0)
        len -= port;
    if (len > MEMBER_AUTHORITY_BYTES_MAX)
        return E_LIMIT;
    if (len)
        memcpy(out, url.data, len);
    lower(out, len);
    out[len] = 0;
    return authority_valid(span_of(out, len)) ? 0 : E_SYNTAX;
}

static const struct party *party_of_key(const struct roster *roster, const struct hash *kid)
{
    for (size_t i = 0; i < roster->count; i++)
        if (hash_eq(&roster->parties[i].kids[KEY_STATEMENT], kid))
            return &roster->parties[i];
    return NULL;
}

/* Asked by the name that the others know us by: a signature for another host is no use here. */
static bool host_is_ours(struct span host, const char *authority)
{
    char name[MEMBER_AUTHORITY_BYTES_MAX + 1];
    if (!host.len || host.len > MEMBER_AUTHORITY_BYTES_MAX)
        return false;
    memcpy(name, host.data, host.len);
    lower(name, host.len);
    return span_is(span_of(name, host.len), authority);
}

/* Header, host and time: everything but whose key it is. */
static int head_check(const struct member_request *request, struct member_input *input, struct signature *signature,
                      char authority[static MEMBER_AUTHORITY_BYTES_MAX + 1])
{
    int rc = member_input_parse(input, request->input);
    rc = rc ? rc : member_signature_parse(signature, request->signature);
    rc = rc ? rc : member_authority(authority, request->own_url);
    if (rc)
        return rc;
    if (!host_is_ours(request->host, authority))
        return E_REFUSED;
    bool now = input->created <= request->now + MEMBER_SKEW_MAX && input->created >= request->now - MEMBER_SKEW_MAX;
    return now ? 0 : E_STATE;
}

int hosted_verify(struct hosted_request *request)
{
    char authority[MEMBER_AUTHORITY_BYTES_MAX + 1];
    struct member_input input;
    struct signature signature;
    struct hash kid;
    struct buf base;
    int rc = head_check(&request->head, &input, &signature, authority);
    if (rc == 0 && input.digest != (request->digest != NULL))
        rc = E_SYNTAX;
    key_id(request->key, &kid);
    if (rc == 0 && !hash_eq(&kid, &input.kid))
        rc = E_KEY;
    if (rc)
        return rc;
    buf_init(&base, MEMBER_BASE_BYTES_MAX);
    hosted_base_write(&base, request->method, span_str(authority), request->head.path, request->digest, input.params);
    rc = base.error ? base.error : sign_verify(request->key, buf_view(&base), &signature) ? 0 : E_SIGNATURE;
    buf_free(&base);
    request->created = input.created;
    return rc;
}

int member_verify(const struct roster *roster, const struct member_request *request, const struct party **party)
{
    char authority[MEMBER_AUTHORITY_BYTES_MAX + 1];
    struct member_input input;
    struct signature signature;
    int rc = head_check(request, &input, &signature, authority);
    if (rc)
        return rc;
    if (input.digest)
        return E_SYNTAX;
    if (member_request_check(span_str("GET"), span_str(authority), request->path) != 0)
        return E_REFUSED;
    const struct party *found = party_of_key(roster, &input.kid);
    if (!found)
        return E_KEY;
    struct hosted_request whole = {
        .method = span_str("GET"), .head = *request, .key = &found->card.keys[KEY_STATEMENT]};
    rc = hosted_verify(&whole);
    if (rc == 0)
        *party = found;
    return rc;
}
