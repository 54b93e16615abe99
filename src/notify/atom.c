#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "notify/message.h"

/* XML 1.0 section 2.2 has no U+FFFE and U+FFFF; what it has no place for otherwise, text_show has made visible. */
static void text_escape(struct buf *out, struct span foreign)
{
    struct buf shown;
    buf_init(&shown, 12 * foreign.len + 64);
    text_show(&shown, foreign);
    for (struct span rest = buf_view(&shown); rest.len;) {
        uint32_t c = 0;
        size_t n = utf8_unit(rest, &c);
        if (c == '&' || c == '<' || c == '>' || c == '"' || (c & 0xfffe) == 0xfffe)
            buf_printf(out, c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : "?");
        else
            buf_add(out, rest.data, n);
        rest = span_from(rest, n);
    }
    if (shown.error && !out->error)
        out->error = shown.error;
    buf_free(&shown);
}

/* RFC 6920: a SHA-256 value has a URI of its own. */
static void id_write(struct buf *out, const struct hash *hash)
{
    struct buf text;
    buf_init(&text, 64);
    buf_base64(&text, span_hash(hash));
    buf_text(out, "<id>ni:///sha-256;");
    for (size_t i = 0; i < text.len && text.data[i] != '='; i++)
        buf_byte(out, text.data[i] == '+' ? '-' : text.data[i] == '/' ? '_' : text.data[i]);
    buf_text(out, "</id>\n");
    buf_free(&text);
}

void atom_begin(struct buf *out, const char *party, int64_t updated)
{
    struct hash id;
    char at[21];
    const struct span parts[] = {span_str("comity-feed/1\n"), span_str(party)};
    sha256_parts(parts, 2, &id);
    time_format(updated, at);
    buf_text(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n");
    id_write(out, &id);
    buf_text(out, "<title>Notices of ");
    text_escape(out, span_str(party));
    buf_printf(out, "</title>\n<updated>%s</updated>\n<author><name>", at);
    text_escape(out, span_str(party));
    buf_text(out, "</name></author>\n");
}

void atom_entry(struct buf *out, const struct notice *n)
{
    buf_text(out, "<entry>\n");
    id_write(out, &n->id);
    buf_printf(out, "<title>%s%s: ", notice_urgent(n) ? "URGENT " : "", notice_verdict_names[n->verdict]);
    text_escape(out, n->advisory.id);
    buf_text(out, ", ");
    text_escape(out, n->inventory);
    buf_text(out, ": ");
    text_escape(out, n->component.name);
    buf_byte(out, ' ');
    text_escape(out, n->component.version);
    buf_text(out, "</title>\n<updated>");
    text_escape(out, n->recorded_at);
    buf_printf(out, "</updated>\n<category term=\"%s\"/>\n<summary>", notice_verdict_words[n->verdict]);
    text_escape(out, n->advisory.title);
    buf_text(out, "; ");
    text_escape(out, n->reason);
    buf_text(out, "</summary>\n</entry>\n");
}

void atom_end(struct buf *out)
{
    buf_text(out, "</feed>\n");
}
