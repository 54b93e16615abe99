/* Making a party's folder: for a new party, and for one that comes back with new keys. */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cli/founding.h"

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

int passphrase_get(const char *file, struct buf *out, struct fault *fault)
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

int card_make(const char *dir, struct card *card, struct span passphrase, const uint8_t seed[static 32],
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

int config_make(const char *dir, const struct card *card, const char *listen, const char *passphrase_file,
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

void recovery_tell(const struct cli *cli, const struct card *card, struct span note, const uint8_t seed[static 32],
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
