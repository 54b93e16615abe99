#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "notify/message.h"

enum {
    WORD_CHARACTERS_MAX = 46,
    PLAIN_SUBJECT_MAX = 60,
    SUBJECT_TEXT_MAX = 240,
    LINE_CHARACTERS_MAX = 75,
    LINE_TEXT_MAX = 400
};

/* RFC 2047 section 4.2, only what is safe in every place of a header; a space is written _. */
static bool word_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '!' ||
           c == '+' || c == '/';
}

/* One UTF-8 unit stays in one word: section 5. */
static void words_encode(struct buf *out, struct span text)
{
    size_t used = 0;
    bool first = true;
    while (text.len) {
        size_t unit = utf8_unit(text, NULL), cost = 0;
        for (size_t i = 0; i < unit; i++)
            cost += word_plain(text.data[i]) || text.data[i] == ' ' ? 1 : 3;
        if (first || used + cost > WORD_CHARACTERS_MAX) {
            buf_text(out, first ? "=?utf-8?q?" : "?=\r\n =?utf-8?q?");
            used = 0;
            first = false;
        }
        for (size_t i = 0; i < unit; i++)
            if (text.data[i] == ' ')
                buf_byte(out, '_');
            else if (word_plain(text.data[i]))
                buf_byte(out, text.data[i]);
            else
                buf_printf(out, "=%02X", text.data[i]);
        used += cost;
        text = span_from(text, unit);
    }
    buf_text(out, first ? "" : "?=");
}

/* What looks like an encoded word would be read as one: it is encoded itself. */
static bool header_plain(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] > 0x7e ||
            (text.data[i] == '=' && i + 1 < text.len && text.data[i + 1] == '?'))
            return false;
    return text.len && text.len <= PLAIN_SUBJECT_MAX && text.data[0] != ' ' && text.data[text.len - 1] != ' ';
}

void mail_header(struct buf *out, const char *name, struct span text)
{
    struct buf shown;
    buf_init(&shown, 12 * text.len + 64);
    text_show(&shown, text);
    struct span cut = text_cut(buf_view(&shown), SUBJECT_TEXT_MAX);
    buf_printf(out, "%s: ", name);
    if (header_plain(cut))
        buf_span(out, cut);
    else
        words_encode(out, cut);
    buf_text(out, "\r\n");
    if (shown.error && !out->error)
        out->error = shown.error;
    buf_free(&shown);
}

/* RFC 2045 section 6.7. A dot and a "From " at the beginning of a line mean something to those in between. */
static bool byte_plain(struct span text, size_t at, size_t column)
{
    uint8_t c = text.data[at];
    if (column == 0 && (c == '.' || (c == 'F' && span_starts(span_from(text, at), "From "))))
        return false;
    if (c == ' ')
        return at + 1 < text.len && text.data[at + 1] != '\n';
    return c > ' ' && c < 0x7f && c != '=';
}

void mail_quoted_printable(struct buf *out, struct span text)
{
    size_t column = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\n') {
            buf_text(out, "\r\n");
            column = 0;
            continue;
        }
        size_t cost = byte_plain(text, i, column) ? 1 : 3;
        if (column + cost > LINE_CHARACTERS_MAX) {
            buf_text(out, "=\r\n");
            column = 0;
            cost = byte_plain(text, i, column) ? 1 : 3;
        }
        if (cost == 1)
            buf_byte(out, text.data[i]);
        else
            buf_printf(out, "=%02X", text.data[i]);
        column += cost;
    }
    buf_text(out, column ? "\r\n" : "");
}

