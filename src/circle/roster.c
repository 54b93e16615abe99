#include <stdio.h>

#include "base/mutant.h"
#include "circle/roster.h"

const struct party *roster_party(const struct roster *roster, struct span name)
{
    size_t low = 0, high = roster->count; /* sorted by name */
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = span_compare(name, span_str(roster->parties[middle].card.name));
        if (order == 0)
            return &roster->parties[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct party *roster_origin(const struct roster *roster, struct span origin)
{
    size_t prefix = strlen("comity/") + 16 + 1;
    const struct party *party = origin.len > prefix ? roster_party(roster, span_from(origin, prefix)) : NULL;
    return party && span_is(origin, party->origin) ? party : NULL;
}

const struct party *roster_origin_hash(const struct roster *roster, const struct hash *origin_hash)
{
    for (size_t i = 0; i < roster->count; i++)
        if (hash_eq(&roster->parties[i].origin_hash, origin_hash))
            return &roster->parties[i];
    return NULL;
}

/* Whose key is this, and for what? For the message only. */
static int key_explain(const struct roster *roster, const struct hash *kid, struct fault *fault)
{
    for (size_t i = 0; i < roster->count; i++)
        for (int role = 0; role < KEY_COUNT; role++) {
            const struct party *party = &roster->parties[i];
            if (hash_eq(&party->kids[role], kid))
                return fail(fault, E_KEY, "it is the %s key of %s", key_role_names[role], party->card.name);
            for (uint32_t e = 0; e < party->former_count; e++)
                if (hash_eq(&party->former[e].kids[role], kid))
                    return fail(fault, E_KEY, "%s has replaced this %s key; it counts for its log up to size %llu",
                                party->card.name, key_role_names[role],
                                (unsigned long long)party->former[e].cuts[party->number].size);
        }
    return fail(fault, E_KEY, "no party of this circle has that key");
}

static const struct party *issuer_party(const struct roster *roster, struct span issuer, struct fault *fault)
{
    const struct party *party = roster_party(roster, issuer);
    if (!party)
        (void)fail(fault, E_KEY, "%.*s is no party of this circle", (int)(issuer.len < 63 ? issuer.len : 63),
                   (const char *)issuer.data);
    return party;
}

int roster_statement_key(const struct roster *roster, struct span issuer, const struct hash *kid,
                         const struct party **party, struct fault *fault)
{
    *party = issuer_party(roster, issuer, fault);
    if (!*party)
        return E_KEY;
    return hash_eq(&(*party)->kids[KEY_STATEMENT], kid) ? 0 : key_explain(roster, kid, fault);
}

int roster_entry_key(const struct roster *roster, struct span issuer, const struct hash *kid, uint64_t index,
                     const struct party **party, const struct public_key **key, struct fault *fault)
{
    const struct party *p = *party = issuer_party(roster, issuer, fault);
    uint32_t epoch = 0;
    if (!p)
        return E_KEY;
    while (epoch < p->former_count && index >= p->former[epoch].cuts[p->number].size)
        epoch++;
    const struct hash *wanted =
        epoch < p->former_count ? &p->former[epoch].kids[KEY_STATEMENT] : &p->kids[KEY_STATEMENT];
    *key = epoch < p->former_count ? &p->former[epoch].keys[KEY_STATEMENT] : &p->card.keys[KEY_STATEMENT];
    return hash_eq(wanted, kid) ? 0 : key_explain(roster, kid, fault);
}

/* Is this state of a log within a cut? At the cut's own size it must be the cut's own tree. */
static bool within(const struct cut *cut, const struct cut *state)
{
    return state->size < cut->size || (state->size == cut->size && hash_eq(&state->root, &cut->root));
}

int party_log_signed(const struct party *party, const struct note *note, const struct checkpoint *checkpoint,
                     int64_t instant)
{
    struct cut state = {.size = checkpoint->size, .root = checkpoint->root};
    int rc = note_verify(note, span_str(party->origin), &party->card.keys[KEY_LOG]);
    for (uint32_t e = party->former_count; rc == E_KEY && e-- > 0;) {
        const struct former_keys *former = &party->former[e];
        rc = note_verify(note, span_str(party->origin), &former->keys[KEY_LOG]);
        if (rc == 0 && !within(&former->cuts[party->number], &state) && !(instant && instant < former->instant))
            return E_KEY;
    }
    return rc;
}

bool party_log_line(const struct party *party, const struct note_signature *line)
{
    struct span name = span_str(party->origin);
    if (!span_eq(line->name, name))
        return false;
    bool ours = line->id == note_key_id(name, NOTE_ED25519, &party->card.keys[KEY_LOG]);
    for (uint32_t e = 0; e < party->former_count; e++)
        ours = ours || line->id == note_key_id(name, NOTE_ED25519, &party->former[e].keys[KEY_LOG]);
    return ours;
}

void mirror_name(char out[static MIRROR_NAME_BYTES], const struct party *party)
{
    (void)snprintf(out, MIRROR_NAME_BYTES, "%s/mirror", party->origin);
}

static bool former_mirror_counts(const struct former_keys *former, const struct party *writer,
                                 const struct cut *cosigned, int64_t timestamp)
{
    return within(&former->cuts[writer->number], cosigned) || (timestamp && timestamp < former->instant);
}

const struct party *roster_mirror(const struct roster *roster, const struct hash *kid, const struct party *writer,
                                  const struct cut *cosigned, int64_t timestamp, const struct public_key **key)
{
    for (size_t i = 0; i < roster->count; i++) {
        const struct party *mirror = &roster->parties[i];
        if (!mirror->committee || mirror == writer)
            continue;
        *key = &mirror->card.keys[KEY_MIRROR];
        if (hash_eq(&mirror->kids[KEY_MIRROR], kid))
            return mirror;
        for (uint32_t e = 0; e < mirror->former_count; e++) {
            *key = &mirror->former[e].keys[KEY_MIRROR];
            if (hash_eq(&mirror->former[e].kids[KEY_MIRROR], kid))
                return former_mirror_counts(&mirror->former[e], writer, cosigned, timestamp) ? mirror : NULL;
        }
    }
    return NULL;
}

/* The earliest cosignature by any key of this mirror that counts. 0, E_KEY when there is none, or E_SIGNATURE. */
static int mirror_cosigned(const struct party *mirror, const struct party *writer, const struct note *note,
                           const struct cut *state, int64_t *timestamp)
{
    char name[MIRROR_NAME_BYTES];
    int64_t at;
    mirror_name(name, mirror);
    int found = note_verify_cosignature(note, span_str(name), &mirror->card.keys[KEY_MIRROR], timestamp, NULL);
    for (uint32_t e = 0; (found == 0 || found == E_KEY) && e < mirror->former_count; e++) {
        const struct former_keys *former = &mirror->former[e];
        int rc = note_verify_cosignature(note, span_str(name), &former->keys[KEY_MIRROR], &at, NULL);
        if (rc && rc != E_KEY)
            return rc;
        if (rc == 0 && former_mirror_counts(former, writer, state, at) && (found || at < *timestamp)) {
            *timestamp = at;
            found = 0;
        }
    }
    return found;
}

int roster_cosigners(const struct roster *roster, const struct party *writer, const struct note *note,
                     const struct checkpoint *checkpoint, struct cosigner out[static COMMITTEE_MAX], size_t *count)
{
    struct cut state = {.size = checkpoint->size, .root = checkpoint->root};
    *count = 0;
    for (size_t i = 0; i < roster->count; i++) {
        const struct party *mirror = &roster->parties[i];
        int64_t timestamp = 0;
        if (!mirror->committee || mirror == writer || *count == COMMITTEE_MAX)
            continue;
        int rc = mirror_cosigned(mirror, writer, note, &state, &timestamp);
        if (rc && rc != E_KEY)
            return rc;
        for (int times = 0; rc == 0 && times <= MUTANT(QUORUM_TWICE) && *count < COMMITTEE_MAX; times++)
            out[(*count)++] = (struct cosigner){.party = mirror, .timestamp = timestamp};
    }
    return 0;
}
