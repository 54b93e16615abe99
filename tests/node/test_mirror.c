/* A mirror's answers to the letter of C2SP tlog-mirror and tlog-witness: each row names the rule that it stands for. */
#include "tests/node/subject.h"

enum { SELF = 0, WRITER = 4, OBSERVER = 5, PARTIES = 6, COMMITTEE = 4 };

static const struct span text_document = {(const uint8_t *)subject_document, sizeof subject_document - 1};

/* add-checkpoint */

enum twist {
    AS_IT_IS,
    UNKNOWN_ORIGIN,
    OWN_ORIGIN,
    OTHER_KEY,        /* a signature by another party's key, under the log's name */
    BROKEN_SIGNATURE, /* the log's name and key id, other bytes */
    STRANGER_BESIDE,  /* a signature of an unknown key beside the log's */
    OTHER_ROOT,
    EXTENSION,    /* a line after the root */
    NO_PROOF,     /* where one is needed */
    TOO_MUCH,     /* a proof where there must be none, or one hash more */
    WRONG_PROOF,  /* a bit of the first hash is flipped */
    SIXTY_FOUR,   /* proof lines */
    LEADING_ZERO, /* "old 03" */
    NO_OLD_LINE,
    NO_EMPTY_LINE,
    BAD_BASE64,
    NO_NEWLINE, /* at the end of the note */
    NOTHING
};
struct ask {
    size_t old, size;
    enum twist twist;
    int want;
    const char *rule;
};

static void note_twisted(struct bench *b, const struct ask *ask, struct buf *note)
{
    struct subject *s = &b->s;
    struct buf text;
    struct hash root;
    struct signature signature;
    size_t signer = ask->twist == OTHER_KEY ? OBSERVER : WRITER;
    const char *origin = ask->twist == UNKNOWN_ORIGIN ? "example.org/log"
                         : ask->twist == OWN_ORIGIN   ? roster_party(&s->roster, span_str(s->cards[SELF].name))->origin
                                                      : s->writer->origin;
    buf_init(&text, NOTE_BYTES_MAX);
    subject_root(s->leaves, ask->size, &root);
    root.b[5] ^= ask->twist == OTHER_ROOT;
    checkpoint_write_text(&text, span_str(origin), ask->size, &root);
    buf_text(&text, ask->twist == EXTENSION ? "extension\n" : "");
    buf_span(note, buf_view(&text));
    buf_byte(note, '\n');
    sign(s->secret[signer][KEY_LOG], buf_view(&text), &signature);
    signature.b[7] ^= ask->twist == BROKEN_SIGNATURE;
    note_signature_write(note, span_str(origin), &s->cards[signer].keys[KEY_LOG], &signature);
    if (ask->twist == STRANGER_BESIDE)
        note_signature_write(note, span_str("stranger.example/log"), &s->cards[OBSERVER].keys[KEY_LOG], &signature);
    if (ask->twist == NO_NEWLINE)
        note->len--;
    buf_free(&text);
}

static void ask_write(struct bench *b, const struct ask *ask, struct buf *body)
{
    struct hash proof[PROOF_HASHES_MAX + 1] = {0};
    struct buf note;
    size_t count = bench_consistency(b, ask->old, ask->size, proof);
    buf_init(&note, NOTE_BYTES_MAX);
    note_twisted(b, ask, &note);
    count = ask->twist == NO_PROOF     ? 0
            : ask->twist == SIXTY_FOUR ? PROOF_HASHES_MAX + 1
                                       : count + (ask->twist == TOO_MUCH);
    proof[0].b[0] ^= ask->twist == WRONG_PROOF;
    if (ask->twist != NO_OLD_LINE)
        buf_printf(body, "old %s%zu\n", ask->twist == LEADING_ZERO ? "0" : "", ask->old);
    for (size_t i = 0; i < count; i++) {
        buf_base64(body, span_hash(&proof[i]));
        buf_byte(body, '\n');
    }
    buf_text(body, ask->twist == BAD_BASE64 ? "not base64 at all\n" : "");
    buf_text(body, ask->twist == NO_EMPTY_LINE ? "" : "\n");
    buf_span(body, buf_view(&note));
    if (ask->twist == NOTHING)
        buf_reset(body);
    buf_free(&note);
}

