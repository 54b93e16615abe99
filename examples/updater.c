/* An updater that installs only what its vendor said in public, before a quorum of independent parties. Copy it.

       updater BUNDLE RECEIPT FILE VENDOR [SEEN]

   BUNDLE comes with the updater itself: it says whom to believe. RECEIPT and FILE may come from anywhere, over anything. VENDOR is
   the party name of whom you take updates from. SEEN, if given, is a file that remembers the log position of the last update, so
   that an old one, however genuine, is not installed over a newer one.

   cc -o updater updater.c $(pkg-config --cflags --libs libcomity)        Exit code: 0 install it; 1 never; 3 not yet; 4 try again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <comity.h>

struct file {
    unsigned char *bytes;
    size_t len;
};

static int file_read(const char *path, size_t max, struct file *out)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return -1;
    out->bytes = malloc(max + 1);
    out->len = out->bytes ? fread(out->bytes, 1, max + 1, file) : 0;
    int good = out->bytes && !ferror(file) && out->len <= max;
    (void)fclose(file);
    return good ? 0 : -1;
}

static int64_t seen_read(const char *path)
{
    int64_t index = -1;
    FILE *file = path ? fopen(path, "r") : NULL;
    if (file) {
        if (fscanf(file, "%" SCNd64, &index) != 1)
            index = INT64_MAX; /* damaged: install nothing until somebody has looked */
        (void)fclose(file);
    }
    return index;
}

static int seen_write(const char *path, int64_t index)
{
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!path)
        return 0;
    int bad = !file || fprintf(file, "%" PRId64 "\n", index) < 0;
    bad |= file && fclose(file) != 0;
    return bad ? -1 : 0;
}

/* What the library cannot know: is it ours, and is it newer? */
static int wanted(const comity_result *result, const char *vendor, int64_t seen)
{
    if (strcmp(comity_result_text(result, COMITY_ISSUER), vendor) != 0) {
        (void)fprintf(stderr, "stated by %s, not by %s\n", comity_result_text(result, COMITY_ISSUER), vendor);
        return 0;
    }
    if (comity_result_number(result, COMITY_INDEX) <= seen) {
        (void)fprintf(stderr, "not newer than what is installed\n");
        return 0;
    }
    return 1;
}

static int decide(char **argv)
{
    enum { MEBIBYTE = 1024 * 1024 };
    struct file bundle = {0}, receipt = {0}, update = {0};
    comity_result *result = NULL;
    int code = COMITY_FAILED;
    if (file_read(argv[1], 8 * MEBIBYTE, &bundle) != 0 || file_read(argv[2], MEBIBYTE, &receipt) != 0 ||
        file_read(argv[3], (size_t)1024 * MEBIBYTE, &update) != 0) {
        (void)fprintf(stderr, "cannot read one of the files\n");
    } else {
        code = (int)comity_verify_receipt(bundle.bytes, bundle.len, receipt.bytes, receipt.len, update.bytes,
                                          update.len, &result);
        if (code != COMITY_STANDS)
            (void)fprintf(stderr, "%s: %s\n", comity_result_error(result), comity_result_message(result));
        else if (!wanted(result, argv[4], seen_read(argv[5])))
            code = COMITY_INVALID;
        else if (seen_write(argv[5], comity_result_number(result, COMITY_INDEX)) != 0)
            code = COMITY_FAILED;
    }
    if (code == COMITY_STANDS)
        (void)printf("install: %s of %s, held by %" PRId64 " of %" PRId64 " mirrors\n",
                     comity_result_text(result, COMITY_SUBJECT), argv[4], comity_result_number(result, COMITY_COSIGNED),
                     comity_result_number(result, COMITY_MEMBERS));
    comity_result_free(result);
    free(bundle.bytes);
    free(receipt.bytes);
    free(update.bytes);
    return code;
}

int main(int argc, char **argv)
{
    if (argc < 5 || argc > 6) {
        (void)fprintf(stderr, "usage: updater BUNDLE RECEIPT FILE VENDOR [SEEN]\n");
        return 2;
    }
    return decide(argv);
}
