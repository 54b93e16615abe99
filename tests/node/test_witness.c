/* The witness for foreign logs that the owner added, to the letter of C2SP tlog-witness: each row names the rule. */
#include "tests/node/subject.h"

enum { SELF = 0, PARTIES = 3, COMMITTEE = 2, SIZE = 6 };

static const char origin[] = "foreign.example/log", unknown[] = "unknown.example/log";

static struct secret_key *key, *other_key;
static struct public_key public_key, other_public;

enum twist {
    AS_IT_IS,
    UNKNOWN,
    OTHER_KEY,
    BROKEN,
    STRANGER_BESIDE,
    OTHER_ROOT,
    EXTENSION,
    NO_PROOF,
    TOO_MUCH,
    NO_NEWLINE
};
struct ask {
    size_t old, size;
    enum twist twist;
    int want;
    const char *rule;
};

static void note_write(struct bench *b, const struct ask *ask, struct buf *note)
{
    struct buf text;
    struct hash root;
    struct signature signature;
    const char *name = ask->twist == UNKNOWN ? unknown : origin;
    bool other = ask->twist == OTHER_KEY;
    buf_init(&text, NOTE_BYTES_MAX);
    subject_root(b->s.leaves, ask->size, &root);
    root.b[0] ^= ask->twist == OTHER_ROOT;
    checkpoint_write_text(&text, span_str(name), ask->size, &root);
    buf_text(&text, ask->twist == EXTENSION ? "extension\n" : "");
    buf_span(note, buf_view(&text));
    buf_byte(note, '\n');
    sign(other ? other_key : key, buf_view(&text), &signature);
    signature.b[1] ^= ask->twist == BROKEN;
    note_signature_write(note, span_str(name), other ? &other_public : &public_key, &signature);
    if (ask->twist == STRANGER_BESIDE)
        note_signature_write(note, span_str("stranger"), &other_public, &signature);
    if (ask->twist == NO_NEWLINE)
        note->len--;
    buf_free(&text);
}

static int ask_send(struct bench *b, const struct ask *ask)
{
    struct hash proof[PROOF_HASHES_MAX] = {0};
    struct buf note, body;
    size_t count = bench_consistency(b, ask->old, ask->size, proof);
    count = ask->twist == NO_PROOF ? 0 : count + (ask->twist == TOO_MUCH);
    buf_init(&note, NOTE_BYTES_MAX);
    buf_init(&body, NOTE_BYTES_MAX);
    note_write(b, ask, &note);
    add_checkpoint_write(&body, ask->old, proof, count, buf_view(&note));
    int status = bench_request(b, REQ_WITNESS_ADD_CHECKPOINT, buf_view(&body), NULL);
    buf_free(&note);
    buf_free(&body);
    return status;
}

/* "a sequence of one or more note signature lines": here one, by the witness key, with a time that is not zero. */
static bool is_cosigned(struct bench *b, const struct ask *ask)
{
    struct buf note;
    struct note parsed;
    struct checkpoint checkpoint;
    char name[ORIGIN_BYTES_MAX + 8];
    int64_t timestamp = 0;
    buf_init(&note, NOTE_BYTES_MAX);
    note_write(b, &(struct ask){.size = ask->size}, &note);
    buf_span(&note, buf_view(&b->answer));
    (void)snprintf(name, sizeof name, "%s/witness",
                   roster_party(&b->s.roster, span_str(b->s.cards[SELF].name))->origin);
    bool good =
        checkpoint_parse(&checkpoint, &parsed, buf_view(&note), NULL) == 0 && parsed.count == 2 &&
        note_verify_cosignature(&parsed, span_str(name), &b->s.cards[SELF].keys[KEY_WITNESS], &timestamp, NULL) == 0;
    buf_free(&note);
    return good && timestamp == now;
}

static void asks_run(struct bench *b, const struct ask *asks, size_t count, uint64_t latest)
{
    char want[32];
    (void)snprintf(want, sizeof want, "%llu\n", (unsigned long long)latest);
    for (size_t i = 0; i < count; i++) {
        int status = ask_send(b, &asks[i]);
        if (status != asks[i].want)
            printf("# %s\n", asks[i].rule);
        CHECK_INT(status, asks[i].want);
        if (status == 409)
            CHECK(span_is(buf_view(&b->answer), want) && strcmp(b->content_type, "text/x.tlog.size") == 0);
        else if (status == 200)
            CHECK(is_cosigned(b, &asks[i]));
        else
            CHECK_INT(b->answer.len, 0);
    }
}

