#include "circle/change.h"

#include "tests/circle/subject.h"
#include "tests/test.h"

/* p00 to p03 are the committee; p05 loses its keys, and p01's change is another test's. */
enum { COMMITTEE = 4, LOSER = 5, MIRROR = 1, HOST = 0, ALL = 15 };
static struct subject s;
static struct cut cuts[6];
static struct secret_key *old_keys[KEY_COUNT]; /* what the thief has */

struct twist {
    bool other_role, broken, other_circle, other_name, reused_key, other_epoch, no_cosigners, other_document, own_log,
        outsider;
};

static void log_of(size_t party)
{
    for (size_t i = 0; i < s.size; i++)
        buf_free(&s.entries[i]);
    s.size = 0;
    s.writer_index = party;
    s.writer = roster_party(&s.roster, span_str(s.cards[party].name));
}

/* New keys for `party`, its new card, and the document; the old keys go to `former`. */
static void change_make(size_t party, unsigned epoch, struct twist twist, struct secret_key *former[KEY_COUNT],
                        struct buf *document)
{
    struct buf text, card;
    const struct card before = s.cards[party];
    memcpy(former, s.secret[party], sizeof s.secret[party]);
    memset(s.secret[party], 0, sizeof s.secret[party]);
    subject_keys(&s, party, epoch);
    if (twist.reused_key) {
        secret_key_free(s.secret[party][KEY_LOG]);
        s.secret[party][KEY_LOG] = s.secret[(party + 1) % 6][KEY_LOG];
        s.cards[party].keys[KEY_LOG] = s.cards[(party + 1) % 6].keys[KEY_LOG];
    }
    if (twist.other_name)
        s.cards[party].role = (enum party_role)((before.role + 1) % ROLE_COUNT);
    buf_init(&text, CARD_BYTES_MAX);
    buf_init(&card, CARD_BYTES_MAX);
    card_write_text(&text, &s.cards[party]);
    subject_card_sign(&s, party, buf_view(&text), &card);
    buf_init(document, KEY_CHANGE_BYTES_MAX);
    struct key_change_draft draft = {.roster = &s.roster,
                                     .party = roster_party(&s.roster, span_str(before.name)),
                                     .card_note = buf_view(&card),
                                     .cuts = cuts};
    struct party forged = *draft.party;
    if (twist.other_epoch) {
        forged.former_count++;
        draft.party = &forged;
    }
    key_change_write(document, &draft);
    buf_free(&text);
    buf_free(&card);
}

/* As the last entry of the log at hand. */
static void change_entry(size_t party, struct secret_key *const former[KEY_COUNT], struct span document,
                         struct twist twist)
{
    const struct party *p = roster_party(&s.roster, span_str(s.cards[party].name));
    enum key_role role = twist.other_role ? KEY_STATEMENT : KEY_RECOVERY;
    struct statement fields = {.circle = s.roster.circle,
                               .subject = span_str("keys"),
                               .media = span_str(MEDIA_KEY_CHANGE),
                               .issued_at = 1700000300,
                               .issuer = span_str(p->card.name),
                               .kid = p->kids[role]};
    struct buf header, message, *entry = &s.entries[s.size];
    struct signature signature;
    fields.circle.b[0] ^= twist.other_circle;
    sha256(document, &fields.document);
    buf_init(&header, STATEMENT_BYTES_MAX);
    buf_init(&message, STATEMENT_BYTES_MAX);
    buf_init(entry, STATEMENT_BYTES_MAX);
    statement_protected(&header, &fields);
    cose_to_be_signed(&message, buf_view(&header), span_hash(&fields.document));
    sign(former[role], buf_view(&message), &signature);
    signature.b[9] ^= twist.broken;
    cose_write(entry, buf_view(&header), span_of(NULL, 0), span_hash(&fields.document), &signature);
    tree_leaf(buf_view(entry), &s.leaves[s.size++]);
    buf_free(&header);
    buf_free(&message);
}

