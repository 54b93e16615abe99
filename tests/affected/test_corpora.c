/* The catalogue against brute force on real advisories and SBOMs, where they are at hand (COMITY_DATA): every component against every row of
   some advisories. */
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>

#include "affected/catalogue.h"
#include "base/buf.h"
#include "base/error.h"
#include "tests/test.h"

enum { ASSETS = 400, EVERY = 97 };
static struct inventory inventories[ASSETS];
static struct arena arenas[ASSETS];
static struct buf texts[ASSETS];
static size_t asset_count;

static int slurp(const char *path, struct buf *out)
{
    uint8_t block[65536];
    size_t n;
    FILE *file = fopen(path, "rbe");
    buf_init(out, 64 << 20);
    while (file && (n = fread(block, 1, sizeof block, file)) > 0)
        buf_add(out, block, n);
    if (file)
        (void)fclose(file);
    return file ? out->error : E_IO;
}

static int by_path(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static size_t walk(const char *folder, void (*take)(const char *path, size_t number))
{
    char path[4096], *const roots[] = {path, NULL};
    size_t n = 0;
    (void)snprintf(path, sizeof path, "%s/%s", getenv("COMITY_DATA"), folder);
    FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_path);
    for (FTSENT *e; fts && (e = fts_read(fts));)
        if (e->fts_info == FTS_F && e->fts_namelen > 5 && strcmp(e->fts_name + e->fts_namelen - 5, ".json") == 0)
            take(e->fts_path, n++);
    if (fts)
        (void)fts_close(fts);
    return n;
}

static void inventory_take(const char *path, size_t number)
{
    (void)number;
    if (asset_count == ASSETS)
        return;
    size_t i = asset_count;
    arena_init(&arenas[i], 256 << 20);
    if (slurp(path, &texts[i]) == 0 &&
        inventory_read(&inventories[i], buf_view(&texts[i]), span_of(NULL, 0), &arenas[i], NULL) == 0) {
        asset_count++;
        return;
    }
    arena_free(&arenas[i]);
    buf_free(&texts[i]);
}

static struct catalogue *catalogue;
static unsigned compared, affected, wrong;
static bool found[ASSETS];

static int found_take(void *ctx, const struct finding *f)
{
    size_t count;
    const uint32_t *assets = catalogue_assets(catalogue, f->release, &count);
    (void)ctx;
    for (size_t i = 0; i < count && f->verdict == VERDICT_AFFECTED; i++)
        found[assets[i]] = true;
    return 0;
}

static void advisory_take(const char *path, size_t number)
{
    struct buf text;
    struct arena arena;
    struct advisory advisory;
    if (number % EVERY)
        return;
    arena_init(&arena, 256 << 20);
    if (slurp(path, &text) == 0 && (advisory_read_osv(&advisory, buf_view(&text), &arena, NULL) == 0 ||
                                    advisory_read_csaf(&advisory, buf_view(&text), &arena, NULL) == 0)) {
        memset(found, 0, sizeof found);
        wrong += catalogue_ask(catalogue, &advisory, found_take, NULL) != 0;
        compared++;
        for (size_t a = 0; a < asset_count; a++) {
            bool truth = false;
            for (size_t i = 0; i < inventories[a].count && !truth; i++)
                truth = match_component(&advisory, &inventories[a].components[i], NULL) == VERDICT_AFFECTED;
            affected += truth;
            if (truth != found[a]) {
                wrong++;
                printf("# %s: inventory %zu is %saffected\n", path, a, truth ? "" : "not ");
            }
        }
    }
    arena_free(&arena);
    buf_free(&text);
}

int main(void)
{
    if (!getenv("COMITY_DATA")) {
        test_skip("real advisories against real SBOMs", "COMITY_DATA is not set");
        return test_end();
    }
    test("real advisories against real SBOMs, as brute force has it");
    CHECK_INT(catalogue_new(&catalogue), 0);
    CHECK(walk("sbom-cyclonedx-examples", inventory_take) > 0);
    for (size_t i = 0; i < asset_count; i++)
        CHECK_INT(catalogue_asset(catalogue, (uint32_t)i, &inventories[i], NULL, NULL), 0);
    (void)walk("osv-go", advisory_take);
    (void)walk("osv-almalinux", advisory_take);
    (void)walk("csaf-cisa", advisory_take);
    printf("# %u advisories, %zu inventories, %u affected\n", compared, asset_count, affected);
    CHECK(compared > 50 && asset_count > 20);
    CHECK_INT(wrong, 0);
    for (size_t i = 0; i < asset_count; i++) {
        arena_free(&arenas[i]);
        buf_free(&texts[i]);
    }
    catalogue_free(catalogue);
    return test_end();
}
