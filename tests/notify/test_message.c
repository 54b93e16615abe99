/* What goes out, whatever an advisory calls itself: no byte of it ends a header, a line or an element; what deceives a reader is shown. */
#include "notify/message.h"
#include "base/limits.h"
#include "base/text.h"
#include "notify/webhook.h"
#include "tests/test.h"

static const char plain[] =
    "{\"id\":\"0101010101010101010101010101010101010101010101010101010101010101\",\"verdict\":\"affected\","
    "\"recorded_at\":\"2026-11-25T08:00:00Z\",\"inventory\":\"web-1\",\"critical\":true,\"sector\":\"energy\","
    "\"component\":{\"ecosystem\":\"Debian:12\",\"name\":\"liblzma5\",\"version\":\"5.6.0-0.2\",\"purl\":\"\","
    "\"path\":\"Package: liblzma5\"},\"advisory\":{\"id\":\"EX-1\",\"title\":\"a fault\",\"version\":\"3\","
    "\"issuer\":\"vendor.example\","
    "\"statement\":\"0202020202020202020202020202020202020202020202020202020202020202\","
    "\"document\":\"0303030303030303030303030303030303030303030303030303030303030303\",\"state\":\"logged\","
    "\"standing_since\":\"\",\"withdrawn\":false},\"replaces\":\"\","
    "\"evidence\":{\"row\":\"affected[0]\",\"reason\":\"5.6.0-0.2 is in [0, 9)\"}}";

static struct arena arena;

static struct notice notice_of(const char *json)
{
    struct notice notice;
    CHECK_INT(notice_read(&notice, span_str(json), &arena), 0);
    return notice;
}

