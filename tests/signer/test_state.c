#include <sys/stat.h>

#include "common.h"
#include "signer/state.h"

enum { SLOT = 4096 };
static struct hash circle;

static struct signer_state *opened(int fd, int want)
{
    struct signer_state *state = NULL;
    CHECK_INT(state_open(&state, fd, "alpha", &circle, NULL), want);
    return want ? NULL : state;
}

static void save(struct signer_state *state, const char *origin, uint64_t size)
{
    struct signer_record record;
    state_blank(&record, KEY_MIRROR, span_str(origin));
    record.size = size;
    CHECK_INT(state_save(state, &record), 0);
}

static int64_t size_in(struct signer_state *state, const char *origin)
{
    const struct signer_record *record = state ? state_find(state, KEY_MIRROR, span_str(origin)) : NULL;
    return record ? (int64_t)record->size : -1;
}

static int64_t size_of(int fd, const char *origin)
{
    struct signer_state *state = opened(fd, 0);
    int64_t size = size_in(state, origin);
    state_free(state);
    return size;
}

static void byte_flip(int fd, off_t at)
{
    uint8_t b = 0;
    CHECK(pread(fd, &b, 1, at) == 1);
    b ^= 1;
    CHECK(pwrite(fd, &b, 1, at) == 1);
}

static void test_survives(void)
{
    int fd = state_fd(O_TRUNC);
    struct signer_state *state = opened(fd, 0);
    test("state survives; roles and origins stand apart");
    for (uint64_t i = 1; i <= 5; i++) {
        save(state, "a", i);
        save(state, "b", 10 * i);
    }
    CHECK(!state_find(state, KEY_WITNESS, span_str("a")));
    state_free(state);
    CHECK_INT(size_of(fd, "a"), 5);
    CHECK_INT(size_of(fd, "b"), 50);
    CHECK_INT(size_of(fd, "c"), -1);
    (void)close(fd);
}

static void test_torn(void)
{
    int fd = state_fd(O_TRUNC);
    struct signer_state *state = opened(fd, 0);
    test("a torn newest slot leaves the one before; both damaged is corruption");
    for (uint64_t i = 1; i <= 4; i++) /* sequence 4 stands in slot 0 */
        save(state, "a", i);
    state_free(state);
    byte_flip(fd, SLOT + 40);
    CHECK_INT(size_of(fd, "a"), 3);
    state = opened(fd, 0);
    save(state, "a", 9);
    state_free(state);
    CHECK_INT(size_of(fd, "a"), 9);
    byte_flip(fd, SLOT + 40);
    byte_flip(fd, 2 * SLOT + 40);
    (void)opened(fd, E_CORRUPT);
    test("a slot in the other one's place does not count");
    byte_flip(fd, SLOT + 40);
    uint8_t page[SLOT];
    CHECK(pread(fd, page, SLOT, SLOT) == SLOT && pwrite(fd, page, SLOT, 2 * SLOT) == SLOT && ftruncate(fd, SLOT) == 0);
    CHECK(pwrite(fd, page, SLOT, 2 * SLOT) == SLOT);
    (void)opened(fd, E_CORRUPT);
    (void)close(fd);
}