static void asks_run(struct bench *b, const struct ask *asks, size_t count, uint64_t latest)
{
    char want[32];
    (void)snprintf(want, sizeof want, "%llu\n", (unsigned long long)latest);
    for (size_t i = 0; i < count; i++) {
        struct buf body;
        buf_init(&body, NOTE_BYTES_MAX);
        ask_write(b, &asks[i], &body);
        int status = bench_request(b, REQ_MIRROR_ADD_CHECKPOINT, buf_view(&body), NULL);
        if (status != asks[i].want)
            printf("# %s\n", asks[i].rule);
        CHECK_INT(status, asks[i].want);
        if (status == 409) {
            CHECK(span_is(buf_view(&b->answer), want));
            CHECK(strcmp(b->content_type, "text/x.tlog.size") == 0);
        } else {
            CHECK_INT(b->answer.len, 0);
        }
        buf_free(&body);
    }
}

static void add_checkpoint(void)
{
    static const struct ask fresh[] = {
        {0, 0, OTHER_ROOT, 422, "a checkpoint of size zero MUST have the root of the empty tree"},
        {0, 3, TOO_MUCH, 422, "if the old size is zero, the consistency proof MUST be empty"},
        {1, 3, AS_IT_IS, 409, "the old size MUST match the latest (or zero if there was none)"},
        {0, 0, AS_IT_IS, 200, "a checkpoint of size zero with the root of the empty tree"},
        {0, 3, AS_IT_IS, 200, "the empty tree is consistent with any tree"},
    };
    static const struct ask later[] = {
        {3, 5, UNKNOWN_ORIGIN, 404, "an unknown origin: 404"},
        {9, 5, UNKNOWN_ORIGIN, 404, "... whatever else is wrong"},
        {3, 5, OWN_ORIGIN, 404, "the own log is none that is mirrored here"},
        {3, 5, OTHER_KEY, 403, "no signature from a trusted key is present: 403"},
        {3, 5, BROKEN_SIGNATURE, 403, "key name and ID match a trusted key, but the signature fails: 403"},
        {9, 5, OTHER_KEY, 403, "... before sizes are looked at"},
        {9, 5, AS_IT_IS, 400, "the old size MUST be equal to or lower than the checkpoint size: 400"},
        {0, 5, AS_IT_IS, 409, "the old size does not match the latest: 409 with it"},
        {2, 5, AS_IT_IS, 409, "... smaller"},
        {4, 5, AS_IT_IS, 409, "... larger"},
        {3, 5, NO_PROOF, 422, "the proof does not verify: missing"},
        {3, 5, TOO_MUCH, 422, "the proof does not verify: a hash too many"},
        {3, 5, WRONG_PROOF, 422, "the proof does not verify: a flipped bit"},
        {3, 3, TOO_MUCH, 422, "the proof does not verify: one between equal trees"},
        {3, 5, SIXTY_FOUR, 400, "at most 63 consistency proof lines"},
        {3, 5, LEADING_ZERO, 400, "a size has no leading zeroes"},
        {3, 5, NO_OLD_LINE, 400, "the body begins with an old size line"},
        {3, 5, NO_EMPTY_LINE, 400, "an empty line stands before the checkpoint"},
        {3, 5, BAD_BASE64, 400, "a proof line is a hash in base64"},
        {3, 5, NO_NEWLINE, 400, "each line MUST end in a newline"},
        {3, 5, NOTHING, 400, "an empty body"},
        {3, 5, EXTENSION, 400, "ours: logs of a circle write no extension lines"},
        {3, 3, AS_IT_IS, 200, "the old size equals the checkpoint size, and the roots are identical"},
        {3, 5, STRANGER_BESIDE, 200, "signatures from unknown keys MUST be ignored"},
    };
    static const struct ask last[] = {
        {5, 5, OTHER_ROOT, 422, "the old size equals the checkpoint size, and the roots differ: 422"},
    };
    static struct bench b;
    test("add-checkpoint: 404, 403, 400, 409, 422 and 200, as tlog-witness has them");
    bench_make(&b, PARTIES, COMMITTEE, SELF, WRITER);
    subject_log(&b.s, 5);
    bench_start(&b);
    asks_run(&b, fresh, sizeof fresh / sizeof fresh[0], 0);
    asks_run(&b, later, sizeof later / sizeof later[0], 3);
    asks_run(&b, last, sizeof last / sizeof last[0], 5);
    bench_close(&b);
}

/* add-entries */

static bool info_is(const struct bench *b, const char *text)
{
    if (span_is(buf_view(&b->answer), text) && strcmp(b->content_type, "text/x.tlog.mirror-info") == 0)
        return true;
    printf("# %s: %.*s\n", b->content_type, (int)b->answer.len, (const char *)b->answer.data);
    return false;
}

