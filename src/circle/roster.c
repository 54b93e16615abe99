#include <stdlib.h>

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

int roster_statement_key(const struct roster *roster, struct span issuer, const struct hash *kid, const struct party **party,
                         struct fault *fault)
{
    *party = roster_party(roster, issuer);
    if (!*party)
        return fail(fault, E_KEY, "%.*s is no party of this circle", (int)(issuer.len < 63 ? issuer.len : 63), (const char *)issuer.data);
    return hash_eq(&(*party)->kids[KEY_STATEMENT], kid) ? 0 : key_explain(roster, kid, fault);
}

int roster_cosigners(const struct roster *roster, const struct party *writer, const struct note *note,
                     struct cosigner out[static COMMITTEE_MAX], size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < roster->count; i++) {
        const struct party *mirror = &roster->parties[i];
        struct buf name;
        int64_t timestamp;
        if (!mirror->committee || mirror == writer || *count == COMMITTEE_MAX)
            continue;
        buf_init(&name, ORIGIN_BYTES_MAX + 8);
        buf_printf(&name, "%s/mirror", mirror->origin);
        int rc = note_verify_cosignature(note, buf_view(&name), &mirror->card.keys[KEY_MIRROR], &timestamp, NULL);
        buf_free(&name);
        if (rc == E_SIGNATURE)
            return rc;
        if (rc == 0)
            out[(*count)++] = (struct cosigner){.party = mirror, .timestamp = timestamp};
    }
    return 0;
}

/* C2SP tlog-policy names have no white space; party names are such. */
int policy_write(struct buf *out, const struct roster *roster, const struct party *writer)
{
    struct quorum q = quorum_for(roster, writer);
    if (!q.m)
        return E_QUORUM;
    buf_printf(out, "# circle %s, epoch %u, log of %s: %u of %u mirrors; %u may lie or fail\n", roster->circle_name, roster->epoch,
               writer->card.name, q.k, q.m, q.f);
    if (roster->jurisdictions_min)
        buf_printf(out, "# necessary, not sufficient: the charter also wants %u jurisdictions among them\n", roster->jurisdictions_min);
    buf_text(out, "log ");
    note_vkey_write(out, span_str(writer->origin), NOTE_ED25519, &writer->card.keys[KEY_LOG]);
    buf_printf(out, " %s\n", writer->card.url);
    struct buf group;
    buf_init(&group, 4096);
    buf_printf(&group, "group mirrors %u", q.k);
    for (size_t i = 0; i < roster->count; i++) {
        const struct party *mirror = &roster->parties[i];
        struct buf name;
        if (!mirror->committee || mirror == writer)
            continue;
        buf_init(&name, ORIGIN_BYTES_MAX + 8);
        buf_printf(&name, "%s/mirror", mirror->origin);
        buf_printf(out, "witness %s ", mirror->card.name);
        note_vkey_write(out, buf_view(&name), NOTE_COSIGNATURE, &mirror->card.keys[KEY_MIRROR]);
        buf_printf(out, " %s/mirror\n", mirror->card.url);
        buf_printf(&group, " %s", mirror->card.name);
        buf_free(&name);
    }
    buf_span(out, buf_view(&group));
    buf_text(out, "\nquorum mirrors\n");
    int rc = group.error ? group.error : out->error;
    buf_free(&group);
    return rc;
}
