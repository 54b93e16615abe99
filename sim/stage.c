/* What all seeds of one process share: keys from a fixed source, and empty stores. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/sim.h"
#include "store/sqlite.h"

/* Keyrings are shared by every signer of a party, one after another and the liar's two at once, so closing a signer keeps its ring
   (--wrap in meson.build). */
void __real_keyring_free(struct keyring *ring);
void __wrap_keyring_free(struct keyring *ring);

void __wrap_keyring_free(struct keyring *ring)
{
    (void)ring;
}

/* Keys come from libsodium's random source, which is ours here: the same keys in every run. */
static uint64_t key_state = 0x636f6d697479;

static uint64_t key_random(void)
{
    uint64_t z = key_state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static const char *source_name(void)
{
    return "sim";
}

static uint32_t source_u32(void)
{
    return (uint32_t)key_random();
}

static void source_fill(void *const out, const size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)key_random();
}

static struct randombytes_implementation source = {
    .implementation_name = source_name, .random = source_u32, .buf = source_fill};

static int keys_make(struct stage *stage, unsigned i, const char *dir, struct fault *fault)
{
    static const char passphrase[] = "a passphrase of no worth";
    char path[4096];
    int rc = keys_create(dir, span_str(passphrase), stage->pub[i], stage->recovery[i], fault);
    if (rc == 0)
        rc = keyring_open(&stage->ring[i], dir, span_str(passphrase), fault);
    for (int role = 0; role < KEY_COUNT; role++) {
        (void)snprintf(path, sizeof path, "%s/keys/%s.key", dir, key_role_names[role]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof path, "%s/keys", dir);
    (void)rmdir(path);
    return rc;
}

int stage_make(struct stage *stage, struct fault *fault)
{
    char dir[] = "/tmp/comity-sim-XXXXXX";
    int rc = 0;
    *stage = (struct stage){0};
    (void)randombytes_set_implementation(&source);
    if (sodium_init() < 0 || !mkdtemp(dir))
        return fail(fault, E_IO, "a temporary folder");
    for (unsigned i = 0; i < SIM_PARTIES && rc == 0; i++) {
        rc = keys_make(stage, i, dir, fault);
        rc = rc ? rc : store_memory_open(&stage->store[i]);
        rc = rc ? rc : store_memory_open(&stage->spare[i]);
        for (int q = 0; rc == 0 && q < Q_COUNT; q++)
            rc = query(self_of(stage->store[i]), (enum statement_id)q) ? 0 : E_IO; /* prepared once for all seeds */
    }
    rc = rc ? rc : store_memory_open(&stage->other);
    (void)rmdir(dir);
    return rc;
}

static void store_close(struct store *store)
{
    if (store)
        store->ops->close(store);
}

void stage_free(struct stage *stage)
{
    for (unsigned i = 0; i < SIM_PARTIES; i++) {
        __real_keyring_free(stage->ring[i]);
        store_close(stage->store[i]);
        store_close(stage->spare[i]);
    }
    store_close(stage->other);
}