/* Changes the keys of `party` by a bundle, as a verifier gets it, in the log of `host`. */
static int change(size_t party, unsigned epoch, size_t host, struct twist twist, struct secret_key *former[KEY_COUNT])
{
    struct buf document, receipt, other;
    struct fault fault = {0};
    change_make(party, epoch, twist, former, &document);
    log_of(host);
    subject_log(&s, 2);
    change_entry(party, former, buf_view(&document), twist);
    subject_log(&s, 1);
    subject_receipt(&s, 2, twist.no_cosigners ? 3 & ~(1u << host) : ALL, 0, &receipt);
    buf_init(&other, KEY_CHANGE_BYTES_MAX);
    buf_span(&other, buf_view(&document));
    buf_byte(&other, '\n');
    int rc = key_change_verify(&s.roster, buf_view(&receipt), buf_view(twist.other_document ? &other : &document),
                               &s.arena, &fault);
    CHECK(rc == 0 || (fault.code == rc && fault.detail[0]));
    buf_free(&document);
    buf_free(&receipt);
    buf_free(&other);
    return rc;
}

static int receipt_code(size_t index, uint32_t cosigners)
{
    struct standing standing;
    struct fault fault = {0};
    struct arena arena;
    struct buf receipt;
    arena_init(&arena, 1 << 20);
    subject_receipt(&s, index, cosigners, 0, &receipt);
    int rc = receipt_verify(&s.roster, buf_view(&receipt), NULL, &standing, &arena, &fault);
    buf_free(&receipt);
    arena_free(&arena);
    return rc;
}

static void keys_use(size_t party, struct secret_key *keys[KEY_COUNT])
{
    struct secret_key *kept[KEY_COUNT];
    memcpy(kept, s.secret[party], sizeof kept);
    memcpy(s.secret[party], keys, sizeof kept);
    memcpy(keys, kept, sizeof kept);
    for (int role = 0; role < KEY_SEAL; role++) {
        const struct party *p = roster_party(&s.roster, span_str(s.cards[party].name));
        bool present = s.cards[party].keys[role].b[0] == p->card.keys[role].b[0] &&
                       memcmp(s.cards[party].keys[role].b, p->card.keys[role].b, 32) == 0;
        s.cards[party].keys[role] =
            present && p->former_count ? p->former[p->former_count - 1].keys[role] : p->card.keys[role];
    }
}

static int fresh(void)
{
    subject_clock = 1700001000;
    memset(cuts, 0, sizeof cuts);
    return subject_make(&s, 6, COMMITTEE, 3, 0, LOSER);
}

/* The log of the loser: five entries, the cut at three; what the old keys signed, and the new ones. */
static void own_log(void)
{
    struct hash leaves[SUBJECT_ENTRIES_MAX];
    test("old keys count for entries below the cut, new ones from it on");
    CHECK_INT(fresh(), 0);
    log_of(LOSER);
    subject_log(&s, 3);
    memcpy(leaves, s.leaves, sizeof leaves);
    cuts[LOSER].size = 3;
    subject_root(leaves, 3, &cuts[LOSER].root);
    subject_clock = 1700002000;
    CHECK_INT(change(LOSER, 1, HOST, (struct twist){0}, old_keys), 0);
    const struct party *p = roster_party(&s.roster, span_str("p05"));
    CHECK_INT(p->former_count, 1);
    CHECK_INT(s.roster.epoch, 1);
    CHECK(memcmp(p->card.keys, s.cards[LOSER].keys, sizeof p->card.keys) == 0);
    CHECK_INT(p->former[0].instant, 1700002000 + 20); /* two of three mirrors suffice, p01 and p02 */

    keys_use(LOSER, old_keys); /* now the thief signs */
    log_of(LOSER);
    subject_log(&s, 3);
    subject_clock = 1700003000;
    for (size_t i = 0; i < 3; i++)
        CHECK_INT(receipt_code(i, ALL), 0); /* at the cut itself, however late it was cosigned */
    subject_log(&s, 1);
    CHECK_INT(receipt_code(1, ALL), E_KEY); /* a checkpoint past the cut, after the change */
    CHECK_INT(receipt_code(3, ALL), E_KEY); /* an entry past the cut */
    subject_clock = 1700001000;
    CHECK_INT(receipt_code(1, ALL), 0); /* a quorum held this before the change stood: given out, it stays */
    CHECK_INT(receipt_code(3, ALL), E_KEY);
    keys_use(LOSER, old_keys); /* and now the party itself, on top of what the thief left */
    subject_clock = 1700003000;
    subject_log(&s, 1);
    CHECK_INT(receipt_code(4, ALL), 0);
    CHECK_INT(receipt_code(1, ALL), 0);
    CHECK_INT(receipt_code(3, ALL), E_KEY);
    test("the same size with another tree is not within the cut");
    keys_use(LOSER, old_keys);
    log_of(LOSER);
    subject_log(&s, 2);
    subject_entry(&s, "another third", (struct subject_twist){0});
    CHECK_INT(receipt_code(1, ALL), E_KEY);
    keys_use(LOSER, old_keys);
    test("the next change is signed by the new recovery key");
    struct secret_key *second[KEY_COUNT];
    subject_clock = 1700004000;
    CHECK_INT(change(LOSER, 2, HOST, (struct twist){0}, second), 0);
    CHECK_INT(p->former_count, 2);
    for (int role = 0; role < KEY_COUNT; role++)
        secret_key_free(second[role]);
    subject_free(&s);
    for (int role = 0; role < KEY_COUNT; role++)
        secret_key_free(old_keys[role]);
}

