/* corpus DIR: writes the seed inputs of fuzz/corpus/{card,charter,bundle,verify} and tests/lib/fixture, all made up. Not a test: it
   is built by hand when a format changes (cc with the rooms circle, record, format, crypto and base). */
#include "tests/circle/subject.h"

static const char *root;

static void put(const char *name, struct span bytes)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes.data, 1, bytes.len, file) != bytes.len || fclose(file) != 0)
        abort();
}

static void put_free(const char *name, struct buf *bytes)
{
    put(name, buf_view(bytes));
    buf_free(bytes);
}

static void receipts(struct subject *s)
{
    struct buf out;
    subject_log(s, 6);
    subject_receipt(s, 3, 15, 0, &out);
    put("fuzz/corpus/verify/standing", buf_view(&out));
    put_free("tests/lib/fixture/standing.receipt", &out);
    subject_receipt(s, 0, 3, 0, &out);
    put("fuzz/corpus/verify/unwitnessed", buf_view(&out));
    put_free("tests/lib/fixture/unwitnessed.receipt", &out);
    subject_receipt(s, 5, 15, 2, &out);
    put_free("fuzz/corpus/verify/bad-cosignature", &out);
    subject_transparent(s, 4, 15, -1, (struct subject_mirror_twist){0}, &out);
    put("fuzz/corpus/verify/cose", buf_view(&out));
    put_free("tests/lib/fixture/standing.cose", &out);
    subject_transparent(s, 1, 1, -1, (struct subject_mirror_twist){0}, &out);
    put_free("fuzz/corpus/verify/cose-one", &out);
    put("fuzz/corpus/verify/statement", buf_view(&s->entries[0]));
}

int main(int argc, char **argv)
{
    struct subject s;
    if (argc != 2 || crypto_start() != 0 || subject_make(&s, 5, 4, 2, 2, 4) != 0)
        return 1;
    root = argv[1];
    for (size_t i = 0; i < 4; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "fuzz/corpus/card/party-%zu", i);
        put(name, buf_view(&s.notes[i]));
    }
    put("fuzz/corpus/charter/five", buf_view(&s.charter));
    put("fuzz/corpus/bundle/five", buf_view(&s.bundle));
    put("tests/lib/fixture/bundle.json", buf_view(&s.bundle));
    put("tests/lib/fixture/document", span_str(subject_document));
    receipts(&s);
    subject_free(&s);
    for (size_t n = 1; n < 4; n++) {
        char name[64];
        if (subject_make(&s, n, n / 2, 1, 0, 0) != 0)
            return 1;
        (void)snprintf(name, sizeof name, "fuzz/corpus/charter/of-%zu", n);
        put(name, buf_view(&s.charter));
        (void)snprintf(name, sizeof name, "fuzz/corpus/bundle/of-%zu", n);
        put(name, buf_view(&s.bundle));
        subject_free(&s);
    }
    return 0;
}
