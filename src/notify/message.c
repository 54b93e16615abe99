#include "notify/message.h"

#include "base/clock.h"
#include "base/text.h"

static void group_begin(struct buf *out, const struct notice *n, bool first)
{
    struct hash group;
    char hex[65];
    notice_group(n, &group);
    hash_hex(&group, hex);
    buf_printf(out, "%s{\"group\":\"%s\",\"verdict\":\"%s\",", first ? "" : ",", hex, notice_verdict_names[n->verdict]);
    buf_member(out, "inventory", n->inventory);
    buf_member(out, "advisory", n->advisory.id);
    buf_text(out, "\"notices\":[");
}

static bool same_group(const struct notice *a, const struct notice *b)
{
    struct hash left, right;
    notice_group(a, &left);
    notice_group(b, &right);
    return hash_eq(&left, &right);
}

void message_json(const struct message *message, struct buf *out)
{
    char hex[65], at[21];
    hash_hex(&message->id, hex);
    time_format(message->made_at, at);
    buf_printf(out, "{\"id\":\"%s\",\"type\":\"comity.notices.%s\",\"timestamp\":\"%s\",", hex,
               message->digest ? "digest" : "group", at);
    buf_member(out, "party", span_str(message->party));
    buf_text(out, "\"groups\":[");
    for (size_t i = 0; i < message->count; i++) {
        const struct notice *n = &message->notices[i];
        bool begins = i == 0 || !same_group(n, n - 1);
        if (begins) {
            buf_text(out, i ? "]}" : "");
            group_begin(out, n, i == 0);
        }
        buf_text(out, begins ? "" : ",");
        buf_span(out, n->json);
    }
    buf_text(out, message->count ? "]}]}" : "]}");
}