/* The answer is one line: this mirror's cosignature on the writer's checkpoint of that size. */
static bool is_cosigned(struct bench *b, size_t size)
{
    struct buf note;
    struct note parsed;
    struct checkpoint checkpoint;
    char name[ORIGIN_BYTES_MAX + 8];
    int64_t timestamp = 0;
    bench_note(b, size, 0, &note);
    buf_span(&note, buf_view(&b->answer));
    (void)snprintf(name, sizeof name, "%s/mirror", roster_party(&b->s.roster, span_str(b->s.cards[SELF].name))->origin);
    bool good =
        checkpoint_parse(&checkpoint, &parsed, buf_view(&note), NULL) == 0 && parsed.count == 2 &&
        note_verify_cosignature(&parsed, span_str(name), &b->s.cards[SELF].keys[KEY_MIRROR], &timestamp, NULL) == 0;
    buf_free(&note);
    return good && timestamp == now;
}

static int upload_raw(struct bench *b, const char *origin, size_t start, size_t end, size_t from, size_t cut)
{
    struct buf body;
    struct buf whole;
    bench_upload(b, from, end, &whole);
    buf_init(&body, 1 << 20);
    add_entries_write_head(&body, span_str(origin), start, end, span_of(NULL, 0));
    buf_span(&body, span_from(buf_view(&whole), 2 + strlen(b->s.writer->origin) + 8 + 8 + 2));
    body.len -= cut < body.len ? cut : body.len;
    int status = bench_request(b, REQ_MIRROR_ADD_ENTRIES, buf_view(&body), NULL);
    buf_free(&whole);
    buf_free(&body);
    return status;
}

static void add_entries_screen(void)
{
    static struct bench b;
    char hex[70];
    struct hash document;
    test("add-entries: 400, 404, 409, 422, 503 and 200, as tlog-mirror has them");
    bench_make(&b, PARTIES, COMMITTEE, SELF, WRITER);
    subject_log(&b.s, 5);
    bench_start(&b);
    const char *origin = b.s.writer->origin;
    sha256(text_document, &document);
    hash_hex(&document, hex);
    /* "If the mirror has never received a pending checkpoint signed by the log": 422 */
    CHECK_INT(upload_raw(&b, origin, 0, 3, 0, 0), 422);
    CHECK_INT(bench_push_checkpoint(&b, 0, 3), 200);
    CHECK_INT(bench_push_checkpoint(&b, 3, 5), 200);
    /* "If log_origin is not a known log": 404 */
    CHECK_INT(upload_raw(&b, "example.org/log", 0, 5, 0, 0), 404);
    CHECK_INT(upload_raw(&b, roster_party(&b.s.roster, span_str(b.s.cards[SELF].name))->origin, 0, 5, 0, 0), 404);
    /* "the request header itself was malformed": 400; upload_start MUST be less or equal to upload_end */
    CHECK_INT(bench_request(&b, REQ_MIRROR_ADD_ENTRIES, span_str("\0"), NULL), 400);
    CHECK_INT(upload_raw(&b, origin, 5, 4, 0, 0), 400);
    /* "If upload_end is neither a known pending checkpoint value nor the mirror checkpoint's tree size": 409, "the first line SHOULD
       be the tree size of the current pending checkpoint" */
    CHECK_INT(upload_raw(&b, origin, 0, 4, 0, 0), 409);
    CHECK(info_is(&b, "5\n0\n\n"));
    /* "If upload_start is greater than the mirror's next entry": 409 */
    CHECK_INT(upload_raw(&b, origin, 1, 5, 1, 0), 409);
    CHECK(info_is(&b, "5\n0\n\n"));
    /* "the first package's bytes were truncated mid-package", "no entry package was authenticated": 400 */
    CHECK_INT(upload_raw(&b, origin, 0, 5, 0, 1), 400);
    CHECK_INT(upload_raw(&b, origin, 0, 5, 0, 1000), 400);
    /* "If this verification process fails": 422, and nothing is kept */
    b.s.entries[2].data[9] ^= 1;
    CHECK_INT(upload_raw(&b, origin, 0, 5, 0, 0), 422);
    b.s.entries[2].data[9] ^= 1;
    CHECK_INT(upload_raw(&b, origin, 1, 5, 1, 0), 409);
    CHECK(info_is(&b, "5\n0\n\n"));
    /* ours: entries are kept, a document is missing: 503 with its hash, once for all five that name it */
    CHECK_INT(upload_raw(&b, origin, 0, 5, 0, 0), 503);
    CHECK(b.answer.len >= 65 && memcmp(b.answer.data, hex, 64) == 0);
    /* an empty sequence asks for the cosignature alone */
    CHECK_INT(upload_raw(&b, origin, 5, 5, 5, 0), 503);
    CHECK_INT(bench_put(&b, text_document), 201);
    CHECK_INT(upload_raw(&b, origin, 5, 5, 5, 0), 200);
    CHECK(is_cosigned(&b, 5));
    /* "If some entry has already been written, the mirror MUST skip saving that entry" */
    CHECK_INT(upload_raw(&b, origin, 0, 5, 0, 0), 200);
    CHECK(is_cosigned(&b, 5));
    /* "If upload_end is less than the mirror checkpoint's tree size": 409 */
    CHECK_INT(upload_raw(&b, origin, 0, 3, 0, 0), 409);
    CHECK(info_is(&b, "5\n5\n\n"));
    /* "all current and past pending checkpoints are consistent": it goes on from what it has cosigned */
    CHECK_INT(bench_push_checkpoint(&b, 0, 3), 409);
    bench_close(&b);
}

