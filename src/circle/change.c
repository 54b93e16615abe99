#include "circle/change.h"

#include "base/text.h"
#include "crypto/sha256.h"
#include "format/json.h"

static int cut_parse(const struct json *json, const struct roster *roster, struct cut *cuts, struct fault *fault)
{
    static const char *const allowed[] = {"log", "size", "root", NULL};
    struct span name, root;
    int64_t size = 0;
    int rc = json_only(json, allowed, fault);
    rc = rc ? rc : json_need_text(json, "log", &name, fault);
    rc = rc ? rc : json_need_int(json, "size", &size, fault);
    rc = rc ? rc : json_need_text(json, "root", &root, fault);
    if (rc)
        return rc;
    const struct party *party = roster_party(roster, name);
    if (!party)
        return fail(fault, E_NOTFOUND, "\"log\" is no party of this circle");
    struct cut *cut = &cuts[party->number];
    if (size <= 0 || !base64_hash(root, &cut->root))
        return fail(fault, E_SYNTAX, "\"size\" is at least 1, \"root\" the base64 of a hash");
    if (cut->size)
        return fail(fault, E_DUPLICATE, "two cuts of the log of %s", party->card.name);
    cut->size = (uint64_t)size;
    return 0;
}

static int cuts_parse(struct key_change *out, const struct roster *roster, const struct json *json, struct arena *arena,
                      struct fault *fault)
{
    const struct json *list;
    int rc = json_need_array(json, "cuts", &list, fault);
    if (rc == 0 && list->count > roster->count)
        rc = fail(fault, E_LIMIT, "\"cuts\" names each log at most once");
    out->cuts = rc ? NULL : arena_array(arena, roster->count, sizeof *out->cuts);
    if (rc == 0 && !out->cuts)
        rc = fail(fault, E_NOMEM, "cuts");
    for (uint32_t i = 0; rc == 0 && i < list->count; i++)
        if ((rc = cut_parse(&list->child[i], roster, out->cuts, fault)) != 0)
            (void)fail_at(fault, rc, "/cuts/%u", i);
    if (rc == 0 && out->epoch > 1 && out->party->former_count == out->epoch - 1 &&
        out->cuts[out->party->number].size <
            out->party->former[out->party->former_count - 1].cuts[out->party->number].size)
        rc = fail(fault, E_BACKWARDS, "the cut of the own log lies before the last one");
    return rc;
}

/* A party stays who it was: only its keys and its address may change. */
static int card_take(struct key_change *out, struct span note, struct fault *fault)
{
    const struct card *old = &out->party->card;
    int rc = card_parse(&out->card, note, fault);
    if (rc == 0 && (strcmp(out->card.name, old->name) != 0 || out->card.role != old->role ||
                    strcmp(out->card.jurisdiction, old->jurisdiction) != 0))
        rc = fail(fault, E_REFUSED, "name, role and jurisdiction of %s do not change with its keys", old->name);
    return rc ? fail_at(fault, rc, "card") : 0;
}

int key_change_parse(struct key_change *out, const struct roster *roster, struct span document, struct arena *arena,
                     struct fault *fault)
{
    static const char *const allowed[] = {"comity", "circle", "party", "epoch", "card", "cuts", NULL};
    const struct json *json = NULL;
    struct span circle, party, card;
    struct hash named;
    int64_t epoch = 0;
    memset(out, 0, sizeof *out);
    int rc = json_parse(&json, document, KEY_CHANGE_BYTES_MAX, arena, fault);
    rc = rc ? rc : json_need_format(json, "key-change/1", fault);
    rc = rc ? rc : json_only(json, allowed, fault);
    rc = rc ? rc : json_need_text(json, "circle", &circle, fault);
    rc = rc ? rc : json_need_text(json, "party", &party, fault);
    rc = rc ? rc : json_need_int(json, "epoch", &epoch, fault);
    rc = rc ? rc : json_need_text(json, "card", &card, fault);
    if (rc == 0 && (!hash_parse(circle, &named) || !hash_eq(&named, &roster->circle)))
        rc = fail(fault, E_CIRCLE, "\"circle\" names another circle");
    if (rc == 0 && (epoch < 1 || epoch > KEY_EPOCHS_MAX))
        rc = fail(fault, E_LIMIT, "\"epoch\" is 1 to %d", KEY_EPOCHS_MAX);
    if (rc == 0 && !(out->party = roster_party(roster, party)))
        rc = fail(fault, E_KEY, "\"party\" is no party of this circle");
    out->epoch = (uint32_t)epoch;
    rc = rc ? rc : card_take(out, card, fault);
    rc = rc ? rc : cuts_parse(out, roster, json, arena, fault);
    return rc ? fail_at(fault, rc, "key change") : 0;
}

