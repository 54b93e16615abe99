/* The signer's rules, in this process and in its own: one body for both. */
#include <signal.h>
#include <sys/wait.h>

#include "circle/member.h"
#include "common.h"
#include "record/receipt.h"

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
static struct public_key pub[KEY_COUNT];
static int spawned_pid;
static const char *const mode_names[] = {"local", "spawned"};

static struct signer *signer_for(int mode, int fd)
{
    struct signer *signer = NULL;
    struct signer_config config = config_for(fd);
    char degraded[128] = "";
    CHECK_INT(mode ? spawn_one(&signer, &config, &spawned_pid, degraded) : signer_local_open(&signer, &config, NULL),
              0);
    if (degraded[0])
        printf("# %s\n", degraded);
    if (!signer)
        exit(1);
    return signer;
}

static void signer_end(int mode, struct signer *signer)
{
    int status = -1;
    signer->ops->close(signer);
    if (!mode)
        return;
    CHECK_INT(waitpid(spawned_pid, &status, 0), spawned_pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_name_of(int mode, const char *what)
{
    static char names[64][128];
    static int count;
    (void)snprintf(names[count], sizeof names[0], "%s: %s", mode_names[mode], what);
    test(names[count++]);
}

static void test_statements(int mode)
{
    static const struct {
        const char *media;
        int64_t off;
        int want;
    } rows[] = {
        {"application/csaf+json", 0, 0},
        {"application/csaf+json", 86400, 0},
        {"application/csaf+json", -86401, E_REFUSED},
        {"application/csaf+json", 86401, E_REFUSED},
        {"application/csaf+json", INT64_MAX - 1800000000, E_REFUSED},
        {"application/csaf+json", INT64_MIN, E_REFUSED},
        {"application/vnd.comity.ballot+json", 0, E_REFUSED},
        {"Application/VND.comity.Ballot+json", 0, E_REFUSED},
        {"application/vnd.comity.production+json", 0, E_REFUSED},
        {"application/vnd.comity.roster+json", 0, E_REFUSED},
        {"application/vnd.comity.emergency+json;v=1", 0, E_REFUSED},
        {"application/vnd.comity.key-change+json", 0, E_REFUSED},
        {"no media type", 0, E_SYNTAX},
        {"", 0, E_SYNTAX},
    };
    struct signer *signer = signer_for(mode, -1);
    struct signed_statement made[2];
    struct statement got;
    test_name_of(mode, "statements: its own name, circle and key; what needs a person is refused");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sign_statement two[2] = {statement_of("application/csaf+json", now),
                                        statement_of(rows[i].media, rows[i].off + now * (rows[i].off > INT64_MIN))};
        CHECK_INT(signer->ops->statements(signer, two, 2, made), rows[i].want);
        if (rows[i].want)
            continue;
        CHECK_INT(statement_parse(&got, span_of(made[1].bytes, made[1].len), NULL), 0);
        CHECK_INT(statement_verify(&got, &pub[KEY_STATEMENT]), 0);
        CHECK(span_is(got.issuer, "alpha") && got.circle.b[31] == 0x11 && got.document.b[0] == 7 &&
              span_is(got.media, rows[i].media));
    }
    struct sign_statement bad = statement_of("application/csaf+json", now);
    bad.answer_count = STATEMENT_ANSWERS_MAX + 1;
    CHECK_INT(signer->ops->statements(signer, &bad, 1, made), E_LIMIT);
    bad.answer_count = 0;
    memset(bad.subject, 'x', sizeof bad.subject);
    CHECK_INT(signer->ops->statements(signer, &bad, 1, made), E_LIMIT);
    signer_end(mode, signer);
}

static void test_batch(int mode)
{
    struct signer *signer = signer_for(mode, -1);
    struct sign_statement *requests = calloc(BATCH_STATEMENTS_MAX, sizeof *requests);
    struct signed_statement *made = calloc(BATCH_STATEMENTS_MAX, sizeof *made);
    struct statement got;
    test_name_of(mode, "a whole batch, twice; one more is refused");
    for (int i = 0; i < BATCH_STATEMENTS_MAX; i++) {
        requests[i] = statement_of("application/csaf+json", now);
        requests[i].document.b[0] = (uint8_t)i;
        requests[i].answer_count = STATEMENT_ANSWERS_MAX;
        for (int j = 0; j < STATEMENT_ANSWERS_MAX; j++)
            requests[i].answers[j].b[0] = (uint8_t)j;
    }
    for (int round = 0; round < 2; round++) {
        CHECK_INT(signer->ops->statements(signer, requests, BATCH_STATEMENTS_MAX, made), 0);
        CHECK_INT(statement_parse(&got, span_of(made[1023].bytes, made[1023].len), NULL), 0);
        CHECK_INT(statement_verify(&got, &pub[KEY_STATEMENT]), 0);
        CHECK_INT(got.answer_count, STATEMENT_ANSWERS_MAX);
    }
    CHECK_INT(signer->ops->statements(signer, requests, BATCH_STATEMENTS_MAX + 1, made), E_LIMIT);
    CHECK_INT(signer->ops->statements(signer, requests, 0, made), 0);
    free(requests);
    free(made);
    signer_end(mode, signer);
}

static void leaves_fill(struct hash *out, unsigned from, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        out[i] = leaf_of(from + i);
}

static void checkpoint_check(struct signer *signer, uint64_t old_size, unsigned count, uint64_t want)
{
    static struct hash leaves[BATCH_STATEMENTS_MAX];
    struct buf bytes;
    struct note note;
    struct checkpoint checkpoint;
    struct hash root = root_of(want);
    buf_init(&bytes, NOTE_BYTES_MAX);
    leaves_fill(leaves, (unsigned)old_size, count);
    CHECK_INT(signer->ops->checkpoint(signer, old_size, leaves, count, &bytes), 0);
    CHECK_INT(checkpoint_parse(&checkpoint, &note, buf_view(&bytes), NULL), 0);
    CHECK(checkpoint.size == want && hash_eq(&checkpoint.root, &root) &&
          span_is(checkpoint.origin, CIRCLE_PREFIX "alpha"));
    CHECK_INT(note_verify(&note, span_str(CIRCLE_PREFIX "alpha"), &pub[KEY_LOG]), 0);
    buf_free(&bytes);
}

static void test_own_log(int mode)
{
    int fd = state_fd(O_TRUNC);
    struct signer *signer = signer_for(mode, fd);
    struct signer_position position;
    struct hash leaf = leaf_of(0);
    struct buf bytes;
    buf_init(&bytes, NOTE_BYTES_MAX);
    test_name_of(mode, "the own log grows only, by its own reckoning, over restarts");
    CHECK_INT(signer->ops->position(signer, KEY_LOG, span_str(CIRCLE_PREFIX "alpha"), &position), E_NOTFOUND);
    checkpoint_check(signer, 0, 0, 0);
    checkpoint_check(signer, 0, 1, 1);
    checkpoint_check(signer, 1, 1024, 1025);
    checkpoint_check(signer, 1025, 0, 1025);
    CHECK_INT(signer->ops->checkpoint(signer, 0, &leaf, 1, &bytes), E_BACKWARDS);
    CHECK_INT(signer->ops->checkpoint(signer, 1026, &leaf, 1, &bytes), E_BACKWARDS);
    CHECK_INT(signer->ops->checkpoint(signer, 0, NULL, 0, &bytes), E_BACKWARDS);
    signer_end(mode, signer);
    signer = signer_for(mode, fd);
    CHECK_INT(signer->ops->position(signer, KEY_LOG, span_str(CIRCLE_PREFIX "alpha"), &position), 0);
    CHECK_INT(position.size, 1025);
    checkpoint_check(signer, 1025, 7, 1032);
    signer_end(mode, signer);
    buf_free(&bytes);
    (void)close(fd);
}

static int move(struct signer *signer, uint64_t from, const struct hash *leaves, size_t count, uint64_t size,
                const struct hash *root, const struct signature *signature)
{
    size_t at = 0, most = FEED_LEAVES_MAX;
    int rc = 0;
    for (; rc == 0 && at < count; at += most)
        rc = signer->ops->feed(signer, from + at, leaves + at, count - at < most ? count - at : most);
    return rc ? rc : signer->ops->advance(signer, size, root, signature);
}

/* `ahead` is the signer as it stood later than the backup: its signature is what moves the restored one. */
static void test_advance(int mode)
{
    enum { SIZE = 5000 };
    static struct hash leaves[SIZE];
    struct signer *ahead = signer_for(0, -1), *signer = signer_for(mode, -1);
    struct buf bytes;
    struct note note;
    struct signature signature, none = {{0}};
    struct hash root = root_of(SIZE), other = root_of(SIZE - 1);
    struct signer_position position;
    buf_init(&bytes, NOTE_BYTES_MAX);
    leaves_fill(leaves, 0, SIZE);
    test_name_of(mode, "after a restore it moves on by its own signature only");
    for (unsigned at = 0; at < SIZE; at += 1000)
        CHECK_INT(ahead->ops->checkpoint(ahead, at, leaves + at, 1000, &bytes), 0);
    CHECK_INT(note_parse(&note, buf_view(&bytes), NULL), 0);
    memcpy(signature.b, note.signatures[0].bytes, 64);
    checkpoint_check(signer, 0, 9, 9);
    CHECK_INT(move(signer, 9, leaves + 9, SIZE - 9, SIZE, &root, &none), E_SIGNATURE);
    CHECK_INT(move(signer, 9, leaves + 9, SIZE - 9, SIZE, &other, &signature), E_SIGNATURE);
    CHECK_INT(move(signer, 9, leaves + 8, SIZE - 9, SIZE, &root, &signature), E_PROOF);
    CHECK_INT(move(signer, 9, leaves + 9, SIZE - 10, SIZE, &root, &signature), E_PROOF);
    CHECK_INT(move(signer, 8, leaves + 8, SIZE - 8, SIZE, &root, &signature), E_BACKWARDS);
    checkpoint_check(signer, 9, 0, 9);
    CHECK_INT(signer->ops->feed(signer, 9, leaves + 9, FEED_LEAVES_MAX + 1), E_LIMIT);
    CHECK_INT(signer->ops->feed(signer, 9, leaves + 9, 100), 0);
    CHECK_INT(signer->ops->feed(signer, 108, leaves + 108, 100), E_BACKWARDS); /* not where the last one ended */
    CHECK_INT(signer->ops->feed(signer, 110, leaves + 110, 100), E_BACKWARDS);
    checkpoint_check(signer, 9, 0, 9); /* nothing of it counts */
    CHECK_INT(move(signer, 9, leaves + 9, SIZE - 9, SIZE, &root, &signature), 0);
    CHECK_INT(signer->ops->position(signer, KEY_LOG, span_str(CIRCLE_PREFIX "alpha"), &position), 0);
    CHECK_INT(position.size, SIZE);
    checkpoint_check(signer, SIZE, 3, SIZE + 3);
    CHECK_INT(move(signer, 9, leaves + 9, SIZE - 9, SIZE, &root, &signature), E_BACKWARDS);
    CHECK_INT(signer->ops->feed(signer, SIZE + 3, leaves, 5), 0);
    checkpoint_check(signer, SIZE + 3, 1, SIZE + 4);
    CHECK_INT(signer->ops->feed(signer, SIZE + 8, leaves, 5),
              E_BACKWARDS); /* what was fed before a signature is void */
    buf_free(&bytes);
    signer_end(0, ahead);
    signer_end(mode, signer);
}

static void cosigned_check(enum key_role role, const struct sign_cosignature *request, const struct cosigned *got)
{
    struct buf text, header, message;
    struct hash kid;
    buf_init(&text, 1024);
    buf_init(&header, 4096);
    buf_init(&message, 4096);
    checkpoint_write_text(&text, span_str(request->origin), request->size, &request->root);
    CHECK_INT(cosignature_verify(&pub[role], got->timestamp, buf_view(&text), &got->signature), 0);
    key_id(&pub[role], &kid);
    cose_receipt_protected(&header, &kid, span_str(CIRCLE_PREFIX "alpha/mirror"), span_str(request->origin),
                           request->size);
    cose_to_be_signed(&message, buf_view(&header), span_hash(&request->root));
    CHECK(sign_verify(&pub[role], buf_view(&message), &got->cose) == (role == KEY_MIRROR));
    buf_free(&text);
    buf_free(&header);
    buf_free(&message);
}

static void test_cosign(int mode)
{
    int fd = state_fd(O_TRUNC);
    struct signer *signer = signer_for(mode, fd);
    struct sign_cosignature request;
    struct cosigned got;
    const char *origin = CIRCLE_PREFIX "beta";
    test_name_of(mode, "mirror: consistent trees are cosigned, over restarts; time never runs back");
    for (uint64_t old_size = 0, size = 0; size <= 600; old_size = size, size += 150) {
        request = cosign_of(origin, old_size, size);
        CHECK_INT(signer->ops->cosign(signer, KEY_MIRROR, &request, &got), 0);
        CHECK_INT(got.timestamp, now);
        cosigned_check(KEY_MIRROR, &request, &got);
    }
    now -= 50;
    signer_end(mode, signer);
    signer = signer_for(mode, fd);
    request = cosign_of(origin, 600, 600);
    CHECK_INT(signer->ops->cosign(signer, KEY_MIRROR, &request, &got), 0);
    CHECK_INT(got.timestamp, now + 50);
    now += 50;
    test_name_of(mode, "mirror: smaller, other and unproven trees are refused");
    request = cosign_of(origin, 0, 599);
    CHECK_INT(signer->ops->cosign(signer, KEY_MIRROR, &request, &got), E_BACKWARDS);
    request = cosign_of(origin, 600, 600);
    request.root.b[0] ^= 1;
    CHECK_INT(signer->ops->cosign(signer, KEY_MIRROR, &request, &got), E_TWO_FACES);
    request = cosign_of(origin, 600, 600);
    request.proof_count = 1;
    CHECK_INT(signer->ops->cosign(signer, KEY_MIRROR, &request, &got), E_PROOF);
    for (int i = 0; i < 5; i++) {
        request = cosign_of(origin, 600, 700);
        if (i == 0)
            request.proof[0].b[0] ^= 1;
        else if (i == 1)
            request.proof_count--;
        else if (i == 2)
            request.proof_count++;
        else if (i == 3)
            request.root.b[5] ^= 1;
        else
            request = cosign_of(origin, 599, 700);
        CHECK_INT(signer->ops->cosign(signer, KEY_MIRROR, &request, &got), E_PROOF);
    }
    request = cosign_of(origin, 600, 700);
    request.proof_count = PROOF_HASHES_MAX + 1;
    CHECK_INT(signer->ops->cosign(signer, KEY_MIRROR, &request, &got), E_LIMIT);
    request.proof_count = UINT32_MAX;
    CHECK_INT(signer->ops->cosign(signer, KEY_MIRROR, &request, &got), E_LIMIT);
    request = cosign_of(origin, 600, 700);
    CHECK_INT(signer->ops->cosign(signer, KEY_MIRROR, &request, &got), 0);
    cosigned_check(KEY_MIRROR, &request, &got);
    signer_end(mode, signer);
    (void)close(fd);
}

static void test_roles(int mode)
{
    static const struct {
        enum key_role role;
        const char *origin;
        int want;
    } rows[] = {
        {KEY_MIRROR, CIRCLE_PREFIX "beta", 0},
        {KEY_WITNESS, "log.example/2026", 0},
        {KEY_MIRROR, "log.example/2026", E_REFUSED},
        {KEY_WITNESS, CIRCLE_PREFIX "beta", E_REFUSED},
        {KEY_MIRROR, CIRCLE_PREFIX "alpha", E_REFUSED},
        {KEY_WITNESS, CIRCLE_PREFIX "alpha", E_REFUSED},
        {KEY_MIRROR, "comity/1111111111111112/beta", E_REFUSED},
        {KEY_WITNESS, "comity/1111111111111112/beta", 0},
        {KEY_LOG, CIRCLE_PREFIX "beta", E_SYNTAX},
        {KEY_STATEMENT, CIRCLE_PREFIX "beta", E_SYNTAX},
        {(enum key_role)77, CIRCLE_PREFIX "beta", E_SYNTAX},
        {KEY_WITNESS, "", E_SYNTAX},
        {KEY_WITNESS, "log.example/2027\n9\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", E_SYNTAX},
        {KEY_WITNESS, "log\xff", E_SYNTAX},
    };
    struct signer *signer = signer_for(mode, -1);
    struct cosigned got;
    test_name_of(mode, "each role for its logs only; an origin is one line");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sign_cosignature request = cosign_of(rows[i].origin, 0, 5);
        CHECK_INT(signer->ops->cosign(signer, rows[i].role, &request, &got), rows[i].want);
        if (rows[i].want == 0)
            cosigned_check(rows[i].role, &request, &got);
    }
    struct sign_cosignature endless = cosign_of("x", 0, 5), huge = cosign_of("log.example/huge", 0, 5),
                            hollow = cosign_of("log.example/0", 0, 0);
    memset(endless.origin, 'x', sizeof endless.origin);
    CHECK_INT(signer->ops->cosign(signer, KEY_WITNESS, &endless, &got), E_SYNTAX);
    huge.size = (uint64_t)INT64_MAX + 1;
    CHECK_INT(signer->ops->cosign(signer, KEY_WITNESS, &huge, &got), E_LIMIT);
    hollow.root.b[0] ^= 1;
    CHECK_INT(signer->ops->cosign(signer, KEY_WITNESS, &hollow, &got), E_PROOF);
    signer_end(mode, signer);
}