/* "mirrors SHOULD accept any of the last several pending checkpoint values as upload_end" */
static void older_pending(void)
{
    static struct bench b;
    test("an upload for an earlier pending checkpoint is taken");
    bench_make(&b, PARTIES, COMMITTEE, SELF, WRITER);
    subject_log(&b.s, 5);
    bench_start(&b);
    CHECK_INT(bench_push_checkpoint(&b, 0, 3), 200);
    CHECK_INT(bench_push_checkpoint(&b, 3, 5), 200);
    CHECK_INT(bench_put(&b, text_document), 202);
    CHECK_INT(bench_push_entries(&b, 0, 3), 200);
    CHECK(is_cosigned(&b, 3));
    CHECK_INT(bench_push_entries(&b, 3, 5), 200);
    CHECK(is_cosigned(&b, 5));
    bench_close(&b);
}

/* Two packages of a log of 300: the first alone, then the second. Each one's subtree is a child of the root, so its proof is its
   sibling. */
static int package_send(struct bench *b, size_t start, size_t first, bool second)
{
    struct entry_package *package = calloc(1, sizeof *package);
    struct buf body;
    if (!package)
        abort();
    buf_init(&body, 1 << 20);
    add_entries_write_head(&body, span_str(b->s.writer->origin), start, 300, span_of(NULL, 0));
    for (size_t at = first; at < 300 && (at < 256 || second); at = 256) {
        size_t end = at < 256 ? 256 : 300;
        *package = (struct entry_package){.start = at, .end = end, .count = end - at, .proof_count = 1};
        for (size_t i = at; i < end; i++)
            package->entries[i - at] = buf_view(&b->s.entries[i]);
        subject_root(b->s.leaves + (at < 256 ? 256 : 0), at < 256 ? 44 : 256, &package->proof[0]);
        add_entries_write_package(&body, package);
        if (at >= 256)
            break;
    }
    int status = bench_request(b, REQ_MIRROR_ADD_ENTRIES, buf_view(&body), NULL);
    buf_free(&body);
    free(package);
    return status;
}

static void prefix(void)
{
    static struct bench b;
    test("a prefix of the packages: 202 with the next entry, and the rest completes it");
    bench_make(&b, PARTIES, COMMITTEE, SELF, WRITER);
    subject_log(&b.s, 300);
    bench_start(&b);
    CHECK_INT(bench_push_checkpoint(&b, 0, 300), 200);
    CHECK_INT(bench_put(&b, text_document), 202);
    CHECK_INT(package_send(&b, 0, 0, false), 202);
    CHECK(info_is(&b, "300\n256\n\n"));
    CHECK_INT(package_send(&b, 300, 300, false), 409);
    CHECK(info_is(&b, "300\n256\n\n"));
    CHECK_INT(package_send(&b, 256, 256, true), 200);
    CHECK(is_cosigned(&b, 300));
    CHECK_INT(package_send(&b, 10, 10, true), 200);
    bench_close(&b);
}

/* A log of garbage (entries that are no statements are mirrored all the same), longer than one request may repeat. */
enum { LONG = 33 * TILE_WIDTH };

