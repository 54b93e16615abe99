#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "signer/state.h"

/* keys/ROLE.key: magic, salt, nonce, sealed seed. All keys of a folder share one salt, so that opening them costs one derivation. */
struct key_file {
    char magic[16];
    uint8_t salt[crypto_pwhash_SALTBYTES];
    uint8_t nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES];
    uint8_t sealed[32 + crypto_aead_xchacha20poly1305_ietf_ABYTES];
};
static const char magic[16] = "comity-key/1\n";
enum { DERIVE_OPS = 3, DERIVE_BYTES = 32 * 1024 * 1024 };
enum { WRAP_BYTES = crypto_aead_xchacha20poly1305_ietf_KEYBYTES };

struct keyring {
    struct secret_key *secret[KEY_SEAL]; /* Ed25519; recovery is NULL */
    uint8_t *seal;                       /* X25519 secret, guarded */
    struct public_key pub[KEY_COUNT];
};

static int derive(struct span passphrase, const uint8_t salt[static crypto_pwhash_SALTBYTES], uint8_t *wrap)
{
    return crypto_pwhash(wrap, WRAP_BYTES, (const char *)passphrase.data, passphrase.len, salt, DERIVE_OPS, DERIVE_BYTES,
                         crypto_pwhash_ALG_ARGON2ID13) == 0
               ? 0
               : E_NOMEM;
}

static int write_whole(const char *path, const void *data, size_t len, struct fault *fault)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(fault, errno == EEXIST ? E_EXISTS : E_IO, "%.200s", path);
    bool good = write(fd, data, len) == (ssize_t)len && fsync(fd) == 0;
    (void)close(fd);
    return good ? 0 : fail(fault, E_IO, "%.200s", path);
}

static int key_write(const char *dir, enum key_role role, const uint8_t seed[static 32], const uint8_t *salt, const uint8_t *wrap,
                     struct fault *fault)
{
    struct key_file file;
    char path[4096];
    memcpy(file.magic, magic, sizeof magic);
    memcpy(file.salt, salt, sizeof file.salt);
    randombytes_buf(file.nonce, sizeof file.nonce);
    const char *name = key_role_names[role]; /* bound in: a file renamed to another role does not open */
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(file.sealed, NULL, seed, 32, (const uint8_t *)name, strlen(name), NULL, file.nonce,
                                                     wrap);
    (void)snprintf(path, sizeof path, "%s/keys/%s.key", dir, name);
    return write_whole(path, &file, sizeof file, fault);
}

static int public_of(enum key_role role, const uint8_t seed[static 32], struct public_key *pub)
{
    if (role == KEY_SEAL)
        return crypto_scalarmult_base(pub->b, seed) == 0 ? 0 : E_STATE;
    struct secret_key *secret = secret_key_from_seed(seed, pub);
    secret_key_free(secret);
    return secret ? 0 : E_NOMEM;
}

static int folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd >= 0 && fsync(fd) == 0 ? 0 : E_IO;
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

int keys_create(const char *dir, struct span passphrase, struct public_key pub[static KEY_COUNT], uint8_t recovery_seed[static 32],
                struct fault *fault)
{
    uint8_t salt[crypto_pwhash_SALTBYTES];
    char folder[4096];
    uint8_t *seed = sodium_malloc(32), *wrap = sodium_malloc(WRAP_BYTES);
    (void)snprintf(folder, sizeof folder, "%s/keys", dir);
    randombytes_buf(salt, sizeof salt);
    int rc = seed && wrap ? derive(passphrase, salt, wrap) : E_NOMEM;
    if (rc)
        (void)fail(fault, rc, "deriving the key that wraps the keys");
    if (rc == 0 && mkdir(folder, 0700) != 0)
        rc = fail(fault, errno == EEXIST ? E_EXISTS : E_IO, "%.200s", folder);
    for (int role = 0; role < KEY_COUNT && rc == 0; role++) {
        randombytes_buf(seed, 32);
        rc = public_of((enum key_role)role, seed, &pub[role]);
        if (role == KEY_RECOVERY)
            memcpy(recovery_seed, seed, 32); /* never on this machine's disk */
        else if (rc == 0)
            rc = key_write(dir, (enum key_role)role, seed, salt, wrap, fault);
    }
    sodium_free(seed);
    sodium_free(wrap);
    return rc ? rc : folder_sync(folder);
}

