#include "tests/circle/subject.h"
#include "tests/test.h"

static struct subject s;

static int parse(struct span text)
{
    struct arena arena;
    struct roster roster;
    struct fault fault = {0};
    arena_init(&arena, 64 << 20);
    int rc = charter_parse(&roster, text, &arena, &fault);
    if (rc && (fault.code != rc || !fault.detail[0] || strncmp(fault.where, "charter", 7) != 0))
        rc = 1;
    arena_free(&arena);
    return rc;
}

/* The charter with the first `from` replaced by `to`. */
static int with(const char *from, const char *to)
{
    struct buf whole, changed;
    buf_init(&whole, CHARTER_BYTES_MAX);
    buf_init(&changed, CHARTER_BYTES_MAX);
    buf_span(&whole, buf_view(&s.charter));
    buf_byte(&whole, 0);
    const char *text = (const char *)whole.data, *at = strstr(text, from);
    if (!at) {
        printf("# not found: %s\n", from);
        abort();
    }
    buf_add(&changed, text, (size_t)(at - text));
    buf_text(&changed, to);
    buf_text(&changed, at + strlen(from));
    int rc = parse(buf_view(&changed));
    buf_free(&whole);
    buf_free(&changed);
    return rc;
}

static const struct {
    const char *from, *to;
    int rc;
} cases[] = {
    {"\"comity\": \"charter/1\"", "\"comity\":\"charter/1\"", 0}, /* other bytes, another circle, but a charter */
    {"Made-up circle", "Cercle d'essai \xc3\xa0 quatre", 0},
    {"\"committee\": [\"p00\", \"p01\", \"p02\", \"p03\"]", "\"committee\": []", 0}, /* then nothing ever stands */
    {"\"comity\": \"charter/1\"", "\"comity\": \"charter/2\"", E_UNSUPPORTED},
    {"\"comity\": \"charter/1\",", "", E_MISSING},
    {"\"comity\": \"charter/1\",", "\"comity\": \"charter/1\", \"extra\": 1,", E_SYNTAX},
    {"\"name\": \"Made-up circle\",", "", E_MISSING},
    {"\"name\": \"Made-up circle\"", "\"name\": 7", E_TYPE},
    {"Made-up circle", "", E_LIMIT},
    {"Made-up circle", "line\\nlog x", E_LIMIT},
    {"Made-up circle", "a\\u0000b", E_UTF8},
    {"Made-up circle", "a\", \"name\": \"b", E_DUPLICATE},
    {"2023-11-14T22:15:00Z", "2023-11-14T22:15:00+00:00", E_SYNTAX},
    {"2023-11-14T22:15:00Z", "yesterday", E_SYNTAX},
    {"\"nonce\": \"BwcH", "\"nonce\": \"BwcHBwcH", E_SYNTAX},
    {"\"nonce\": \"BwcHBwcH", "\"nonce\": \"BwcH", E_SYNTAX},
    {"\"jurisdictions_min\": 2", "\"jurisdictions_min\": -1", E_LIMIT},
    {"\"jurisdictions_min\": 2", "\"jurisdictions_min\": 16", E_LIMIT},
    {"\"jurisdictions_min\": 2", "\"jurisdictions_min\": 2.5", E_TYPE},
    {"\"jurisdictions_min\": 2", "\"jurisdictions_min\": 4", E_LIMIT},
    {"\"jurisdictions_min\": 2,", "", E_MISSING},
    {"\"quota_bytes_day\": 1000000", "\"quota_bytes_day\": -1", E_LIMIT},
    {"\"quota_bytes_day\": 1000000", "\"quota_bytes_day\": 1, \"more\": 1", E_SYNTAX},
    {"\"rules\": {\"juris", "\"rules\": [], \"rulez\": {\"juris", E_SYNTAX},
    {"[\"p00\", \"p01\"", "[\"p00\", \"p00\"", E_DUPLICATE},
    {"[\"p00\", \"p01\"", "[\"p00\", \"p99\"", E_NOTFOUND},
    {"[\"p00\", \"p01\"", "[\"p00\", 1", E_NOTFOUND},
    {"\"committee\": [\"p00\", \"p01\", \"p02\", \"p03\"]", "\"committee\": {}", E_TYPE},
    {"\"letter\": false", "\"letter\": 0", E_TYPE},
    {"\"letter\": false", "\"lettre\": false", E_SYNTAX},
    {"\"letter\": false, ", "", E_TYPE},
    {"\"call_backs\": 0", "\"call_backs\": 3", E_LIMIT},
    {"\"call_backs\": 0", "\"call_backs\": \"0\"", E_TYPE},
    {"\"evidence\": \"0000", "\"evidence\": \"00", E_SYNTAX},
    {"\"evidence\": \"0000", "\"evidence\": \"G000", E_SYNTAX},
    {"\"identity\"", "\"identify\"", E_SYNTAX},
    {"\"card\": \"comity-card/1\\n", "\"card\": \"comity-card/1", E_UNSUPPORTED},
    {"\"card\": \"comity-card/1\\nname p03", "\"card\": \"comity-card/1\\nname p33", E_KEY},
    {"role vendor", "role operator", E_SIGNATURE},
};

