/* What we write, read by another implementation: oracle_statement.py beside this file. Skipped where Python lacks its libraries. */
#include "tests/test.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "record/statement.h"

enum { ORACLE_LACKS = 77 };

static struct secret_key *key;
static struct public_key pub;

static bool file_write(const char *path, struct span bytes)
{
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(bytes.data, 1, bytes.len, file) == bytes.len;
    return (file ? fclose(file) == 0 : false) && good;
}

static void statement_make(struct buf *out, struct statement *s)
{
    struct buf header, message;
    struct signature sig;
    buf_init(&header, 4096);
    buf_init(&message, 8192);
    key_id(&pub, &s->kid);
    statement_protected(&header, s);
    cose_to_be_signed(&message, buf_view(&header), span_hash(&s->document));
    sign(key, buf_view(&message), &sig);
    cose_write(out, buf_view(&header), span_of(NULL, 0), span_hash(&s->document), &sig);
    buf_free(&header);
    buf_free(&message);
}

static void expected(struct buf *out, const struct statement *s)
{
    char hex[65];
    hash_hex(&s->id, hex);
    buf_printf(out, "id %s\niss %.*s\nsub %.*s\niat %lld\nmedia %.*s\n", hex, (int)s->issuer.len,
               (const char *)s->issuer.data, (int)s->subject.len, (const char *)s->subject.data,
               (long long)s->issued_at, (int)s->media.len, (const char *)s->media.data);
    hash_hex(&s->circle, hex);
    buf_printf(out, "circle %s\n", hex);
    hash_hex(&s->document, hex);
    buf_printf(out, "document %s\n", hex);
    for (size_t i = 0; i < s->answer_count; i++) {
        hash_hex(&s->answers[i], hex);
        buf_printf(out, "answers %s\n", hex);
    }
}

/* Runs the oracle; its output goes to `said`, its exit code comes back. */
static int oracle(const char *dir, struct buf *said)
{
    const char *source = getenv("COMITY_SOURCE");
    char command[1024], chunk[512];
    size_t n;
    (void)snprintf(command, sizeof command,
                   "/usr/bin/python3 '%s/tests/record/oracle_statement.py' '%s/statement' '%s/key' 2>&1",
                   source ? source : ".", dir, dir);
    FILE *pipe = popen(command, "r");
    if (!pipe)
        return ORACLE_LACKS;
    while ((n = fread(chunk, 1, sizeof chunk, pipe)) > 0)
        buf_add(said, chunk, n);
    int status = pclose(pipe);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return code == 127 ? ORACLE_LACKS : code; /* the shell found no python3 */
}

static void judge(const char *name, struct statement *s, const char *dir, bool spoil)
{
    char path[256];
    struct buf bytes, said, want;
    struct statement parsed;
    buf_init(&bytes, 4096);
    buf_init(&said, 65536);
    buf_init(&want, 65536);
    statement_make(&bytes, s);
    if (spoil)
        bytes.data[bytes.len - 1] ^= 1;
    (void)snprintf(path, sizeof path, "%s/statement", dir);
    bool written = file_write(path, buf_view(&bytes));
    int code = oracle(dir, &said);
    if (code == ORACLE_LACKS) {
        test_skip(name, "python3 with cbor2 and nacl is not here");
    } else {
        test(name);
        CHECK(written);
        CHECK_INT(code, spoil);
        CHECK_INT(statement_parse(&parsed, buf_view(&bytes), NULL), 0);
        CHECK_INT(statement_verify(&parsed, &pub), spoil ? E_SIGNATURE : 0);
        expected(&want, &parsed);
        CHECK(spoil || span_eq(buf_view(&want), buf_view(&said)));
    }
    buf_free(&bytes);
    buf_free(&said);
    buf_free(&want);
}

int main(void)
{
    char dir[] = "/tmp/comity-oracle-XXXXXX", path[256];
    if (crypto_start() != 0 || !(key = secret_key_from_seed((const uint8_t[32]){1}, &pub)) || !mkdtemp(dir))
        return 1;
    struct statement s = {.issuer = span_str("alpha.example"),
                          .subject = span_str("\xd1\x82\xd0\xb5\xd0\xbc\xd0\xb0"),
                          .media = span_str("application/osv+json"),
                          .issued_at = 1764046375};
    memset(s.circle.b, 0xc1, 32);
    memset(s.document.b, 0xd0, 32);
    (void)snprintf(path, sizeof path, "%s/key", dir);
    if (!file_write(path, span_of(pub.b, sizeof pub.b)))
        return 1;
    judge("a plain statement", &s, dir, false);
    s.issued_at = -1;
    s.answer_count = STATEMENT_ANSWERS_MAX;
    for (size_t i = 0; i < s.answer_count; i++)
        s.answers[i].b[0] = (uint8_t)(0xff - i);
    judge("with answers and a time before 1970", &s, dir, false);
    judge("a spoilt signature", &s, dir, true);
    (void)remove(path);
    (void)snprintf(path, sizeof path, "%s/statement", dir);
    (void)remove(path);
    (void)rmdir(dir);
    secret_key_free(key);
    return test_end();
}
