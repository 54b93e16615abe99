/* What crosses between the process that reads documents and the node: there and back, cut anywhere, with any byte changed. */
#include <stdio.h>
#include <stdlib.h>

#include "format/flat.h"
#include "tests/test.h"

static struct buf file_of(const char *name)
{
    const char *root = getenv("COMITY_SOURCE");
    char path[512];
    uint8_t block[4096];
    struct buf out;
    size_t n;
    buf_init(&out, 1 << 20);
    (void)snprintf(path, sizeof path, "%s/examples/%s", root ? root : ".", name);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    while (file && (n = fread(block, 1, sizeof block, file)) > 0)
        buf_add(&out, block, n);
    if (file)
        (void)fclose(file);
    return out;
}

static int advisory_again(struct span bytes, struct buf *again)
{
    struct advisory back;
    struct arena arena;
    arena_init(&arena, 1 << 22);
    int rc = flat_get_advisory(&back, bytes, &arena);
    if (rc == 0)
        flat_put_advisory(again, &back);
    arena_free(&arena);
    return rc;
}

static int inventory_again(struct span bytes, struct buf *again)
{
    struct inventory back;
    struct arena arena;
    arena_init(&arena, 1 << 22);
    int rc = flat_get_inventory(&back, bytes, &arena);
    if (rc == 0)
        flat_put_inventory(again, &back);
    arena_free(&arena);
    return rc;
}

/* `flat` reads back as itself; every shorter piece and every longer one is refused; with a byte changed it is refused, or read as
   something that writes to the same length. */
static void abuse(struct buf *flat, int (*again)(struct span, struct buf *))
{
    struct buf twice;
    buf_init(&twice, 1 << 22);
    CHECK_INT(again(buf_view(flat), &twice), 0);
    CHECK(span_eq(buf_view(flat), buf_view(&twice)));
    for (size_t n = 0; n < flat->len; n++) {
        buf_reset(&twice);
        CHECK(again(span_of(flat->data, n), &twice) != 0);
    }
    for (size_t i = 0; i < flat->len; i++)
        for (unsigned bit = 0; bit < 8; bit += 7) {
            flat->data[i] ^= (uint8_t)(1u << bit);
            buf_reset(&twice);
            CHECK(again(buf_view(flat), &twice) != 0 || twice.len == flat->len);
            flat->data[i] ^= (uint8_t)(1u << bit);
        }
    buf_byte(flat, 0);
    CHECK_INT(again(buf_view(flat), &twice), E_TRAILING);
    buf_free(&twice);
}