static int served(struct bench *b, struct buf *body)
{
    struct served out = {0};
    struct hash hash;
    char hex[65], path[128];
    sha256(span_str(origin), &hash);
    hash_hex(&hash, hex);
    (void)snprintf(path, sizeof path, "/witness/%s/checkpoint", hex);
    buf_init(&out.body, NOTE_BYTES_MAX);
    node_serve(b->node, span_str(path), false, &out);
    buf_reset(body);
    buf_span(body, buf_view(&out.body));
    buf_free(&out.body);
    return out.status;
}

static void keys_make(char vkey[static 256])
{
    const uint8_t seed[32] = {1}, other_seed[32] = {2};
    struct buf text;
    key = secret_key_from_seed(seed, &public_key);
    other_key = secret_key_from_seed(other_seed, &other_public);
    buf_init(&text, 256);
    note_vkey_write(&text, span_str(origin), NOTE_ED25519, &public_key);
    CHECK(key && other_key && !text.error);
    (void)snprintf(vkey, 256, "%.*s", (int)text.len, (const char *)text.data);
    buf_free(&text);
}

static void add_checkpoint(void)
{
    static const struct ask fresh[] = {
        {0, 0, OTHER_ROOT, 422, "a checkpoint of size zero MUST have the root of the empty tree"},
        {0, 3, TOO_MUCH, 422, "if the old size is zero, the consistency proof MUST be empty"},
        {1, 3, AS_IT_IS, 409, "the old size MUST match the latest cosigned (zero if there is none)"},
        {0, 3, UNKNOWN, 404, "an unknown origin: 404"},
        {0, 3, OTHER_KEY, 403, "no signature from a trusted key: 403"},
        {0, 3, BROKEN, 403, "a trusted key's signature that fails: 403"},
    };
    static const struct ask later[] = {
        {0, 3, STRANGER_BESIDE, 200, "signatures from unknown keys MUST be ignored"},
        {3, 3, AS_IT_IS, 200, "the same checkpoint again"},
        {5, 3, AS_IT_IS, 400, "the old size MUST be equal to or lower than the checkpoint size: 400"},
        {0, 6, AS_IT_IS, 409, "the old size does not match the latest: 409 with it"},
        {2, 6, AS_IT_IS, 409, "... smaller"},
        {4, 6, AS_IT_IS, 409, "... larger"},
        {3, 6, NO_PROOF, 422, "the proof does not verify"},
        {3, 6, TOO_MUCH, 422, "... a hash too many"},
        {3, 6, OTHER_ROOT, 422, "... another root"},
        {3, 3, OTHER_ROOT, 422, "equal sizes, other roots: 422"},
        {3, 6, NO_NEWLINE, 400, "each line MUST end in a newline"},
        {3, 6, EXTENSION, 400, "ours: the signer composes three lines, so extension lines are refused"},
        {3, 6, AS_IT_IS, 200, "consistent: cosigned"},
    };
    static const struct ask last[] = {{3, 6, AS_IT_IS, 409, "it never goes back"}};
    static struct bench b;
    static char vkey[256];
    const char *const logs[] = {vkey, NULL};
    struct buf body;
    test("the witness: 404, 403, 400, 409, 422 and 200, as tlog-witness has them");
    bench_make(&b, PARTIES, COMMITTEE, SELF, 1);
    keys_make(vkey);
    subject_log(&b.s, SIZE);
    b.config.witness_logs = logs;
    bench_start(&b);
    buf_init(&body, NOTE_BYTES_MAX);
    CHECK_INT(served(&b, &body), 404); /* "If the witness has never cosigned a checkpoint for that log": 404 */
    asks_run(&b, fresh, sizeof fresh / sizeof fresh[0], 0);
    CHECK_INT(served(&b, &body), 404);
    asks_run(&b, later, sizeof later / sizeof later[0], 3);
    asks_run(&b, last, sizeof last / sizeof last[0], 6);
    /* "it MUST include the cosignature(s) from the witness's key(s) and the cosignature from the log key(s)" */
    CHECK_INT(served(&b, &body), 200);
    struct note note;
    struct checkpoint checkpoint;
    CHECK_INT(checkpoint_parse(&checkpoint, &note, buf_view(&body), NULL), 0);
    CHECK_INT(checkpoint.size, 6);
    CHECK_INT(note.count, 2);
    CHECK_INT(note_verify(&note, span_str(origin), &public_key), 0);
    bench_restart(&b);
    asks_run(&b, last, sizeof last / sizeof last[0], 6);
    buf_free(&body);
    secret_key_free(key);
    secret_key_free(other_key);
    bench_close(&b);
}

int main(void)
{
    add_checkpoint();
    return test_end();
}
