#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "circle/roster.h"
#include "crypto/sha256.h"

const char *const party_role_names[ROLE_COUNT] = {"state", "organization", "vendor", "operator", "observer"};
const char *const key_role_names[KEY_COUNT] = {"statement", "log", "mirror", "witness", "recovery", "seal"};

static bool value_of(struct span *rest, const char *name, struct span *value)
{
    struct span line;
    size_t n = strlen(name);
    if (!span_line(rest, &line) || !span_starts(line, name) || line.len < n + 2 || line.data[n] != ' ')
        return false;
    *value = span_from(line, n + 1);
    return true;
}

static bool copy_text(char *out, size_t size, struct span value)
{
    if (value.len >= size)
        return false;
    memcpy(out, value.data, value.len);
    out[value.len] = 0;
    return true;
}

static bool all_of(struct span text, const char *also)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i], lower = c | 0x20;
        bool alnum = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
        if (!alnum && (!c || !strchr(also, c)))
            return false;
    }
    return text.len > 0;
}

static size_t until(struct span text, char stop)
{
    const uint8_t *at = text.len ? memchr(text.data, stop, text.len) : NULL;
    return at ? (size_t)(at - text.data) : text.len;
}

/* host or [IPv6], then perhaps a port. */
static bool authority_valid(struct span text)
{
    bool literal = text.len && text.data[0] == '[';
    size_t end = literal ? until(text, ']') : until(text, ':');
    struct span host = literal ? span_of(text.data + 1, end - 1) : span_of(text.data, end);
    struct span port = span_from(text, literal ? end + 1 : end);
    uint64_t number = 1;
    if ((literal && end == text.len) || !all_of(host, literal ? ":." : "-._"))
        return false;
    if (port.len && (port.data[0] != ':' || !decimal_parse(span_from(port, 1), &number)))
        return false;
    return number >= 1 && number <= 65535;
}

/* http(s)://host[:port][/path]: no user, query, fragment or escape, no empty or dotted segment, so no trailing slash. */
static bool url_valid(struct span url)
{
    size_t start = span_starts(url, "https://") ? 8 : span_starts(url, "http://") ? 7 : 0;
    struct span rest = span_from(url, start);
    size_t slash = until(rest, '/');
    if (!start || !authority_valid(span_of(rest.data, slash)))
        return false;
    for (rest = span_from(rest, slash); rest.len; rest = span_from(rest, slash)) {
        rest = span_from(rest, 1);
        slash = until(rest, '/');
        struct span segment = span_of(rest.data, slash);
        if (!all_of(segment, "-._~!$&'()*+,;=:") || span_is(segment, ".") || span_is(segment, ".."))
            return false;
    }
    return true;
}

/* Jurisdictions are counted as text: only what cannot look like another one. */
static bool jurisdiction_valid(struct span text)
{
    return all_of(text, " -._'()/,:") && text.data[0] != ' ' && text.data[text.len - 1] != ' ';
}

/* One card, one text: what was parsed, written again, gives the same bytes. */
static int text_canonical(const struct card *card, struct span text, struct fault *fault)
{
    struct buf again;
    buf_init(&again, CARD_BYTES_MAX);
    card_write_text(&again, card);
    int rc = again.error;
    if (rc == 0 && !span_eq(buf_view(&again), text))
        rc = fail(fault, E_CANONICAL, "line made: a UTC time in whole seconds, such as 2026-01-31T12:00:00Z");
    buf_free(&again);
    return rc;
}

static int role_parse(struct span text, enum party_role *role)
{
    for (int i = 0; i < ROLE_COUNT; i++)
        if (span_is(text, party_role_names[i])) {
            *role = (enum party_role)i;
            return 0;
        }
    return E_UNSUPPORTED;
}

static int keys_parse(struct card *out, struct span *rest, struct fault *fault)
{
    for (int i = 0; i < KEY_COUNT; i++) {
        char name[32];
        struct span value;
        struct hash bytes;
        (void)snprintf(name, sizeof name, "key %s", key_role_names[i]);
        if (!value_of(rest, name, &value) || !base64_hash(value, &bytes))
            return fail(fault, E_SYNTAX, "the line \"%s <base64 of 32 bytes>\" is missing", name);
        memcpy(out->keys[i].b, bytes.b, sizeof bytes.b);
        for (int j = 0; j < i; j++)
            if (memcmp(out->keys[i].b, out->keys[j].b, 32) == 0)
                return fail(fault, E_DUPLICATE, "keys %s and %s are the same", key_role_names[i], key_role_names[j]);
    }
    return 0;
}

