#include "circle/roster.h"
#include "cli/cli.h"

static void field(struct buf *out, const char *name, struct span value)
{
    buf_json(out, span_str(name));
    buf_byte(out, ':');
    buf_json(out, value);
    buf_byte(out, ',');
}

static void result_json(const struct standing *s, bool stands)
{
    struct buf out;
    char hex[65], at[21] = "";
    buf_init(&out, 65536);
    buf_byte(&out, '{');
    field(&out, "state", span_str(stands ? "standing" : "logged"));
    field(&out, "issuer", s->statement.issuer);
    field(&out, "subject", s->statement.subject);
    field(&out, "media", s->statement.media);
    hash_hex(&s->statement.id, hex);
    field(&out, "id", span_str(hex));
    if (s->instant)
        time_format(s->instant, at);
    field(&out, "standing_since", span_str(at));
    buf_printf(&out,
               "\"index\":%llu,\"size\":%llu,\"cosigned\":%u,\"needed\":%u,\"mirrors\":%u,\"identity_level\":%u,"
               "\"document_checked\":%s}\n",
               (unsigned long long)s->index, (unsigned long long)s->size, s->cosigned, s->needed, s->members,
               identity_level(&s->issuer->proof), s->document_checked ? "true" : "false");
    (void)fwrite(out.data, 1, out.len, stdout);
    buf_free(&out);
}

static void result_human(const struct standing *s, bool stands)
{
    char at[21], issued[21];
    time_format(s->statement.issued_at, issued);
    time_format(s->instant, at);
    (void)printf("%s\n  issuer     %s (identity level %u)\n  subject    ",
                 stands ? "STANDING" : "LOGGED ONLY, UNWITNESSED", s->issuer->card.name,
                 identity_level(&s->issuer->proof));
    print_span(s->statement.subject);
    (void)printf("\n  media      ");
    print_span(s->statement.media);
    (void)printf("\n  position   index %llu in a log of %llu\n  mirrors    %u of %u cosigned, %u needed\n",
                 (unsigned long long)s->index, (unsigned long long)s->size, s->cosigned, s->members, s->needed);
    if (stands && s->instant)
        (void)printf("  since      %s\n", at);
    (void)printf("  issued     %s (what the issuer claims)\n  document   %s\n", issued,
                 s->document_checked ? "matches" : "not given, so not checked");
}

static int check(struct cli *cli, const char *charter, const char *receipt, const char *document)
{
    struct buf charter_bytes = {0}, receipt_bytes = {0}, document_bytes = {0};
    struct roster roster;
    struct standing standing;
    struct arena arena;
    struct fault fault = {0};
    arena_init(&arena, 64 * (size_t)CHARTER_BYTES_MAX);
    int rc = file_read(charter, 2 * CHARTER_BYTES_MAX, &charter_bytes, &fault);
    rc = rc ? rc : file_read(receipt, RECEIPT_BYTES_MAX, &receipt_bytes, &fault);
    if (document)
        rc = rc ? rc : file_read(document, DOCUMENT_BYTES_MAX, &document_bytes, &fault);
    if (rc == 0 && (rc = bundle_parse_charter(buf_view(&charter_bytes), &roster, &arena, &fault)) != 0)
        (void)fail_at(&fault, rc, "%s", charter);
    if (rc == 0) {
        static const uint8_t nothing[1];
        struct span view = document ? span_of(document_bytes.data ? document_bytes.data : nothing, document_bytes.len)
                                    : span_of(NULL, 0);
        rc = receipt_verify(&roster, buf_view(&receipt_bytes), document ? &view : NULL, &standing, &arena, &fault);
        if (rc == 0 || rc == E_UNWITNESSED) {
            if (cli->json)
                result_json(&standing, rc == 0);
            else
                result_human(&standing, rc == 0);
        } else {
            (void)fail_at(&fault, rc, "%s", receipt);
        }
    }
    int exit = rc == E_UNWITNESSED ? EXIT_PENDING : rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
    buf_free(&charter_bytes);
    buf_free(&receipt_bytes);
    buf_free(&document_bytes);
    arena_free(&arena);
    return exit;
}

int command_verify(struct cli *cli)
{
    static const char usage[] = "comity verify --charter BUNDLE --receipt FILE [--document FILE]";
    const char *charter = option(cli, "--charter"), *receipt = option(cli, "--receipt"),
               *document = option(cli, "--document");
    if (!words(cli, 0, usage))
        return EXIT_USAGE;
    return charter && receipt ? check(cli, charter, receipt, document) : cli_usage(cli, "usage: %s", usage);
}
