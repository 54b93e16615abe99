#include "circle/member.h"
#include "tests/circle/subject.h"
#include "tests/test.h"

#define DOCUMENT "/documents/00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct subject s;
static const int64_t now = 1700001000;

/* `from` replaced by `to` once; a NULL `from` appends. */
static void altered(struct buf *header, const char *from, const char *to)
{
    struct buf out;
    buf_init(&out, 4096);
    buf_byte(header, 0);
    const char *text = (const char *)header->data, *at = from ? strstr(text, from) : text + strlen(text);
    if (!at)
        abort();
    buf_add(&out, text, (size_t)(at - text));
    buf_text(&out, to);
    buf_text(&out, at + (from ? strlen(from) : 0));
    buf_free(header);
    *header = out;
}

struct asked {
    struct buf input, signature;
};

static void ask_as(struct asked *a, size_t party, enum key_role role, int64_t created, const char *authority,
                   const char *path)
{
    struct buf base;
    struct signature signature;
    struct hash kid;
    key_id(&s.cards[party].keys[role], &kid);
    buf_init(&a->input, 4096);
    buf_init(&a->signature, 4096);
    buf_init(&base, MEMBER_BASE_BYTES_MAX);
    member_input_write(&a->input, created, &kid);
    member_base_write(&base, span_str(authority), span_str(path), span_from(buf_view(&a->input), 7));
    sign(s.secret[party][role], buf_view(&base), &signature);
    member_signature_write(&a->signature, &signature);
    buf_free(&base);
}

static int verdict(struct asked *a, const char *host, const char *path, const struct party **who)
{
    const struct member_request request = {.host = span_str(host),
                                           .own_url = span_str(s.cards[0].url),
                                           .path = span_str(path),
                                           .input = buf_view(&a->input),
                                           .signature = buf_view(&a->signature),
                                           .now = now};
    int rc = member_verify(&s.roster, &request, who);
    buf_free(&a->input);
    buf_free(&a->signature);
    return rc;
}

static void requests(void)
{
    static const struct {
        size_t party;
        enum key_role role;
        int64_t age;
        const char *authority, *host, *signed_path, *path;
        int want;
    } rows[] = {
        {1, KEY_STATEMENT, 0, "p00.example:8440", "p00.example:8440", DOCUMENT, DOCUMENT, 0},
        {0, KEY_STATEMENT, 0, "p00.example:8440", "p00.example:8440", DOCUMENT, DOCUMENT, 0},
        {3, KEY_STATEMENT, 300, "p00.example:8440", "P00.Example:8440", DOCUMENT, DOCUMENT, 0},
        {3, KEY_STATEMENT, -300, "p00.example:8440", "p00.example:8440", DOCUMENT, DOCUMENT, 0},
        {3, KEY_STATEMENT, 301, "p00.example:8440", "p00.example:8440", DOCUMENT, DOCUMENT, E_STATE},
        {3, KEY_STATEMENT, -301, "p00.example:8440", "p00.example:8440", DOCUMENT, DOCUMENT, E_STATE},
        {3, KEY_STATEMENT, 1700001000, "p00.example:8440", "p00.example:8440", DOCUMENT, DOCUMENT, E_STATE},
        {1, KEY_LOG, 0, "p00.example:8440", "p00.example:8440", DOCUMENT, DOCUMENT, E_KEY},
        {1, KEY_MIRROR, 0, "p00.example:8440", "p00.example:8440", DOCUMENT, DOCUMENT, E_KEY},
        {1, KEY_WITNESS, 0, "p00.example:8440", "p00.example:8440", DOCUMENT, DOCUMENT, E_KEY},
        {4, KEY_STATEMENT, 0, "p00.example:8440", "p00.example:8440", DOCUMENT, DOCUMENT,
         E_KEY}, /* not in the circle */
        {1, KEY_STATEMENT, 0, "p02.example:8440", "p00.example:8440", DOCUMENT, DOCUMENT,
         E_SIGNATURE}, /* meant for another party */
        {1, KEY_STATEMENT, 0, "p02.example:8440", "p02.example:8440", DOCUMENT, DOCUMENT, E_REFUSED},
        {1, KEY_STATEMENT, 0, "p00.example", "p00.example", DOCUMENT, DOCUMENT, E_REFUSED},
        {1, KEY_STATEMENT, 0, "p00.example:8440", "", DOCUMENT, DOCUMENT, E_REFUSED},
        {1, KEY_STATEMENT, 0, "p00.example:8440", "p00.example:8440, p00.example:8440", DOCUMENT, DOCUMENT, E_REFUSED},
        {1, KEY_STATEMENT, 0, "p00.example:8440", "p00.example:8440", DOCUMENT "0", DOCUMENT, E_SIGNATURE},
        {1, KEY_STATEMENT, 0, "p00.example:8440", "p00.example:8440", "/checkpoint", "/checkpoint", E_REFUSED},
        {1, KEY_STATEMENT, 0, "p00.example:8440", "p00.example:8440", DOCUMENT "?", DOCUMENT "?", E_REFUSED},
        {1, KEY_STATEMENT, 0, "p00.example:8440", "p00.example:8440", "/documents/", "/documents/", E_REFUSED},
    };
    test("who may ask, for what, where and when");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct party *who = NULL;
        struct asked a;
        ask_as(&a, rows[i].party, rows[i].role, now - rows[i].age, rows[i].authority, rows[i].signed_path);
        int rc = verdict(&a, rows[i].host, rows[i].path, &who);
        if (rc != rows[i].want)
            printf("# row %zu\n", i);
        CHECK_INT(rc, rows[i].want);
        CHECK(rc ? !who : strcmp(who->card.name, s.cards[rows[i].party].name) == 0);
    }
}