static int long_send(struct bench *b, struct tile_reader *tiles, size_t start)
{
    struct entry_package *package = calloc(1, sizeof *package);
    static uint8_t bytes[LONG][2];
    struct buf body;
    if (!package)
        abort();
    buf_init(&body, 1 << 20);
    add_entries_write_head(&body, span_str(b->s.writer->origin), start, LONG, span_of(NULL, 0));
    for (size_t n = 0, at = start; n < PACKAGES_PER_REQUEST_MAX && at < LONG; n++, at = package->end) {
        *package = (struct entry_package){.start = at, .end = (at / TILE_WIDTH + 1) * TILE_WIDTH};
        package->count = package->end - at;
        for (size_t i = 0; i < package->count; i++) {
            bytes[at + i][0] = (uint8_t)((at + i) >> 8);
            bytes[at + i][1] = (uint8_t)(at + i);
            package->entries[i] = span_of(bytes[at + i], 2);
        }
        CHECK_INT(tree_subtree_consistency(tiles, at / TILE_WIDTH * TILE_WIDTH, package->end, LONG, package->proof,
                                           &package->proof_count),
                  0);
        add_entries_write_package(&body, package);
    }
    int status = bench_request(b, REQ_MIRROR_ADD_ENTRIES, buf_view(&body), NULL);
    buf_free(&body);
    free(package);
    return status;
}

static int long_checkpoint(struct bench *b, struct tile_reader *tiles)
{
    struct buf text, note, body;
    struct hash root;
    struct signature signature;
    buf_init(&text, NOTE_BYTES_MAX);
    buf_init(&note, NOTE_BYTES_MAX);
    buf_init(&body, NOTE_BYTES_MAX);
    CHECK_INT(tree_root(tiles, LONG, &root), 0);
    checkpoint_write_text(&text, span_str(b->s.writer->origin), LONG, &root);
    buf_span(&note, buf_view(&text));
    buf_byte(&note, '\n');
    sign(b->s.secret[WRITER][KEY_LOG], buf_view(&text), &signature);
    note_signature_write(&note, span_str(b->s.writer->origin), &b->s.cards[WRITER].keys[KEY_LOG], &signature);
    add_checkpoint_write(&body, 0, NULL, 0, buf_view(&note));
    int status = bench_request(b, REQ_MIRROR_ADD_CHECKPOINT, buf_view(&body), NULL);
    buf_free(&text);
    buf_free(&note);
    buf_free(&body);
    return status;
}

/* "Let excess_entries = min(upload_end, next_entry) - upload_start. If excess_entries is too large": 409 */
static void excess(void)
{
    static struct bench b;
    static uint8_t bytes[LONG][2];
    static struct span entries[LONG];
    static struct hash ids[LONG];
    struct store *source;
    log_id log;
    test("an upload may repeat 8,192 entries, and no more");
    bench_make(&b, PARTIES, COMMITTEE, SELF, WRITER);
    bench_start(&b);
    for (size_t i = 0; i < LONG; i++) {
        bytes[i][0] = (uint8_t)(i >> 8);
        bytes[i][1] = (uint8_t)i;
        entries[i] = span_of(bytes[i], 2);
        tree_leaf(entries[i], &ids[i]);
    }
    CHECK_INT(store_memory_open(&source), 0);
    CHECK_INT(source->ops->begin(source), 0);
    CHECK_INT(source->ops->log_open(source, span_str("garbage"), true, &log), 0);
    CHECK_INT(source->ops->entries_append(source, log, entries, ids, LONG), 0);
    CHECK_INT(source->ops->commit(source), 0);
    struct store_tiles space = {.store = source, .log = log};
    struct tile_reader tiles = store_tile_reader(&space);
    CHECK_INT(long_checkpoint(&b, &tiles), 200);
    CHECK_INT(long_send(&b, &tiles, 0), 202);
    CHECK(info_is(&b, "8448\n8192\n\n"));
    CHECK_INT(long_send(&b, &tiles, 8192), 200);
    CHECK_INT(long_send(&b, &tiles, 0), 409);
    CHECK(info_is(&b, "8448\n8448\n\n"));
    CHECK_INT(long_send(&b, &tiles, 255), 409);
    CHECK_INT(long_send(&b, &tiles, 256), 200);
    source->ops->close(source);
    bench_close(&b);
}

/* Documents */