/* A file copied back is only older: the signer follows it, so a node hears the committee before it asks for a signature. */
static void test_older_file(int mode)
{
    static uint8_t old[65536];
    int fd = state_fd(O_TRUNC);
    struct signer *signer = signer_for(mode, fd);
    struct signer_position position;
    test_name_of(mode, "an older state file copied back is just older");
    checkpoint_check(signer, 0, 4, 4);
    signer_end(mode, signer);
    ssize_t len = pread(fd, old, sizeof old, 0);
    signer = signer_for(mode, fd);
    checkpoint_check(signer, 4, 4, 8);
    signer_end(mode, signer);
    CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, old, (size_t)len, 0) == len);
    signer = signer_for(mode, fd);
    CHECK_INT(signer->ops->position(signer, KEY_LOG, span_str(CIRCLE_PREFIX "alpha"), &position), 0);
    CHECK_INT(position.size, 4);
    signer_end(mode, signer);
    (void)close(fd);
}

static void test_http(int mode)
{
    static const struct {
        const char *method, *authority, *path;
        int want;
    } rows[] = {
        {"GET", "a.example:8440", "/documents/" HEX64, 0},
        {"GET", "[::1]:1", "/documents/" HEX64, 0},
        {"PUT", "a.example", "/documents/" HEX64, E_REFUSED},
        {"get", "a.example", "/documents/" HEX64, E_REFUSED},
        {"GETGETGETGET", "a.example", "/documents/" HEX64, E_REFUSED},
        {"", "a.example", "/documents/" HEX64, E_REFUSED},
        {"GET", "a.example", "/documents/", E_REFUSED},
        {"GET", "a.example", "/documents/" HEX64 "0", E_REFUSED},
        {"GET", "a.example", "/documents/" HEX64 HEX64 HEX64, E_REFUSED},
        {"GET", "a.example", "/documents/../entries", E_REFUSED},
        {"GET", "a.example", "/entries/" HEX64, E_REFUSED},
        {"GET", "a.example", "", E_REFUSED},
        {"GET", "", "/documents/" HEX64, E_REFUSED},
        {"GET", "A.example", "/documents/" HEX64, E_REFUSED},
        {"GET", "a.example\n\"@path\": /x", "/documents/" HEX64, E_REFUSED},
        {"GET", "a\"b", "/documents/" HEX64, E_REFUSED},
    };
    struct signer *signer = signer_for(mode, -1);
    test_name_of(mode, "members' requests: a GET of a document, and nothing else");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf input, value, base;
        struct member_input parsed;
        struct signature signature;
        buf_init(&input, 4096);
        buf_init(&value, 4096);
        buf_init(&base, 4096);
        CHECK_INT(signer->ops->http_sign(signer, rows[i].method, rows[i].authority, rows[i].path, &input, &value),
                  rows[i].want);
        CHECK(rows[i].want == 0 || (!input.len && !value.len));
        if (rows[i].want == 0) {
            CHECK_INT(member_input_parse(&parsed, buf_view(&input)), 0);
            CHECK_INT(member_signature_parse(&signature, buf_view(&value)), 0);
            CHECK_INT(parsed.created, now);
            member_base_write(&base, span_str(rows[i].authority), span_str(rows[i].path), parsed.params);
            CHECK(sign_verify(&pub[KEY_STATEMENT], buf_view(&base), &signature));
        }
        buf_free(&input);
        buf_free(&value);
        buf_free(&base);
    }
    signer_end(mode, signer);
}

