#include "tests/circle/subject.h"
#include "tests/test.h"

static struct subject s;

/* The card of party 0 with `from` replaced by `to` in its text, signed anew. */
static int with(const char *from, const char *to)
{
    struct buf text, changed, note;
    struct card card;
    struct fault fault = {0};
    buf_init(&text, CARD_BYTES_MAX);
    buf_init(&changed, CARD_BYTES_MAX);
    buf_init(&note, 2 * CARD_BYTES_MAX);
    card_write_text(&text, &s.cards[0]);
    buf_byte(&text, 0);
    const char *whole = (const char *)text.data, *at = strstr(whole, from);
    if (!at)
        abort();
    buf_add(&changed, whole, (size_t)(at - whole));
    buf_text(&changed, to);
    buf_text(&changed, at + strlen(from));
    subject_card_sign(&s, 0, buf_view(&changed), &note);
    int rc = card_parse(&card, buf_view(&note), &fault);
    if (rc && (fault.code != rc || !fault.detail[0]))
        rc = 1; /* every refusal says why */
    buf_free(&text);
    buf_free(&changed);
    buf_free(&note);
    return rc;
}

static const struct {
    const char *to;
    int rc;
} urls[] = {
    {"url http://p00.example", 0},
    {"url https://p00.example/comity/node", 0},
    {"url http://127.0.0.1:8440", 0},
    {"url http://[::1]:8440/a", 0},
    {"url http://node_1:80", 0},
    {"url http://p00.example/", E_SYNTAX},
    {"url http://p00.example/a/", E_SYNTAX},
    {"url http://p00.example/a//b", E_SYNTAX},
    {"url http://p00.example/../b", E_SYNTAX},
    {"url http://p00.example/%2e%2e/b", E_SYNTAX},
    {"url ftp://p00.example", E_SYNTAX},
    {"url HTTP://p00.example", E_SYNTAX},
    {"url http://user@p00.example", E_SYNTAX},
    {"url http://user:x@p00.example", E_SYNTAX},
    {"url http://p00.example?q", E_SYNTAX},
    {"url http://p00.example/a#b", E_SYNTAX},
    {"url http://p00.example/a b", E_SYNTAX},
    {"url http://p00.example\\a", E_SYNTAX},
    {"url http://", E_SYNTAX},
    {"url http:///a", E_SYNTAX},
    {"url http://:80", E_SYNTAX},
    {"url http://p00.example:", E_SYNTAX},
    {"url http://p00.example:0", E_SYNTAX},
    {"url http://p00.example:080", E_SYNTAX},
    {"url http://p00.example:65536", E_SYNTAX},
    {"url http://p00.example:80:90", E_SYNTAX},
    {"url http://[::1", E_SYNTAX},
    {"url http://[]:80", E_SYNTAX},
    {"url http://[::1]80", E_SYNTAX},
    {"url http://p\xc3\xb6"
     "0.example",
     E_SYNTAX},
    {"url ", E_SYNTAX},
    {"url", E_SYNTAX},
};

static const struct {
    const char *from, *to;
    int rc;
} lines[] = {
    {"role state", "role vendor", 0},
    {"jurisdiction X0", "jurisdiction Two Words (1)", 0},
    {"comity-card/1", "comity-card/2", E_UNSUPPORTED},
    {"comity-card/1\n", "", E_UNSUPPORTED},
    {"name p00", "name P00", E_SYNTAX},
    {"name p00", "name a..b", E_SYNTAX},
    {"name p00", "name  p00", E_SYNTAX},
    {"name p00", "name p00 ", E_SYNTAX},
    {"role state", "role State", E_SYNTAX},
    {"role state", "role witness", E_SYNTAX},
    {"role state\n", "", E_SYNTAX},
    {"role state\n", "role state\nrole state\n", E_SYNTAX},
    {"jurisdiction X0", "jurisdiction ", E_SYNTAX},
    {"jurisdiction X0", "jurisdiction  X0", E_SYNTAX},
    {"jurisdiction X0", "jurisdiction X0 ", E_SYNTAX},
    {"jurisdiction X0", "jurisdiction X\xd0\x9e", E_SYNTAX},
    {"jurisdiction X0", "jurisdiction 0123456789012345678901234567890123456789012345678901234567890123", E_SYNTAX},
    {"made 2023-11-14T22:13:20Z", "made 2023-11-14T22:13:20+00:00", E_CANONICAL},
    {"made 2023-11-14T22:13:20Z", "made 2023-11-14T22:13:20.5Z", E_CANONICAL},
    {"made 2023-11-14T22:13:20Z", "made 2023-13-14T22:13:20Z", E_SYNTAX},
    {"key mirror ", "key miror ", E_SYNTAX},
    {"key seal ", "key seal =", E_SYNTAX},
    {"key seal ", "key steal AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nkey seal ", E_SYNTAX},
};

