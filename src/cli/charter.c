#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "circle/roster.h"
#include "cli/cli.h"
#include "crypto/sha256.h"

struct draft {
    struct charter_draft draft;
    struct charter_party parties[PARTIES_MAX];
    char names[PARTIES_MAX][NAME_BYTES_MAX + 1];
    struct buf notes[PARTIES_MAX];
};

static int party_index(const struct draft *d, const char *name, size_t len)
{
    for (size_t i = 0; i < d->draft.count; i++)
        if (strlen(d->names[i]) == len && memcmp(d->names[i], name, len) == 0)
            return (int)i;
    return -1;
}

static int card_take(struct draft *d, const char *path, struct fault *fault)
{
    struct card card;
    size_t at = d->draft.count;
    if (at == PARTIES_MAX)
        return fail(fault, E_LIMIT, "more than %d cards", PARTIES_MAX);
    int rc = file_read(path, CARD_BYTES_MAX, &d->notes[at], fault);
    if (rc == 0 && (rc = card_parse(&card, buf_view(&d->notes[at]), fault)) != 0)
        (void)fail_at(fault, rc, "%s", path);
    if (rc)
        return rc;
    memcpy(d->names[at], card.name, sizeof card.name);
    d->parties[at].card_note = buf_view(&d->notes[at]);
    d->draft.count++;
    return 0;
}

static int committee_take(struct draft *d, const char *list, struct fault *fault)
{
    while (*list) {
        size_t n = strcspn(list, ",");
        int at = party_index(d, list, n);
        if (at < 0)
            return fail(fault, E_NOTFOUND, "--committee: no card of %.*s was given", (int)n, list);
        d->parties[at].committee = true;
        list += n + (list[n] == ',');
    }
    return 0;
}

/* NAME:letter,call-backs=2,evidence=FILE */
static int identity_take(struct draft *d, const char *text, struct fault *fault)
{
    size_t n = strcspn(text, ":");
    int at = party_index(d, text, n);
    struct buf evidence;
    if (at < 0 || text[n] != ':')
        return fail(fault, E_USAGE, "--identity NAME:letter,call-backs=N,evidence=FILE");
    struct proof_of_identity *proof = &d->parties[at].proof;
    for (const char *p = text + n + 1; *p;) {
        size_t len = strcspn(p, ",");
        char word[1024];
        (void)snprintf(word, sizeof word, "%.*s", (int)len, p);
        if (strcmp(word, "letter") == 0)
            proof->letter = true;
        else if (strcmp(word, "call-backs=1") == 0 || strcmp(word, "call-backs=2") == 0)
            proof->call_backs = (unsigned)(word[11] - '0');
        else if (strncmp(word, "evidence=", 9) == 0) {
            int rc = file_read(word + 9, DOCUMENT_BYTES_MAX, &evidence, fault);
            if (rc)
                return rc;
            sha256(buf_view(&evidence), &proof->evidence);
            proof->has_evidence = true;
            buf_free(&evidence);
        } else
            return fail(fault, E_USAGE, "--identity: \"%s\" is not letter, call-backs=1|2 or evidence=FILE", word);
        p += len + (p[len] == ',');
    }
    return 0;
}

static bool number_take(struct cli *cli, const char *name, uint64_t *out)
{
    const char *text = option(cli, name);
    return !text || decimal_parse(span_str(text), out);
}

static const struct party *hash_print(const struct roster *roster)
{
    char hex[65];
    hash_hex(&roster->circle, hex);
    (void)printf("circle     %s\nname       ", hex);
    print_span(span_str(roster->circle_name));
    (void)printf("\ncommittee  %zu of %zu parties\n", roster->committee_count, roster->count);
    return roster->parties;
}

static void show_human(const struct roster *roster)
{
    const struct party *parties = hash_print(roster);
    if (roster->jurisdictions_min)
        (void)printf("rule       a quorum spans at least %u jurisdictions\n", roster->jurisdictions_min);
    (void)printf("\n%-28s %-12s %-16s %-8s %-9s %s\n", "party", "role", "jurisdiction", "identity", "committee",
                 "its log: needed of mirrors, may fail or lie");
    for (size_t i = 0; i < roster->count; i++) {
        struct quorum q = quorum_for(roster, &parties[i]);
        (void)printf("%-28s %-12s %-16s level %u  %-9s ", parties[i].card.name, party_role_names[parties[i].card.role],
                     parties[i].card.jurisdiction, identity_level(&parties[i].proof),
                     parties[i].committee ? "yes" : "-");
        if (q.m)
            (void)printf("%u of %u; %u may be silent, %u may lie\n", q.k, q.m, q.m - q.k, q.f);
        else
            (void)printf("none: nothing stands, shown as unwitnessed\n");
    }
    if (roster->committee_count < 5)
        (void)printf("\nWith fewer than 4 mirrors for a log, none of them may lie.\n");
    (void)printf("Identity: 0 not proven, 1 a letter or a call-back, 2 letter and call-back, 3 letter, two call-backs "
                 "and evidence.\n");
}

