/* The signer's state file. Input: a byte of ways, the header, then slots one after another without the empty rest of their pages. The
   first way sets every checksum right, so that what is checked behind them is reached. What opens is saved to, and opens again. */
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/sha256.h"
#include "fuzz/fuzz.h"
#include "signer/check.h"
#include "signer/state.h"

enum {
    PAGE = 4096,
    HEADER_BYTES = 144,
    SLOT_CHECKED = 8 + sizeof(struct signer_record),
    SLOT_BYTES = SLOT_CHECKED + 32,
    SLOTS_MAX = 12
};

static void checksum_set(uint8_t *bytes, size_t len)
{
    struct hash h;
    sha256(span_of(bytes, len), &h);
    memcpy(bytes + len, h.b, sizeof h.b);
}

static void page_write(int fd, unsigned page, struct span bytes, size_t checked, bool right, bool whole)
{
    uint8_t room[PAGE] = {0};
    if (bytes.len)
        memcpy(room, bytes.data, bytes.len);
    if (right && bytes.len)
        checksum_set(room, checked);
    size_t len = whole ? PAGE : right ? checked + 32 : bytes.len;
    must(pwrite(fd, room, len, (off_t)PAGE * page) == (ssize_t)len);
}

static void use(struct signer_state *state)
{
    struct signer_record record;
    static const char origin[] = "comity/0000000000000000/elsewhere";
    state_blank(&record, KEY_MIRROR, span_str(origin));
    record.size = 7;
    must(state_save(state, &record) == 0 && state_save(state, &record) == 0);
    const struct signer_record *found = state_find(state, KEY_MIRROR, span_str(origin));
    must(found && found->size == 7);
}

static int record_visit(void *ctx, const struct signer_record *record)
{
    must(memchr(record->origin, 0, sizeof record->origin) != NULL);
    return ++*(int *)ctx == SLOTS_MAX ? E_LIMIT : 0;
}

/* A check changes nothing, and has something to say of every file that does not open. */
static size_t checked(int fd, const struct hash *circle)
{
    struct findings findings = {0};
    int records = 0;
    must(state_check(fd, "alpha", circle, &findings) == 0);
    (void)state_records(fd, record_visit, &records);
    size_t count = findings.count;
    findings_free(&findings);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hash circle = {{0xc0}};
    struct span plan = span_of(data, size);
    uint8_t ways = plan_byte(&plan);
    struct signer_state *state = NULL;
    struct fault fault = {0};
    int fd = memfd_create("state", MFD_CLOEXEC);
    must(fd >= 0);
    if (plan.len)
        page_write(fd, 0, plan_bytes(&plan, HEADER_BYTES), HEADER_BYTES - 32, ways & 1, plan.len > 0);
    for (unsigned i = 1; plan.len && i <= SLOTS_MAX; i++) {
        bool last = plan.len <= SLOT_BYTES, cut = last && (ways & 2);
        page_write(fd, i, plan_bytes(&plan, SLOT_BYTES), SLOT_CHECKED, ways & 1, !cut);
    }
    size_t found = checked(fd, &circle);
    int rc = state_read(&state, fd, "alpha", &circle, &fault);
    must(rc == 0 || (fault.code == rc && (found || rc != E_CORRUPT)));
    if (rc == 0)
        state_free(state);
    rc = state_open(&state, fd, "alpha", &circle, &fault);
    must(rc == 0 || fault.code == rc);
    if (rc == 0) {
        use(state);
        state_free(state);
        must(state_open(&state, fd, "alpha", &circle, NULL) == 0);
        use(state);
        state_free(state);
    }
    (void)close(fd);
    return 0;
}
