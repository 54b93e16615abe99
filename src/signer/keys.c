#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "signer/check.h"

/* keys/ROLE.key: magic with the version, Argon2id's cost, salt, nonce, sealed seed; 112 bytes, numbers big-endian. All keys of a folder
   share one salt, so that opening them costs one derivation. */
struct key_file {
    char magic[16];
    uint8_t passes[4], kib[4];
    uint8_t salt[crypto_pwhash_SALTBYTES];
    uint8_t nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES];
    uint8_t sealed[32 + crypto_aead_xchacha20poly1305_ietf_ABYTES];
};
static const char magic[16] = "comity-key/1\n";
_Static_assert(sizeof(struct key_file) == 112, "no holes");
/* Opening must fit beside the node on a small machine: under half a second, under 64 MiB. */
enum { DERIVE_PASSES = 3, DERIVE_KIB = 32 * 1024, DERIVE_PASSES_MAX = 16, DERIVE_KIB_MAX = 64 * 1024 };
enum { WRAP_BYTES = crypto_aead_xchacha20poly1305_ietf_KEYBYTES };

struct keyring {
    struct secret_key *secret[KEY_SEAL]; /* Ed25519; recovery is NULL */
    uint8_t *seal;                       /* X25519 secret, guarded */
    struct public_key pub[KEY_COUNT];
};