static void test_foreign_state(int mode)
{
    int fd = state_fd(O_TRUNC), pid;
    struct signer *signer = signer_for(mode, fd);
    struct signer_config config;
    char degraded[128];
    test_name_of(mode, "another party's state file, or a name that is none, is refused");
    signer_end(mode, signer);
    config = config_for(fd);
    (void)snprintf(config.party, sizeof config.party, "beta");
    CHECK_INT(mode ? spawn_one(&signer, &config, &pid, degraded) : signer_local_open(&signer, &config, NULL), E_CIRCLE);
    config = config_for(-1);
    (void)snprintf(config.party, sizeof config.party, "beta\n9");
    CHECK_INT(mode ? spawn_one(&signer, &config, &pid, degraded) : signer_local_open(&signer, &config, NULL), E_SYNTAX);
    (void)close(fd);
}

static struct signer *signer_changed(int fd, int64_t changed_at)
{
    struct signer *signer = NULL;
    struct signer_config config = config_for(fd);
    config.state_changed_at = changed_at;
    CHECK_INT(signer_local_open(&signer, &config, NULL), 0);
    if (!signer)
        exit(1);
    return signer;
}

static int64_t put_back(struct signer *signer)
{
    struct signer_position position = {0};
    CHECK_INT(signer->ops->position(signer, KEY_RECOVERY, span_str(CIRCLE_PREFIX "alpha"), &position), 0);
    return (int64_t)position.size;
}