static void show_json(const struct roster *roster)
{
    struct buf out;
    char hex[65];
    hash_hex(&roster->circle, hex);
    buf_init(&out, CHARTER_BYTES_MAX);
    buf_printf(&out, "{\"circle\":\"%s\",\"name\":", hex);
    buf_json(&out, span_str(roster->circle_name));
    buf_text(&out, ",\"parties\":[");
    for (size_t i = 0; i < roster->count; i++) {
        const struct party *p = &roster->parties[i];
        struct quorum q = quorum_for(roster, p);
        buf_printf(&out, "%s{\"name\":\"%s\",\"role\":\"%s\",\"jurisdiction\":", i ? "," : "", p->card.name,
                   party_role_names[p->card.role]);
        buf_json(&out, span_str(p->card.jurisdiction));
        buf_printf(
            &out,
            ",\"identity_level\":%u,\"committee\":%s,\"origin\":\"%s\",\"mirrors\":%u,\"needed\":%u,\"may_lie\":%u}",
            identity_level(&p->proof), p->committee ? "true" : "false", p->origin, q.m, q.k, q.f);
    }
    buf_text(&out, "]}\n");
    (void)fwrite(out.data, 1, out.len, stdout);
    buf_free(&out);
}

static void show(const struct cli *cli, const struct roster *roster)
{
    if (cli->json)
        show_json(roster);
    else
        show_human(roster);
}

static int draft_take(struct cli *cli, struct draft *d, struct fault *fault)
{
    const char *name = option(cli, "--name"), *committee = option(cli, "--committee"), *text;
    uint64_t jurisdictions = 0;
    int rc = 0;
    while (rc == 0 && (text = option(cli, "--card")))
        rc = card_take(d, text, fault);
    while (rc == 0 && (text = option(cli, "--identity")))
        rc = identity_take(d, text, fault);
    if (rc == 0 && (!name || !d->draft.count))
        rc = fail(fault, E_USAGE, "--name and at least one --card are required");
    if (rc == 0 && (!number_take(cli, "--jurisdictions-min", &jurisdictions) ||
                    !number_take(cli, "--quota-entries", &d->draft.quota_entries_day) ||
                    !number_take(cli, "--quota-bytes", &d->draft.quota_bytes_day)))
        rc = fail(fault, E_USAGE, "a rule is a number");
    rc = rc ? rc : committee_take(d, committee ? committee : "", fault);
    d->draft.name = span_str(name ? name : "");
    d->draft.jurisdictions_min = (unsigned)jurisdictions;
    d->draft.parties = d->parties;
    d->draft.founded_at = (int64_t)time(NULL);
    randombytes_buf(d->draft.nonce, sizeof d->draft.nonce);
    return rc;
}

static int charter_new(struct cli *cli)
{
    struct draft *d = calloc(1, sizeof *d);
    struct roster roster;
    struct arena arena;
    struct fault fault = {0};
    struct buf text;
    const char *out = option(cli, "--out");
    if (!d)
        return cli_fail(cli, E_NOMEM, NULL);
    arena_init(&arena, 16 * (size_t)CHARTER_BYTES_MAX);
    buf_init(&text, CHARTER_BYTES_MAX);
    int rc = out ? draft_take(cli, d, &fault) : fail(&fault, E_USAGE, "--out FILE is required");
    if (rc == 0)
        charter_write(&text, &d->draft);
    rc = rc ? rc : text.error ? text.error : charter_parse(&roster, buf_view(&text), &arena, &fault);
    rc = rc ? rc : file_write(out, buf_view(&text), 0644, true, &fault);
    int exit = rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
    if (rc == 0)
        show(cli, &roster);
    for (size_t i = 0; i < PARTIES_MAX; i++)
        buf_free(&d->notes[i]);
    buf_free(&text);
    arena_free(&arena);
    free(d);
    return exit;
}

/* Loads a charter file, or the adopted one of the node's folder. */
static int charter_load(const struct cli *cli, const char *path, struct buf *bytes, struct roster *roster,
                        struct arena *arena, struct fault *fault)
{
    char own[4096];
    (void)path_join(cli, "charter/charter.json", own);
    arena_init(arena, 16 * (size_t)CHARTER_BYTES_MAX);
    int rc = file_read(path ? path : own, BUNDLE_JSON_BYTES_MAX, bytes, fault);
    return rc ? rc : bundle_parse_charter(buf_view(bytes), roster, arena, fault);
}