void key_change_write(struct buf *out, const struct key_change_draft *draft)
{
    const struct roster *roster = draft->roster;
    bool comma = false;
    buf_text(out, "{\"comity\":\"key-change/1\",\"circle\":\"");
    buf_hex(out, span_hash(&roster->circle));
    buf_printf(out, "\",\"party\":\"%s\",\"epoch\":%u,\"card\":", draft->party->card.name,
               (unsigned)draft->party->former_count + 1);
    buf_json(out, draft->card_note);
    buf_text(out, ",\"cuts\":[");
    for (size_t i = 0; i < roster->count; i++) {
        if (!draft->cuts[i].size)
            continue;
        buf_printf(out, "%s\n{\"log\":\"%s\",\"size\":%llu,\"root\":\"", comma ? "," : "", roster->parties[i].card.name,
                   (unsigned long long)draft->cuts[i].size);
        buf_base64(out, span_hash(&draft->cuts[i].root));
        buf_text(out, "\"}");
        comma = true;
    }
    buf_text(out, "]}\n");
}

static const struct public_key *recovery_key(const struct party *party, const struct hash *kid)
{
    if (hash_eq(&party->kids[KEY_RECOVERY], kid))
        return &party->card.keys[KEY_RECOVERY];
    for (uint32_t e = 0; e < party->former_count; e++)
        if (hash_eq(&party->former[e].kids[KEY_RECOVERY], kid))
            return &party->former[e].keys[KEY_RECOVERY];
    return NULL;
}

int key_change_screen(const struct roster *roster, const struct statement *s, const struct party *host,
                      struct fault *fault)
{
    const struct party *party = roster_party(roster, s->issuer);
    const struct public_key *key = party ? recovery_key(party, &s->kid) : NULL;
    if (!hash_eq(&s->circle, &roster->circle))
        return fail(fault, E_CIRCLE, "the statement names another circle");
    if (!span_is(s->media, MEDIA_KEY_CHANGE))
        return fail(fault, E_TYPE, "it is no key change");
    if (!host || !host->committee || host == party)
        return fail(fault, E_ISSUER, "a key change counts in the log of a committee member other than its party");
    if (!key)
        return fail(fault, E_KEY, "a key change is signed by the recovery key of its party");
    int rc = statement_verify(s, key);
    return rc ? fail(fault, rc, "by the recovery key of %s", party->card.name) : 0;
}

/* No key serves twice, neither in this circle now nor in its past: a kid names one key of one role. */
static int keys_new(const struct roster *roster, const struct hash kids[static KEY_COUNT], struct fault *fault)
{
    for (size_t i = 0; i < roster->count; i++)
        for (int a = 0; a < KEY_COUNT; a++)
            for (int b = 0; b < KEY_COUNT; b++) {
                const struct party *party = &roster->parties[i];
                bool used = hash_eq(&party->kids[a], &kids[b]);
                for (uint32_t e = 0; e < party->former_count; e++)
                    used = used || hash_eq(&party->former[e].kids[a], &kids[b]);
                if (used)
                    return fail(fault, E_DUPLICATE, "the new %s key is or was the %s key of %s", key_role_names[b],
                                key_role_names[a], party->card.name);
            }
    return 0;
}

static int former_add(struct party *party, const struct key_change *change, const struct hash *id, int64_t instant,
                      struct arena *arena)
{
    struct former_keys *list = arena_array(arena, party->former_count + 1, sizeof *list);
    if (!list)
        return E_NOMEM;
    if (party->former_count)
        memcpy(list, party->former, party->former_count * sizeof *list);
    struct former_keys *last = &list[party->former_count];
    *last = (struct former_keys){.change = *id, .instant = instant, .cuts = change->cuts};
    memcpy(last->keys, party->card.keys, sizeof last->keys);
    memcpy(last->kids, party->kids, sizeof last->kids);
    party->former = list;
    party->former_count++;
    return 0;
}

int key_change_apply(struct roster *roster, const struct statement *s, struct span document, int64_t instant,
                     struct arena *arena, struct fault *fault)
{
    struct key_change *change = arena_alloc(arena, sizeof *change);
    struct hash hash, kids[KEY_COUNT];
    int rc = change ? key_change_parse(change, roster, document, arena, fault) : fail(fault, E_NOMEM, "key change");
    if (rc)
        return rc;
    sha256(document, &hash);
    if (!hash_eq(&hash, &s->document))
        return fail(fault, E_HASH, "the document is not the one that was stated");
    struct party *party = &roster->parties[change->party->number];
    if (!span_is(s->issuer, party->card.name) || !hash_eq(&s->kid, &party->kids[KEY_RECOVERY]))
        return fail(fault, E_KEY, "it must be signed by the recovery key that %s has at present", party->card.name);
    if (change->epoch != party->former_count + 1)
        return fail(fault, E_STATE, "epoch %u of %s does not follow epoch %u", (unsigned)change->epoch,
                    party->card.name, (unsigned)party->former_count);
    for (int i = 0; i < KEY_COUNT; i++)
        key_id(&change->card.keys[i], &kids[i]);
    rc = keys_new(roster, kids, fault);
    rc = rc ? rc : former_add(party, change, &s->id, instant, arena);
    if (rc)
        return rc;
    party->card = change->card;
    memcpy(party->kids, kids, sizeof kids);
    roster->epoch++;
    return 0;
}

int roster_copy(struct roster *out, const struct roster *charter, struct arena *arena)
{
    *out = *charter;
    out->parties = arena_array(arena, charter->count, sizeof *out->parties);
    if (!out->parties)
        return E_NOMEM;
    memcpy(out->parties, charter->parties, charter->count * sizeof *out->parties);
    return 0;
}
