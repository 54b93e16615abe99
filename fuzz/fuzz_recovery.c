/* The recovery key as people type it. The first byte chooses: words, sheets, or what a real set of sheets gives when some are picked,
   doubled or smudged. */
#include "crypto/sign.h"
#include "fuzz/fuzz.h"
#include "signer/signer.h"

enum { SHEETS_MOST = 20 };

static void words(struct span text)
{
    uint8_t seed[32], again[32];
    struct fault fault = {0};
    struct buf out;
    int rc = recovery_parse(text, seed, &fault);
    must(rc == 0 || fault.code == rc);
    if (rc)
        return;
    buf_init(&out, 256);
    recovery_words(seed, &out);
    must(!out.error && recovery_parse(buf_view(&out), again, NULL) == 0 && memcmp(seed, again, 32) == 0);
    buf_free(&out);
}

static void sheets(struct span text)
{
    struct span list[SHEETS_MOST];
    uint8_t seed[32];
    struct fault fault = {0};
    size_t count = 0;
    while (text.len && count < SHEETS_MOST)
        list[count++] = plan_line(&text);
    int rc = recovery_join(list, count, seed, &fault);
    must(rc == 0 || fault.code == rc);
}

/* need, count, how many are picked, which ones, and a place to smudge. */
static void real_sheets(struct span plan)
{
    struct buf set, smudged;
    uint8_t seed[32], got[32];
    struct span all[15], picked[SHEETS_MOST];
    bool seen[15] = {false};
    unsigned need = plan_byte(&plan) % 17, count = plan_byte(&plan) % 17, picks = plan_byte(&plan) % SHEETS_MOST;
    size_t different = 0;
    memset(seed, plan_byte(&plan), sizeof seed);
    buf_init(&set, 8192);
    if (recovery_split(seed, need, count, &set, NULL) == 0) {
        struct span rest = buf_view(&set);
        for (unsigned i = 0; i < count; i++)
            all[i] = plan_line(&rest);
        for (unsigned i = 0; i < picks; i++) {
            unsigned which = plan_byte(&plan) % count;
            different += !seen[which];
            seen[which] = true;
            picked[i] = all[which];
        }
        int rc = recovery_join(picked, picks, got, NULL);
        must((rc == 0) == (picks == different && picks >= need && picks > 0));
        must(rc != 0 || memcmp(seed, got, sizeof seed) == 0);
        buf_init(&smudged, 8192);
        buf_span(&smudged, all[0]);
        size_t at = plan_byte(&plan) % smudged.len;
        uint8_t letter = plan_byte(&plan);
        bool changed = (smudged.data[at] | 32) != (letter | 32) && smudged.data[at] != ' ';
        smudged.data[at] = letter;
        all[0] = buf_view(&smudged);
        must(!changed || recovery_join(all, count, got, NULL) != 0);
        buf_free(&smudged);
    }
    buf_free(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const ways[])(struct span) = {words, sheets, real_sheets};
    struct span rest = span_of(data, size);
    must(crypto_start() == 0);
    ways[plan_byte(&rest) % 3](rest);
    return 0;
}