static void advisories(void)
{
    static const struct {
        const char *file, *media;
    } rows[] = {{"advisories/xz-backdoor.csaf.json", "application/csaf+json"},
                {"advisories/glibc-looney-tunables.osv.json", "application/osv+json"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf bytes = file_of(rows[i].file), flat;
        struct advisory advisory;
        struct arena arena;
        test(rows[i].file);
        arena_init(&arena, 1 << 24);
        buf_init(&flat, 1 << 22);
        CHECK_INT(advisory_read(&advisory, span_str(rows[i].media), buf_view(&bytes), &arena, NULL), 0);
        flat_put_advisory(&flat, &advisory);
        CHECK(advisory.package_count > 0 && flat.len > 100);
        abuse(&flat, advisory_again);
        arena_free(&arena);
        buf_free(&bytes);
        buf_free(&flat);
    }
}

static void inventories(void)
{
    struct buf bytes = file_of("inventories/appliance.cdx.json"), flat;
    struct inventory inventory, back;
    struct arena arena;
    test("an inventory, with what is wrong with its components");
    arena_init(&arena, 1 << 24);
    buf_init(&flat, 1 << 22);
    CHECK_INT(inventory_read(&inventory, buf_view(&bytes), span_str("Debian:12"), &arena, NULL), 0);
    flat_put_inventory(&flat, &inventory);
    abuse(&flat, inventory_again);
    static const struct component odd[] = {{.problem = "it has no version"}, {.name = {(const uint8_t *)"a", 1}}};
    inventory = (struct inventory){.format = "dpkg", .count = 2, .problem_count = 1, .components = odd};
    buf_reset(&flat);
    flat_put_inventory(&flat, &inventory);
    CHECK_INT(flat_get_inventory(&back, buf_view(&flat), &arena), 0);
    CHECK(back.count == 2 && back.problem_count == 1 && strcmp(back.format, "dpkg") == 0);
    CHECK(back.components[0].problem && strcmp(back.components[0].problem, "it has no version") == 0);
    CHECK(!back.components[1].problem && span_is(back.components[1].name, "a"));
    arena_free(&arena);
    buf_free(&bytes);
    buf_free(&flat);
}

/* Every member has a value of its own, so that two that change places show. */
static void members(void)
{
    static const struct record_problem problems[] = {{{(const uint8_t *)"p1", 2}, {(const uint8_t *)"p2", 2}}};
    static const struct affected_package row = {.lane = LANE_TEXT,
                                                .ecosystem = {(const uint8_t *)"t1", 2},
                                                .name = {(const uint8_t *)"t2", 2},
                                                .purl = {(const uint8_t *)"t3", 2},
                                                .cpe = {(const uint8_t *)"t4", 2},
                                                .vendor = {(const uint8_t *)"t5", 2},
                                                .product = {(const uint8_t *)"t6", 2},
                                                .model = {(const uint8_t *)"t7", 2},
                                                .version_text = {(const uint8_t *)"t8", 2},
                                                .order = ORDER_GENERIC,
                                                .claim = CLAIM_UNKNOWN,
                                                .open = true,
                                                .justification = INLINE_MITIGATIONS_ALREADY_EXIST,
                                                .impact = {(const uint8_t *)"t9", 2},
                                                .remedy = {(const uint8_t *)"t0", 2},
                                                .path = {(const uint8_t *)"tp", 2}};
    static const struct component part = {.cpe = {(const uint8_t *)"c1", 2},
                                          .vendor = {(const uint8_t *)"c2", 2},
                                          .product = {(const uint8_t *)"c3", 2},
                                          .model = {(const uint8_t *)"c4", 2}};
    struct advisory back,
        advisory = {
            .contradictory = true, .problem_count = 1, .problems = problems, .package_count = 1, .packages = &row};
    struct inventory there, inventory = {.format = "cyclonedx", .count = 1, .components = &part};
    struct buf flat;
    struct arena arena;
    test("every member of a row and of a component crosses");
    arena_init(&arena, 1 << 20);
    buf_init(&flat, 1 << 16);
    flat_put_advisory(&flat, &advisory);
    CHECK_INT(flat_get_advisory(&back, buf_view(&flat), &arena), 0);
    const struct affected_package *p = back.packages;
    CHECK(back.contradictory && back.problem_count == 1 && span_is(back.problems[0].path, "p1") &&
          span_is(back.problems[0].text, "p2"));
    CHECK(span_is(p->ecosystem, "t1") && span_is(p->name, "t2") && span_is(p->purl, "t3") && span_is(p->cpe, "t4") &&
          span_is(p->vendor, "t5") && span_is(p->product, "t6") && span_is(p->model, "t7") &&
          span_is(p->version_text, "t8") && span_is(p->impact, "t9") && span_is(p->remedy, "t0") &&
          span_is(p->path, "tp"));
    CHECK(p->lane == LANE_TEXT && p->order == ORDER_GENERIC && p->claim == CLAIM_UNKNOWN && p->open &&
          p->justification == INLINE_MITIGATIONS_ALREADY_EXIST);
    abuse(&flat, advisory_again);
    buf_reset(&flat);
    flat_put_inventory(&flat, &inventory);
    CHECK_INT(flat_get_inventory(&there, buf_view(&flat), &arena), 0);
    CHECK(span_is(there.components[0].cpe, "c1") && span_is(there.components[0].vendor, "c2") &&
          span_is(there.components[0].product, "c3") && span_is(there.components[0].model, "c4"));
    buf_free(&flat);
    arena_free(&arena);
}

static void counts(void)
{
    static const uint8_t many[] = "\0\0\0\4dpkg\xff\xff\xff\xff";
    struct inventory inventory;
    struct arena arena;
    test("a count that its bytes do not account for asks for no memory");
    arena_init(&arena, 1 << 20);
    CHECK_INT(flat_get_inventory(&inventory, span_of(many, sizeof many - 1), &arena), E_TRUNCATED);
    CHECK_INT(arena.used, 0);
    arena_free(&arena);
}

int main(void)
{
    advisories();
    inventories();
    members();
    counts();
    return test_end();
}
