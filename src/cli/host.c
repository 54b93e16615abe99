/* Hosting other organisations' inventories: the owner of a node says whom it hosts; an organisation makes a key, uploads, and reads who
   looked at what. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "circle/member.h"
#include "cli/cli.h"
#include "crypto/sha256.h"
#include "format/note.h"

/* "PRIVATE+KEY+<name>+<hex id>+<base64 type||seed>", as tools for signed notes keep their keys. */
static const char private_key[] = "PRIVATE+KEY+";
enum { KEY_FILE_BYTES_MAX = 512 };

struct organization_key {
    char name[NAME_BYTES_MAX + 1];
    struct public_key pub;
    struct secret_key *secret;
};

static void key_write(struct buf *out, const struct organization_key *key, const uint8_t seed[static 32])
{
    uint8_t typed[33] = {NOTE_ED25519};
    memcpy(typed + 1, seed, 32);
    buf_printf(out, "%s%s+%08x+", private_key, key->name, note_key_id(span_str(key->name), NOTE_ED25519, &key->pub));
    buf_base64(out, span_of(typed, sizeof typed));
    buf_byte(out, '\n');
    sodium_memzero(typed, sizeof typed);
}

static int key_parse(struct organization_key *key, struct span text, struct fault *fault)
{
    uint8_t typed[33];
    size_t len = 0;
    char id[9];
    struct span rest = text, line;
    if (!span_line(&rest, &line))
        line = text;
    const uint8_t *data = span_starts(line, private_key) ? span_from(line, strlen(private_key)).data : NULL;
    const uint8_t *plus = data ? memchr(data, '+', (size_t)(line.data + line.len - data)) : NULL;
    size_t name_len = plus ? (size_t)(plus - data) : 0;
    struct span coded = plus && line.data + line.len - plus > 10
                            ? span_of(plus + 10, (size_t)(line.data + line.len - plus - 10))
                            : span_of(NULL, 0);
    if (!name_len || name_len > NAME_BYTES_MAX || !coded.len || plus[9] != '+' ||
        !base64_parse(coded, typed, sizeof typed, &len) || len != sizeof typed || typed[0] != NOTE_ED25519)
        return fail(fault, E_SYNTAX, "this is no key that \"comity host key\" has made");
    (void)snprintf(key->name, sizeof key->name, "%.*s", (int)name_len, (const char *)data);
    key->secret = secret_key_from_seed(typed + 1, &key->pub);
    sodium_memzero(typed, sizeof typed);
    if (!key->secret)
        return fail(fault, E_NOMEM, "a key");
    (void)snprintf(id, sizeof id, "%08x", note_key_id(span_str(key->name), NOTE_ED25519, &key->pub));
    return memcmp(id, plus + 1, 8) == 0 ? 0 : fail(fault, E_KEY, "the key's own sum: it was changed by hand");
}

static int key_read(struct organization_key *key, const char *path, struct fault *fault)
{
    struct buf text;
    int rc = file_read(path, KEY_FILE_BYTES_MAX, &text, fault);
    if (rc == 0 && (rc = key_parse(key, buf_view(&text), fault)) != 0)
        (void)fail_at(fault, rc, "%s", path);
    if (text.data)
        sodium_memzero(text.data, text.len);
    buf_free(&text);
    return rc;
}

static int host_key(struct cli *cli)
{
    const char *name = option(cli, "--organization"), *out = option(cli, "--out");
    struct organization_key key = {0};
    struct fault fault = {0};
    struct buf text, vkey;
    uint8_t seed[32];
    if (!words(cli, 0, "comity host key --organization NAME --out FILE"))
        return EXIT_USAGE;
    if (!name || !out || !name_valid(span_str(name)) || strlen(name) > NAME_BYTES_MAX)
        return cli_usage(cli, "--organization NAME (like a host name) and --out FILE are required");
    (void)snprintf(key.name, sizeof key.name, "%s", name);
    randombytes_buf(seed, sizeof seed);
    key.secret = secret_key_from_seed(seed, &key.pub);
    buf_init(&text, KEY_FILE_BYTES_MAX);
    buf_init(&vkey, KEY_FILE_BYTES_MAX);
    int rc = key.secret ? 0 : fail(&fault, E_NOMEM, "a key");
    if (rc == 0) {
        key_write(&text, &key, seed);
        note_vkey_write(&vkey, span_str(name), NOTE_ED25519, &key.pub);
        rc = text.error ? text.error : file_write(out, buf_view(&text), 0600, true, &fault);
    }
    sodium_memzero(seed, sizeof seed);
    if (rc == 0 && cli->json)
        (void)printf("{\"organization\":\"%s\",\"key\":\"%.*s\"}\n", name, (int)vkey.len, (const char *)vkey.data);
    else if (rc == 0)
        (void)printf("%.*s\nGive this line to whoever is to host you, by a way that you trust; %s stays with you.\n",
                     (int)vkey.len, (const char *)vkey.data, out);
    if (text.data)
        sodium_memzero(text.data, text.len);
    buf_free(&text);
    buf_free(&vkey);
    secret_key_free(key.secret);
    return rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
}

