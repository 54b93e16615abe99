/* The recovery key on paper: groups of letters with a checksum, and Shamir sheets over GF(2^8) (polynomial 0x11b, as in AES). */
#include <sodium.h>
#include <stdio.h>

#include "crypto/sha256.h"
#include "signer/signer.h"

static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* no l, o, 0, 1 */

/* Groups of four letters of five bits each; the last letter's spare bits are zero. */
static void groups_write(struct span bytes, struct buf *out)
{
    size_t bits = bytes.len * 8;
    for (size_t at = 0; at < bits; at += 5) {
        unsigned pair = (unsigned)bytes.data[at / 8] << 8 | (at / 8 + 1 < bytes.len ? bytes.data[at / 8 + 1] : 0u);
        if (at && at % 20 == 0)
            buf_byte(out, ' ');
        buf_byte(out, (uint8_t)letters[pair >> (11 - at % 8) & 31]);
    }
}

/* Reads exactly `len` bytes, in either case, past white space and dashes. */
static int groups_read(struct span text, uint8_t *out, size_t len)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t at = 0, wanted = (len * 8 + 4) / 5, seen = 0;
    for (size_t i = 0; i < text.len; i++) {
        int c = text.data[i];
        if (c && strchr(" \n\r\t-", c))
            continue;
        const char *letter = c ? strchr(letters, c >= 'A' && c <= 'Z' ? c + 32 : c) : NULL;
        if (!letter || ++seen > wanted)
            return E_SYNTAX;
        bits = (bits << 5 | (uint32_t)(letter - letters)) & 0xfff;
        have += 5;
        if (have >= 8) {
            have -= 8;
            out[at++] = (uint8_t)(bits >> have);
        }
    }
    if (seen != wanted || at != len)
        return E_TRUNCATED;
    return bits & ((1u << have) - 1) ? E_CANONICAL : 0;
}

static void checksum(const char *what, struct span bytes, uint8_t out[static 3])
{
    const struct span parts[] = {span_str(what), bytes};
    struct hash h;
    sha256_parts(parts, 2, &h);
    memcpy(out, h.b, 3);
}

void recovery_words(const uint8_t seed[static 32], struct buf *out)
{
    uint8_t all[35];
    memcpy(all, seed, 32);
    checksum("comity-recovery/1", span_of(seed, 32), all + 32);
    groups_write(span_of(all, sizeof all), out);
    sodium_memzero(all, sizeof all);
}

int recovery_parse(struct span words, uint8_t seed[static 32], struct fault *fault)
{
    uint8_t all[35], sum[3];
    int rc = groups_read(words, all, sizeof all);
    if (rc == 0) {
        checksum("comity-recovery/1", span_of(all, 32), sum);
        rc = sodium_memcmp(sum, all + 32, 3) == 0 ? 0 : E_HASH;
    }
    if (rc == 0)
        memcpy(seed, all, 32);
    sodium_memzero(all, sizeof all);
    return rc ? fail(fault, rc, "the recovery words have a slip: 14 groups of four letters, none missing") : 0;
}

/* GF(2^8), without tables, so that time does not depend on the secret. */
static uint8_t gf_mul(uint8_t a, uint8_t b)
{
    unsigned product = 0;
    for (int i = 0; i < 8; i++) {
        product ^= (unsigned)a & (0u - (b & 1u));
        a = (uint8_t)((unsigned)a << 1 ^ (0x1bu & (0u - (unsigned)(a >> 7))));
        b >>= 1;
    }
    return (uint8_t)product;
}

static uint8_t gf_inverse(uint8_t a) /* a^254 */
{
    uint8_t result = 1;
    for (int i = 0; i < 7; i++) {
        a = gf_mul(a, a);
        result = gf_mul(result, a);
    }
    return result;
}

/* A sheet: how many are needed, its number, its set (random, so that sheets of two sets are never mixed), its share, a checksum. */
enum { SHEET_NEED, SHEET_NUMBER, SHEET_SET, SHEET_SHARE = 5, SHEET_CHECK = 37, SHEET_BYTES = 40, SHEETS_MAX = 15 };

