/* The recovery key on paper: groups of letters with a checksum, and Shamir sheets over GF(2^8) (polynomial 0x11b, as in AES). */
#include <sodium.h>
#include <stdio.h>

#include "crypto/sha256.h"
#include "signer/signer.h"

static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* no l, o, 0, 1 */

static void groups_write(struct span bytes, struct buf *out)
{
    uint32_t bits = 0;
    unsigned have = 0, written = 0;
    for (size_t i = 0; i < bytes.len || have > 0;) {
        while (have < 5) {
            bits = bits << 8 | (i < bytes.len ? bytes.data[i] : 0);
            have += i < bytes.len ? 8 : 5;
            i++;
        }
        if (written && written % 5 == 0)
            buf_byte(out, ' ');
        buf_byte(out, (uint8_t)letters[bits >> (have - 5) & 31]);
        have -= 5;
        written++;
        if (i >= bytes.len && written * 5 >= bytes.len * 8)
            break;
    }
}

/* Reads groups, ignoring white space and dashes; exactly `len` bytes. */
static int groups_read(struct span text, uint8_t *out, size_t len)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t at = 0, wanted = (len * 8 + 4) / 5, seen = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '-')
            continue;
        const char *letter = c ? strchr(letters, c | (c >= 'A' && c <= 'Z' ? 32 : 0)) : NULL;
        if (!letter || ++seen > wanted)
            return E_SYNTAX;
        bits = bits << 5 | (uint32_t)(letter - letters);
        have += 5;
        if (have >= 8 && at < len) {
            out[at++] = (uint8_t)(bits >> (have - 8));
            have -= 8;
        }
    }
    return seen == wanted && at == len ? 0 : E_TRUNCATED;
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
    return rc ? fail(fault, rc, "the recovery words have a slip: 12 groups of letters, none missing") : 0;
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

/* A sheet: need, number, 32 bytes, checksum over all of it. */
enum { SHEET_BYTES = 37 };

int recovery_split(const uint8_t seed[static 32], unsigned need, unsigned count, struct buf *sheets, struct fault *fault)
{
    uint8_t coefficients[16][32];
    if (need < 2 || need > count || count > 15)
        return fail(fault, E_USAGE, "NEED/COUNT with 2 <= NEED <= COUNT <= 15");
    memcpy(coefficients[0], seed, 32);
    randombytes_buf(coefficients[1], (size_t)(need - 1) * 32);
    for (unsigned x = 1; x <= count; x++) {
        uint8_t sheet[SHEET_BYTES] = {(uint8_t)need, (uint8_t)x};
        for (int i = 0; i < 32; i++)
            for (unsigned c = need; c-- > 0;)
                sheet[2 + i] = gf_mul(sheet[2 + i], (uint8_t)x) ^ coefficients[c][i];
        checksum("comity-sheet/1", span_of(sheet, 34), sheet + 34);
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
        return fail(fault, E_SYNTAX, "a sheet has 12 groups of letters");
    checksum("comity-sheet/1", span_of(sheet, 34), sum);
    return sodium_memcmp(sum, sheet + 34, 3) == 0 ? 0 : fail(fault, E_HASH, "a sheet has a slip of the pen");
}

int recovery_join(const struct span *texts, size_t count, uint8_t seed[static 32], struct fault *fault)
{
    uint8_t sheets[15][SHEET_BYTES];
    int rc = count < 1 || count > 15 ? fail(fault, E_LIMIT, "1 to 15 sheets") : 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = sheet_parse(texts[i], sheets[i], fault);
        for (size_t j = 0; j < i && rc == 0; j++)
            if (sheets[i][1] == sheets[j][1] || sheets[i][0] != sheets[j][0])
                rc = fail(fault, E_DUPLICATE, "two sheets are the same, or of different sets");
    }
    if (rc == 0 && sheets[0][0] != count)
        rc = fail(fault, E_MISSING, "%u sheets are needed, %zu are given", sheets[0][0], count);
    memset(seed, 0, 32);
    for (size_t i = 0; i < count && rc == 0; i++) {
        uint8_t weight = 1; /* Lagrange at 0: product of xj / (xj - xi) */
        for (size_t j = 0; j < count; j++)
            if (j != i)
                weight = gf_mul(weight, gf_mul(sheets[j][1], gf_inverse(sheets[j][1] ^ sheets[i][1])));
        for (int b = 0; b < 32; b++)
            seed[b] ^= gf_mul(weight, sheets[i][2 + b]);
    }
    sodium_memzero(sheets, sizeof sheets);
    return rc;
}
