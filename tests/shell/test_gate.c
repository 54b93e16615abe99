#include "base/limits.h"
#include "shell/gate.h"
#include "tests/test.h"

struct row {
    int status;
    const char *what, *method, *target, *version;
    unsigned hosts, lengths, encodings;
    const char *length, *encoding;
};

static const struct row rows[] = {
    {0, "a plain read", "GET", "/checkpoint", "HTTP/1.1", 1, 0, 0, "", ""},
    {0, "a plain read of old", "GET", "/checkpoint", "HTTP/1.0", 0, 0, 0, "", ""},
    {0, "HEAD", "HEAD", "/checkpoint", "HTTP/1.1", 1, 0, 0, "", ""},
    {0, "a query is let in", "GET", "/checkpoint?a=b%20c&d", "HTTP/1.1", 1, 0, 0, "", ""},
    {0, "a length of nothing", "GET", "/checkpoint", "HTTP/1.1", 1, 1, 0, "0", ""},
    {0, "a body", "POST", "/announce", "HTTP/1.1", 1, 1, 0, "100", ""},
    {0, "no body", "POST", "/announce", "HTTP/1.1", 1, 0, 0, "", ""},
    {0, "chunks", "PUT", "/documents/x", "HTTP/1.1", 1, 0, 1, "", "Chunked"},
    {0, "dots in a name", "GET", "/tile/0/x001/067.p/5..", "HTTP/1.1", 1, 0, 0, "", ""},
    {405, "an unknown method", "BREW", "/checkpoint", "HTTP/1.1", 1, 0, 0, "", ""},
    {405, "DELETE", "DELETE", "/documents/x", "HTTP/1.1", 1, 0, 0, "", ""},
    {405, "methods have capitals", "get", "/checkpoint", "HTTP/1.1", 1, 0, 0, "", ""},
    {505, "another version", "GET", "/checkpoint", "HTTP/1.2", 1, 0, 0, "", ""},
    {505, "no version", "GET", "/checkpoint", "", 1, 0, 0, "", ""},
    {400, "no Host", "GET", "/checkpoint", "HTTP/1.1", 0, 0, 0, "", ""},
    {400, "Host twice", "GET", "/checkpoint", "HTTP/1.1", 2, 0, 0, "", ""},
    {400, "Host twice of old", "GET", "/checkpoint", "HTTP/1.0", 2, 0, 0, "", ""},
    {400, "two lengths", "POST", "/announce", "HTTP/1.1", 1, 2, 0, "5", ""},
    {400, "two codings", "POST", "/announce", "HTTP/1.1", 1, 0, 2, "", "chunked"},
    {400, "both framings", "POST", "/announce", "HTTP/1.1", 1, 1, 1, "5", "chunked"},
    {501, "another coding", "POST", "/announce", "HTTP/1.1", 1, 0, 1, "", "gzip, chunked"},
    {501, "no coding's name", "POST", "/announce", "HTTP/1.1", 1, 0, 1, "", ""},
    {400, "chunks under 1.0", "POST", "/announce", "HTTP/1.0", 1, 0, 1, "", "chunked"},
    {400, "a signed length", "POST", "/announce", "HTTP/1.1", 1, 1, 0, "+5", ""},
    {400, "a negative length", "POST", "/announce", "HTTP/1.1", 1, 1, 0, "-5", ""},
    {400, "a list of lengths", "POST", "/announce", "HTTP/1.1", 1, 1, 0, "5, 5", ""},
    {400, "a hexadecimal length", "POST", "/announce", "HTTP/1.1", 1, 1, 0, "0x5", ""},
    {400, "an empty length", "POST", "/announce", "HTTP/1.1", 1, 1, 0, "", ""},
    {400, "a length of 21 digits", "POST", "/announce", "HTTP/1.1", 1, 1, 0, "100000000000000000000", ""},
    {413, "a length over the path's limit", "POST", "/announce", "HTTP/1.1", 1, 1, 0, "101", ""},
    {413, "the greatest length", "POST", "/announce", "HTTP/1.1", 1, 1, 0, "18446744073709551614", ""},
    {400, "GET with a body", "GET", "/checkpoint", "HTTP/1.1", 1, 1, 0, "5", ""},
    {400, "HEAD with chunks", "HEAD", "/checkpoint", "HTTP/1.1", 1, 0, 1, "", "chunked"},
    {400, "absolute form", "GET", "http://a/checkpoint", "HTTP/1.1", 1, 0, 0, "", ""},
    {400, "asterisk form", "GET", "*", "HTTP/1.1", 1, 0, 0, "", ""},
    {400, "authority form", "GET", "a:80", "HTTP/1.1", 1, 0, 0, "", ""},
    {400, "no target", "GET", "", "HTTP/1.1", 1, 0, 0, "", ""},
    {400, "only a query", "GET", "?a=b", "HTTP/1.1", 1, 0, 0, "", ""},
    {400, "a fragment", "GET", "/checkpoint#a", "HTTP/1.1", 1, 0, 0, "", ""},
    {400, "a backslash", "GET", "/a\\b", "HTTP/1.1", 1, 0, 0, "", ""},
    {400, "a control character", "GET", "/a\x01", "HTTP/1.1", 1, 0, 0, "", ""},
    {400, "a byte over 127", "GET", "/\xc3\xa9", "HTTP/1.1", 1, 0, 0, "", ""},
    {400, "a space", "GET", "/a b", "HTTP/1.1", 1, 0, 0, "", ""},
    {400, "an escape in the path", "GET", "/%63heckpoint", "HTTP/1.1", 1, 0, 0, "", ""},
    {400, "an escaped NUL", "GET", "/checkpoint?a=%00", "HTTP/1.1", 1, 0, 0, "", ""},
    {400, "half an escape", "GET", "/checkpoint?a=%4", "HTTP/1.1", 1, 0, 0, "", ""},
    {400, "no escape", "GET", "/checkpoint?a=%zz", "HTTP/1.1", 1, 0, 0, "", ""},
    {400, "an empty segment", "GET", "//checkpoint", "HTTP/1.1", 1, 0, 0, "", ""},
    {400, "a dot", "GET", "/./checkpoint", "HTTP/1.1", 1, 0, 0, "", ""},
    {400, "two dots", "GET", "/tile/../checkpoint", "HTTP/1.1", 1, 0, 0, "", ""},
    {400, "two dots at the end", "GET", "/tile/..", "HTTP/1.1", 1, 0, 0, "", ""},
};