static void reading(void)
{
    test("a notice is read back from its JSON; what is none is refused");
    struct notice n = notice_of(plain), other;
    CHECK(n.verdict == NOTICE_AFFECTED && n.critical && !n.known_exploited && !n.by_inventory);
    CHECK(span_is(n.sector, "energy") && span_is(n.component.name, "liblzma5") &&
          span_is(n.advisory.issuer, "vendor.example"));
    CHECK(notice_urgent(&n));
    n.verdict = NOTICE_CLEARED;
    CHECK(!notice_urgent(&n));
    static const char *const bad[] = {"", "{}", "[]", "{\"id\":\"01\",\"verdict\":\"affected\",\"inventory\":\"a\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_INT(notice_read(&other, span_str(bad[i]), &arena), E_CORRUPT);
}

static void ids(void)
{
    struct notice a = notice_of(plain), b = a;
    struct hash left, right, list[2] = {{{1}}, {{2}}};
    test("a group is of a statement, an inventory and a verdict; a message of exactly its notices");
    notice_group(&a, &left);
    b.component.name = span_str("other");
    notice_group(&b, &right);
    CHECK(hash_eq(&left, &right));
    b.inventory = span_str("web-2");
    notice_group(&b, &right);
    CHECK(!hash_eq(&left, &right));
    b = a;
    b.verdict = NOTICE_UNDECIDED;
    notice_group(&b, &right);
    CHECK(!hash_eq(&left, &right));
    CHECK_INT(message_id(list, 1, &left, NULL, &a.id), 0);
    CHECK_INT(message_id(list, 2, &left, NULL, &b.id), 0);
    CHECK(!hash_eq(&a.id, &b.id));
    CHECK_INT(message_id(list, 2, NULL, "mail:a@b.example", &left), 0);
    CHECK_INT(message_id(list, 2, NULL, "mail:c@b.example", &right), 0);
    CHECK(!hash_eq(&left, &right));
}

static struct message message_of(const struct notice *notices, size_t count)
{
    return (struct message){.id = {{0xab}},
                            .made_at = 1795593600, /* 2026-11-25T08:00:00Z */
                            .party = "operator.example",
                            .count = count,
                            .notices = notices};
}

static void mail_of(const struct message *message, struct buf *out)
{
    buf_init(out, NOTICE_MESSAGE_BYTES_MAX);
    message_mail(message, "comity@operator.example", "soc@agency.example", out);
    CHECK_INT(out->error, 0);
    buf_byte(out, 0);
}

static bool holds(const struct buf *mail, const char *text)
{
    if (!strstr((const char *)mail->data, text))
        printf("# no \"%s\"\n", text);
    return strstr((const char *)mail->data, text) != NULL;
}

static void mail(void)
{
    struct notice n = notice_of(plain);
    struct message m = message_of(&n, 1);
    struct buf first, second;
    test("mail has its header fields, and says what, why, since when, what to do and how to acknowledge");
    mail_of(&m, &first);
    CHECK(holds(&first, "Date: Wed, 25 Nov 2026 08:00:00 +0000\r\n"));
    CHECK(holds(&first, "From: <comity@operator.example>\r\nTo: <soc@agency.example>\r\n"));
    CHECK(holds(&first, "Subject: [comity] URGENT affected: EX-1, web-1\r\n"));
    CHECK(holds(&first,
                "Message-ID: <ab00000000000000000000000000000000000000000000000000000000000000@operator.example>\r\n"));
    CHECK(holds(&first,
                "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"));
    CHECK(holds(&first, "Unwitnessed when this was recorded (2026-11-25T08:00:00Z)"));
    CHECK(holds(&first, "because 5.6.0-0.2 is in [0, 9)\r\n"));
    CHECK(holds(&first, "What to do next\r\n"));
    CHECK(holds(&first, "comity notices ack ab0000"));
    mail_of(&m, &second);
    CHECK(span_eq(buf_view(&first), buf_view(&second)));
    buf_free(&first);
    buf_free(&second);
}

/* Lines end in CRLF and nowhere else, have at most 76 characters of plain ASCII, and the header ends once. */
static void shape_check(const struct buf *mail)
{
    size_t column = 0, most = 0;
    for (size_t i = 0; i + 1 < mail->len; i++) { /* but for the NUL of ours */
        uint8_t c = mail->data[i];
        if (c == '\r') {
            CHECK(mail->data[i + 1] == '\n');
            column = 0;
            i++;
            continue;
        }
        CHECK(c >= 0x20 && c < 0x7f);
        CHECK(column || c != '.');
        column++;
        most = column > most ? column : most;
    }
    CHECK_INT(most, 95); /* that of the Message-ID, which is one word; all others have 76 at most */
}

static void hostile(void)
{
    static const char *const texts[] = {
        "x\\r\\nBcc: victim@elsewhere.example",
        "x\\n\\n.\\nMAIL FROM:<a@b>",
        "=?utf-8?q?=0ABcc:_victim@elsewhere.example?=",
        "safe \\u202Egnp.exe",
        "\\u0085Bcc: victim@elsewhere.example",
        "\\u2028Bcc: victim@elsewhere.example",
        ".",
        "From nobody",
        "\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00"
        "e9\\u00e9\\u00e9"
        "\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20"
        "ac",
        "</title><script>\\u0026\\uffff\\ufffe\\u0001",
    };
    test("nothing of an advisory ends a header or a line, or deceives");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char json[8192];
        struct buf out, atom;
        (void)snprintf(json, sizeof json,
                       "{\"id\":\"0101010101010101010101010101010101010101010101010101010101010101\","
                       "\"verdict\":\"undecided\",\"recorded_at\":\"%s\",\"inventory\":\"%s\",\"sector\":\"%s\","
                       "\"component\":{\"ecosystem\":\"%s\",\"name\":\"%s\",\"version\":\"%s\",\"purl\":\"%s\","
                       "\"path\":\"%s\"},\"advisory\":{\"id\":\"%s\",\"title\":\"%s\",\"version\":\"%s\",\"issuer\":"
                       "\"%s\",\"statement\":\"%s\",\"document\":\"%s\",\"state\":\"%s\",\"standing_since\":\"%s\"},"
                       "\"replaces\":\"%s\",\"evidence\":{\"row\":\"%s\",\"reason\":\"%s\"}}",
                       texts[i], texts[i], texts[i], texts[i], texts[i], texts[i], texts[i], texts[i], texts[i],
                       texts[i], texts[i], texts[i], texts[i], texts[i], texts[i], texts[i], texts[i], texts[i],
                       texts[i]);
        struct notice n = notice_of(json);
        struct message m = message_of(&n, 1);
        mail_of(&m, &out);
        shape_check(&out);
        CHECK(!strstr((const char *)out.data, "=E2=80=AE")); /* U+202E */
        char *end = strstr((char *)out.data, "\r\n\r\n");
        CHECK(end != NULL);
        if (end)
            *end = 0; /* the header alone */
        CHECK(!strstr((const char *)out.data, "?q?=0A") && !strstr((const char *)out.data, "\nBcc:"));
        m.digest = true;
        buf_free(&out);
        mail_of(&m, &out);
        shape_check(&out);
        buf_free(&out);
        buf_init(&atom, 1 << 20);
        atom_entry(&atom, &n);
        CHECK(!atom.error && utf8_valid(buf_view(&atom)));
        buf_byte(&atom, 0);
        CHECK(!strstr((const char *)atom.data, "<script") && !strstr((const char *)atom.data, "\xef\xbf\xbf"));
        CHECK(!strchr((const char *)atom.data, 1) && !strstr((const char *)atom.data, "\xe2\x80\xae"));
        buf_free(&atom);
    }
}

