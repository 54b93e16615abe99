#include "cli/verification.h"

static void result_json(const struct standing *s, bool stands)
{
    struct buf out;
    char hex[65], at[21] = "";
    buf_init(&out, 65536);
    buf_byte(&out, '{');
    buf_member(&out, "state", span_str(stands ? "standing" : "logged"));
    buf_member(&out, "issuer", s->statement.issuer);
    buf_member(&out, "subject", s->statement.subject);
    buf_member(&out, "media", s->statement.media);
    hash_hex(&s->statement.id, hex);
    buf_member(&out, "id", span_str(hex));
    if (s->instant)
        time_format(s->instant, at);
    buf_member(&out, "standing_since", span_str(at));
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

int verification_make(struct verification *v, const char *charter, const char *receipt, const char *document,
                      struct fault *fault)
{
    static const uint8_t nothing[1];
    *v = (struct verification){0};
    arena_init(&v->arena, 64 * (size_t)CHARTER_BYTES_MAX);
    int rc = file_read(charter, 2 * CHARTER_BYTES_MAX, &v->charter, fault);
    rc = rc ? rc : file_read(receipt, RECEIPT_BYTES_MAX, &v->receipt, fault);
    if (document)
        rc = rc ? rc : file_read(document, DOCUMENT_BYTES_MAX, &v->document, fault);
    if (rc == 0 && (rc = bundle_parse_charter(buf_view(&v->charter), &v->roster, &v->arena, fault)) != 0)
        (void)fail_at(fault, rc, "%s", charter);
    if (rc)
        return rc;
    struct span view = span_of(v->document.data ? v->document.data : nothing, v->document.len);
    rc = receipt_verify(&v->roster, buf_view(&v->receipt), document ? &view : NULL, &v->standing, &v->arena, fault);
    if (rc && rc != E_UNWITNESSED)
        (void)fail_at(fault, rc, "%s", receipt);
    return rc;
}

void verification_free(struct verification *v)
{
    buf_free(&v->charter);
    buf_free(&v->receipt);
    buf_free(&v->document);
    arena_free(&v->arena);
}

static int check(struct cli *cli, const char *charter, const char *receipt, const char *document)
{
    struct verification v;
    struct fault fault = {0};
    int rc = verification_make(&v, charter, receipt, document, &fault), exit = EXIT_YES;
    if (rc && rc != E_UNWITNESSED)
        exit = cli_fail(cli, rc, &fault);
    else if (cli->json)
        result_json(&v.standing, rc == 0);
    else
        result_human(&v.standing, rc == 0);
    verification_free(&v);
    return rc == E_UNWITNESSED ? EXIT_PENDING : exit;
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
