/* A key file that somebody else wrote. The first byte chooses which role's file it is, and whether it is sealed anew first (then the
   passphrase is right, and what is behind it is reached). Files that ask for a costly derivation within the limit are left out: slow
   is what they are for. */
#include "fuzz/keys.h"
#include "signer/check.h"

static char dir[64];

static void clean(void)
{
    key_folder_remove(dir);
}

/* What the program itself makes opens again, and signs a card that is accepted. Once: its derivation is slow on purpose. */
static void own_files(void)
{
    char own[] = "/tmp/comity-fuzz-XXXXXX";
    struct card card = {.name = "alpha", .jurisdiction = "AA", .url = "http://alpha.example", .made_at = 1750000000};
    uint8_t recovery[32];
    struct keyring *ring = NULL;
    struct buf note;
    must(mkdtemp(own) != NULL && keys_create(own, span_str(key_passphrase), card.keys, recovery, NULL) == 0);
    must(keys_create(own, span_str(key_passphrase), card.keys, recovery, NULL) == E_EXISTS);
    must(keyring_open(&ring, own, span_str("another"), NULL) == E_PASSPHRASE);
    must(keyring_open(&ring, own, span_str(key_passphrase), NULL) == 0);
    must(memcmp(keyring_public(ring, KEY_LOG), &card.keys[KEY_LOG], sizeof card.keys[0]) == 0);
    buf_init(&note, CARD_BYTES_MAX);
    card_sign(&note, &card, ring, recovery);
    must(card_parse(&card, buf_view(&note), NULL) == 0);
    buf_free(&note);
    keyring_free(ring);
    key_folder_remove(own);
}

static uint32_t cost_at(const uint8_t *file, size_t at)
{
    return (uint32_t)file[at] << 24 | (uint32_t)file[at + 1] << 16 | (uint32_t)file[at + 2] << 8 | file[at + 3];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seeds[KEY_COUNT][32] = {{1}, {2}, {3}, {4}, {5}, {6}};
    struct span plan = span_of(data, size);
    uint8_t way = plan_byte(&plan), file[KEY_FILE_BYTES] = {0};
    enum key_role role = (enum key_role)(way % KEY_COUNT);
    struct keyring *ring = NULL;
    struct fault fault = {0};
    must(crypto_start() == 0);
    if (!dir[0]) {
        key_folder_make(dir, seeds);
        must(atexit(clean) == 0);
        own_files();
    }
    if (role == KEY_RECOVERY)
        return 0; /* kept on paper only */
    memcpy(file, plan.data ? plan.data : file, plan.len < sizeof file ? plan.len : sizeof file);
    if (way & 0x80) {
        uint8_t seed[32];
        memcpy(seed, file, sizeof seed);
        key_file_seal(file, role, seed);
        key_file_write(dir, role, file, sizeof file);
    } else {
        if (cost_at(file, 16) <= 16 && cost_at(file, 20) <= 65536 && (cost_at(file, 16) > 2 || cost_at(file, 20) > 64))
            return 0;
        key_file_write(dir, role, plan.data ? plan.data : file, plan.len);
    }
    int rc = keyring_open(&ring, dir, span_str(key_passphrase), &fault);
    must(rc == 0 || fault.code == rc);
    must(!(way & 0x80) || rc == 0);
    struct findings findings = {0};
    keys_check(dir, span_str(key_passphrase), NULL, &findings);
    must((findings.count == 0) == (rc == 0));
    findings_free(&findings);
    keyring_free(ring);
    key_file_seal(file, role, seeds[role]);
    key_file_write(dir, role, file, sizeof file);
    return 0;
}