static struct gate_head weighed(struct gate_head head)
{
    head.bytes = head.method.len + head.target.len + head.version.len + 6 + head.header_bytes;
    return head;
}

static struct gate_head head_of(const struct row *row)
{
    struct gate_head head = {.method = span_str(row->method),
                             .target = span_str(row->target),
                             .version = span_str(row->version),
                             .hosts = row->hosts,
                             .lengths = row->lengths,
                             .encodings = row->encodings,
                             .headers = row->hosts + row->lengths + row->encodings,
                             .length = span_str(row->length),
                             .encoding = span_str(row->encoding)};
    return weighed(head);
}

static void table(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        test(rows[i].what);
        struct gate_head head = head_of(&rows[i]);
        struct gate_verdict v = gate_check(&head, 100);
        CHECK_INT(v.status, rows[i].status);
        CHECK((v.text != NULL) == (v.status != 0));
    }
}

static void limits(void)
{
    static char target[TARGET_BYTES_MAX + 2];
    struct gate_head head = head_of(&rows[0]);
    test("limits of target and headers, and the byte before");
    memset(target, 'a', sizeof target);
    target[0] = '/';
    head.target = span_of(target, TARGET_BYTES_MAX);
    head = weighed(head);
    CHECK_INT(gate_check(&head, 0).status, 0);
    head.target.len++;
    CHECK_INT(gate_check(&head, 0).status, 414);
    head = head_of(&rows[0]);
    head.headers = HEADERS_MAX;
    head.header_bytes = HEADERS_BYTES_MAX;
    head = weighed(head);
    CHECK_INT(gate_check(&head, 0).status, 0);
    head.headers++;
    CHECK_INT(gate_check(&head, 0).status, 431);
    head.headers--;
    head.header_bytes++;
    CHECK_INT(gate_check(&head, 0).status, 431);
    head = head_of(&rows[0]);
    test("a head with more, or less, in it than was read");
    head.header_bytes = 0;
    head.bytes = head.method.len + head.target.len + head.version.len + 6;
    CHECK_INT(gate_check(&head, 0).status, 0);
    head.bytes++;
    CHECK_INT(gate_check(&head, 0).status, 400);
    head.bytes -= 2;
    CHECK_INT(gate_check(&head, 0).status, 400);
    head.bytes++;
    head.empty = true;
    CHECK_INT(gate_check(&head, 0).status, 400);
}

static void bodies(void)
{
    struct gate_head head = {
        .method = span_str("POST"), .target = span_str("/x"), .version = span_str("HTTP/1.1"), .hosts = 1};
    test("what is said of the body that comes");
    head = weighed(head);
    CHECK(!gate_check(&head, 100).has_body);
    head.lengths = 1;
    head.length = span_str("100");
    struct gate_verdict v = gate_check(&head, 100);
    CHECK(v.has_body && v.length == 100 && v.status == 0);
    head.length = span_str("nonsense");
    v = gate_check(&head, 100);
    CHECK(v.has_body && v.length == UINT64_MAX && v.status == 400);
    head = (struct gate_head){.method = span_str("POST"),
                              .target = span_str("/x"),
                              .version = span_str("HTTP/1.1"),
                              .hosts = 1,
                              .encodings = 1,
                              .encoding = span_str("chunked")};
    head = weighed(head);
    v = gate_check(&head, 100);
    CHECK(v.has_body && v.length == UINT64_MAX && v.status == 0);
    test("a path ends where its query begins");
    CHECK(span_is(gate_path(span_str("/a?b?c")), "/a"));
    CHECK(span_is(gate_path(span_str("/a")), "/a"));
    CHECK_INT(gate_path(span_str("")).len, 0);
}

int main(void)
{
    table();
    limits();
    bodies();
    return test_end();
}