static void mirror_key(void)
{
    struct secret_key *former[KEY_COUNT];
    test("a mirror's old key counts up to the cut, and for what it cosigned before the change");
    CHECK_INT(fresh(), 0);
    log_of(LOSER);
    subject_log(&s, 2);
    cuts[LOSER].size = 2;
    subject_root(s.leaves, 2, &cuts[LOSER].root);
    subject_clock = 1700002000;
    CHECK_INT(change(MIRROR, 1, HOST, (struct twist){0}, former), 0);
    uint32_t quorum = 1u << 0 | 1u << MIRROR | 1u << 2; /* three of four are needed: without MIRROR it is none */
    static const struct {
        size_t size;
        int64_t clock;
        bool old_key;
        int code;
    } rows[] = {
        {2, 1700001000, true, 0},  {2, 1700003000, true, 0},
        {3, 1700001000, true, 0},  {3, 1700003000, true, E_UNWITNESSED},
        {2, 1700003000, false, 0}, {3, 1700003000, false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].old_key)
            keys_use(MIRROR, former);
        log_of(LOSER);
        subject_log(&s, rows[i].size);
        subject_clock = rows[i].clock;
        CHECK_INT(receipt_code(0, quorum), rows[i].code);
        if (rows[i].old_key)
            keys_use(MIRROR, former);
    }
    test("a COSE receipt carries no time: an old key counts up to the cut only");
    for (size_t size = 2; size <= 3; size++) {
        struct standing standing;
        struct arena arena;
        struct buf receipt;
        keys_use(MIRROR, former);
        log_of(LOSER);
        subject_log(&s, size);
        subject_transparent(&s, 0, quorum, -1, (struct subject_mirror_twist){0}, &receipt);
        arena_init(&arena, 1 << 20);
        CHECK_INT(receipt_verify(&s.roster, buf_view(&receipt), NULL, &standing, &arena, NULL),
                  size == 2 ? 0 : E_UNWITNESSED);
        arena_free(&arena);
        buf_free(&receipt);
        keys_use(MIRROR, former);
    }
    subject_free(&s);
    for (int role = 0; role < KEY_COUNT; role++)
        secret_key_free(former[role]);
}