static int key_read(const char *dir, enum key_role role, struct key_file *file, struct fault *fault)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/keys/%s.key", dir, key_role_names[role]);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(fault, errno == ENOENT ? E_NOTFOUND : E_IO, "%.200s", path);
    ssize_t n = read(fd, file, sizeof *file);
    (void)close(fd);
    if (n != (ssize_t)sizeof *file || memcmp(file->magic, magic, sizeof magic) != 0)
        return fail(fault, E_CORRUPT, "%.200s is not a key file", path);
    return 0;
}

struct opener {
    const char *dir;
    struct span passphrase;
    uint8_t *seed, *wrap;
    uint8_t salt[crypto_pwhash_SALTBYTES];
    bool derived;
};

static int key_open(struct opener *o, enum key_role role, struct keyring *ring, struct fault *fault)
{
    struct key_file file;
    const char *name = key_role_names[role];
    int rc = key_read(o->dir, role, &file, fault);
    if (rc == 0 && (!o->derived || memcmp(o->salt, file.salt, sizeof file.salt) != 0)) {
        memcpy(o->salt, file.salt, sizeof file.salt);
        rc = derive(o->passphrase, file.salt, o->wrap);
        o->derived = rc == 0;
    }
    if (rc == 0 && crypto_aead_xchacha20poly1305_ietf_decrypt(o->seed, NULL, NULL, file.sealed, sizeof file.sealed, (const uint8_t *)name,
                                                              strlen(name), file.nonce, o->wrap) != 0)
        rc = fail(fault, E_PASSPHRASE, "keys/%s.key", name);
    if (rc)
        return rc;
    rc = public_of(role, o->seed, &ring->pub[role]);
    if (rc == 0 && role == KEY_SEAL)
        memcpy(ring->seal, o->seed, 32);
    else if (rc == 0)
        ring->secret[role] = secret_key_from_seed(o->seed, &ring->pub[role]);
    return rc;
}

int keyring_open(struct keyring **out, const char *dir, struct span passphrase, struct fault *fault)
{
    struct keyring *ring = calloc(1, sizeof *ring);
    struct opener o = {.dir = dir, .passphrase = passphrase, .seed = sodium_malloc(32), .wrap = sodium_malloc(WRAP_BYTES)};
    if (ring)
        ring->seal = sodium_malloc(32);
    int rc = ring && ring->seal && o.seed && o.wrap ? 0 : fail(fault, E_NOMEM, "guarded memory");
    for (int role = 0; role < KEY_COUNT && rc == 0; role++)
        if (role != KEY_RECOVERY)
            rc = key_open(&o, (enum key_role)role, ring, fault);
    sodium_free(o.seed);
    sodium_free(o.wrap);
    if (rc) {
        keyring_free(ring);
        return rc;
    }
    *out = ring;
    return 0;
}

void keyring_free(struct keyring *ring)
{
    if (!ring)
        return;
    for (int i = 0; i < KEY_SEAL; i++)
        secret_key_free(ring->secret[i]);
    sodium_free(ring->seal);
    free(ring);
}

const struct public_key *keyring_public(const struct keyring *ring, enum key_role role)
{
    return &ring->pub[role];
}

const struct secret_key *keyring_secret(const struct keyring *ring, enum key_role role)
{
    return ring->secret[role];
}

void card_sign(struct buf *out, const struct card *card, const struct keyring *keys, const uint8_t recovery_seed[static 32])
{
    struct buf text;
    struct public_key pub;
    struct secret_key *recovery = secret_key_from_seed(recovery_seed, &pub);
    buf_init(&text, CARD_BYTES_MAX);
    card_write_text(&text, card);
    buf_span(out, buf_view(&text));
    buf_byte(out, '\n');
    for (int role = 0; role < KEY_SEAL; role++) {
        const struct secret_key *secret = role == KEY_RECOVERY ? recovery : keys->secret[role];
        struct signature signature;
        if (!secret) {
            out->error = E_NOMEM;
            break;
        }
        sign(secret, buf_view(&text), &signature);
        note_signature_write(out, span_str(card->name), &card->keys[role], &signature);
    }
    secret_key_free(recovery);
    buf_free(&text);
}