static int accede(struct cli *cli, struct span bytes, const struct roster *roster, struct fault *fault)
{
    char path[4096];
    struct buf note;
    struct card card;
    (void)path_join(cli, "card.note", path);
    int rc = file_read(path, CARD_BYTES_MAX, &note, fault);
    rc = rc ? rc : card_parse(&card, buf_view(&note), fault);
    buf_free(&note);
    const struct party *self = rc ? NULL : roster_party(roster, span_str(card.name));
    if (rc == 0 && (!self || memcmp(self->card.keys, card.keys, sizeof card.keys) != 0))
        rc = fail(fault, E_KEY, "the charter does not hold this node's own card (%s)", card.name);
    if (rc)
        return rc;
    (void)path_join(cli, "charter", path);
    (void)mkdir(path, 0755);
    (void)path_join(cli, "charter/charter.json", path);
    return file_write(path, bytes, 0644, true, fault);
}

/* From the node, with the key changes that it knows; if it does not run, as the charter file has it. */
static int bundle_now(const struct cli *cli, struct span charter, struct buf *out, struct fault *fault)
{
    char path[4096];
    int status = 0;
    (void)path_join(cli, "run/sock", path);
    int rc = access(path, F_OK) == 0 ? api_call(cli, "GET", "/api/v1/bundle", span_of(NULL, 0), out, &status, fault)
                                     : E_STATE;
    if (rc == 0 && status == 200)
        return 0;
    (void)path_join(cli, "state.db", path);
    if (access(path, F_OK) == 0) /* without a database it has learned of none */
        (void)fprintf(stderr,
                      "comity: the node does not run: key changes that it has learned of are not in this bundle\n");
    *fault = (struct fault){0};
    buf_reset(out);
    return bundle_extend(out, charter, NULL, 0, fault);
}

static int with_charter(struct cli *cli, const char *action, const char *path)
{
    struct roster roster;
    struct arena arena;
    struct buf bytes, out;
    struct fault fault = {0};
    const char *target = option(cli, "--out");
    buf_init(&out, BUNDLE_JSON_BYTES_MAX);
    int rc = charter_load(cli, strcmp(action, "show") == 0 || strcmp(action, "accede") == 0 ? path : NULL, &bytes,
                          &roster, &arena, &fault);
    if (rc == 0 && strcmp(action, "show") == 0)
        show(cli, &roster);
    else if (rc == 0 && strcmp(action, "accede") == 0)
        rc = accede(cli, buf_view(&bytes), &roster, &fault);
    else if (rc == 0 && strcmp(action, "bundle") == 0) {
        rc = target ? bundle_now(cli, buf_view(&bytes), &out, &fault) : 0;
        rc = rc       ? rc
             : target ? file_write(target, buf_view(&out), 0644, false, &fault)
                      : fail(&fault, E_USAGE, "--out FILE is required");
    } else if (rc == 0) {
        const struct party *writer = roster_party(&roster, span_str(path ? path : ""));
        rc = writer ? policy_write(&out, &roster, writer) : fail(&fault, E_NOTFOUND, "no such party");
        if (rc == 0)
            (void)fwrite(out.data, 1, out.len, stdout);
    }
    buf_free(&bytes);
    buf_free(&out);
    arena_free(&arena);
    return rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
}

int command_charter(struct cli *cli)
{
    static const char *const actions[] = {"show", "accede", "bundle", "policy"};
    if (cli->argc < 1)
        return cli_usage(cli, "comity charter new|show|accede|bundle|policy; see comity charter --help");
    const char *action = cli->argv[0], *path = cli->argc > 1 && cli->argv[1][0] != '-' ? cli->argv[1] : NULL;
    if (strcmp(action, "new") == 0)
        return charter_new(cli);
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(action, actions[i]) == 0)
            return with_charter(cli, action, path);
    return cli_usage(cli, "comity charter has no '%s'", action);
}

int command_card(struct cli *cli)
{
    char own[4096], fingerprint[64], made[21];
    struct buf note;
    struct card card;
    struct fault fault = {0};
    if (cli->argc > 1)
        return cli_usage(cli, "comity card [FILE]");
    (void)path_join(cli, "card.note", own);
    const char *path = cli->argc ? cli->argv[0] : own;
    int rc = file_read(path, CARD_BYTES_MAX, &note, &fault);
    if (rc == 0 && (rc = card_parse(&card, buf_view(&note), &fault)) != 0)
        (void)fail_at(&fault, rc, "%s", path);
    if (rc == 0) {
        card_fingerprint(buf_view(&note), fingerprint);
        time_format(card.made_at, made);
        if (cli->json)
            (void)printf("{\"name\":\"%s\",\"role\":\"%s\",\"url\":\"%s\",\"made\":\"%s\",\"fingerprint\":\"%s\"}\n",
                         card.name, party_role_names[card.role], card.url, made, fingerprint);
        else
            (void)printf("party        %s\nrole         %s\njurisdiction %s\nurl          %s\nmade         "
                         "%s\nfingerprint  %s\n",
                         card.name, party_role_names[card.role], card.jurisdiction, card.url, made, fingerprint);
    }
    buf_free(&note);
    return rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
}