/* The file's change time against what stands in it. */
static void test_put_back(void)
{
    enum { LATE = 10 };
    int64_t then = now;
    struct buf note;
    struct hash leaf = {.b = {1}};
    int fd = state_fd(O_TRUNC);
    test("a state file that was changed well after its last record was written by somebody else, until something is "
         "signed");
    buf_init(&note, NOTE_BYTES_MAX);
    struct signer *signer = signer_changed(fd, now); /* new */
    CHECK_INT(put_back(signer), 0);
    now += 5000;
    CHECK_INT(signer->ops->checkpoint(signer, 0, &leaf, 1, &note), 0);
    signer->ops->close(signer);
    signer = signer_changed(state_fd(0), now + LATE);
    CHECK_INT(put_back(signer), 0);
    signer->ops->close(signer);
    signer = signer_changed(state_fd(0), 0); /* what the file system does not tell counts for nothing */
    CHECK_INT(put_back(signer), 0);
    signer->ops->close(signer);
    signer = signer_changed(state_fd(0), now + LATE + 1);
    CHECK_INT(put_back(signer), 1);
    signer->ops->close(signer);
    signer = signer_changed(state_fd(0), now); /* it is remembered */
    CHECK_INT(put_back(signer), 1);
    CHECK_INT(signer->ops->checkpoint(signer, 1, NULL, 0, &note), 0);
    CHECK_INT(put_back(signer), 0);
    signer->ops->close(signer);
    now += 5000;
    signer = signer_changed(state_fd(0), now - 1); /* long after the last start */
    CHECK_INT(put_back(signer), 1);
    struct sign_cosignature request = {.size = 0};
    struct cosigned made;
    tree_empty(&request.root);
    (void)snprintf(request.origin, sizeof request.origin, "%s", CIRCLE_PREFIX "beta");
    CHECK_INT(signer->ops->cosign(signer, KEY_MIRROR, &request, &made), 0);
    CHECK_INT(put_back(signer), 0);
    signer->ops->close(signer);
    now = then;
    buf_free(&note);
    (void)close(fd);
}

