#include "cli/party.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "signer/state.h"

static int named(const struct party_folder *party, const char *name, char out[static 4096])
{
    int n = snprintf(out, 4096, "%s/%s", party->dir, name);
    return n > 0 && n < 4096 ? 0 : E_LIMIT;
}

static int config_read(struct party_folder *party, struct fault *fault)
{
    char path[4096];
    struct buf text;
    (void)named(party, "comity.conf", path);
    int rc = file_read(path, CONFIG_BYTES_MAX, &text, fault);
    if (rc == 0 && (rc = config_parse(&party->config, buf_view(&text), fault)) != 0)
        (void)fail_at(fault, rc, "%s", path);
    buf_free(&text);
    return rc;
}

static int card_read(struct party_folder *party, struct fault *fault)
{
    char path[4096];
    (void)named(party, "card.note", path);
    int rc = file_read(path, CARD_BYTES_MAX, &party->card_note, fault);
    if (rc == 0 && (rc = card_parse(&party->card, buf_view(&party->card_note), fault)) != 0)
        return fail_at(fault, rc, "%s", path);
    if (rc == 0 && strcmp(party->card.name, party->config.name) != 0)
        rc = fail_at(
            fault,
            fail(fault, E_CONFIG, "the card is %s's, comity.conf names %s", party->card.name, party->config.name), "%s",
            path);
    return rc;
}

static int circle_read(struct party_folder *party, struct fault *fault)
{
    char path[4096];
    (void)named(party, "charter/charter.json", path);
    if (access(path, F_OK) != 0)
        return 0;
    int rc = file_read(path, BUNDLE_JSON_BYTES_MAX, &party->charter, fault);
    if (rc == 0 && (rc = bundle_parse_charter(buf_view(&party->charter), &party->roster, &party->arena, fault)) != 0)
        return fail_at(fault, rc, "%s", path);
    if (rc)
        return rc;
    party->in_circle = true;
    party->self = roster_party(&party->roster, span_str(party->card.name));
    if (!party->self || memcmp(party->self->card.keys, party->card.keys, sizeof party->card.keys) != 0)
        return fail_at(fault, fail(fault, E_KEY, "the charter does not hold this party's card"), "%s", path);
    return 0;
}

int party_read(struct party_folder *party, const char *dir, struct fault *fault)
{
    *party = (struct party_folder){.dir = dir};
    arena_init(&party->arena, 16 * (size_t)CHARTER_BYTES_MAX);
    int rc = config_read(party, fault);
    rc = rc ? rc : card_read(party, fault);
    return rc ? rc : circle_read(party, fault);
}

int party_store(struct party_folder *party, bool immutable, struct fault *fault)
{
    char path[4096], blobs[4096];
    (void)named(party, "state.db", path);
    (void)named(party, "blobs", blobs);
    return store_sqlite_read(&party->store, path, blobs, immutable, fault);
}

void party_free(struct party_folder *party)
{
    if (party->store)
        party->store->ops->close(party->store);
    buf_free(&party->card_note);
    buf_free(&party->charter);
    arena_free(&party->arena);
    config_free(&party->config);
}

int party_signer(const struct party_folder *party, const char *path, struct signer_position *position,
                 struct fault *fault)
{
    struct signer_state *state = NULL;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    *position = (struct signer_position){0};
    if (fd < 0)
        return fail_at(fault, fail(fault, errno == ENOENT ? E_NOTFOUND : E_IO, "%s", strerror(errno)), "%s", path);
    int rc = state_read(&state, fd, party->card.name, &party->roster.circle, fault);
    (void)close(fd);
    if (rc)
        return fail_at(fault, rc, "%s", path);
    const struct signer_record *record = state_find(state, KEY_LOG, span_str(party->self->origin));
    if (record)
        *position = (struct signer_position){.size = record->size, .root = record->root};
    state_free(state);
    return 0;
}

int party_agrees(struct party_folder *party, const struct signer_position *position, uint64_t *size,
                 struct fault *fault)
{
    const struct store_ops *ops = party->store->ops;
    struct store_tiles space = {.store = party->store};
    struct hash root;
    *size = 0;
    int rc = ops->log_open(party->store, span_str(party->self->origin), false, &space.log);
    rc = rc ? rc : ops->log_size(party->store, space.log, size);
    if (rc && rc != E_NOTFOUND)
        return fail(fault, rc, "the own log in the database");
    if (position->size > *size)
        return fail(fault, E_STATE, "the signer has signed %llu entries, the database has %llu",
                    (unsigned long long)position->size, (unsigned long long)*size);
    if (!position->size)
        return 0;
    struct tile_reader tiles = store_tile_reader(&space);
    rc = tree_root(&tiles, position->size, &root);
    if (rc == 0 && !hash_eq(&root, &position->root))
        rc = E_TWO_FACES;
    return rc ? fail(fault, rc, "the tree of %llu entries in the database against what the signer has signed",
                     (unsigned long long)position->size)
              : 0;
}

int party_keys(const struct party_folder *party, const char *passphrase_file, struct fault *fault)
{
    struct keyring *ring = NULL;
    struct buf passphrase;
    int rc = file_read(passphrase_file, 4096, &passphrase, fault);
    struct span text = buf_view(&passphrase);
    while (text.len && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
        text.len--;
    rc = rc ? rc : keyring_open(&ring, party->dir, text, fault);
    for (int role = 0; rc == 0 && role < KEY_COUNT; role++)
        if (role != KEY_RECOVERY && memcmp(keyring_public(ring, (enum key_role)role), &party->card.keys[role],
                                           sizeof party->card.keys[role]) != 0)
            rc = fail(fault, E_KEY, "keys/%s.key is not the card's", key_role_names[role]);
    keyring_free(ring);
    if (passphrase.data)
        sodium_memzero(passphrase.data, passphrase.cap);
    buf_free(&passphrase);
    return rc;
}