static void accepted(void)
{
    test("a charter is read as it was drafted");
    const struct roster *r = &s.roster;
    struct hash circle;
    sha256(buf_view(&s.charter), &circle);
    CHECK(hash_eq(&circle, &r->circle));
    CHECK(strcmp(r->circle_name, "Made-up circle") == 0);
    CHECK_INT(r->count, 7);
    CHECK_INT(r->committee_count, 4);
    CHECK_INT(r->jurisdictions_min, 2);
    CHECK_INT(r->quota_entries_day, 1000);
    CHECK_INT(r->quota_bytes_day, 1000000);
    for (size_t i = 0; i < r->count; i++) {
        const struct party *party = &r->parties[i];
        char hex[65], origin[ORIGIN_BYTES_MAX];
        hash_hex(&circle, hex);
        (void)snprintf(origin, sizeof origin, "comity/%.16s/p%02zu", hex, i);
        CHECK(strcmp(party->origin, origin) == 0);
        CHECK(memcmp(&party->card, &s.cards[i], sizeof party->card) == 0);
        CHECK_INT(party->committee, i < 4);
        CHECK_INT(party->proof.letter, i % 2);
        CHECK_INT(party->proof.call_backs, i % 3);
        CHECK_INT(party->proof.has_evidence, i == 0);
        CHECK(roster_party(r, span_str(s.cards[i].name)) == party);
        CHECK(roster_origin(r, span_str(origin)) == party);
        CHECK(roster_origin_hash(r, &party->origin_hash) == party);
    }
    test("who is not in the circle is not found");
    CHECK(!roster_party(r, span_str("p0")));
    CHECK(!roster_party(r, span_str("p07")));
    CHECK(!roster_party(r, span_of(NULL, 0)));
    CHECK(!roster_origin(r, span_str("comity/0000000000000000/p00")));
    CHECK(!roster_origin(r, span_str("comity/")));
    CHECK(!roster_origin(r, span_of(NULL, 0)));
    CHECK(!roster_origin_hash(r, &r->circle));
}

static void keys(void)
{
    const struct party *party;
    struct fault fault = {0};
    const struct roster *r = &s.roster;
    test("only the statement key of the issuer signs statements");
    for (int role = 0; role < KEY_COUNT; role++)
        CHECK_INT(roster_statement_key(r, span_str("p02"), &r->parties[2].kids[role], &party, NULL),
                  role == KEY_STATEMENT ? 0 : E_KEY);
    CHECK_INT(roster_statement_key(r, span_str("p02"), &r->parties[3].kids[KEY_STATEMENT], &party, &fault), E_KEY);
    CHECK(strstr(fault.detail, "statement key of p03") != NULL);
    CHECK_INT(roster_statement_key(r, span_str("p02"), &r->circle, &party, &fault), E_KEY);
    CHECK_INT(roster_statement_key(r, span_str("nobody"), &r->parties[2].kids[0], &party, &fault), E_KEY);
}

