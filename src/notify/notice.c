#include "notify/notice.h"

#include "base/limits.h"
#include "base/text.h"
#include "crypto/sha256.h"

const char *const notice_verdict_names[NOTICE_VERDICTS] = {"affected", "undecided", "no longer affected"};
const char *const notice_verdict_words[NOTICE_VERDICTS] = {"affected", "undecided", "cleared"};

static bool is_true(const struct json *object, const char *key)
{
    const struct json *value = json_get(object, key);
    return value && value->type == JSON_TRUE;
}

static bool verdict_read(struct span text, enum notice_verdict *out)
{
    for (unsigned i = 0; i < NOTICE_VERDICTS; i++)
        if (span_is(text, notice_verdict_names[i])) {
            *out = (enum notice_verdict)i;
            return true;
        }
    return false;
}

int notice_read(struct notice *out, struct span text, struct arena *arena)
{
    const struct json *root = NULL;
    *out = (struct notice){.json = text};
    int rc = json_parse(&root, text, NOTICE_BYTES_MAX, arena, NULL);
    if (rc)
        return rc == E_NOMEM ? rc : E_CORRUPT;
    const struct json *component = json_get(root, "component"), *advisory = json_get(root, "advisory"),
                      *evidence = json_get(root, "evidence");
    const struct {
        struct span *to;
        const struct json *from;
        const char *key;
    } texts[] = {
        {&out->recorded_at, root, "recorded_at"},
        {&out->inventory, root, "inventory"},
        {&out->sector, root, "sector"},
        {&out->replaces, root, "replaces"},
        {&out->published_at, root, "published_at"},
        {&out->received_at, root, "received_at"},
        {&out->row, evidence, "row"},
        {&out->reason, evidence, "reason"},
        {&out->component.ecosystem, component, "ecosystem"},
        {&out->component.name, component, "name"},
        {&out->component.version, component, "version"},
        {&out->component.purl, component, "purl"},
        {&out->component.path, component, "path"},
        {&out->advisory.id, advisory, "id"},
        {&out->advisory.title, advisory, "title"},
        {&out->advisory.version, advisory, "version"},
        {&out->advisory.issuer, advisory, "issuer"},
        {&out->advisory.statement, advisory, "statement"},
        {&out->advisory.document, advisory, "document"},
        {&out->advisory.source, advisory, "source"},
        {&out->advisory.url, advisory, "url"},
        {&out->advisory.seen_at, advisory, "seen_at"},
        {&out->advisory.state, advisory, "state"},
        {&out->advisory.standing_since, advisory, "standing_since"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i].to = json_text(texts[i].from, texts[i].key);
    out->critical = is_true(root, "critical");
    const struct json *known = json_get(root, "known_exploited");
    out->known_exploited = known && known->type == JSON_OBJECT;
    out->cves = json_get(root, "cves");
    out->advisory.withdrawn = is_true(advisory, "withdrawn");
    out->by_inventory = span_is(json_text(root, "cause"), "inventory");
    return hash_parse(json_text(root, "id"), &out->id) && verdict_read(json_text(root, "verdict"), &out->verdict) &&
                   out->inventory.len
               ? 0
               : E_CORRUPT;
}

bool notice_urgent(const struct notice *notice)
{
    return notice->verdict != NOTICE_CLEARED && (notice->critical || notice->known_exploited);
}

void notice_group(const struct notice *notice, struct hash *group)
{
    const struct span nl = span_str("\n");
    const struct span revision =
        notice->advisory.statement.len ? notice->advisory.statement : notice->advisory.document;
    const struct span parts[] = {span_str("comity-group/1\n"),
                                 revision,
                                 nl,
                                 notice->inventory,
                                 nl,
                                 span_str(notice_verdict_names[notice->verdict])};
    sha256_parts(parts, sizeof parts / sizeof parts[0], group);
}

void notice_thread(const struct notice *notice, struct hash *thread)
{
    const struct span nl = span_str("\n");
    const struct span parts[] = {
        span_str("comity-thread/1\n"), notice->advisory.issuer, nl, notice->advisory.id, nl, notice->inventory};
    sha256_parts(parts, sizeof parts / sizeof parts[0], thread);
}

int message_id(const struct hash *notices, size_t count, const struct hash *group, const char *digest, struct hash *id)
{
    struct sha256 *state = sha256_new();
    char hex[65] = "";
    if (!state)
        return E_NOMEM;
    if (group)
        hash_hex(group, hex);
    sha256_add(state, span_str(digest ? "comity-digest/1\n" : "comity-message/1\n"));
    sha256_add(state, span_str(digest ? digest : hex));
    for (size_t i = 0; i < count; i++) {
        hash_hex(&notices[i], hex);
        sha256_add(state, span_str("\n"));
        sha256_add(state, span_str(hex));
    }
    sha256_end(state, id);
    return 0;
}
