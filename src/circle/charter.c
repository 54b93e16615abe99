#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "circle/roster.h"
#include "crypto/sha256.h"
#include "format/json.h"

static int identity_parse(const struct json *json, struct proof_of_identity *out, struct fault *fault)
{
    static const char *const allowed[] = {"letter", "call_backs", "evidence", NULL};
    const struct json *letter = json_get(json, "letter");
    int64_t calls = 0;
    int rc = json_only(json, allowed, fault);
    if (rc == 0 && (!letter || (letter->type != JSON_TRUE && letter->type != JSON_FALSE)))
        rc = fail(fault, E_TYPE, "\"letter\" must be true or false");
    if (rc == 0)
        rc = json_need_int(json, "call_backs", &calls, fault);
    if (rc == 0 && (calls < 0 || calls > 2))
        rc = fail(fault, E_LIMIT, "\"call_backs\" is 0, 1 or 2");
    if (rc)
        return rc;
    out->letter = letter->type == JSON_TRUE;
    out->call_backs = (unsigned)calls;
    if (json_get(json, "evidence")) {
        out->has_evidence = hash_parse(json_text(json, "evidence"), &out->evidence);
        if (!out->has_evidence)
            return fail(fault, E_SYNTAX, "\"evidence\" is the SHA-256 of the evidence file in hex");
    }
    return 0;
}

static int party_parse(const struct json *json, struct party *out, struct fault *fault)
{
    static const char *const allowed[] = {"card", "identity", NULL};
    struct span card;
    int rc = json_only(json, allowed, fault);
    rc = rc ? rc : json_need_text(json, "card", &card, fault);
    if (rc == 0 && (rc = card_parse(&out->card, card, fault)) != 0)
        return fail_at(fault, rc, "card");
    if (rc == 0 && !json_get(json, "identity"))
        rc = fail(fault, E_MISSING, "\"identity\" is required: how was this party's identity proven?");
    if (rc == 0 && (rc = identity_parse(json_get(json, "identity"), &out->proof, fault)) != 0)
        return fail_at(fault, rc, "identity");
    for (int i = 0; i < KEY_COUNT; i++)
        key_id(&out->card.keys[i], &out->kids[i]);
    return rc;
}

static int party_order(const void *a, const void *b)
{
    const struct party *pa = a, *pb = b;
    return strcmp(pa->card.name, pb->card.name);
}

static int kid_order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct hash));
}

static int keys_unique(const struct roster *roster, struct arena *arena, struct fault *fault)
{
    size_t n = roster->count * KEY_COUNT;
    struct hash *all = arena_array(arena, n, sizeof *all);
    if (!all)
        return fail(fault, E_NOMEM, "keys");
    for (size_t i = 0; i < roster->count; i++)
        memcpy(all + i * KEY_COUNT, roster->parties[i].kids, sizeof roster->parties[i].kids);
    qsort(all, n, sizeof *all, kid_order);
    for (size_t i = 1; i < n; i++)
        if (hash_eq(&all[i - 1], &all[i]))
            return fail(fault, E_DUPLICATE, "one key appears in two places of the charter");
    return 0;
}

static int parties_parse(struct roster *out, const struct json *json, struct arena *arena, struct fault *fault)
{
    const struct json *list;
    int rc = json_need_array(json, "parties", &list, fault);
    if (rc == 0 && (list->count == 0 || list->count > PARTIES_MAX))
        rc = fail(fault, E_LIMIT, "a charter has 1 to %d parties", PARTIES_MAX);
    if (rc)
        return rc;
    out->count = list->count;
    out->parties = arena_array(arena, list->count, sizeof *out->parties);
    if (!out->parties)
        return fail(fault, E_NOMEM, "parties");
    for (uint32_t i = 0; i < list->count; i++)
        if ((rc = party_parse(&list->child[i], &out->parties[i], fault)) != 0)
            return fail_at(fault, rc, "/parties/%u", i);
    qsort(out->parties, out->count, sizeof *out->parties, party_order);
    for (size_t i = 0; i < out->count; i++) {
        struct party *party = &out->parties[i];
        if (i && strcmp(out->parties[i - 1].card.name, party->card.name) == 0)
            return fail(fault, E_DUPLICATE, "party %s stands twice", party->card.name);
        party->number = i;
        origin_write(party->origin, &out->circle, span_str(party->card.name));
        sha256(span_str(party->origin), &party->origin_hash);
    }
    return keys_unique(out, arena, fault);
}

