#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/founding.h"

static const char usage[] =
    "comity init DIR --name NAME --role ROLE --jurisdiction J --listen ADDR:PORT [--url URL] [--passphrase-file FILE]";

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
        recovery_tell(cli, &card, buf_view(&note), seed, sheets);
    sodium_memzero(seed, sizeof seed);
    if (passphrase.data)
        sodium_memzero(passphrase.data, passphrase.cap);
    buf_free(&passphrase);
    buf_free(&note);
    return rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
}