/* A crash at every byte of a first write: the founding slot goes first, so that the file always opens again. */
static void test_founding(void)
{
    static uint8_t whole[5 * SLOT];
    int fd = state_fd(O_TRUNC);
    struct signer_state *state = opened(fd, 0);
    test("a crash while a record is founded, at any place, loses nothing that was signed");
    save(state, "a", 3);
    save(state, "b", 7);
    state_free(state);
    CHECK_INT(pread(fd, whole, sizeof whole, 0), sizeof whole);
    for (size_t cut = 3 * SLOT; cut <= sizeof whole; cut += 97) {
        CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, whole, cut, 0) == (ssize_t)cut);
        CHECK_INT(size_of(fd, "a"), 3);
        state = opened(fd, 0);
        int64_t b = size_in(state, "b");
        CHECK(b == -1 || b == 0 || b == 7);
        save(state, "b", 8);
        save(state, "c", 9);
        state_free(state);
        CHECK_INT(size_of(fd, "b"), 8);
        CHECK_INT(size_of(fd, "c"), 9);
    }
    test("a crash while the file is founded");
    CHECK(ftruncate(fd, 0) == 0 && ftruncate(fd, 144) == 0);
    CHECK_INT(size_of(fd, "a"), -1);
    for (size_t cut = 0; cut < 144; cut++) { /* as a full disk leaves it, and with the rest as zeros */
        CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, whole, cut, 0) == (ssize_t)cut &&
              ftruncate(fd, cut % 2 ? 144 : (off_t)cut) == 0);
        CHECK_INT(size_of(fd, "a"), -1);
    }
    CHECK_INT(size_of(fd, "a"), -1);
    test("another file's beginning is not taken for a founding that was cut off");
    CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, "something else", 14, 0) == 14);
    (void)opened(fd, E_CORRUPT);
    (void)close(fd);
}

static void test_foreign(void)
{
    int fd = state_fd(O_TRUNC);
    struct signer_state *state = opened(fd, 0);
    struct hash other = {{1}};
    test("another party's or circle's file, and a damaged header, are refused");
    save(state, "a", 1);
    state_free(state);
    CHECK_INT(state_open(&state, fd, "beta", &circle, NULL), E_CIRCLE);
    CHECK_INT(state_open(&state, fd, "alpha", &other, NULL), E_CIRCLE);
    byte_flip(fd, 20);
    (void)opened(fd, E_CORRUPT);
    byte_flip(fd, 20);
    byte_flip(fd, 0);
    (void)opened(fd, E_CORRUPT);
    (void)close(fd);
}

static void test_full(void)
{
    struct signer_state *state = opened(-1, 0);
    struct signer_record record;
    char origin[32];
    test("the table has an end, and what is in it goes on");
    for (int i = 0; i < PARTIES_MAX + FOREIGN_LOGS_MAX + 2; i++) { /* and one each for leaving and for starts */
        (void)snprintf(origin, sizeof origin, "log-%d", i);
        save(state, origin, 1);
    }
    state_blank(&record, KEY_MIRROR, span_str("one-more"));
    CHECK_INT(state_save(state, &record), E_LIMIT);
    save(state, "log-7", 2);
    CHECK_INT(size_in(state, "log-7"), 2);
    state_free(state);
}

static void test_failing(void)
{
    int fd = state_fd(O_TRUNC), bad;
    struct signer_state *state = opened(fd, 0);
    struct signer_record record;
    char path[64];
    test("after a write that failed the old record stands, in memory and in the file");
    save(state, "a", 4);
    state_free(state);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    bad = dup(fd);
    state = opened(bad, 0);
    int reading = open(path, O_RDONLY);
    CHECK(bad >= 0 && reading >= 0 && dup2(reading, bad) == bad); /* from now on it cannot be written */
    (void)close(reading);
    state_blank(&record, KEY_MIRROR, span_str("a"));
    record.size = 5;
    CHECK_INT(state_save(state, &record), E_IO);
    CHECK_INT(size_in(state, "a"), 4);
    state_blank(&record, KEY_MIRROR, span_str("b"));
    CHECK_INT(state_save(state, &record), E_IO);
    CHECK_INT(size_in(state, "b"), -1);
    state_free(state);
    CHECK_INT(size_of(fd, "a"), 4);
    (void)close(bad);
    (void)close(fd);
}

int main(void)
{
    struct public_key pub[KEY_COUNT];
    uint8_t recovery[32];
    folder_make(pub, recovery);
    test_survives();
    test_torn();
    test_founding();
    test_foreign();
    test_full();
    test_failing();
    folder_drop();
    return test_end();
}