static int committee_parse(struct roster *out, const struct json *json, struct fault *fault)
{
    const struct json *list;
    int rc = json_need_array(json, "committee", &list, fault);
    if (rc == 0 && list->count > COMMITTEE_MAX)
        rc = fail(fault, E_LIMIT, "a committee has at most %d members", COMMITTEE_MAX);
    for (uint32_t i = 0; rc == 0 && i < list->count; i++) {
        const struct json *name = &list->child[i];
        const struct party *party = name->type == JSON_STRING ? roster_party(out, name->text) : NULL;
        if (!party)
            return fail(fault, E_NOTFOUND, "/committee/%u is not a party of this charter", i);
        struct party *member = &out->parties[party - out->parties];
        if (member->committee)
            return fail(fault, E_DUPLICATE, "%s stands twice in the committee", member->card.name);
        member->committee = true;
        out->committee_count++;
    }
    return rc;
}

/* A rule that no committee could ever meet would leave every statement of that writer unwitnessed, and nobody would see why. */
static int jurisdictions_reachable(const struct roster *roster, struct fault *fault)
{
    for (size_t i = 0; i < roster->count; i++) {
        const struct party *writer = &roster->parties[i];
        unsigned most = roster_jurisdictions(roster, writer);
        if (quorum_for(roster, writer).m && most < roster->jurisdictions_min)
            return fail_at(fault,
                           fail(fault, E_LIMIT, "the committee without %s has %u jurisdictions, the rule wants %u",
                                writer->card.name, most, roster->jurisdictions_min),
                           "/rules/jurisdictions_min");
    }
    return 0;
}

static int rules_parse(struct roster *out, const struct json *json, struct fault *fault)
{
    static const char *const allowed[] = {"jurisdictions_min", "quota_entries_day", "quota_bytes_day", NULL};
    const struct json *rules = json_get(json, "rules");
    int64_t jurisdictions = 0, entries = 0, bytes = 0;
    int rc = rules ? json_only(rules, allowed, fault) : fail(fault, E_MISSING, "\"rules\" is required");
    rc = rc ? rc : json_need_int(rules, "jurisdictions_min", &jurisdictions, fault);
    rc = rc ? rc : json_need_int(rules, "quota_entries_day", &entries, fault);
    rc = rc ? rc : json_need_int(rules, "quota_bytes_day", &bytes, fault);
    if (rc == 0 && (jurisdictions < 0 || jurisdictions > COMMITTEE_MAX || entries < 0 || bytes < 0))
        rc = fail(fault, E_LIMIT, "a rule is out of range");
    out->jurisdictions_min = (unsigned)jurisdictions;
    out->quota_entries_day = (uint64_t)entries;
    out->quota_bytes_day = (uint64_t)bytes;
    return rc ? fail_at(fault, rc, "/rules") : 0;
}

/* It is printed, and written into generated files: valid UTF-8 by its parser, and no control characters by us. */
static bool circle_name_valid(struct span name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] < 0x20 || name.data[i] == 0x7f)
            return false;
    return name.len && name.len < sizeof((struct roster *)0)->circle_name;
}

/* "2026-11-25T04:52:55Z" and no other form of the same instant. */
static bool utc_parse(struct span text, int64_t *at)
{
    char canonical[21];
    if (!time_parse(text, at))
        return false;
    time_format(*at, canonical);
    return span_is(text, canonical);
}