static void headers(void)
{
    static const struct {
        int header; /* 0: Signature-Input, 1: Signature */
        const char *from, *to;
        int want;
    } rows[] = {
        {0, "comity=", "comity=", 0},
        {0, "comity=", "sig1=", E_SYNTAX},
        {0, "comity=", "Comity=", E_SYNTAX},
        {0, "comity=", " comity=", E_SYNTAX},
        {0, "comity=", "comity= ", E_SYNTAX},
        {0, "comity=", "", E_SYNTAX},
        {0, "\"@method\" ", "", E_SYNTAX},
        {0, "\"@method\" \"@authority\"", "\"@authority\" \"@method\"", E_SYNTAX},
        {0, "\"@path\"", "\"@path\" \"date\"", E_SYNTAX},
        {0, "\"@path\"", "\"@target-uri\"", E_SYNTAX},
        {0, "\"@path\"", "\"@path\";req", E_SYNTAX},
        {0, "\" \"", "\"  \"", E_SYNTAX},
        {0, "created=1700001000", "created=01700001000", E_SYNTAX},
        {0, "created=1700001000", "created=+1700001000", E_SYNTAX},
        {0, "created=1700001000", "created=-1", E_SYNTAX},
        {0, "created=1700001000", "created=", E_SYNTAX},
        {0, "created=1700001000", "created=1700001000.0", E_SYNTAX},
        {0, "created=1700001000", "created=1000000000000", E_SYNTAX},
        {0, "created=1700001000", "created=999999999999", E_STATE},
        {0, "created=1700001000", "created=1700001001", E_SIGNATURE},
        {0, ";created=1700001000", "", E_SYNTAX},
        {0, ";created", ";expires=1700002000;created", E_SYNTAX},
        {0, ";keyid=\"", ";keyid=\"A", E_SYNTAX},
        {0, "=\";alg", "\";alg", E_SYNTAX},
        {0, "=\";alg", "=\" ;alg", E_SYNTAX},
        {0, "ed25519", "rsa-pss-sha512", E_SYNTAX},
        {0, ";alg=\"ed25519\"", "", E_SYNTAX},
        {0, "\"ed25519\"", "\"ed25519\";nonce=\"a\"", E_SYNTAX},
        {0, NULL, " ", E_SYNTAX},
        {0, NULL, ", other=()", E_SYNTAX},
        {1, "comity=:", "comity=:", 0},
        {1, "comity=:", "sig1=:", E_SYNTAX},
        {1, "comity=:", "comity=\"", E_SYNTAX},
        {1, "comity=:", "comity=:A", E_SYNTAX},
        {1, "==:", ":", E_SYNTAX},
        {1, "==:", "==", E_SYNTAX},
        {1, "==:", "AA:", E_SYNTAX},
        {1, "==:", "==:;a", E_SYNTAX},
        {1, NULL, ", other=:AA==:", E_SYNTAX},
    };
    test("headers have one form");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct party *who = NULL;
        struct asked a;
        ask_as(&a, 2, KEY_STATEMENT, now, "p00.example:8440", DOCUMENT);
        altered(rows[i].header ? &a.signature : &a.input, rows[i].from, rows[i].to);
        int rc = verdict(&a, "p00.example:8440", DOCUMENT, &who);
        if (rc != rows[i].want)
            printf("# row %zu: %s\n", i, rows[i].to);
        CHECK_INT(rc, rows[i].want);
    }
    test("empty headers are none of ours");
    struct member_input input;
    struct signature signature;
    CHECK_INT(member_input_parse(&input, span_of(NULL, 0)), E_SYNTAX);
    CHECK_INT(member_signature_parse(&signature, span_of(NULL, 0)), E_SYNTAX);
}