/* The organisation's requests */

static void header_put(struct buf *out, const char *name)
{
    buf_text(out, name);
    buf_text(out, ": ");
}

static int request_sign(const struct organization_key *key, const char *method, const char *url, struct span path,
                        struct span body, struct buf headers[static 3], struct fault *fault)
{
    char authority[MEMBER_AUTHORITY_BYTES_MAX + 1];
    struct hash digest, kid;
    struct buf base, input;
    struct signature made;
    bool has_body = strcmp(method, "PUT") == 0;
    if (member_authority(authority, span_str(url)) != 0)
        return fail(fault, E_SYNTAX, "%.160s is no http:// or https:// URL of a node", url);
    buf_init(&base, MEMBER_BASE_BYTES_MAX);
    buf_init(&input, MEMBER_INPUT_BYTES_MAX);
    sha256(body, &digest);
    key_id(&key->pub, &kid);
    hosted_input_write(&input, (int64_t)time(NULL), &kid, has_body);
    hosted_base_write(&base, span_str(method), span_str(authority), path, has_body ? &digest : NULL,
                      span_from(buf_view(&input), strlen("comity=")));
    int rc = base.error ? base.error : input.error;
    if (rc == 0) {
        sign(key->secret, buf_view(&base), &made);
        header_put(&headers[0], "Signature-Input");
        buf_span(&headers[0], buf_view(&input));
        header_put(&headers[1], "Signature");
        member_signature_write(&headers[1], &made);
        header_put(&headers[2], has_body ? "Content-Digest" : "Accept");
        if (has_body)
            hosted_digest_write(&headers[2], &digest);
        else
            buf_text(&headers[2], "application/json");
    }
    buf_free(&base);
    buf_free(&input);
    return rc ? fail(fault, rc, "signing the request") : 0;
}

static int request_send(const char *method, const char *url, struct span path, struct span body, struct buf *headers,
                        struct buf *out, int *status, struct fault *fault)
{
    char full[2 * URL_BYTES_MAX];
    const char *lines[4] = {0};
    for (int i = 0; i < 3; i++) {
        buf_byte(&headers[i], 0);
        lines[i] = (const char *)headers[i].data;
    }
    size_t len = strlen(url);
    (void)snprintf(full, sizeof full, "%.*s%.*s", (int)(len && url[len - 1] == '/' ? len - 1 : len), url, (int)path.len,
                   (const char *)path.data);
    return url_send(method, full, lines, body, out, status, fault);
}

static int organization_ask(struct cli *cli, const char *method, const char *url, struct span path, struct span body,
                            const struct organization_key *key)
{
    struct buf headers[3], out;
    struct fault fault = {0};
    int status = 0;
    for (int i = 0; i < 3; i++)
        buf_init(&headers[i], 1024);
    buf_init(&out, HTTP_BODY_MAX);
    int rc = request_sign(key, method, url, path, body, headers, &fault);
    rc = rc ? rc : request_send(method, url, path, body, headers, &out, &status, &fault);
    if (rc == 0 && status / 100 != 2)
        rc = fail(&fault,
                  status == 401   ? E_SIGNATURE
                  : status == 404 ? E_NOTFOUND
                  : status == 400 ? E_SYNTAX
                                  : E_PEER,
                  "%s answered %d: %.*s", url, status, out.len < 300 ? (int)out.len : 300,
                  out.len ? (const char *)out.data : "");
    if (rc == 0)
        (void)fwrite(out.data, 1, out.len, stdout);
    for (int i = 0; i < 3; i++)
        buf_free(&headers[i]);
    buf_free(&out);
    return rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
}

static int with_key(struct cli *cli, const char *key_file, const char *method, const char *url, const char *what,
                    const char *file, const char *last)
{
    struct organization_key key = {0};
    struct fault fault = {0};
    struct buf target, body = {0};
    buf_init(&target, 1024);
    int rc = key_file ? key_read(&key, key_file, &fault) : fail(&fault, E_USAGE, "--key FILE is required");
    if (rc == 0 && file)
        rc = file_read(file, HTTP_BODY_MAX, &body, &fault);
    if (rc == 0) {
        buf_printf(&target, "/hosted/%s/%s%s%s", key.name, what, last ? "/" : "", last ? last : "");
        for (size_t i = 0; i < target.len; i++)
            target.data[i] = target.data[i] == ' ' ? '+' : target.data[i];
        rc = target.error ? fail(&fault, target.error, "the path") : 0;
    }
    int exit =
        rc ? cli_fail(cli, rc, &fault) : organization_ask(cli, method, url, buf_view(&target), buf_view(&body), &key);
    secret_key_free(key.secret);
    buf_free(&target);
    buf_free(&body);
    return exit;
}

