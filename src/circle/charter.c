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

static int head_parse(struct roster *out, const struct json *json, struct fault *fault)
{
    static const char *const allowed[] = {"comity", "name", "founded", "nonce", "rules", "committee", "parties", NULL};
    struct span format, name, founded, nonce;
    struct hash nonce_bytes;
    int64_t at;
    int rc = json_need_text(json, "comity", &format, fault);
    if (rc == 0 && !span_is(format, "charter/1"))
        rc = fail(fault, E_UNSUPPORTED, "\"comity\" must be \"charter/1\"");
    rc = rc ? rc : json_only(json, allowed, fault);
    rc = rc ? rc : json_need_text(json, "name", &name, fault);
    rc = rc ? rc : json_need_text(json, "founded", &founded, fault);
    rc = rc ? rc : json_need_text(json, "nonce", &nonce, fault);
    if (rc)
        return rc;
    if (!name.len || name.len >= sizeof out->circle_name)
        return fail(fault, E_LIMIT, "\"name\" has 1 to %zu bytes", sizeof out->circle_name - 1);
    if (!time_parse(founded, &at))
        return fail(fault, E_SYNTAX, "\"founded\" is a UTC time");
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

void charter_write(struct buf *out, const struct charter_draft *draft)
{
    char founded[21];
    bool comma = false;
    time_format(draft->founded_at, founded);
    buf_text(out, "{\n  \"comity\": \"charter/1\",\n  \"name\": ");
    buf_json(out, draft->name);
    buf_printf(out, ",\n  \"founded\": \"%s\",\n  \"nonce\": \"", founded);
    buf_base64(out, span_of(draft->nonce, sizeof draft->nonce));
    buf_printf(out, "\",\n  \"rules\": {\"jurisdictions_min\": %u, \"quota_entries_day\": %llu, \"quota_bytes_day\": %llu},\n  \"committee\": [",
               draft->jurisdictions_min, (unsigned long long)draft->quota_entries_day, (unsigned long long)draft->quota_bytes_day);
    for (size_t i = 0; i < draft->count; i++) {
        struct card card;
        if (!draft->parties[i].committee || card_parse(&card, draft->parties[i].card_note, NULL) != 0)
            continue;
        buf_text(out, comma ? ", " : "");
        buf_json(out, span_str(card.name));
        comma = true;
    }
    buf_text(out, "],\n  \"parties\": [\n");
    for (size_t i = 0; i < draft->count; i++) {
        buf_text(out, i ? ",\n" : "");
        party_write(out, &draft->parties[i]);
    }
    buf_text(out, "\n  ]\n}\n");
}

int bundle_parse_charter(struct span bytes, struct roster *out, struct arena *arena, struct fault *fault)
{
    static const char *const allowed[] = {"comity", "charter", "roster_changes", NULL};
    const struct json *json = NULL, *changes;
    struct span format, charter;
    int rc = json_parse(&json, bytes, 2 * CHARTER_BYTES_MAX, arena, fault);
    rc = rc ? rc : json_need_text(json, "comity", &format, fault);
    if (rc == 0 && span_is(format, "charter/1"))
        return charter_parse(out, bytes, arena, fault); /* the bare charter is a bundle without changes */
    if (rc == 0 && !span_is(format, "bundle/1"))
        rc = fail(fault, E_UNSUPPORTED, "\"comity\" must be \"bundle/1\" or \"charter/1\"");
    rc = rc ? rc : json_only(json, allowed, fault);
    rc = rc ? rc : json_need_text(json, "charter", &charter, fault);
    rc = rc ? rc : json_need_array(json, "roster_changes", &changes, fault);
    if (rc == 0 && changes->count)
        rc = fail(fault, E_UNSUPPORTED, "roster changes are not known to this release");
    return rc ? fail_at(fault, rc, "bundle") : charter_parse(out, charter, arena, fault);
}

void bundle_write(struct buf *out, struct span charter)
{
    buf_text(out, "{\"comity\":\"bundle/1\",\"charter\":");
    buf_json(out, charter);
    buf_text(out, ",\"roster_changes\":[]}\n");
}