static void documents(void)
{
    static struct bench b;
    static const char first[] = "one document", other[] = "another";
    struct hash hash;
    test("a document comes before or after its entry, and by its own hash only");
    bench_make(&b, PARTIES, COMMITTEE, SELF, WRITER);
    bench_state(&b, WRITER, "text/plain", span_str(first));
    bench_state(&b, WRITER, "text/plain", span_str(other));
    bench_state(&b, WRITER, MEDIA_SEALED, span_str("nobody sends this"));
    bench_start(&b);
    sha256(span_str(other), &hash);
    CHECK_INT(bench_request(&b, REQ_PUT_DOCUMENT, span_str(first), &hash), 400);
    CHECK_INT(bench_put(&b, span_str(first)), 202); /* ahead of its entry: in memory */
    CHECK_INT(bench_push_checkpoint(&b, 0, 1), 200);
    CHECK_INT(bench_push_entries(&b, 0, 1), 200);
    CHECK_INT(bench_put(&b, span_str(first)), 200); /* held */
    CHECK_INT(bench_push_checkpoint(&b, 1, 2), 200);
    CHECK_INT(bench_push_entries(&b, 1, 2), 503); /* behind its entry: asked for */
    CHECK_INT(bench_put(&b, span_str(other)), 201);
    CHECK_INT(bench_push_entries(&b, 2, 2), 200);
    CHECK_INT(bench_push_checkpoint(&b, 2, 3), 200);
    CHECK_INT(bench_push_entries(&b, 2, 3), 200); /* sealed: none is wanted */
    bench_close(&b);
}

/* Not wanted, and larger than all that is kept ahead of its entry. */
static void too_early(void)
{
    static struct bench b;
    enum { LARGE = 17 * 1024 * 1024 };
    test("a large document is taken once it is stated, and not before");
    bench_make(&b, PARTIES, COMMITTEE, SELF, WRITER);
    uint8_t *large = calloc(1, LARGE);
    if (!large)
        abort();
    bench_state(&b, WRITER, "text/plain", span_of(large, LARGE));
    bench_start(&b);
    CHECK_INT(bench_put(&b, span_of(large, LARGE)), 503);
    CHECK_INT(bench_push_checkpoint(&b, 0, 1), 200);
    CHECK_INT(bench_push_entries(&b, 0, 1), 503);
    CHECK_INT(bench_put(&b, span_of(large, LARGE)), 201);
    CHECK_INT(bench_push_entries(&b, 1, 1), 200);
    free(large);
    bench_close(&b);
}

static bool status_says(struct bench *b, const char *what)
{
    struct buf status;
    buf_init(&status, 1 << 20);
    node_status_json(b->node, b->now_ms, &status);
    buf_byte(&status, 0);
    bool found = strstr((const char *)status.data, what) != NULL;
    if (!found)
        printf("# not in the status: %s\n# %s\n", what, (const char *)status.data);
    buf_free(&status);
    return found;
}

/* What a mirror that holds nothing yet is pushed: documents ahead of their entries, then [0, end) under its checkpoint. */
static void quota_bench(struct bench *b, size_t entries)
{
    bench_make(b, PARTIES, COMMITTEE, SELF, WRITER);
    subject_log(&b->s, entries);
}

static void quota_of_entries(void)
{
    static struct bench b;
    test("entries of a log and day: 429 with the reason, kept over a restart, and the next day it goes on");
    quota_bench(&b, 7);
    b.s.roster.quota_entries_day = 3;
    bench_start(&b);
    CHECK_INT(bench_put(&b, text_document), 202);
    CHECK_INT(bench_push_checkpoint(&b, 0, 3), 200);
    CHECK_INT(bench_push_entries(&b, 0, 3), 200);
    CHECK(status_says(&b, "\"entries\":3,\"entries_limit\":3,"));
    CHECK(status_says(&b, "\"spent\":true"));
    CHECK_INT(bench_push_checkpoint(&b, 3, 5), 200); /* a checkpoint costs nothing */
    CHECK_INT(bench_push_entries(&b, 3, 5), 429);
    CHECK(memmem(b.answer.data, b.answer.len, "3 of 3 entries", 14) != NULL);
    CHECK(memmem(b.answer.data, b.answer.len, "(no limit)", 10) != NULL);
    CHECK_INT(b.retry_after, 86400 - b.now_ms / 1000 % 86400);
    bench_restart(&b);
    CHECK_INT(bench_push_entries(&b, 3, 5), 429);
    b.now_ms += (int64_t)b.retry_after * 1000 - 1000;
    CHECK_INT(bench_push_entries(&b, 3, 5), 429);
    CHECK_INT(b.retry_after, 1);
    b.now_ms += 1000;
    CHECK(status_says(&b, "\"entries\":0,\"entries_limit\":3,"));
    CHECK_INT(bench_push_entries(&b, 3, 5), 200);
    CHECK(status_says(&b, "\"entries\":2,\"entries_limit\":3,"));
    bench_restart(&b);
    CHECK(status_says(&b, "\"entries\":2,\"entries_limit\":3,"));
    bench_close(&b);
}

