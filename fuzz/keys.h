/* Key files as signer/keys.c reads them, sealed cheaply under a known passphrase: for the fuzzer only. */
#ifndef COMITY_FUZZ_KEYS_H
#define COMITY_FUZZ_KEYS_H

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "signer/signer.h"

enum { KEY_FILE_BYTES = 112, KEY_FILE_HEAD = 16 + 8 + 16, KEY_FILE_SEALED = KEY_FILE_HEAD + 24 };
static const char key_passphrase[] = "of no worth";

/* One pass over 8 KiB: opening a folder takes microseconds. */
static inline void key_file_seal(uint8_t file[static KEY_FILE_BYTES], enum key_role role, const uint8_t seed[static 32])
{
    static const uint8_t cost[8] = {0, 0, 0, 1, 0, 0, 0, 8};
    uint8_t wrap[32];
    const char *name = key_role_names[role];
    memcpy(file, "comity-key/1\n\0\0", 16);
    memcpy(file + 16, cost, sizeof cost);
    memset(file + 24, 3, 16 + 24);
    must(crypto_pwhash(wrap, sizeof wrap, key_passphrase, strlen(key_passphrase), file + 24, 1, 8192,
                       crypto_pwhash_ALG_ARGON2ID13) == 0);
    must(crypto_aead_xchacha20poly1305_ietf_encrypt(file + KEY_FILE_SEALED, NULL, seed, 32, (const uint8_t *)name,
                                                    strlen(name), NULL, file + KEY_FILE_HEAD, wrap) == 0);
}

static inline void key_file_write(const char *dir, enum key_role role, const uint8_t *bytes, size_t len)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/keys/%s.key", dir, key_role_names[role]);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && close(fd) == 0);
}

/* A folder in memory with all five files; `seeds` in the order of enum key_role. */
static inline void key_folder_make(char dir[static 64], const uint8_t seeds[static KEY_COUNT][32])
{
    uint8_t file[KEY_FILE_BYTES];
    char path[128];
    (void)snprintf(dir, 64, "%s/comity-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(dir) != NULL);
    (void)snprintf(path, sizeof path, "%s/keys", dir);
    must(mkdir(path, 0700) == 0);
    for (int role = 0; role < KEY_COUNT; role++) {
        key_file_seal(file, (enum key_role)role, seeds[role]);
        if (role != KEY_RECOVERY)
            key_file_write(dir, (enum key_role)role, file, sizeof file);
    }
}

static inline void key_folder_remove(const char *dir)
{
    char path[256];
    for (int role = 0; role < KEY_COUNT; role++) {
        (void)snprintf(path, sizeof path, "%s/keys/%s.key", dir, key_role_names[role]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof path, "%s/keys", dir);
    (void)rmdir(path);
    (void)rmdir(dir);
}

#endif
