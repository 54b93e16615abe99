/* Advisories meet inventories here; a notice is recorded once under a stable id and handed out until every channel has taken it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mutant.h"
#include "crypto/sha256.h"
#include "node/state.h"

static const struct span kind_notice = {(const uint8_t *)"notice", 6};
static const struct span kind_delivered = {(const uint8_t *)"delivered", 9};

void notice_standing_write(const struct support *standing, bool followed, struct buf *out)
{
    char at[21] = "";
    if (standing->size)
        time_format(standing->instant, at);
    buf_printf(out, "\"state\":\"%s\",\"standing_since\":\"%s\"",
               followed         ? "followed"
               : standing->size ? "standing"
                                : "logged",
               at);
}

/* The same can become true again after it was taken back: `again` counts from 1. */
static void notice_id(const struct notice_source *source, const struct held_inventory *inventory,
                      const struct component *component, const char *verdict, unsigned again, struct hash *id)
{
    char count[16] = "";
    const struct span nl = span_str("\n");
    if (again > 1)
        (void)snprintf(count, sizeof count, "\n%u", again);
    const struct span parts[] = {span_str("comity-notice/1\n"),
                                 span_hash(&source->id),
                                 nl,
                                 span_str(inventory->name),
                                 nl,
                                 component->ecosystem,
                                 nl,
                                 component->name,
                                 nl,
                                 component->version,
                                 nl,
                                 component->purl,
                                 nl,
                                 span_str(verdict),
                                 span_str(count)};
    sha256_parts(parts, sizeof parts / sizeof parts[0], id);
}

bool notice_exists(struct node *node, const struct hash *id)
{
    char hex[65];
    hash_hex(id, hex);
    return node->env.store->ops->journal_find(node->env.store, kind_notice, span_str(hex), NULL, NULL) == 0;
}

/* Foreign text has no bound of its own: a notice must stay small, whatever an advisory calls itself. */
static struct span cut(struct span text)
{
    size_t len = 0, unit;
    if (text.len <= NOTICE_TEXT_MAX)
        return text;
    while ((unit = utf8_unit(span_from(text, len), NULL)) > 0 && len + unit <= NOTICE_TEXT_MAX)
        len += unit;
    return span_of(text.data, len);
}

static void member(struct buf *out, const char *name, struct span value)
{
    buf_member(out, name, cut(value));
}

static void component_write(const struct component *component, struct buf *out)
{
    buf_text(out, "\"component\":{");
    member(out, "ecosystem", component->ecosystem);
    member(out, "name", component->name);
    member(out, "version", component->version);
    member(out, "purl", component->purl);
    buf_text(out, "\"path\":");
    buf_json(out, cut(component->path));
    buf_text(out, "},");
}

static void feed_write(const struct notice_source *source, struct buf *out)
{
    char at[21], name[NAME_BYTES_MAX + 8];
    (void)snprintf(name, sizeof name, "feed:%.*s", (int)source->feed.len, (const char *)source->feed.data);
    member(out, "source", span_str(name));
    member(out, "url", source->url);
    time_format(source->seen, at);
    member(out, "seen_at", span_str(at));
}

/* The ids in the CVE list of what an advisory is about: what is known to be exploited is known by them. */
static size_t cves_of(const struct advisory *advisory, struct span ids[static NOTICE_CVES_MAX])
{
    size_t count = 0;
    if (span_starts(advisory->id, "CVE-"))
        ids[count++] = advisory->id;
    for (size_t i = 0; i < advisory->alias_count && count < NOTICE_CVES_MAX; i++)
        if (span_starts(advisory->aliases[i], "CVE-") && advisory->aliases[i].len <= 32)
            ids[count++] = advisory->aliases[i];
    return count;
}

static void cves_write(const struct node *node, const struct notice_source *source, struct buf *out)
{
    struct span ids[NOTICE_CVES_MAX];
    size_t count = cves_of(source->advisory, ids);
    if (exploited_json(node, ids, count, out))
        buf_byte(out, ',');
    buf_text(out, "\"cves\":[");
    for (size_t i = 0; i < count; i++) {
        buf_text(out, i ? "," : "");
        buf_json(out, cut(ids[i]));
    }
    buf_text(out, "],");
}

static void advisory_write(const struct notice_source *source, struct buf *out)
{
    char hex[65];
    buf_text(out, "\"advisory\":{");
    member(out, "id", source->advisory->id);
    member(out, "title", source->advisory->title);
    member(out, "version", source->advisory->version);
    member(out, "issuer", source->issuer);
    hash_hex(&source->id, hex);
    member(out, "statement", span_str(source->log ? hex : ""));
    hash_hex(&source->document, hex);
    member(out, "document", span_str(hex));
    member(out, "media", source->media);
    if (!source->log)
        feed_write(source, out);
    notice_standing_write(&source->standing, !source->log, out);
    buf_text(out, source->advisory->withdrawn ? ",\"withdrawn\":true}," : ",\"withdrawn\":false},");
}

