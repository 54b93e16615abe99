/* What goes out of a notice, whatever stands in it: mail is lines of plain ASCII that end in CRLF and nowhere else, with its own headers
   and no others; JSON reads back; nothing hidden reaches the feed. And the file of webhooks' secrets. */
#include "base/limits.h"
#include "format/json.h"
#include "fuzz/fuzz.h"
#include "notify/message.h"
#include "notify/webhook.h"

static void mail_sound(const struct message *message)
{
    static const char *const headers[] = {"Date",
                                          "From",
                                          "To",
                                          "Subject",
                                          "Message-ID",
                                          "Comity-Message-Id",
                                          "References",
                                          "Auto-Submitted",
                                          "MIME-Version",
                                          "Content-Type",
                                          "Content-Transfer-Encoding"};
    struct buf out;
    size_t column = 0;
    bool head = true;
    buf_init(&out, NOTICE_MESSAGE_BYTES_MAX);
    message_mail(message, "comity@a.example", "soc@b.example", &out);
    must(!out.error && out.len > 2 && out.data[out.len - 1] == '\n');
    for (size_t i = 0; i < out.len; i++) {
        if (out.data[i] == '\r') {
            must(out.data[i + 1] == '\n');
            head = head && column;
            column = 0;
            i++;
            continue;
        }
        if (head && !column && out.data[i] != ' ') {
            bool known = false;
            for (size_t h = 0; h < sizeof headers / sizeof headers[0]; h++)
                known = known || span_starts(span_from(buf_view(&out), i), headers[h]);
            must(known);
        }
        must(out.data[i] >= 0x20 && out.data[i] < 0x7f && ++column <= 95 && (column > 1 || out.data[i] != '.'));
    }
    must(!head);
    buf_free(&out);
}

static void feed_sound(const struct notice *notice)
{
    struct buf out;
    uint32_t c;
    size_t open = 0;
    buf_init(&out, NOTICE_MESSAGE_BYTES_MAX);
    atom_begin(&out, "a.example", 0);
    atom_entry(&out, notice);
    atom_end(&out);
    must(!out.error);
    for (struct span rest = buf_view(&out); rest.len;) {
        size_t n = utf8_unit(rest, &c);
        must(n && (c >= 0x20 || c == '\n') && c != 0xffff && c != 0xfffe && !(c >= 0x202a && c <= 0x202e));
        open += c == '<';
        rest = span_from(rest, n);
    }
    must(open == 24); /* those of ours */
    buf_free(&out);
}

static void json_sound(const struct message *message)
{
    const struct json *root = NULL;
    struct arena arena;
    struct buf out;
    buf_init(&out, NOTICE_MESSAGE_BYTES_MAX);
    arena_init(&arena, 64 << 20);
    message_json(message, &out);
    must(json_parse(&root, buf_view(&out), NOTICE_MESSAGE_BYTES_MAX, &arena, NULL) == 0);
    must(json_get(root, "groups")->count >= 1);
    arena_free(&arena);
    buf_free(&out);
}

static void secrets(struct span bytes)
{
    struct fault fault = {0};
    char signature[WEBHOOK_SIGNATURE_BYTES + 1];
    int rc = webhook_secrets_check(bytes, &fault);
    must(rc == 0 || rc == E_CONFIG);
    if (rc)
        return;
    webhook_sign(signature, bytes, "http://a.example/", "id", 1, span_str("body"));
    must(!signature[0] || strlen(signature) == WEBHOOK_SIGNATURE_BYTES);
}

/* An id is one for the notices and the digest alike, and another for another digest. */
static void ids(const struct notice *notices, size_t count)
{
    struct hash all[2], group = notices[0].id, one, again, other;
    for (size_t i = 0; i < count; i++)
        all[i] = notices[i].id;
    must(message_id(all, count, &group, NULL, &one) == 0 && message_id(all, count, &group, NULL, &again) == 0 &&
         message_id(all, count, NULL, "2026-11-25T06:00:00Z", &other) == 0);
    must(hash_eq(&one, &again) && !hash_eq(&one, &other));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size);
    struct arena arena;
    struct notice notices[2];
    arena_init(&arena, 16 << 20);
    int rc = notice_read(&notices[0], bytes, &arena);
    must(rc == 0 || rc == E_CORRUPT);
    secrets(bytes);
    if (rc == 0) {
        struct message message = {.made_at = 1795593600, .party = "a.example", .count = 2, .notices = notices};
        notices[1] = notices[0];
        ids(notices, 2);
        mail_sound(&message);
        json_sound(&message);
        message.digest = true;
        notices[1].inventory = span_str("other");
        mail_sound(&message);
        json_sound(&message);
        feed_sound(&notices[0]);
    }
    arena_free(&arena);
    return 0;
}