static void twice(void)
{
    test("a party, a key or a card that stands twice is refused");
    struct buf saved = s.notes[5];
    s.notes[5] = s.notes[4];
    buf_free(&s.charter);
    buf_free(&s.bundle);
    subject_draft(&s);
    CHECK_INT(parse(buf_view(&s.charter)), E_DUPLICATE);

    struct card other = s.cards[4]; /* the same keys under another name */
    struct buf text;
    (void)snprintf(other.name, sizeof other.name, "p99");
    buf_init(&text, CARD_BYTES_MAX);
    buf_init(&s.notes[5], CARD_BYTES_MAX);
    card_write_text(&text, &other);
    struct card kept = s.cards[4];
    s.cards[4] = other;
    subject_card_sign(&s, 4, buf_view(&text), &s.notes[5]);
    s.cards[4] = kept;
    buf_free(&s.charter);
    buf_free(&s.bundle);
    subject_draft(&s);
    CHECK_INT(parse(buf_view(&s.charter)), E_DUPLICATE);
    buf_free(&s.notes[5]);

    struct buf *broken = &s.notes[0]; /* a draft with a card that does not parse writes no charter */
    broken->data[20] ^= 1;
    s.notes[5] = saved;
    buf_free(&s.charter);
    buf_free(&s.bundle);
    subject_draft(&s);
    CHECK(s.charter.error != 0);
    broken->data[20] ^= 1;
    buf_free(&text);
    buf_free(&s.charter);
    buf_free(&s.bundle);
    subject_draft(&s);
    CHECK_INT(parse(buf_view(&s.charter)), 0);
}

static int bundle(struct span text, struct roster *roster)
{
    struct arena arena;
    struct fault fault = {0};
    arena_init(&arena, 64 << 20);
    int rc = bundle_parse_charter(text, roster, &arena, &fault);
    arena_free(&arena); /* the roster's parties are gone with it: only the head may be looked at */
    return rc && (fault.code != rc || !fault.detail[0]) ? 1 : rc;
}

static void bundles(void)
{
    static const struct {
        const char *text;
        int rc;
    } refused[] = {
        {"", E_TRUNCATED},
        {"[]", E_MISSING},
        {"{\"comity\":\"bundle/2\",\"charter\":\"{}\",\"roster_changes\":[]}", E_UNSUPPORTED},
        {"{\"comity\":\"bundle/1\",\"charter\":\"{}\",\"roster_changes\":[\"x\"]}", E_MISSING},
        {"{\"comity\":\"bundle/1\",\"charter\":\"{}\",\"roster_changes\":{}}", E_TYPE},
        {"{\"comity\":\"bundle/1\",\"charter\":\"{}\"}", E_MISSING},
        {"{\"comity\":\"bundle/1\",\"roster_changes\":[]}", E_MISSING},
        {"{\"comity\":\"bundle/1\",\"charter\":{},\"roster_changes\":[]}", E_TYPE},
        {"{\"comity\":\"bundle/1\",\"charter\":\"{}\",\"roster_changes\":[],\"x\":1}", E_SYNTAX},
        {"{\"comity\":\"bundle/1\",\"charter\":\"{}\",\"roster_changes\":[]}", E_MISSING},
        {"{\"comity\":\"bundle/1\",\"charter\":\"{}\",\"roster_changes\":[]} x", E_TRAILING},
    };
    struct roster roster;
    test("a bundle carries the charter's exact bytes, and a bare charter is one");
    CHECK_INT(bundle(buf_view(&s.bundle), &roster), 0);
    CHECK(hash_eq(&roster.circle, &s.roster.circle));
    CHECK_INT(bundle(buf_view(&s.charter), &roster), 0);
    CHECK(hash_eq(&roster.circle, &s.roster.circle));
    test("what is no bundle");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        int rc = bundle(span_str(refused[i].text), &roster);
        if (rc != refused[i].rc)
            printf("# case %zu\n", i);
        CHECK_INT(rc, refused[i].rc);
    }
}

static void sizes(void)
{
    test("circles of one to sixteen, every size of committee; sixteen mirrors are too many");
    for (size_t n = 1; n <= 16; n++)
        for (size_t committee = 0; committee <= n; committee += n == 16 ? 1 : n) {
            struct subject other;
            int rc = subject_make(&other, n, committee, 16, 0, 0);
            CHECK_INT(rc, committee > COMMITTEE_MAX ? E_LIMIT : 0);
            subject_free(&other);
        }
}

int main(void)
{
    if (crypto_start() != 0 || subject_make(&s, 7, 4, 3, 2, 0) != 0)
        return 1;
    accepted();
    keys();
    bundles();
    test("what a charter may not be");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int rc = with(cases[i].from, cases[i].to);
        if (rc != cases[i].rc)
            printf("# case %zu: %s\n", i, cases[i].to);
        CHECK_INT(rc, cases[i].rc);
    }
    test("every cut of a charter is refused");
    for (size_t i = 0; i + 2 < s.charter.len; i += 7)
        CHECK(parse(span_of(s.charter.data, i)) != 0);
    twice();
    sizes();
    subject_free(&s);
    return test_end();
}