static void forms(void)
{
    struct card card;
    test("cards of every role are read as they were written");
    for (size_t i = 0; i < s.count; i++) {
        CHECK_INT(card_parse(&card, buf_view(&s.notes[i]), NULL), 0);
        CHECK(memcmp(&card, &s.cards[i], sizeof card) == 0);
    }
    test("addresses");
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        int rc = with("url http://p00.example:8440", urls[i].to);
        if (rc != urls[i].rc)
            printf("# %s\n", urls[i].to);
        CHECK_INT(rc, urls[i].rc);
    }
    test("lines");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        int rc = with(lines[i].from, lines[i].to);
        if (rc != lines[i].rc)
            printf("# %s\n", lines[i].to);
        CHECK_INT(rc, lines[i].rc);
    }
    test("lines after the keys");
    struct buf key;
    buf_init(&key, 256);
    buf_text(&key, "key seal ");
    buf_base64(&key, span_of(s.cards[0].keys[KEY_SEAL].b, 32));
    buf_byte(&key, '\n');
    buf_byte(&key, 0);
    CHECK_INT(with((const char *)key.data, ""), E_SYNTAX);
    key.len--;
    buf_text(&key, "more\n");
    buf_byte(&key, 0);
    char from[128];
    (void)snprintf(from, sizeof from, "%.*s", (int)(strlen((const char *)key.data) - 5), (const char *)key.data);
    CHECK_INT(with(from, (const char *)key.data), E_TRAILING);
    buf_free(&key);
}

static void signatures(void)
{
    struct card card;
    test("each of the five keys must have signed");
    for (int role = 0; role < KEY_SEAL; role++) {
        for (int broken = 0; broken < 2; broken++) {
            struct buf text, note;
            buf_init(&text, CARD_BYTES_MAX);
            buf_init(&note, CARD_BYTES_MAX);
            card_write_text(&text, &s.cards[0]);
            buf_span(&note, buf_view(&text));
            buf_byte(&note, '\n');
            for (int i = 0; i < KEY_SEAL; i++) {
                struct signature signature;
                if (i == role && !broken)
                    continue;
                sign(s.secret[0][i], buf_view(&text), &signature);
                signature.b[40] ^= i == role;
                note_signature_write(&note, span_str("p00"), &s.cards[0].keys[i], &signature);
            }
            CHECK_INT(card_parse(&card, buf_view(&note), NULL), broken ? E_SIGNATURE : E_KEY);
            buf_free(&text);
            buf_free(&note);
        }
    }
    test("one key in two roles is refused");
    for (int role = 1; role < KEY_COUNT; role++) {
        struct card twice = s.cards[1];
        struct buf text, note;
        twice.keys[role] = twice.keys[0];
        buf_init(&text, CARD_BYTES_MAX);
        buf_init(&note, CARD_BYTES_MAX);
        card_write_text(&text, &twice);
        subject_card_sign(&s, 1, buf_view(&text), &note);
        CHECK_INT(card_parse(&card, buf_view(&note), NULL), E_DUPLICATE);
        buf_free(&text);
        buf_free(&note);
    }
    test("every cut and every flipped byte of a card is refused");
    struct span whole = buf_view(&s.notes[0]);
    uint8_t copy[CARD_BYTES_MAX];
    memcpy(copy, whole.data, whole.len);
    for (size_t i = 0; i < whole.len; i++) {
        CHECK(card_parse(&card, span_of(copy, i), NULL) != 0);
        copy[i] ^= 1;
        CHECK(card_parse(&card, span_of(copy, whole.len), NULL) != 0);
        copy[i] ^= 1;
    }
    test("an over-long card is refused before it is read");
    static uint8_t large[CARD_BYTES_MAX + 1];
    CHECK_INT(card_parse(&card, span_of(large, sizeof large), NULL), E_LIMIT);
}

static void telephone(void)
{
    char first[64], second[64];
    test("a fingerprint is ten groups of five digits, of the text alone");
    card_fingerprint(buf_view(&s.notes[0]), first);
    CHECK_INT(strlen(first), 59);
    for (size_t i = 0; i < strlen(first); i++)
        CHECK(i % 6 == 5 ? first[i] == ' ' : first[i] >= '0' && first[i] <= '9');
    card_fingerprint(buf_view(&s.notes[1]), second);
    CHECK(strcmp(first, second) != 0);
    card_fingerprint(span_str("no card"), second);
    CHECK_INT(second[0], 0);

    test("levels of identity");
    for (unsigned calls = 0; calls < 3; calls++)
        for (int letter = 0; letter < 2; letter++)
            for (int evidence = 0; evidence < 2; evidence++) {
                struct proof_of_identity proof = {.letter = letter, .call_backs = calls, .has_evidence = evidence};
                unsigned want = letter && calls == 2 && evidence ? 3 : letter && calls ? 2 : letter || calls ? 1 : 0;
                CHECK_INT(identity_level(&proof), want);
            }
}

int main(void)
{
    if (crypto_start() != 0)
        return 1;
    subject_parties(&s, 6, 4, 3);
    forms();
    signatures();
    telephone();
    subject_free(&s);
    return test_end();
}