int recovery_split(const uint8_t seed[static 32], unsigned need, unsigned count, struct buf *sheets,
                   struct fault *fault)
{
    uint8_t coefficients[SHEETS_MAX + 1][32], set[3];
    if (need < 2 || need > count || count > SHEETS_MAX)
        return fail(fault, E_USAGE, "NEED/COUNT with 2 <= NEED <= COUNT <= %d", SHEETS_MAX);
    memcpy(coefficients[0], seed, 32);
    randombytes_buf(coefficients[1], (size_t)(need - 1) * 32);
    randombytes_buf(set, sizeof set);
    for (unsigned x = 1; x <= count; x++) {
        uint8_t sheet[SHEET_BYTES] = {(uint8_t)need, (uint8_t)x};
        memcpy(sheet + SHEET_SET, set, sizeof set);
        for (int i = 0; i < 32; i++)
            for (unsigned c = need; c-- > 0;)
                sheet[SHEET_SHARE + i] = gf_mul(sheet[SHEET_SHARE + i], (uint8_t)x) ^ coefficients[c][i];
        checksum("comity-sheet/1", span_of(sheet, SHEET_CHECK), sheet + SHEET_CHECK);
        groups_write(span_of(sheet, sizeof sheet), sheets);
        buf_byte(sheets, '\n');
        sodium_memzero(sheet, sizeof sheet);
    }
    sodium_memzero(coefficients, sizeof coefficients);
    return sheets->error;
}

static int sheet_parse(struct span text, uint8_t sheet[static SHEET_BYTES], struct fault *fault)
{
    uint8_t sum[3];
    if (groups_read(text, sheet, SHEET_BYTES) != 0)
        return fail(fault, E_SYNTAX, "a sheet has 16 groups of four letters");
    checksum("comity-sheet/1", span_of(sheet, SHEET_CHECK), sum);
    if (sodium_memcmp(sum, sheet + SHEET_CHECK, sizeof sum) != 0)
        return fail(fault, E_HASH, "a sheet has a slip of the pen");
    return sheet[SHEET_NUMBER] && sheet[SHEET_NEED] ? 0 : fail(fault, E_SYNTAX, "a sheet has no number");
}

static int sheets_parse(const struct span *texts, size_t count, uint8_t sheets[static SHEETS_MAX][SHEET_BYTES],
                        struct fault *fault)
{
    for (size_t i = 0; i < count; i++) {
        int rc = sheet_parse(texts[i], sheets[i], fault);
        if (rc)
            return rc;
        if (sheets[i][SHEET_NEED] != sheets[0][SHEET_NEED] ||
            memcmp(sheets[i] + SHEET_SET, sheets[0] + SHEET_SET, 3) != 0)
            return fail(fault, E_HASH, "sheets of different sets");
        for (size_t j = 0; j < i; j++)
            if (sheets[i][SHEET_NUMBER] == sheets[j][SHEET_NUMBER])
                return fail(fault, E_DUPLICATE, "sheet %u stands twice", sheets[i][SHEET_NUMBER]);
    }
    return sheets[0][SHEET_NEED] > count
               ? fail(fault, E_MISSING, "%u sheets are needed, %zu are given", sheets[0][SHEET_NEED], count)
               : 0;
}

int recovery_join(const struct span *texts, size_t count, uint8_t seed[static 32], struct fault *fault)
{
    uint8_t sheets[SHEETS_MAX][SHEET_BYTES];
    memset(seed, 0, 32);
    if (count < 1 || count > SHEETS_MAX)
        return fail(fault, E_LIMIT, "1 to %d sheets", SHEETS_MAX);
    int rc = sheets_parse(texts, count, sheets, fault);
    size_t need = rc ? 0 : sheets[0][SHEET_NEED];
    for (size_t i = 0; i < need; i++) {
        uint8_t weight = 1; /* Lagrange at 0: product of xj / (xj - xi) */
        for (size_t j = 0; j < need; j++)
            if (j != i)
                weight = gf_mul(weight, gf_mul(sheets[j][SHEET_NUMBER],
                                               gf_inverse(sheets[j][SHEET_NUMBER] ^ sheets[i][SHEET_NUMBER])));
        for (int b = 0; b < 32; b++)
            seed[b] ^= gf_mul(weight, sheets[i][SHEET_SHARE + b]);
    }
    sodium_memzero(sheets, sizeof sheets);
    return rc;
}
