#include <stdio.h>

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
        for (int role = 0; role < KEY_COUNT; role++)
            if (hash_eq(&roster->parties[i].kids[role], kid))
                return fail(fault, E_KEY, "it is the %s key of %s", key_role_names[role], roster->parties[i].card.name);
    return fail(fault, E_KEY, "no party of this circle has that key");
}

int roster_statement_key(const struct roster *roster, struct span issuer, const struct hash *kid,
                         const struct party **party, struct fault *fault)
{
    *party = roster_party(roster, issuer);
    if (!*party)
        return fail(fault, E_KEY, "%.*s is no party of this circle", (int)(issuer.len < 63 ? issuer.len : 63),
                    (const char *)issuer.data);
    return hash_eq(&(*party)->kids[KEY_STATEMENT], kid) ? 0 : key_explain(roster, kid, fault);
}

void mirror_name(char out[static MIRROR_NAME_BYTES], const struct party *party)
{
    (void)snprintf(out, MIRROR_NAME_BYTES, "%s/mirror", party->origin);
}

int roster_cosigners(const struct roster *roster, const struct party *writer, const struct note *note,
                     struct cosigner out[static COMMITTEE_MAX], size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < roster->count; i++) {
        const struct party *mirror = &roster->parties[i];
        char name[MIRROR_NAME_BYTES];
        int64_t timestamp;
        if (!mirror->committee || mirror == writer || *count == COMMITTEE_MAX)
            continue;
        mirror_name(name, mirror);
        int rc = note_verify_cosignature(note, span_str(name), &mirror->card.keys[KEY_MIRROR], &timestamp, NULL);
        if (rc == E_SIGNATURE)
            return rc;
        if (rc == 0)
            out[(*count)++] = (struct cosigner){.party = mirror, .timestamp = timestamp};
    }
    return 0;
}