static void refused(void)
{
    static const struct {
        const char *what;
        struct twist twist;
        size_t host;
        int code;
    } rows[] = {
        {"too few have cosigned", {.no_cosigners = true}, HOST, E_QUORUM},
        {"signed by the statement key", {.other_role = true}, HOST, E_KEY},
        {"the signature is broken", {.broken = true}, HOST, E_SIGNATURE},
        {"of another circle", {.other_circle = true}, HOST, E_CIRCLE},
        {"the role changes", {.other_name = true}, HOST, E_REFUSED},
        {"a key of another party", {.reused_key = true}, HOST, E_DUPLICATE},
        {"an epoch is left out", {.other_epoch = true}, HOST, E_STATE},
        {"another document", {.other_document = true}, HOST, E_HASH},
        {"in the log of a party outside the committee", {0}, 4, E_ISSUER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct secret_key *former[KEY_COUNT];
        test(rows[i].what);
        CHECK_INT(fresh(), 0);
        CHECK_INT(change(LOSER, 1, rows[i].host, rows[i].twist, former), rows[i].code);
        CHECK_INT(roster_party(&s.roster, span_str("p05"))->former_count, 0);
        CHECK_INT(s.roster.epoch, 0);
        if (rows[i].twist.reused_key)
            s.secret[LOSER][KEY_LOG] = NULL;
        for (int role = 0; role < KEY_COUNT; role++)
            secret_key_free(former[role]);
        subject_free(&s);
    }
    test("a committee member's change does not count in its own log");
    struct secret_key *former[KEY_COUNT];
    CHECK_INT(fresh(), 0);
    CHECK_INT(change(MIRROR, 1, MIRROR, (struct twist){0}, former), E_ISSUER);
    for (int role = 0; role < KEY_COUNT; role++)
        secret_key_free(former[role]);
    subject_free(&s);
}

static void documents(void)
{
#define HEAD "{\"comity\":\"key-change/1\",\"circle\":\"%s\",\"party\":\"p05\",\"epoch\":1"
    static const struct {
        const char *text;
        int code;
    } rows[] = {
        {"", E_TRUNCATED},
        {"{}", E_MISSING},
        {"{\"comity\":\"key-change/2\"}", E_UNSUPPORTED},
        {HEAD ",\"card\":\"\",\"cuts\":[],\"more\":1}", E_SYNTAX},
        {HEAD ",\"cuts\":[]}", E_MISSING},
        {HEAD ",\"card\":\"x\",\"cuts\":[]}", E_SYNTAX},
        {"{\"comity\":\"key-change/1\",\"circle\":\"%.10s\",\"party\":\"p05\",\"epoch\":1,\"card\":\"\",\"cuts\":[]}",
         E_CIRCLE},
        {"{\"comity\":\"key-change/1\",\"circle\":\"%s\",\"party\":\"p09\",\"epoch\":1,\"card\":\"\",\"cuts\":[]}",
         E_KEY},
        {"{\"comity\":\"key-change/1\",\"circle\":\"%s\",\"party\":\"p05\",\"epoch\":0,\"card\":\"\",\"cuts\":[]}",
         E_LIMIT},
        {"{\"comity\":\"key-change/1\",\"circle\":\"%s\",\"party\":\"p05\",\"epoch\":65,\"card\":\"\",\"cuts\":[]}",
         E_LIMIT},
        {"{\"comity\":\"key-change/1\",\"circle\":\"%s\",\"party\":\"p05\",\"epoch\":\"1\",\"card\":\"\",\"cuts\":[]}",
         E_TYPE},
    };
    test("what is no key change");
    CHECK_INT(fresh(), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct key_change out;
        struct arena arena;
        struct buf text;
        char circle[65];
        hash_hex(&s.roster.circle, circle);
        buf_init(&text, KEY_CHANGE_BYTES_MAX);
        for (const char *at = rows[i].text; *at; at++)
            if (at[0] == '%' && at[1] == 's') {
                buf_text(&text, circle);
                at++;
            } else {
                buf_byte(&text, (uint8_t)*at);
            }
        arena_init(&arena, 1 << 20);
        CHECK_INT(key_change_parse(&out, &s.roster, buf_view(&text), &arena, NULL), rows[i].code);
        arena_free(&arena);
        buf_free(&text);
    }
    subject_free(&s);
}

int main(void)
{
    if (crypto_start() != 0)
        return 1;
    own_log();
    mirror_key();
    refused();
    documents();
    return test_end();
}
