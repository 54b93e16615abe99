/* The signer's own process: what it cannot do, and what is left when it is gone. */
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common.h"
#include "signer/wire.h"

static char degraded[128];

static struct signer *spawned(int fd, int *pid)
{
    struct signer_config config = config_for(fd);
    struct signer *signer = NULL;
    CHECK_INT(spawn_one(&signer, &config, pid, degraded), 0);
    if (!signer)
        exit(1);
    return signer;
}

static bool works(struct signer *signer)
{
    struct sign_statement request = statement_of("application/csaf+json", now);
    struct signed_statement made;
    return signer->ops->statements(signer, &request, 1, &made) == 0;
}

/* The filter is what kills; Landlock alone makes open fail. */
static void test_confinement(void)
{
    static const char *const names[PROBE_COUNT] = {"open a file",           "make a socket", "fork",
                                                   "map executable memory", "connect",       "trace another process",
                                                   "run a program"};
    bool filtered = !strstr(degraded, "without its seccomp filter");
    for (unsigned what = 0; what < PROBE_COUNT; what++) {
        static char title[PROBE_COUNT][64];
        int pid, status, seen = -1;
        struct signer *signer = spawned(-1, &pid);
        (void)snprintf(title[what], sizeof title[what], "it cannot %s", names[what]);
        if (!filtered) {
            test_skip(title[what], "a sanitizer build runs without its seccomp filter");
        } else {
            test(title[what]);
            CHECK(works(signer));
            CHECK_INT(signer_probe(signer, what, &seen), E_IO);
            CHECK_INT(waitpid(pid, &status, 0), pid);
            CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
            CHECK(!works(signer));
            pid = -1;
        }
        signer->ops->close(signer);
        if (pid > 0)
            (void)waitpid(pid, &status, 0);
    }
}

static void test_killed(void)
{
    int pid, status, fd = state_fd(O_TRUNC);
    struct signer *signer = spawned(fd, &pid);
    struct signer_position position;
    struct hash leaf = leaf_of(0);
    struct sign_cosignature request = cosign_of("log.example", 0, 3);
    struct cosigned cosigned;
    struct buf note;
    buf_init(&note, NOTE_BYTES_MAX);
    test("killed, every call is E_IO; a new one goes on from the same state");
    CHECK_INT(signer->ops->checkpoint(signer, 0, &leaf, 1, &note), 0);
    CHECK_INT(kill(pid, SIGKILL), 0);
    CHECK_INT(waitpid(pid, &status, 0), pid);
    for (int round = 0; round < 2; round++) {
        CHECK(!works(signer));
        CHECK_INT(signer->ops->checkpoint(signer, 1, &leaf, 1, &note), E_IO);
        CHECK_INT(signer->ops->feed(signer, 1, &leaf, 1), E_IO);
        CHECK_INT(signer->ops->advance(signer, 2, &leaf, &cosigned.signature), E_IO);
        CHECK_INT(signer->ops->cosign(signer, KEY_WITNESS, &request, &cosigned), E_IO);
        CHECK_INT(signer->ops->position(signer, KEY_LOG, span_str("x"), &position), E_IO);
    }
    signer->ops->close(signer);
    signer = spawned(fd, &pid);
    CHECK_INT(signer->ops->position(signer, KEY_LOG, span_str(CIRCLE_PREFIX "alpha"), &position), 0);
    CHECK_INT(position.size, 1);
    signer->ops->close(signer);
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    buf_free(&note);
    (void)close(fd);
}

/* The client against an answer that makes no sense: it is E_IO, and the line is not used again. */
static void test_answers(void)
{
    static const struct answer rows[] = {{0, 0}, {0, 3}, {0, 5000}, {0, UINT32_MAX}, {1, 0}, {E_IO, 8}};
    static uint8_t junk[16384];
    test("answers that make no sense lose the line");
    memset(junk, 0xff, sizeof junk);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int pair[2];
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        struct signer *signer = signer_client(pair[0]);
        CHECK(send_all(pair[1], &rows[i], sizeof rows[i]) && send_all(pair[1], junk, sizeof junk));
        CHECK(!works(signer));
        CHECK(!works(signer));
        signer->ops->close(signer);
        (void)close(pair[1]);
    }
}

static void test_requests(void)
{
    static const struct {
        uint32_t type, count;
        bool good;
        size_t bytes;
    } rows[] = {
        {0, 0, false, 0},
        {ASK_STATEMENTS, BATCH_STATEMENTS_MAX, true, BATCH_STATEMENTS_MAX * sizeof(struct sign_statement)},
        {ASK_STATEMENTS, BATCH_STATEMENTS_MAX + 1, false, 0},
        {ASK_CHECKPOINT, 0, true, 0},
        {ASK_CHECKPOINT, UINT32_MAX, false, 0},
        {ASK_FEED, FEED_LEAVES_MAX, true, FEED_LEAVES_MAX * 32},
        {ASK_FEED, FEED_LEAVES_MAX + 1, false, 0},
        {ASK_ADVANCE, 0, true, 0},
        {ASK_ADVANCE, 1, false, 0},
        {ASK_COSIGN, 0, false, 0},
        {ASK_COSIGN, 1, true, sizeof(struct sign_cosignature)},
        {ASK_COSIGN, 2, false, 0},
        {ASK_POSITION, 1, false, 0},
        {ASK_PROBE, 0, true, 0},
        {ASK_TYPES, 0, false, 0},
        {UINT32_MAX, 0, false, 0},
    };
    test("requests: known types, counts within their limits, an origin that ends");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ask ask = {.type = rows[i].type, .count = rows[i].count};
        size_t bytes = 0;
        CHECK(ask_items(&ask, &bytes) == rows[i].good && bytes == rows[i].bytes);
        memset(ask.origin, 'x', sizeof ask.origin);
        CHECK(!ask_items(&ask, &bytes));
    }
}

/* The fork closes what it inherits: a pipe that stood open here has no writer left there. */
static void test_descriptors(void)
{
    int ends[2], pid, status;
    char byte;
    test("it keeps no descriptor but its own");
    CHECK_INT(pipe(ends), 0);
    int fd = state_fd(O_TRUNC);
    struct signer *signer = spawned(fd, &pid);
    (void)close(ends[1]);
    CHECK_INT(read(ends[0], &byte, 1), 0);
    CHECK(works(signer));
    (void)close(ends[0]);
    (void)close(fd);
    signer->ops->close(signer);
    (void)waitpid(pid, &status, 0);
}

int main(void)
{
    struct public_key pub[KEY_COUNT];
    uint8_t recovery[32];
    int pid, status;
    folder_make(pub, recovery);
    struct signer *first = spawned(-1, &pid); /* for what this kernel lacks */
    first->ops->close(first);
    (void)waitpid(pid, &status, 0);
    if (degraded[0])
        printf("# %s\n", degraded);
    test_confinement();
    test_killed();
    test_answers();
    test_requests();
    test_descriptors();
    folder_drop();
    return test_end();
}