static int text_parse(struct card *out, struct span text, struct fault *fault)
{
    struct span rest = text, line, value;
    if (!span_line(&rest, &line) || !span_is(line, "comity-card/1"))
        return fail(fault, E_UNSUPPORTED, "the first line must be comity-card/1");
    if (!value_of(&rest, "name", &value) || !name_valid(value) || !copy_text(out->name, sizeof out->name, value))
        return fail(fault, E_SYNTAX, "line name: 1 to 63 of a-z 0-9 - in labels joined by dots");
    if (!value_of(&rest, "role", &value) || role_parse(value, &out->role) != 0)
        return fail(fault, E_SYNTAX, "line role: state, organization, vendor, operator or observer");
    if (!value_of(&rest, "jurisdiction", &value) || !jurisdiction_valid(value) ||
        !copy_text(out->jurisdiction, sizeof out->jurisdiction, value))
        return fail(fault, E_SYNTAX, "line jurisdiction: 1 to 63 ASCII letters, digits, spaces inside and -._'()/,:");
    if (!value_of(&rest, "url", &value) || !url_valid(value) || !copy_text(out->url, sizeof out->url, value))
        return fail(fault, E_SYNTAX, "line url: http(s)://host[:port][/path] without a trailing slash");
    if (!value_of(&rest, "made", &value) || !time_parse(value, &out->made_at))
        return fail(fault, E_SYNTAX, "line made: a UTC time such as 2026-01-31T12:00:00Z");
    int rc = keys_parse(out, &rest, fault);
    if (rc == 0 && rest.len)
        rc = fail(fault, E_TRAILING, "lines after the keys");
    return rc ? rc : text_canonical(out, text, fault);
}

int card_parse(struct card *out, struct span bytes, struct fault *fault)
{
    struct note note;
    memset(out, 0, sizeof *out);
    if (bytes.len > CARD_BYTES_MAX)
        return fail(fault, E_LIMIT, "a card has at most %d bytes", CARD_BYTES_MAX);
    int rc = note_parse(&note, bytes, fault);
    rc = rc ? rc : text_parse(out, note.text, fault);
    for (int i = 0; rc == 0 && i < KEY_SEAL; i++)
        if ((rc = note_verify(&note, span_str(out->name), &out->keys[i])) != 0)
            (void)fail(fault, rc, "the card must be signed by its %s key", key_role_names[i]);
    return rc;
}

void card_write_text(struct buf *out, const struct card *card)
{
    char made[21];
    time_format(card->made_at, made);
    buf_printf(out, "comity-card/1\nname %s\nrole %s\njurisdiction %s\nurl %s\nmade %s\n", card->name,
               party_role_names[card->role], card->jurisdiction, card->url, made);
    for (int i = 0; i < KEY_COUNT; i++) {
        buf_printf(out, "key %s ", key_role_names[i]);
        buf_base64(out, span_of(card->keys[i].b, 32));
        buf_byte(out, '\n');
    }
}

void card_fingerprint(struct span bytes, char out[static 64])
{
    struct note note;
    struct hash h;
    size_t at = 0;
    out[0] = 0;
    if (note_parse(&note, bytes, NULL) != 0)
        return;
    sha256(note.text, &h);
    for (int group = 0; group < 10; group++) { /* 24 bits make five digits: 16.6 bits of each are kept */
        unsigned value = (unsigned)h.b[3 * group] << 16 | (unsigned)h.b[3 * group + 1] << 8 | h.b[3 * group + 2];
        at += (size_t)snprintf(out + at, 64 - at, "%s%05u", group ? " " : "", value % 100000);
    }
}

unsigned identity_level(const struct proof_of_identity *proof)
{
    if (proof->letter && proof->call_backs >= 2 && proof->has_evidence)
        return 3;
    if (proof->letter && proof->call_backs >= 1)
        return 2;
    return proof->letter || proof->call_backs ? 1 : 0;
}