static void quota_of_bytes(void)
{
    static struct bench b;
    static uint8_t first[1000], second[1000] = {1};
    test(
        "bytes of a log and day: entries and documents are counted, both are refused, and the next day they are taken");
    quota_bench(&b, 0);
    bench_state(&b, WRITER, "text/plain", span_of(first, sizeof first));
    bench_state(&b, WRITER, "text/plain", span_of(second, sizeof second));
    bench_state(&b, WRITER, "text/plain", text_document);
    b.s.roster.quota_bytes_day = b.s.entries[0].len + b.s.entries[1].len + sizeof first;
    bench_start(&b);
    CHECK_INT(bench_push_checkpoint(&b, 0, 2), 200);
    CHECK_INT(bench_push_entries(&b, 0, 2), 503);
    CHECK_INT(bench_put(&b, span_of(first, sizeof first)), 201);
    CHECK(status_says(&b, "\"entries\":2,\"entries_limit\":0,"));
    CHECK_INT(bench_put(&b, span_of(second, sizeof second)), 429);
    CHECK_INT(bench_push_checkpoint(&b, 2, 3), 200);
    CHECK_INT(bench_push_entries(&b, 2, 3), 429);
    bench_tick(&b, 10000);
    CHECK(bench_sent(&b, NULL, "/documents/") == NULL); /* nor is it fetched */
    b.now_ms += 86400000;
    CHECK_INT(bench_put(&b, span_of(second, sizeof second)), 201);
    CHECK_INT(bench_push_entries(&b, 2, 3), 503);
    bench_close(&b);
}

/* A mirror that was away: what a quorum has let in is taken whatever the count, and counts for nothing. */
static void quota_and_standing(void)
{
    static struct bench b;
    struct buf note;
    test("what stands was let in by a quorum: no quota keeps a mirror from it");
    quota_bench(&b, 7);
    b.s.roster.quota_entries_day = 2;
    bench_start(&b);
    CHECK_INT(bench_put(&b, text_document), 202);
    CHECK_INT(bench_push_checkpoint(&b, 0, 2), 200);
    CHECK_INT(bench_push_entries(&b, 0, 2), 200);
    CHECK_INT(bench_push_checkpoint(&b, 2, 6), 200);
    CHECK_INT(bench_push_entries(&b, 2, 6), 429);
    bench_note(&b, 6, 0, &note);
    CHECK_INT(bench_request(&b, REQ_ANNOUNCE, buf_view(&note), NULL), 200);
    bench_tick(&b, 10000);
    CHECK(bench_sent(&b, NULL, "/tile/") == NULL && bench_sent(&b, NULL, "/mirror/") == NULL); /* nor pulled */
    buf_free(&note);
    bench_note(&b, 6, 1u << 1 | 1u << 2 | 1u << 3, &note);
    CHECK_INT(bench_request(&b, REQ_ANNOUNCE, buf_view(&note), NULL), 200);
    CHECK_INT(bench_push_entries(&b, 2, 6), 200);
    CHECK(status_says(&b, "\"entries\":2,\"entries_limit\":2,"));
    buf_free(&note);
    bench_close(&b);
}

static int no_put(struct store *store, const struct hash *hash, enum label label, struct span bytes)
{
    (void)store;
    (void)hash;
    (void)label;
    (void)bytes;
    return E_IO;
}

/* As comity check folds, on a store that is only read. */
static void refolded(void)
{
    static struct bench b;
    struct store_ops ops;
    int rc = -1;
    test("folding again writes no document, of whatever label");
    bench_make(&b, PARTIES, COMMITTEE, SELF, WRITER);
    bench_state(&b, WRITER, "application/csaf+json", span_str("a text of no label"));
    bench_start(&b);
    CHECK_INT(bench_push_checkpoint(&b, 0, 1), 200);
    CHECK_INT(bench_push_entries(&b, 0, 1), 503);
    CHECK_INT(bench_put(&b, span_str("a text of no label")), 201);
    const struct store_ops *real = b.store->ops;
    ops = *real;
    ops.document_put = no_put;
    b.store->ops = &ops;
    node_rebuild(b.node, &rc);
    CHECK_INT(rc, 0);
    b.store->ops = real;
    bench_close(&b);
}

