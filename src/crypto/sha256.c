#include "crypto/sha256.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

struct sha256 {
    EVP_MD_CTX *ctx;
};

/* Only memory can be wanting, and a hash has no way to say so. `crypto_start` has had what the main thread needs. */
static _Noreturn void no_memory(void)
{
    static const char text[] = "comity: memory is exhausted (SHA-256); the process ends\n";
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(4);
}

static EVP_MD *digest;
static _Thread_local EVP_MD_CTX *reused;

/* Fetching the digest on each use costs more than hashing a tree node: once is enough, and it is never freed. */
static void digest_fetch(void)
{
    EVP_MD *fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
    EVP_MD *none = NULL;
    if (!fetched)
        no_memory();
    if (!__atomic_compare_exchange_n(&digest, &none, fetched, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        EVP_MD_free(fetched); /* another thread was first */
}

static EVP_MD_CTX *begin(EVP_MD_CTX *ctx)
{
    if (!__atomic_load_n(&digest, __ATOMIC_ACQUIRE))
        digest_fetch();
    if (!ctx || EVP_DigestInit_ex2(ctx, digest, NULL) != 1)
        no_memory();
    return ctx;
}

/* Tree nodes, rows, statements: a call of the library for each small part would cost more than to hash it. */
enum { JOINED_BYTES = 512 };

static size_t parts_join(const struct span *parts, size_t count, uint8_t joined[static JOINED_BYTES])
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > JOINED_BYTES - used)
            return SIZE_MAX;
        if (parts[i].len)
            memcpy(joined + used, parts[i].data, parts[i].len);
        used += parts[i].len;
    }
    return used;
}

void sha256_parts(const struct span *parts, size_t count, struct hash *out)
{
    uint8_t joined[JOINED_BYTES];
    size_t len = count > 1 ? parts_join(parts, count, joined) : SIZE_MAX;
    const struct span whole = span_of(joined, len);
    if (len != SIZE_MAX) {
        parts = &whole;
        count = 1;
    }
    if (!reused)
        reused = EVP_MD_CTX_new();
    EVP_MD_CTX *ctx = begin(reused);
    for (size_t i = 0; i < count; i++)
        if (parts[i].len && EVP_DigestUpdate(ctx, parts[i].data, parts[i].len) != 1)
            no_memory();
    if (EVP_DigestFinal_ex(ctx, out->b, NULL) != 1)
        no_memory();
}

void sha256(struct span bytes, struct hash *out)
{
    sha256_parts(&bytes, 1, out);
}

void sha512(struct span bytes, uint8_t out[static 64])
{
    if (EVP_Q_digest(NULL, "SHA512", NULL, bytes.data, bytes.len, out, NULL) != 1)
        no_memory();
}

struct sha256 *sha256_new(void)
{
    struct sha256 *state = malloc(sizeof *state);
    if (!state)
        return NULL;
    state->ctx = EVP_MD_CTX_new();
    if (!state->ctx) {
        free(state);
        return NULL;
    }
    (void)begin(state->ctx);
    return state;
}

void sha256_add(struct sha256 *state, struct span bytes)
{
    if (bytes.len && EVP_DigestUpdate(state->ctx, bytes.data, bytes.len) != 1)
        no_memory();
}

void sha256_end(struct sha256 *state, struct hash *out)
{
    if (EVP_DigestFinal_ex(state->ctx, out->b, NULL) != 1)
        no_memory();
    EVP_MD_CTX_free(state->ctx);
    free(state);
}