static void test_storage_key(int mode)
{
    struct storage_key first, again, other;
    struct hash salt = {{1}}, salt2 = {{2}};
    struct signer *signer = signer_for(mode, -1);
    test_name_of(mode, "storage keys: one for each salt, and the same at every start");
    CHECK_INT(signer->ops->storage_key(signer, &salt, &first), 0);
    CHECK_INT(signer->ops->storage_key(signer, &salt2, &other), 0);
    CHECK(memcmp(first.b, other.b, sizeof first.b) != 0);
    signer_end(mode, signer);
    signer = signer_for(mode, -1);
    CHECK_INT(signer->ops->storage_key(signer, &salt, &again), 0);
    CHECK(memcmp(first.b, again.b, sizeof first.b) == 0);
    for (int role = 0; role < KEY_COUNT; role++) /* nothing that is published */
        CHECK(memcmp(first.b, pub[role].b, sizeof first.b) != 0);
    signer_end(mode, signer);
}

int main(void)
{
    uint8_t recovery[32];
    folder_make(pub, recovery);
    for (int mode = 0; mode < 2; mode++) {
        test_statements(mode);
        test_batch(mode);
        test_own_log(mode);
        test_advance(mode);
        test_cosign(mode);
        test_roles(mode);
        test_older_file(mode);
        test_foreign_state(mode);
        test_http(mode);
        test_storage_key(mode);
    }
    test_put_back();
    folder_drop();
    return test_end();
}