static void quoted(void)
{
    static const struct {
        const char *text, *want;
    } texts[] = {
        {"a\n", "a\r\n"},
        {"a", "a\r\n"},
        {"a \nb", "a=20\r\nb\r\n"},
        {".\n..\n", "=2E\r\n=2E.\r\n"},
        {"From x\nFrom: y\n", "=46rom x\r\nFrom: y\r\n"},
        {"a=b\xc3\xa9\n", "a=3Db=C3=A9\r\n"},
        {"0123456789012345678901234567890123456789012345678901234567890123456789012345.6\n",
         "012345678901234567890123456789012345678901234567890123456789012345678901234=\r\n5.6\r\n"},
        {"012345678901234567890123456789012345678901234567890123456789012345678901234.\n",
         "012345678901234567890123456789012345678901234567890123456789012345678901234=\r\n=2E\r\n"},
    };
    test("quoted-printable");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buf out;
        buf_init(&out, 4096);
        mail_quoted_printable(&out, span_str(texts[i].text));
        CHECK(span_is(buf_view(&out), texts[i].want));
        if (!span_is(buf_view(&out), texts[i].want))
            printf("# row %zu: %.*s\n", i, (int)out.len, (const char *)out.data);
        buf_free(&out);
    }
}

static void grouped(void)
{
    struct notice list[3] = {notice_of(plain), notice_of(plain), notice_of(plain)};
    struct message m = message_of(list, 3);
    const struct json *root = NULL;
    struct buf out;
    test("JSON has groups, each with its notices as they were recorded");
    list[2].inventory = span_str("web-2");
    m.digest = true;
    buf_init(&out, NOTICE_MESSAGE_BYTES_MAX);
    message_json(&m, &out);
    CHECK_INT(json_parse(&root, buf_view(&out), out.len, &arena, NULL), 0);
    const struct json *groups = json_get(root, "groups");
    CHECK(span_is(json_text(root, "type"), "comity.notices.digest") && groups && groups->count == 2);
    CHECK(groups && json_get(&groups->child[0], "notices")->count == 2 &&
          json_get(&groups->child[1], "notices")->count == 1);
    buf_free(&out);
}

static void webhooks(void)
{
    static const struct {
        const char *text;
        int want;
    } files[] = {
        {"", 0},
        {"# a comment\n\nhttps://a.example/x whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\r\n", 0},
        {"https://a.example/x whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=\n", E_CONFIG}, /* 23 bytes */
        {"https://a.example/x MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\n", E_CONFIG},
        {"https://a.example/x whsec_!\n", E_CONFIG},
        {"a.example whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\n", E_CONFIG},
        {"https://a.example/x\n", E_CONFIG},
        {"https://a.example/x whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\nhttps://a.example/x "
         "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI0\n",
         E_CONFIG},
    };
    char signature[WEBHOOK_SIGNATURE_BYTES + 1];
    test("secrets of webhooks, one for each URL");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct fault fault = {0};
        CHECK_INT(webhook_secrets_check(span_str(files[i].text), &fault), files[i].want);
    }
    webhook_sign(signature, span_str(files[1].text), "https://a.example/x", "id", 1700000000, span_str("{}"));
    CHECK(strcmp(signature, "v1,5XS3CL8gzW1xmrfu7amvIRCvfZkPf5RnRs9mBf3o2pY=") == 0);
    if (strcmp(signature, "v1,5XS3CL8gzW1xmrfu7amvIRCvfZkPf5RnRs9mBf3o2pY=") != 0)
        printf("# %s\n", signature);
    webhook_sign(signature, span_str(files[1].text), "https://a.example/", "id", 1700000000, span_str("{}"));
    CHECK(!signature[0]);
}

int main(void)
{
    arena_init(&arena, 64 << 20);
    reading();
    ids();
    mail();
    hostile();
    quoted();
    grouped();
    webhooks();
    arena_free(&arena);
    return test_end();
}
