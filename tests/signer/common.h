/* Shared by the signer's tests: a key ring of its own folder, a clock that stands still, trees by brute force. */
#ifndef COMITY_TESTS_SIGNER_COMMON_H
#define COMITY_TESTS_SIGNER_COMMON_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/sha256.h"
#include "signer/signer.h"
#include "tests/test.h"

static int64_t now = 1800000000;
static char folder[64];

static inline int64_t clock_still(void *ctx)
{
    (void)ctx;
    return now;
}

static inline struct keyring *ring_open(void)
{
    struct keyring *ring = NULL;
    CHECK_INT(keyring_open(&ring, folder, span_str("correct horse"), NULL), 0);
    return ring;
}

static inline void folder_make(struct public_key pub[static KEY_COUNT], uint8_t recovery[static 32])
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%.40s/comity-XXXXXX", base ? base : "/tmp");
    if (crypto_start() != 0 || !mkdtemp(folder)) {
        perror("folder");
        exit(1);
    }
    CHECK_INT(keys_create(folder, span_str("correct horse"), pub, recovery, NULL), 0);
}

static inline void folder_drop(void)
{
    char path[256];
    for (int i = 0; i < KEY_COUNT; i++) {
        (void)snprintf(path, sizeof path, "%s/keys/%s.key", folder, key_role_names[i]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof path, "%s/keys", folder);
    (void)rmdir(path);
    (void)snprintf(path, sizeof path, "%s/signer.state", folder);
    (void)unlink(path);
    (void)rmdir(folder);
}

static inline int state_fd(int flags)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/signer.state", folder);
    return open(path, O_RDWR | O_CREAT | flags, 0600);
}

static inline struct signer_config config_for(int fd)
{
    struct signer_config config = {.keys = ring_open(), .party = "alpha", .state_fd = fd, .clock = clock_still};
    memset(config.circle.b, 0x11, 32);
    return config;
}

/* A spawned signer that serves one node and ends with it. */
static inline int spawn_one(struct signer **out, const struct signer_config *config, int *pid, char *degraded)
{
    struct signer_process process;
    int fd = -1, rc = signer_spawn(&process, config, degraded, NULL);
    *pid = process.pid;
    if (rc)
        return rc;
    rc = signer_connect(&process, &fd);
    (void)close(process.control);
    return rc ? rc : (*out = signer_client(fd)) ? 0 : E_NOMEM;
}

static inline struct hash leaf_of(unsigned i)
{
    struct hash h;
    tree_leaf(span_of(&i, sizeof i), &h);
    return h;
}

static inline struct hash root_of(uint64_t size)
{
    struct frontier f = {0};
    struct hash root;
    for (unsigned i = 0; i < size; i++) {
        struct hash leaf = leaf_of(i);
        frontier_append(&f, &leaf);
    }
    if (size)
        frontier_root(&f, &root);
    else
        tree_empty(&root);
    return root;
}

/* Tiles by brute force: a hash at (level, i) covers 256^level leaves. Enough for trees under 65536. */
static inline int tile_brute(void *ctx, unsigned level, uint64_t index, unsigned width, struct hash *out)
{
    (void)ctx;
    for (unsigned w = 0; w < width; w++) {
        uint64_t at = index * TILE_WIDTH + w;
        if (level == 0) {
            out[w] = leaf_of((unsigned)at);
            continue;
        }
        struct frontier f = {0};
        for (unsigned i = 0; i < TILE_WIDTH; i++) {
            struct hash leaf = leaf_of((unsigned)(at * TILE_WIDTH + i));
            frontier_append(&f, &leaf);
        }
        frontier_root(&f, &out[w]);
    }
    return level < 2 ? 0 : E_NOTFOUND;
}

static inline struct sign_cosignature cosign_of(const char *origin, uint64_t old_size, uint64_t size)
{
    const struct tile_reader tiles = {.read = tile_brute};
    struct sign_cosignature request = {.size = size, .root = root_of(size)};
    size_t count = 0;
    (void)snprintf(request.origin, sizeof request.origin, "%s", origin);
    if (old_size && old_size < size)
        CHECK_INT(tree_consistency(&tiles, old_size, size, request.proof, &count), 0);
    request.proof_count = (uint32_t)count;
    return request;
}

static inline struct sign_statement statement_of(const char *media, int64_t at)
{
    struct sign_statement request = {.issued_at = at};
    memset(request.document.b, 7, 32);
    (void)snprintf(request.media, sizeof request.media, "%s", media);
    (void)snprintf(request.subject, sizeof request.subject, "advisory-1");
    return request;
}

#define CIRCLE_PREFIX "comity/1111111111111111/"

#endif