static int head_parse(struct roster *out, const struct json *json, struct fault *fault)
{
    static const char *const allowed[] = {"comity", "name", "founded", "nonce", "rules", "committee", "parties", NULL};
    struct span name, founded, nonce;
    struct hash nonce_bytes;
    int64_t at;
    int rc = json_need_format(json, "charter/1", fault);
    rc = rc ? rc : json_only(json, allowed, fault);
    rc = rc ? rc : json_need_text(json, "name", &name, fault);
    rc = rc ? rc : json_need_text(json, "founded", &founded, fault);
    rc = rc ? rc : json_need_text(json, "nonce", &nonce, fault);
    if (rc)
        return rc;
    if (!circle_name_valid(name))
        return fail(fault, E_LIMIT, "\"name\" has 1 to %zu bytes, none of them a control character",
                    sizeof out->circle_name - 1);
    if (!utc_parse(founded, &at))
        return fail(fault, E_SYNTAX, "\"founded\" is a UTC time such as 2026-01-31T12:00:00Z");
    if (!base64_hash(nonce, &nonce_bytes))
        return fail(fault, E_SYNTAX, "\"nonce\" is the base64 of 32 bytes");
    memcpy(out->circle_name, name.data, name.len);
    return 0;
}

int charter_parse(struct roster *out, struct span bytes, struct arena *arena, struct fault *fault)
{
    const struct json *json = NULL;
    memset(out, 0, sizeof *out);
    sha256(bytes, &out->circle);
    int rc = json_parse(&json, bytes, CHARTER_BYTES_MAX, arena, fault);
    rc = rc ? rc : head_parse(out, json, fault);
    rc = rc ? rc : rules_parse(out, json, fault);
    rc = rc ? rc : parties_parse(out, json, arena, fault);
    rc = rc ? rc : committee_parse(out, json, fault);
    rc = rc ? rc : jurisdictions_reachable(out, fault);
    return rc ? fail_at(fault, rc, "charter") : 0;
}

static void party_write(struct buf *out, const struct charter_party *party)
{
    buf_text(out, "    {\"card\": ");
    buf_json(out, party->card_note);
    buf_printf(out, ",\n     \"identity\": {\"letter\": %s, \"call_backs\": %u", party->proof.letter ? "true" : "false",
               party->proof.call_backs);
    if (party->proof.has_evidence) {
        buf_text(out, ", \"evidence\": \"");
        buf_hex(out, span_hash(&party->proof.evidence));
        buf_byte(out, '"');
    }
    buf_text(out, "}}");
}

static void committee_write(struct buf *out, const struct charter_draft *draft)
{
    bool comma = false;
    for (size_t i = 0; i < draft->count; i++) {
        struct card card;
        if (!draft->parties[i].committee)
            continue;
        if (card_parse(&card, draft->parties[i].card_note, NULL) != 0) {
            out->error = E_SYNTAX; /* never a charter with another committee than was asked for */
            return;
        }
        buf_text(out, comma ? ", " : "");
        buf_json(out, span_str(card.name));
        comma = true;
    }
}

void charter_write(struct buf *out, const struct charter_draft *draft)
{
    char founded[21];
    time_format(draft->founded_at, founded);
    buf_text(out, "{\n  \"comity\": \"charter/1\",\n  \"name\": ");
    buf_json(out, draft->name);
    buf_printf(out, ",\n  \"founded\": \"%s\",\n  \"nonce\": \"", founded);
    buf_base64(out, span_of(draft->nonce, sizeof draft->nonce));
    buf_printf(
        out, "\",\n  \"rules\": {\"jurisdictions_min\": %u, \"quota_entries_day\": %llu, \"quota_bytes_day\": %llu},\n",
        draft->jurisdictions_min, (unsigned long long)draft->quota_entries_day,
        (unsigned long long)draft->quota_bytes_day);
    buf_text(out, "  \"committee\": [");
    committee_write(out, draft);
    buf_text(out, "],\n  \"parties\": [\n");
    for (size_t i = 0; i < draft->count; i++) {
        buf_text(out, i ? ",\n" : "");
        party_write(out, &draft->parties[i]);
    }
    buf_text(out, "\n  ]\n}\n");
}