static void bytes_all(void)
{
    test("no byte of either header can be another one");
    int accepted = 0;
    for (int header = 0; header < 2; header++) {
        for (size_t at = 0; at < 127 && (!header || at < MEMBER_SIGNATURE_BYTES); at++) {
            const struct party *who = NULL;
            struct asked a;
            ask_as(&a, 2, KEY_STATEMENT, now, "p00.example:8440", DOCUMENT);
            struct buf *b = header ? &a.signature : &a.input;
            bool within = at < b->len;
            if (within)
                b->data[at] ^= 1;
            accepted += (verdict(&a, "p00.example:8440", DOCUMENT, &who) == 0) == within;
        }
    }
    CHECK_INT(accepted, 0);
}

static void authorities(void)
{
    static const struct {
        const char *url, *want; /* NULL: refused */
    } rows[] = {
        {"http://a.example", "a.example"},
        {"http://a.example:8440", "a.example:8440"},
        {"http://A.Example:80", "a.example"},
        {"https://a.example:443/comity", "a.example"},
        {"https://a.example:80/comity", "a.example:80"},
        {"http://a.example:443", "a.example:443"},
        {"http://[::1]:8440/x", "[::1]:8440"},
        {"http://node_1", "node_1"},
        {"ftp://a.example", NULL},
        {"http://", NULL},
        {"http:///x", NULL},
        {"http://a b", NULL},
        {"http://a@b", NULL},
        {"http://a\nb", NULL},
        {"http://a\"b", NULL},
        {"", NULL},
    };
    char got[MEMBER_AUTHORITY_BYTES_MAX + 1];
    test("authorities of URLs");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int rc = member_authority(got, span_str(rows[i].url));
        if ((rc == 0) != (rows[i].want != NULL))
            printf("# %s\n", rows[i].url);
        CHECK((rc == 0) == (rows[i].want != NULL));
        CHECK(rc || strcmp(got, rows[i].want) == 0);
    }
    char longest[MEMBER_AUTHORITY_BYTES_MAX + 16] = "http://";
    memset(longest + 7, 'a', MEMBER_AUTHORITY_BYTES_MAX + 1);
    CHECK_INT(member_authority(got, span_str(longest)), E_LIMIT);
    longest[7 + MEMBER_AUTHORITY_BYTES_MAX] = 0;
    CHECK_INT(member_authority(got, span_str(longest)), 0);
}

static void base(void)
{
    struct buf out;
    test("the signature base is RFC 9421's");
    buf_init(&out, MEMBER_BASE_BYTES_MAX);
    member_base_write(&out, span_str("a.example"), span_str("/documents/x"),
                      span_str("(\"@method\" \"@authority\" \"@path\");created=1"));
    CHECK(span_is(buf_view(&out), "\"@method\": GET\n\"@authority\": a.example\n\"@path\": /documents/x\n"
                                  "\"@signature-params\": (\"@method\" \"@authority\" \"@path\");created=1"));
    buf_free(&out);
}

int main(void)
{
    if (crypto_start() != 0 || subject_make(&s, 4, 4, 4, 0, 0) != 0)
        return 1;
    subject_keys(&s, 4, 0); /* a stranger */
    requests();
    headers();
    bytes_all();
    authorities();
    base();
    for (int role = 0; role < KEY_COUNT; role++)
        secret_key_free(s.secret[4][role]);
    subject_free(&s);
    return test_end();
}