/* RFC 5322 section 3.3, whatever the locale. */
static void date_write(struct buf *out, int64_t at)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t t = (time_t)at;
    struct tm tm = {0};
    (void)gmtime_r(&t, &tm);
    buf_printf(out, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d +0000\r\n", days + (size_t)tm.tm_wday * 3, tm.tm_mday,
               months + (size_t)tm.tm_mon * 3, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The text */

static void line(struct buf *out, const char *before, struct span foreign, const char *after)
{
    struct span cut = text_cut(foreign, LINE_TEXT_MAX);
    buf_text(out, before);
    text_show(out, cut);
    buf_text(out, cut.len < foreign.len ? "..." : "");
    buf_text(out, after);
}

static void counts_write(const struct message *m, struct buf *out)
{
    size_t counts[NOTICE_VERDICTS] = {0};
    const char *before = "";
    for (size_t i = 0; i < m->count; i++)
        counts[m->notices[i].verdict]++;
    for (unsigned v = 0; v < NOTICE_VERDICTS; v++)
        if (counts[v]) {
            buf_printf(out, "%s%zu %s", before, counts[v], notice_verdict_names[v]);
            before = ", ";
        }
}

static void subject_write(const struct message *m, struct buf *out)
{
    const struct notice *n = m->notices;
    if (m->digest) {
        buf_text(out, "[comity] digest: ");
        counts_write(m, out);
        return;
    }
    buf_printf(out, "[comity] %s%s", notice_urgent(n) ? "URGENT " : "", notice_verdict_names[n->verdict]);
    buf_text(out, ": ");
    buf_span(out, text_cut(n->advisory.id, 80));
    buf_text(out, ", ");
    buf_span(out, n->inventory);
    if (m->count > 1)
        buf_printf(out, " (%zu components)", m->count);
}

static void standing_write(const struct notice *n, struct buf *out)
{
    if (span_is(n->advisory.state, "standing")) {
        line(out, "  Standing since ", n->advisory.standing_since, ": a quorum of the circle's mirrors holds it.\n");
    } else if (n->advisory.statement.len) {
        line(out, "  Unwitnessed when this was recorded (", n->recorded_at,
             "): no quorum of mirrors was known to hold it.\n");
        line(out, "  Act in ways that you can undo, and look again:  comity show ", n->advisory.statement, "\n");
    }
}

static void advisory_write(const struct notice *n, struct buf *out)
{
    line(out, "Advisory\n  ", n->advisory.id, "");
    if (n->advisory.version.len)
        line(out, ", version ", n->advisory.version, "");
    if (n->advisory.issuer.len)
        line(out, ", by ", n->advisory.issuer, "");
    line(out, n->advisory.withdrawn ? " (withdrawn)\n  " : "\n  ", n->advisory.title, "\n");
    if (n->advisory.statement.len)
        line(out, "  statement ", n->advisory.statement, "\n");
    line(out, "  document  ", n->advisory.document, "\n");
    if (n->advisory.source.len) {
        line(out, "  from ", n->advisory.source,
             ", which nobody in the circle has stated: it is neither logged nor standing\n");
        line(out, "  ", n->advisory.url, "\n");
    }
    standing_write(n, out);
}

static void component_write(const struct notice *n, size_t number, struct buf *out)
{
    char hex[65];
    buf_printf(out, "  %zu. ", number);
    line(out, "", n->component.name, " ");
    line(out, "", n->component.version, "");
    if (n->component.ecosystem.len)
        line(out, " (", n->component.ecosystem, ")");
    line(out, "\n     because ", n->reason, "\n");
    if (n->component.purl.len)
        line(out, "     ", n->component.purl, "\n");
    line(out, "     in the inventory at ", n->component.path, "");
    if (n->row.len)
        line(out, ", in the advisory at ", n->row, "");
    hash_hex(&n->id, hex);
    buf_printf(out, "\n     notice %s\n", hex);
    if (n->replaces.len)
        line(out, "     replaces ", n->replaces, "\n");
}

static const char *const next_steps[NOTICE_VERDICTS] = {
    [NOTICE_AFFECTED] =
        "  Read the advisory, and do what it recommends: update, or take its workaround, on what runs these\n"
        "  components. Look for signs that the flaw was used before. Then send the inventory anew.\n",
    [NOTICE_UNDECIDED] =
        "  Look yourself: the versions could not be compared, or the advisory does not say enough. Treat it as\n"
        "  affected until you know.\n",
    [NOTICE_CLEARED] =
        "  Nothing has to be done for this advisory any more. What you did because of it may be undone, unless\n"
        "  another advisory asks for it.\n",
};
static const char *const what_is[NOTICE_VERDICTS] = {"What is affected", "What could not be decided",
                                                     "What is no longer affected"};

static void group_write(const struct notice *n, size_t count, struct buf *out)
{
    buf_text(out, notice_verdict_names[n->verdict]);
    line(out, ": inventory ", n->inventory, "");
    if (n->sector.len)
        line(out, ", sector ", n->sector, "");
    buf_text(out, n->critical ? "\nThis inventory is marked critical." : "");
    buf_text(out, n->known_exploited ? "\nThe flaw is known to be exploited." : "");
    buf_text(out, "\n\n");
    advisory_write(n, out);
    buf_printf(out, "\n%s\n", what_is[n->verdict]);
    for (size_t i = 0; i < count; i++)
        component_write(&n[i], i + 1, out);
    buf_printf(out, "\nWhat to do next\n%s\n", next_steps[n->verdict]);
}

static size_t group_length(const struct message *m, size_t from)
{
    struct hash group, other;
    size_t n = 1;
    notice_group(&m->notices[from], &group);
    for (; from + n < m->count; n++) {
        notice_group(&m->notices[from + n], &other);
        if (!hash_eq(&group, &other))
            break;
    }
    return n;
}

static void text_write(const struct message *m, struct buf *out)
{
    char hex[65];
    hash_hex(&m->id, hex);
    if (m->digest) {
        buf_text(out, "Digest: ");
        counts_write(m, out);
        buf_text(out, "\n\n");
    }
    for (size_t i = 0, n; i < m->count; i += n) {
        n = group_length(m, i);
        buf_text(out, i ? "----------------------------------------\n\n" : "");
        group_write(&m->notices[i], n, out);
    }
    buf_printf(out,
               "Acknowledge all of it, on the node of %s:\n  comity notices ack %s --note 'who does what'\n\n"
               "This message can come more than once, always under this id: drop what you have seen.\n",
               m->party, hex);
}

void message_mail(const struct message *m, const char *from, const char *to, struct buf *out)
{
    const char *domain = strchr(from, '@') + 1;
    struct hash thread;
    struct buf text;
    char hex[65];
    buf_init(&text, NOTICE_MESSAGE_BYTES_MAX);
    date_write(out, m->made_at);
    buf_printf(out, "From: <%s>\r\nTo: <%s>\r\n", from, to);
    subject_write(m, &text);
    mail_header(out, "Subject", buf_view(&text));
    hash_hex(&m->id, hex);
    buf_printf(out, "Message-ID: <%s@%s>\r\nComity-Message-Id: %s\r\n", hex, domain, hex);
    if (!m->digest) {
        notice_thread(m->notices, &thread);
        hash_hex(&thread, hex);
        buf_printf(out, "References: <%s@%s>\r\n", hex, domain);
    }
    buf_text(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    buf_reset(&text);
    text_write(m, &text);
    mail_quoted_printable(out, buf_view(&text));
    if (text.error && !out->error)
        out->error = text.error;
    buf_free(&text);
}