static uint32_t u32_of(const uint8_t b[static 4])
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void u32_put(uint8_t b[static 4], uint32_t value)
{
    for (int i = 0; i < 4; i++)
        b[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Salt and cost are those of the file. */
static int derive(struct span passphrase, const struct key_file *file, uint8_t *wrap, struct fault *fault)
{
    uint32_t passes = u32_of(file->passes), kib = u32_of(file->kib);
    if (passes < 1 || passes > DERIVE_PASSES_MAX || kib < 8 || kib > DERIVE_KIB_MAX)
        return fail(fault, E_LIMIT, "a key file asks for too costly a derivation");
    if (crypto_pwhash(wrap, WRAP_BYTES, (const char *)passphrase.data, passphrase.len, file->salt, passes,
                      (size_t)kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return fail(fault, E_NOMEM, "deriving the key that wraps the keys");
    return 0;
}

static int key_path(char out[static 4096], const char *dir, const char *name, struct fault *fault)
{
    int n = snprintf(out, 4096, "%s/keys%s%s%s", dir, name ? "/" : "", name ? name : "", name ? ".key" : "");
    return n > 0 && n < 4096 ? 0 : fail(fault, E_LIMIT, "the folder's path is too long");
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

/* The role is bound in: a file renamed to another role does not open. */
static int key_write(const char *dir, enum key_role role, const uint8_t seed[static 32], struct key_file *file,
                     const uint8_t *wrap, struct fault *fault)
{
    char path[4096];
    const char *name = key_role_names[role];
    int rc = key_path(path, dir, name, fault);
    randombytes_buf(file->nonce, sizeof file->nonce);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(file->sealed, NULL, seed, 32, (const uint8_t *)name, strlen(name),
                                                     NULL, file->nonce, wrap);
    return rc ? rc : write_whole(path, file, sizeof *file, fault);
}

static int public_of(enum key_role role, const uint8_t seed[static 32], struct public_key *pub)
{
    if (role == KEY_SEAL)
        return crypto_scalarmult_base(pub->b, seed) == 0 ? 0 : E_STATE;
    struct secret_key *secret = secret_key_from_seed(seed, pub);
    if (!secret)
        return E_NOMEM;
    secret_key_free(secret);
    return 0;
}

static int folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd >= 0 && fsync(fd) == 0 ? 0 : E_IO;
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

static int keys_write(const char *dir, struct span passphrase, struct public_key pub[static KEY_COUNT],
                      uint8_t recovery_seed[static 32], uint8_t *seed, uint8_t *wrap, struct fault *fault)
{
    struct key_file file;
    memcpy(file.magic, magic, sizeof magic);
    u32_put(file.passes, DERIVE_PASSES);
    u32_put(file.kib, DERIVE_KIB);
    randombytes_buf(file.salt, sizeof file.salt);
    int rc = derive(passphrase, &file, wrap, fault);
    for (int role = 0; role < KEY_COUNT && rc == 0; role++) {
        randombytes_buf(seed, 32);
        rc = public_of((enum key_role)role, seed, &pub[role]);
        if (role == KEY_RECOVERY)
            memcpy(recovery_seed, seed, 32); /* never on this machine's disk */
        else if (rc == 0)
            rc = key_write(dir, (enum key_role)role, seed, &file, wrap, fault);
    }
    return rc;
}

/* Half a set of keys is none, and would be in the way of the next try. Nothing has been signed by them. */
static void keys_unmake(const char *dir, const char *folder)
{
    char path[4096];
    for (int role = 0; role < KEY_COUNT; role++)
        if (key_path(path, dir, key_role_names[role], NULL) == 0)
            (void)unlink(path);
    (void)rmdir(folder);
}

int keys_create(const char *dir, struct span passphrase, struct public_key pub[static KEY_COUNT],
                uint8_t recovery_seed[static 32], struct fault *fault)
{
    char folder[4096];
    int rc = key_path(folder, dir, NULL, fault);
    if (rc == 0 && mkdir(folder, 0700) != 0)
        rc = fail(fault, errno == EEXIST ? E_EXISTS : E_IO, "%.200s", folder);
    if (rc)
        return rc;
    uint8_t *seed = sodium_malloc(32), *wrap = sodium_malloc(WRAP_BYTES);
    rc = seed && wrap ? keys_write(dir, passphrase, pub, recovery_seed, seed, wrap, fault)
                      : fail(fault, E_NOMEM, "guarded memory");
    sodium_free(seed);
    sodium_free(wrap);
    if (rc == 0 && (folder_sync(folder) != 0 || folder_sync(dir) != 0))
        rc = fail(fault, E_IO, "%.200s", folder);
    if (rc)
        keys_unmake(dir, folder);
    return rc;
}

static int key_read(const char *dir, enum key_role role, struct key_file *file, struct fault *fault)
{
    char path[4096], more;
    int rc = key_path(path, dir, key_role_names[role], fault);
    if (rc)
        return rc;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(fault, errno == ENOENT ? E_NOTFOUND : E_IO, "%.200s", path);
    bool whole = read(fd, file, sizeof *file) == (ssize_t)sizeof *file && read(fd, &more, 1) == 0;
    (void)close(fd);
    if (!whole || memcmp(file->magic, magic, sizeof magic) != 0)
        return fail(fault, E_CORRUPT, "%.200s is not a key file", path);
    return 0;
}

struct opener {
    const char *dir;
    struct span passphrase;
    uint8_t *seed, *wrap;
    struct key_file derived; /* for this cost and salt `wrap` is right; all zero: for none yet */
};

static bool same_derivation(const struct key_file *a, const struct key_file *b)
{
    return memcmp(a, b, offsetof(struct key_file, nonce)) == 0;
}

static int key_open(struct opener *o, enum key_role role, struct keyring *ring, struct fault *fault)
{
    struct key_file file;
    const char *name = key_role_names[role];
    int rc = key_read(o->dir, role, &file, fault);
    if (rc == 0 && !same_derivation(&o->derived, &file)) {
        rc = derive(o->passphrase, &file, o->wrap, fault);
        o->derived = file;
    }
    if (rc == 0 &&
        crypto_aead_xchacha20poly1305_ietf_decrypt(o->seed, NULL, NULL, file.sealed, sizeof file.sealed,
                                                   (const uint8_t *)name, strlen(name), file.nonce, o->wrap) != 0)
        rc = fail(fault, E_PASSPHRASE, "keys/%s.key", name);
    if (rc)
        return rc;
    rc = public_of(role, o->seed, &ring->pub[role]);
    if (rc == 0 && role == KEY_SEAL)
        memcpy(ring->seal, o->seed, 32);
    else if (rc == 0 && !(ring->secret[role] = secret_key_from_seed(o->seed, &ring->pub[role])))
        rc = E_NOMEM;
    return rc ? fail(fault, rc, "keys/%s.key", name) : 0;
}

int keyring_open(struct keyring **out, const char *dir, struct span passphrase, struct fault *fault)
{
    struct keyring *ring = calloc(1, sizeof *ring);
    struct opener o = {
        .dir = dir, .passphrase = passphrase, .seed = sodium_malloc(32), .wrap = sodium_malloc(WRAP_BYTES)};
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

static void key_check(struct opener *o, enum key_role role, struct keyring *ring, const struct card *card,
                      struct findings *findings)
{
    struct fault fault = {0};
    char place[64];
    int rc = key_open(o, role, ring, &fault);
    (void)snprintf(place, sizeof place, "keys/%s.key", key_role_names[role]);
    if (rc == E_PASSPHRASE)
        findings_add(findings, place, "does not open by the passphrase: damaged, or of another passphrase");
    else if (rc)
        findings_add(findings, place, "%s: %s", error_text(rc)->message, fault.detail);
    else if (card && memcmp(ring->pub[role].b, card->keys[role].b, sizeof card->keys[role].b) != 0)
        findings_add(findings, place, "holds another key than the party's card");
}

void keys_check(const char *dir, struct span passphrase, const struct card *card, struct findings *findings)
{
    struct keyring *ring = calloc(1, sizeof *ring);
    struct opener o = {
        .dir = dir, .passphrase = passphrase, .seed = sodium_malloc(32), .wrap = sodium_malloc(WRAP_BYTES)};
    if (ring)
        ring->seal = sodium_malloc(32);
    bool ready = ring && ring->seal && o.seed && o.wrap;
    if (!ready)
        findings_add(findings, "keys", "not checked: no guarded memory");
    for (int role = 0; role < KEY_COUNT && ready; role++)
        if (role != KEY_RECOVERY)
            key_check(&o, (enum key_role)role, ring, card, findings);
    sodium_free(o.seed);
    sodium_free(o.wrap);
    keyring_free(ring);
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

void keyring_storage_key(const struct keyring *ring, const struct hash *salt, struct storage_key *out)
{
    static const char what[] = "comity-storage/1\n";
    uint8_t message[sizeof what - 1 + sizeof salt->b];
    memcpy(message, what, sizeof what - 1);
    memcpy(message + sizeof what - 1, salt->b, sizeof salt->b);
    (void)crypto_generichash(out->b, sizeof out->b, message, sizeof message, ring->seal, 32);
}

/* Best effort, as libsodium's own locking is: a limit on locked memory is no reason not to run. */
void keyring_lock(const struct keyring *ring)
{
    for (int i = 0; i < KEY_SEAL; i++)
        if (ring->secret[i])
            (void)mlock(ring->secret[i], sizeof *ring->secret[i]);
    (void)mlock(ring->seal, 32);
}

void card_sign(struct buf *out, const struct card *card, const struct keyring *keys,
               const uint8_t recovery_seed[static 32])
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
