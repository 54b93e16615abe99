/* Archives: whatever the bytes are, limits hold and members are what was counted. The first byte: bit 0 is a source that cannot seek. */
#include "base/limits.h"
#include "format/archive.h"
#include "fuzz/fuzz.h"

enum { CAP = 1 << 16 };
struct seen {
    uint64_t taken, problems;
    bool picky;
};

static bool wanted(void *ctx, struct span path)
{
    const struct seen *seen = ctx;
    must(path.len && path.len <= ARCHIVE_PATH_MAX && !archive_named(path));
    return !seen->picky || path.len % 2;
}

static int take(void *ctx, const struct archive_member *member)
{
    struct seen *seen = ctx;
    must(member->bytes.len <= CAP && member->path.len <= ARCHIVE_PATH_MAX && (!member->problem || !member->bytes.len));
    must(member->problem || text_is_line(member->path));
    seen->taken += !member->problem;
    seen->problems += member->problem != NULL;
    touch(member->path);
    touch(member->bytes);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size);
    uint8_t how = plan_byte(&bytes);
    struct span_source memory = {.bytes = bytes};
    struct archive_source source = archive_of_span(&memory);
    struct seen seen = {.picky = how & 2};
    const struct archive_visitor visitor = {.wanted = wanted, .take = take, .ctx = &seen, .bytes_max = CAP};
    struct archive_counts counts;
    struct fault fault = {0};
    if (how & 1)
        source.seek = NULL;
    archive_prepare();
    int rc = archive_members(&source, &visitor, &counts, &fault);
    must(counts.taken == seen.taken && counts.problems == seen.problems && counts.members >= seen.taken);
    must(rc == fault.code);
    must(counts.unpacked <= ARCHIVE_RATIO_FREE + (1 << 20) ||
         counts.unpacked / ARCHIVE_RATIO_MAX <= counts.packed + (1 << 20));
    (void)archive_begins(bytes);
    return 0;
}
