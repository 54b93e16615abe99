#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "signer/signer.h"

static const char usage[] =
    "comity init DIR --name NAME --role ROLE --jurisdiction J --listen ADDR:PORT [--url URL] [--passphrase-file FILE]";

static int prompt(const char *text, char *out, size_t size)
{
    struct termios old, quiet;
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &old) != 0)
        return E_USAGE;
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    (void)fprintf(stderr, "%s", text);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    bool good = fgets(out, (int)size, stdin) != NULL;
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
    (void)fputc('\n', stderr);
    out[strcspn(out, "\n")] = 0;
    return good && *out ? 0 : E_USAGE;
}

static int passphrase_get(const char *file, struct buf *out, struct fault *fault)
{
    char first[1024], second[1024];
    if (file) {
        int rc = file_read(file, 4096, out, fault);
        while (rc == 0 && out->len && (out->data[out->len - 1] == '\n' || out->data[out->len - 1] == '\r'))
            out->len--;
        return rc == 0 && out->len < 8 ? fail(fault, E_PASSPHRASE, "a passphrase has at least 8 characters") : rc;
    }
    buf_init(out, 4096);
    if (prompt("Passphrase: ", first, sizeof first) != 0 || prompt("Again: ", second, sizeof second) != 0)
        return fail(fault, E_USAGE, "no terminal to ask on; give --passphrase-file");
    if (strcmp(first, second) != 0 || strlen(first) < 8)
        return fail(fault, E_PASSPHRASE, "the two differ, or have fewer than 8 characters");
    buf_text(out, first);
    sodium_memzero(first, sizeof first);
    sodium_memzero(second, sizeof second);
    return 0;
}

static int fields_take(struct card *card, const char *name, const char *role, const char *jurisdiction, const char *url,
                       struct fault *fault)
{
    card->role = ROLE_COUNT;
    for (int i = 0; i < ROLE_COUNT; i++)
        if (strcmp(role, party_role_names[i]) == 0)
            card->role = (enum party_role)i;
    if (card->role == ROLE_COUNT)
        return fail(fault, E_USAGE, "--role is state, organization, vendor, operator or observer");
    if (!name_valid(span_str(name)))
        return fail(fault, E_USAGE, "--name is 1 to 63 of a-z 0-9 - in labels joined by dots");
    if (!*jurisdiction || strlen(jurisdiction) >= sizeof card->jurisdiction || strlen(url) >= sizeof card->url)
        return fail(fault, E_USAGE, "--jurisdiction or --url is too long or empty");
    (void)snprintf(card->name, sizeof card->name, "%s", name);
    (void)snprintf(card->jurisdiction, sizeof card->jurisdiction, "%s", jurisdiction);
    (void)snprintf(card->url, sizeof card->url, "%s", url);
    return 0;
}

static int card_make(const char *dir, struct card *card, struct span passphrase, const uint8_t seed[static 32],
                     struct buf *note, struct fault *fault)
{
    struct keyring *ring = NULL;
    struct card check;
    int rc = keyring_open(&ring, dir, passphrase, fault);
    if (rc)
        return rc;
    card->made_at = (int64_t)time(NULL);
    card_sign(note, card, ring, seed);
    keyring_free(ring);
    rc = note->error ? note->error : card_parse(&check, buf_view(note), fault);
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/card.note", dir);
    return rc ? rc : file_write(path, buf_view(note), 0644, true, fault);
}

static int config_make(const char *dir, const struct card *card, const char *listen, const char *passphrase_file,
                       struct fault *fault)
{
    struct buf text;
    char path[4096], absolute[4096] = "";
    buf_init(&text, CONFIG_BYTES_MAX);
    buf_printf(&text, "# key = value; an unknown key is an error\nname = %s\nlisten = %s\n", card->name, listen);
    if (passphrase_file && realpath(passphrase_file, absolute))
        buf_printf(&text, "passphrase-file = %s\n", absolute);
    else
        buf_text(&text, "# passphrase-file = /etc/comity/passphrase\n");
    buf_text(&text, "# notify-command = /usr/local/bin/on-notice\n# notify-webhook = https://siem.example/notices\n");
    (void)snprintf(path, sizeof path, "%s/comity.conf", dir);
    int rc = file_write(path, buf_view(&text), 0644, true, fault);
    buf_free(&text);
    return rc;
}

static void tell(const struct cli *cli, const struct card *card, struct span note, const uint8_t seed[static 32],
                 const char *sheets)
{
    char fingerprint[64];
    struct buf words;
    unsigned need = 0, count = 0;
    card_fingerprint(note, fingerprint);
    buf_init(&words, 8192);
    bool split = fraction_parse(sheets, &need, &count);
    if (split)
        (void)recovery_split(seed, need, count, &words, NULL);
    else
        recovery_words(seed, &words);
    if (cli->json) {
        (void)printf("{\"party\":\"%s\",\"fingerprint\":\"%s\",\"recovery\":\"", card->name, fingerprint);
        for (size_t i = 0; i < words.len; i++)
            (void)fputc(words.data[i] == '\n' ? '|' : words.data[i], stdout);
        (void)puts("\"}");
    } else {
        (void)printf("party        %s (%s, %s)\nfingerprint  %s\n\n", card->name, party_role_names[card->role],
                     card->jurisdiction, fingerprint);
        (void)printf(
            "Recovery key%s, kept nowhere on this machine. Print it, lock it away, then clear this screen:\n\n%.*s\n",
            split ? " in sheets" : "", (int)words.len, (const char *)words.data);
    }
    sodium_memzero(words.data, words.cap);
    buf_free(&words);
}

int command_init(struct cli *cli)
{
    const char *name = option(cli, "--name"), *role = option(cli, "--role"),
               *jurisdiction = option(cli, "--jurisdiction");
    const char *listen = option(cli, "--listen"), *url = option(cli, "--url"), *file = option(cli, "--passphrase-file");
    const char *sheets = option(cli, "--sheets");
    struct card card = {0};
    struct fault fault = {0};
    struct buf passphrase = {0}, note;
    char made_url[256];
    uint8_t seed[32] = {0};
    unsigned need, count;
    if (!words(cli, 1, usage))
        return EXIT_USAGE;
    if (sheets && (!fraction_parse(sheets, &need, &count) || need < 2 || need > count || count > 15))
        return cli_usage(cli, "--sheets NEED/COUNT with 2 <= NEED <= COUNT <= 15");
    if (!name || !role || !jurisdiction || !listen)
        return cli_usage(cli, "usage: %s", usage);
    (void)snprintf(made_url, sizeof made_url, "http://%s", listen);
    buf_init(&note, CARD_BYTES_MAX);
    int rc = fields_take(&card, name, role, jurisdiction, url ? url : made_url, &fault);
    rc = rc ? rc : passphrase_get(file, &passphrase, &fault);
    if (rc == 0 && mkdir(cli->argv[0], 0700) != 0 && errno != EEXIST)
        rc = fail(&fault, E_IO, "%s: %s", cli->argv[0], strerror(errno));
    rc = rc ? rc : keys_create(cli->argv[0], buf_view(&passphrase), card.keys, seed, &fault);
    rc = rc ? rc : card_make(cli->argv[0], &card, buf_view(&passphrase), seed, &note, &fault);
    rc = rc ? rc : config_make(cli->argv[0], &card, listen, file, &fault);
    if (rc == 0)
        tell(cli, &card, buf_view(&note), seed, sheets);
    sodium_memzero(seed, sizeof seed);
    if (passphrase.data)
        sodium_memzero(passphrase.data, passphrase.cap);
    buf_free(&passphrase);
    buf_free(&note);
    return rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
}