/* The other face was accepted, without its entries; then the tree that everybody else holds is followed past it. */
static void face_overtaken(void)
{
    static struct bench b;
    struct ask other = {0, 5, OTHER_ROOT, 200, "a checkpoint of another tree"};
    struct buf body, note, bundle;
    test("a face that was accepted ahead of its entries is found out when the tree is followed past it");
    bench_make(&b, PARTIES, COMMITTEE, SELF, WRITER);
    subject_log(&b.s, 6);
    bench_start(&b);
    buf_init(&body, NOTE_BYTES_MAX);
    ask_write(&b, &other, &body);
    CHECK_INT(bench_request(&b, REQ_MIRROR_ADD_CHECKPOINT, buf_view(&body), NULL), 200);
    bench_note(&b, 6, 0, &note);
    CHECK_INT(bench_request(&b, REQ_ANNOUNCE, buf_view(&note), NULL), 200);
    CHECK(status_says(&b, "\"two_faces\":false"));
    bench_tick(&b, 5000);
    struct sent *sent = bench_sent(&b, b.s.writer->card.name, "/tile/entries/");
    CHECK(sent != NULL);
    buf_init(&bundle, BUNDLE_BYTES_MAX);
    for (size_t i = 0; i < 6; i++)
        bundle_add(&bundle, buf_view(&b.s.entries[i]));
    if (sent)
        bench_respond(&b, sent, 200, buf_view(&bundle));
    CHECK(status_says(&b, "\"held\":6,"));
    CHECK(status_says(&b, "\"two_faces\":true"));
    buf_free(&body);
    buf_free(&note);
    buf_free(&bundle);
    bench_close(&b);
}

/* Two faces: a second tree of a size that is held. The proof is kept, the log cosigned no more. */
static void two_faces(void)
{
    static struct bench b;
    struct ask other = {5, 5, OTHER_ROOT, 422, "another tree of the same size"};
    struct buf body, status;
    test("after a second face a log is cosigned no more");
    bench_make(&b, PARTIES, COMMITTEE, SELF, WRITER);
    subject_log(&b.s, 6);
    bench_start(&b);
    CHECK_INT(bench_put(&b, text_document), 202);
    CHECK_INT(bench_push_checkpoint(&b, 0, 5), 200);
    CHECK_INT(bench_push_entries(&b, 0, 5), 200);
    buf_init(&body, NOTE_BYTES_MAX);
    ask_write(&b, &other, &body);
    CHECK_INT(bench_request(&b, REQ_MIRROR_ADD_CHECKPOINT, buf_view(&body), NULL), 422);
    CHECK_INT(bench_push_checkpoint(&b, 5, 6), 200);
    CHECK_INT(bench_push_entries(&b, 5, 6), 503);
    CHECK_INT(b.answer.len, 0);
    buf_init(&status, 1 << 20);
    node_status_json(b.node, b.now_ms, &status);
    buf_byte(&status, 0);
    CHECK(strstr((const char *)status.data, "\"two_faces\":true") != NULL);
    buf_free(&status);
    buf_free(&body);
    bench_close(&b);
}

static void announcements(void)
{
    static struct bench b;
    struct buf note;
    struct ask forged = {0, 3, BROKEN_SIGNATURE, 403, ""}, unknown = {0, 3, UNKNOWN_ORIGIN, 404, ""};
    test("an announcement proves itself or is refused, and then it is followed");
    bench_make(&b, PARTIES, COMMITTEE, SELF, WRITER);
    subject_log(&b.s, 3);
    bench_start(&b);
    CHECK_INT(bench_request(&b, REQ_ANNOUNCE, span_str("garbage"), NULL), 400);
    CHECK_INT(bench_request(&b, REQ_ANNOUNCE, span_of(NULL, 0), NULL), 400);
    buf_init(&note, NOTE_BYTES_MAX);
    note_twisted(&b, &unknown, &note);
    CHECK_INT(bench_request(&b, REQ_ANNOUNCE, buf_view(&note), NULL), 404);
    buf_reset(&note);
    note_twisted(&b, &forged, &note);
    CHECK_INT(bench_request(&b, REQ_ANNOUNCE, buf_view(&note), NULL), 403);
    buf_free(&note);
    bench_tick(&b, 3000);
    CHECK(!bench_sent(&b, NULL, "/tile/"));
    bench_note(&b, 3, 0, &note);
    CHECK_INT(bench_request(&b, REQ_ANNOUNCE, buf_view(&note), NULL), 200);
    CHECK(!bench_sent(&b, NULL, "/tile/")); /* the writer pushes to its mirrors: wait a moment */
    bench_tick(&b, 3000);
    CHECK(bench_sent(&b, b.s.cards[WRITER].name, "/tile/entries/000.p/3") != NULL);
    buf_free(&note);
    bench_close(&b);
}

int main(void)
{
    add_checkpoint();
    add_entries_screen();
    older_pending();
    prefix();
    excess();
    documents();
    too_early();
    quota_of_entries();
    quota_of_bytes();
    quota_and_standing();
    two_faces();
    face_overtaken();
    refolded();
    announcements();
    return test_end();
}
