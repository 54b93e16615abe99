#include <sys/stat.h>

#include "common.h"

static void path_of(enum key_role role, char out[static 256])
{
    (void)snprintf(out, 256, "%s/keys/%s.key", folder, key_role_names[role]);
}

static size_t file_read(const char *path, uint8_t *out, size_t max)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(out, 1, max, f) : 0;
    if (f)
        (void)fclose(f);
    return n;
}

static void file_write(const char *path, const uint8_t *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(bytes, 1, n, f) == n);
    if (f)
        (void)fclose(f);
}

static void test_files(const struct public_key *pub, uint8_t recovery[static 32])
{
    struct public_key again[KEY_COUNT];
    struct stat st;
    char path[256];
    struct keyring *ring;
    test("key files: private, one for each role but recovery, nothing overwritten");
    for (int role = 0; role < KEY_COUNT; role++) {
        path_of((enum key_role)role, path);
        if (role == KEY_RECOVERY) {
            CHECK(stat(path, &st) != 0);
            continue;
        }
        CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    }
    CHECK_INT(keys_create(folder, span_str("x"), again, recovery, NULL), E_EXISTS);
    test("the ring opens by its passphrase only, and has the same public keys");
    ring = ring_open();
    for (int role = 0; ring && role < KEY_COUNT; role++)
        if (role != KEY_RECOVERY)
            CHECK(memcmp(keyring_public(ring, (enum key_role)role), &pub[role], 32) == 0);
    keyring_free(ring);
    CHECK_INT(keyring_open(&ring, folder, span_str("wrong horse"), NULL), E_PASSPHRASE);
    CHECK_INT(keyring_open(&ring, folder, span_str(""), NULL), E_PASSPHRASE);
    CHECK_INT(keyring_open(&ring, "/nonexistent", span_str("x"), NULL), E_NOTFOUND);
}

/* Where a byte of the log key's file is changed, or where it is cut, and what is said. */
static void test_damage(void)
{
    static const struct {
        size_t at, len;
        uint8_t flip;
        int want;
    } rows[] = {
        {0, 112, 1, E_CORRUPT},     {16, 112, 0x80, E_LIMIT},   {19, 112, 0x10, E_LIMIT},   {21, 112, 1, E_LIMIT},
        {24, 112, 1, E_PASSPHRASE}, {40, 112, 1, E_PASSPHRASE}, {64, 112, 1, E_PASSPHRASE}, {111, 112, 1, E_PASSPHRASE},
        {0, 111, 0, E_CORRUPT},     {0, 0, 0, E_CORRUPT},       {0, 113, 0, E_CORRUPT},
    };
    uint8_t bytes[128] = {0}, bad[128];
    char path[256], other[256];
    struct keyring *ring;
    path_of(KEY_LOG, path);
    path_of(KEY_MIRROR, other);
    CHECK_INT(file_read(path, bytes, sizeof bytes), 112);
    test("a key file that is damaged, cut, or of another role is refused");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memcpy(bad, bytes, sizeof bad);
        bad[rows[i].at] ^= rows[i].flip;
        file_write(path, bad, rows[i].len);
        CHECK_INT(keyring_open(&ring, folder, span_str("correct horse"), NULL), rows[i].want);
    }
    CHECK_INT(file_read(other, bad, sizeof bad), 112);
    file_write(path, bad, 112);
    CHECK_INT(keyring_open(&ring, folder, span_str("correct horse"), NULL), E_PASSPHRASE);
    file_write(path, bytes, 112);
    keyring_free(ring_open());
}

static void test_card(const struct public_key *pub, const uint8_t recovery[static 32])
{
    struct card card = {.name = "alpha",
                        .role = ROLE_VENDOR,
                        .jurisdiction = "ZZ",
                        .url = "https://alpha.example",
                        .made_at = 1800000000},
                got;
    struct keyring *ring = ring_open();
    struct buf note;
    test("a card is signed by every key, recovery's too");
    memcpy(card.keys, pub, sizeof card.keys);
    buf_init(&note, CARD_BYTES_MAX);
    card_sign(&note, &card, ring, recovery);
    CHECK_INT(note.error, 0);
    CHECK_INT(card_parse(&got, buf_view(&note), NULL), 0);
    CHECK(memcmp(got.keys, pub, sizeof got.keys) == 0);
    buf_free(&note);
    keyring_free(ring);
}

int main(void)
{
    struct public_key pub[KEY_COUNT];
    uint8_t recovery[32], scratch[32];
    folder_make(pub, recovery);
    test_files(pub, scratch);
    test_damage();
    test_card(pub, recovery);
    folder_drop();
    return test_end();
}