static void notice_write(const struct node *node, const struct notice_source *source,
                         const struct held_inventory *inventory, const char *verdict, const struct evidence *e,
                         const struct hash *id, const struct hash *replaces, struct buf *out)
{
    char hex[65], at[21];
    hash_hex(id, hex);
    time_format(now_seconds(node), at);
    buf_byte(out, '{');
    member(out, "id", span_str(hex));
    member(out, "verdict", span_str(verdict));
    member(out, "recorded_at", span_str(at));
    member(out, "inventory", span_str(inventory->name));
    buf_printf(out, "\"critical\":%s,", inventory->critical ? "true" : "false");
    member(out, "sector", span_str(inventory->sector));
    cves_write(node, source, out);
    component_write(e->component, out);
    advisory_write(source, out);
    hex[0] = 0;
    if (replaces)
        hash_hex(replaces, hex);
    member(out, "replaces", span_str(hex));
    buf_text(out, "\"evidence\":{");
    member(out, "row", e->package ? e->package->path : span_str(""));
    buf_text(out, "\"reason\":");
    buf_json(out, span_str(e->reason));
    buf_text(out, "}}");
}

/* A step hands out so many; the others are in the journal, and wait. */
static void notice_hand(struct node *node, const struct hash *id, int64_t seq, struct span body)
{
    if (!node->actions || !node->channels || !node->channels[0] || node->hand_more)
        return;
    if (node->handed >= NOTICES_STEP_MAX) {
        node->hand_more = true;
        node->hand_after = seq - 1;
        return;
    }
    struct action *action = action_add(node, ACTION_NOTICE);
    action->hash = *id;
    buf_span(&action->body, body);
    node->handed++;
}

static int notice_append(struct node *node, const struct hash *id, struct span body)
{
    char hex[65];
    int64_t seq;
    hash_hex(id, hex);
    int rc = write_begin(node);
    if (rc == 0)
        rc = node->env.store->ops->journal_append(node->env.store, now_seconds(node), kind_notice, span_str(hex), body,
                                                  &seq);
    if (rc)
        return rc;
    node->notices_made++;
    notice_hand(node, id, seq, body);
    return 0;
}

int notice_record(struct node *node, struct notice_source *source, const struct held_inventory *inventory,
                  enum verdict verdict, const struct evidence *evidence, const struct hash *replaces)
{
    const char *word = verdict == VERDICT_NONE ? NOTICE_CLEARED : verdict_names[verdict];
    uint8_t component[TOLD_PART_BYTES];
    struct hash id;
    struct buf body;
    unsigned again = 1;
    int rc =
        source->asked || !source->log ? 0 : support_find(node, source->log, source->index, false, &source->standing);
    source->asked = true;
    buf_init(&body, NOTICE_BYTES_MAX);
    do
        notice_id(source, inventory, evidence->component, word, again++, &id);
    while (notice_exists(node, &id));
    if (MUTANT(NOTICE_TIME))
        id.b[0] ^= (uint8_t)node->now_ms;
    notice_write(node, source, inventory, word, evidence, &id, replaces, &body);
    told_component(evidence->component, component);
    rc = rc ? rc : body.error ? body.error : notice_append(node, &id, buf_view(&body));
    rc = rc ? rc : told_put(node, span_str(inventory->name), &source->identity, component, verdict, &id);
    node->notices_fresh = node->notices_fresh || rc == 0;
    if (rc == 0 && replaces)
        rc = notice_replaced(node, replaces);
    buf_free(&body);
    return rc;
}

/* Delivery */

static bool channel_done(struct node *node, const char *channel, struct span id)
{
    char key[160];
    (void)snprintf(key, sizeof key, "%s %.*s", channel, (int)id.len, (const char *)id.data);
    return node->env.store->ops->journal_find(node->env.store, kind_delivered, span_str(key), NULL, NULL) == 0;
}

static int undelivered_visit(void *ctx, const struct journal_row *row)
{
    struct node *node = ctx;
    bool open = false;
    if (node->handed >= NOTICES_STEP_MAX)
        return 1;
    for (size_t i = 0; node->channels[i]; i++)
        open = open || !channel_done(node, node->channels[i], row->key);
    node->hand_after = row->seq;
    if (!open)
        return 0;
    struct action *action = action_add(node, ACTION_NOTICE);
    if (!hash_parse(row->key, &action->hash))
        return E_CORRUPT;
    buf_span(&action->body, row->body);
    node->handed++;
    return 0;
}

int notices_hand(struct node *node)
{
    if (!node->hand_more || node->handed >= NOTICES_STEP_MAX)
        return 0;
    int rc =
        node->env.store->ops->journal_scan(node->env.store, kind_notice, node->hand_after, undelivered_visit, node);
    node->hand_more = rc == 1;
    return rc == 1 ? 0 : rc;
}

int notices_undelivered(struct node *node)
{
    if (!node->channels || !node->channels[0] || MUTANT(NOTICE_FORGOTTEN))
        return 0;
    node->hand_more = true;
    node->hand_after = 0;
    return notices_hand(node);
}

int notice_delivered(struct node *node, const struct event *event)
{
    char key[160], hex[65];
    int64_t seq;
    int rc;
    if (message_delivered(node, event, &rc))
        return rc;
    hash_hex(&event->hash, hex);
    (void)snprintf(key, sizeof key, "%.*s %s", (int)event->name.len, (const char *)event->name.data, hex);
    rc = write_begin(node);
    if (rc == 0)
        rc = node->env.store->ops->journal_append(node->env.store, now_seconds(node), kind_delivered, span_str(key),
                                                  span_of(NULL, 0), &seq);
    return rc == E_EXISTS ? 0 : rc;
}