static int host_upload(struct cli *cli)
{
    const char *distribution = option(cli, "--distribution"), *key = option(cli, "--key");
    return words(cli, 3, "comity host upload URL NAME FILE --key FILE [--distribution D]")
               ? with_key(cli, key, "PUT", cli->argv[0], cli->argv[1], cli->argv[2], distribution)
               : EXIT_USAGE;
}

static int host_withdraw(struct cli *cli)
{
    const char *key = option(cli, "--key");
    return words(cli, 2, "comity host withdraw URL NAME --key FILE")
               ? with_key(cli, key, "PUT", cli->argv[0], cli->argv[1], NULL, NULL)
               : EXIT_USAGE;
}

static int host_accesses(struct cli *cli)
{
    const char *key = option(cli, "--key"), *after = option(cli, "--after");
    return words(cli, 1, "comity host accesses URL --key FILE [--after N]")
               ? with_key(cli, key, "GET", cli->argv[0], "accesses", NULL, after)
               : EXIT_USAGE;
}

static int host_notices(struct cli *cli)
{
    const char *key = option(cli, "--key"), *after = option(cli, "--after");
    return words(cli, 1, "comity host notices URL --key FILE [--after N]")
               ? with_key(cli, key, "GET", cli->argv[0], "notices", NULL, after)
               : EXIT_USAGE;
}

/* The owner's */

static int host_add(struct cli *cli)
{
    struct buf answer = {0};
    int exit = EXIT_YES;
    if (!words(cli, 1, "comity host add KEY"))
        return EXIT_USAGE;
    if (api_good(cli, "POST", "/api/v1/hosting", span_str(cli->argv[0]), &answer, &exit) == 0)
        (void)fwrite(answer.data, 1, answer.len, stdout);
    buf_free(&answer);
    return exit;
}

static int host_remove(struct cli *cli)
{
    struct buf path, answer = {0};
    int exit = EXIT_YES;
    const char *yes = option(cli, "--yes-remove");
    if (!words(cli, 0, "comity host remove --yes-remove ORGANIZATION"))
        return EXIT_USAGE;
    if (!yes)
        return cli_usage(cli, "--yes-remove ORGANIZATION: its inventories are closed for ever");
    buf_init(&path, 1024);
    buf_text(&path, "/api/v1/hosting?organization=");
    url_escape(&path, yes);
    buf_byte(&path, 0);
    if (path.error)
        exit = cli_fail(cli, path.error, NULL);
    else if (api_good(cli, "POST", (const char *)path.data, span_of(NULL, 0), &answer, &exit) == 0)
        (void)fwrite(answer.data, 1, answer.len, stdout);
    buf_free(&path);
    buf_free(&answer);
    return exit;
}

static int organizations_print(const struct buf *answer)
{
    struct arena arena;
    const struct json *root = NULL;
    arena_init(&arena, 4 * (size_t)JSON_BYTES_MAX);
    int rc = json_parse(&root, buf_view(answer), JSON_BYTES_MAX, &arena, NULL);
    const struct json *list = json_get(root, "organizations");
    if (rc == 0)
        (void)printf("%-32s %-20s %-20s %s\n", "ORGANIZATION", "SINCE (UTC)", "UPLOADED (UTC)", "INVENTORIES");
    for (size_t i = 0; rc == 0 && list && i < list->count; i++) {
        const struct json *o = &list->child[i];
        struct span name = json_text(o, "name"), since = json_text(o, "since"), uploaded = json_text(o, "uploaded");
        int64_t inventories = 0;
        (void)json_int(o, "inventories", &inventories);
        (void)printf("%-32.*s %-20.*s %-20.*s %lld\n", (int)name.len, name.len ? (const char *)name.data : "",
                     (int)since.len, since.len ? (const char *)since.data : "", (int)uploaded.len,
                     uploaded.len ? (const char *)uploaded.data : "", (long long)inventories);
    }
    arena_free(&arena);
    return rc;
}

static int host_list(struct cli *cli)
{
    struct buf answer = {0};
    int exit = EXIT_YES;
    if (!words(cli, 0, "comity host list"))
        return EXIT_USAGE;
    if (api_good(cli, "GET", "/api/v1/hosting", span_of(NULL, 0), &answer, &exit) == 0) {
        if (cli->json)
            (void)fwrite(answer.data, 1, answer.len, stdout);
        else if (organizations_print(&answer) != 0)
            exit = cli_fail(cli, E_PEER, NULL);
    }
    buf_free(&answer);
    return exit;
}

int command_host(struct cli *cli)
{
    static const struct action_named actions[] = {
        {"key", host_key},           {"add", host_add},         {"remove", host_remove},
        {"list", host_list},         {"upload", host_upload},   {"withdraw", host_withdraw},
        {"accesses", host_accesses}, {"notices", host_notices}, {NULL, NULL}};
    return action_run(cli, actions,
                      "comity host key|add|remove|list|upload|withdraw|accesses|notices; see comity host --help");
}
