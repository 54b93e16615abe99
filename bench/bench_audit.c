/* Auditing a whole log from files: statements a second of processor time, against bare Ed25519 verification of the same messages; and the memory that it
   takes, whatever the log's size. --count sets the number of statements. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "record/audit.h"
#include "record/wire.h"

enum { COUNT = 20000, BARE_MAX = 20000, MESSAGE_MAX = 512, ROUNDS = 3 };
#define ORIGIN "comity/0101010101010101/cert.example"

static char dir[256];
static struct secret_key *party_secret, *log_secret;
static struct public_key party_key, log_key;
static struct hash circle = {{1}};

struct message {
    uint8_t bytes[MESSAGE_MAX];
    size_t len;
    struct signature signature;
};
static struct message *messages; /* of the first entries, for the bare verification */

/* One file for a tile whatever its width; only the last state of it is there. */
static void file_of(const char *path, char out[static 512])
{
    const char *partial = strstr(path, ".p/");
    int n = snprintf(out, 512, "%s/", dir), length = (int)(partial ? (size_t)(partial - path) : strlen(path));
    for (int i = 0; i < length && n < 511; i++)
        out[n++] = path[i] == '/' ? '_' : path[i];
    out[n] = 0;
}

static void put(const char *path, struct span bytes)
{
    char name[512];
    file_of(path, name);
    FILE *file = fopen(name, "we");
    if (!file || fwrite(bytes.data, 1, bytes.len, file) != bytes.len || fclose(file) != 0)
        bench_die(name, E_IO, NULL);
}

static int get(void *ctx, const char *path, struct buf *out, struct fault *fault)
{
    char name[512];
    uint8_t block[65536];
    size_t n;
    (void)ctx;
    file_of(path, name);
    FILE *file = fopen(name, "re");
    if (!file)
        return fail(fault, E_NOTFOUND, "no such resource");
    while ((n = fread(block, 1, sizeof block, file)) > 0)
        buf_add(out, block, n);
    (void)fclose(file);
    return out->error;
}

static void entry_write(struct buf *out, uint64_t index)
{
    struct statement s = {
        .issuer = span_str("cert.example"), .media = span_str("application/osv+json"), .circle = circle};
    char subject[32];
    struct buf header, message;
    struct signature signature;
    (void)snprintf(subject, sizeof subject, "EX-%llu", (unsigned long long)index);
    s.subject = span_str(subject);
    s.issued_at = 1800000000 + (int64_t)index;
    memcpy(s.document.b, &index, sizeof index);
    key_id(&party_key, &s.kid);
    buf_init(&header, STATEMENT_BYTES_MAX);
    buf_init(&message, STATEMENT_BYTES_MAX);
    statement_protected(&header, &s);
    cose_to_be_signed(&message, buf_view(&header), span_hash(&s.document));
    sign(party_secret, buf_view(&message), &signature);
    cose_write(out, buf_view(&header), span_of(NULL, 0), span_hash(&s.document), &signature);
    if (index < BARE_MAX && message.len <= MESSAGE_MAX) {
        memcpy(messages[index].bytes, message.data, message.len);
        messages[index].len = message.len;
        messages[index].signature = signature;
    }
    buf_free(&header);
    buf_free(&message);
}

static int tile_put_file(void *ctx, unsigned level, uint64_t index, unsigned width, const struct hash *hashes)
{
    char path[64];
    (void)ctx;
    tile_path(path, (int)level, index, width);
    put(path, span_of(hashes, width * sizeof *hashes));
    return 0;
}

static int tile_read_file(void *ctx, unsigned level, uint64_t index, unsigned width, struct hash *out)
{
    char path[64];
    struct buf bytes;
    tile_path(path, (int)level, index, TILE_WIDTH);
    buf_init(&bytes, TILE_BYTES_MAX);
    int rc = get(ctx, path, &bytes, NULL);
    if (rc == 0 && bytes.len < width * sizeof *out)
        rc = E_NOTFOUND;
    if (rc == 0)
        memcpy(out, bytes.data, width * sizeof *out);
    buf_free(&bytes);
    return rc;
}

static void checkpoint_put(const struct frontier *f)
{
    struct hash root;
    struct buf note;
    struct signature signature;
    frontier_root(f, &root);
    buf_init(&note, NOTE_BYTES_MAX);
    checkpoint_write_text(&note, span_str(ORIGIN), f->size, &root);
    sign(log_secret, buf_view(&note), &signature);
    buf_byte(&note, '\n');
    note_signature_write(&note, span_str(ORIGIN), &log_key, &signature);
    put("checkpoint", buf_view(&note));
    buf_free(&note);
}

/* Bundle by bundle, in constant memory. */
static void log_make(uint64_t size)
{
    const struct tile_reader old = {.read = tile_read_file};
    struct frontier f = {0};
    struct hash leaves[TILE_WIDTH];
    struct buf bundle, entry;
    buf_init(&bundle, BUNDLE_BYTES_MAX);
    buf_init(&entry, STATEMENT_BYTES_MAX);
    for (uint64_t at = 0; at < size; at += TILE_WIDTH) {
        unsigned width = size - at < TILE_WIDTH ? (unsigned)(size - at) : TILE_WIDTH;
        char path[64];
        buf_reset(&bundle);
        for (unsigned i = 0; i < width; i++) {
            buf_reset(&entry);
            entry_write(&entry, at + i);
            bundle_add(&bundle, buf_view(&entry));
            tree_leaf(buf_view(&entry), &leaves[i]);
            frontier_append(&f, &leaves[i]);
        }
        tile_path(path, -1, at / TILE_WIDTH, width);
        put(path, buf_view(&bundle));
        int rc = tree_extend(&old, at, leaves, width, tile_put_file, NULL);
        if (rc)
            bench_die("tiles", rc, NULL);
    }
    checkpoint_put(&f);
    buf_free(&bundle);
    buf_free(&entry);
}

static const struct public_key *key_of(void *ctx, const struct hash *kid, struct span issuer, uint64_t index)
{
    (void)issuer;
    (void)index;
    return hash_eq(kid, ctx) ? &party_key : NULL;
}

static double audit_rate(uint64_t size)
{
    const struct audit_source source = {.get = get};
    struct audit_result result;
    struct fault fault = {0};
    struct hash kid;
    key_id(&party_key, &kid);
    const struct audit_options options = {.log_key = &log_key,
                                          .log_name = span_str(ORIGIN),
                                          .circle = &circle,
                                          .issuer = span_str("cert.example"),
                                          .key = key_of,
                                          .key_ctx = &kid};
    double start = bench_processor();
    int rc = audit_log(&source, &options, &result, &fault);
    if (rc || result.verified != size)
        bench_die(fault.where, rc ? rc : E_STATE, &fault);
    return (double)size / (bench_processor() - start);
}

static double bare_rate(uint64_t count)
{
    double start = bench_processor();
    for (uint64_t i = 0; i < count; i++)
        if (!sign_verify(&party_key, span_of(messages[i].bytes, messages[i].len), &messages[i].signature))
            bench_die("bare verification", E_SIGNATURE, NULL);
    return (double)count / (bench_processor() - start);
}

struct outcome {
    double rate;
    long peak; /* kilobytes */
};

/* What the parent had in memory is not the audit's: the peak counts from here (proc(5), clear_refs). */
static void peak_forget(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "we");
    if (file) {
        (void)fputs("5", file);
        (void)fclose(file);
    }
}

/* In a child, whose memory is its own. */
static struct outcome audit_apart(uint64_t size)
{
    int pipe_fd[2];
    struct outcome outcome;
    if (pipe(pipe_fd) != 0)
        bench_die("pipe", E_IO, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct rusage usage;
        free(messages);
        peak_forget();
        outcome.rate = audit_rate(size);
        (void)getrusage(RUSAGE_SELF, &usage);
        outcome.peak = usage.ru_maxrss;
        _exit(write(pipe_fd[1], &outcome, sizeof outcome) > 0 ? 0 : 1);
    }
    (void)close(pipe_fd[1]);
    if (pid < 0 || read(pipe_fd[0], &outcome, sizeof outcome) != (ssize_t)sizeof outcome)
        bench_die("audit in a child", E_STATE, NULL);
    (void)close(pipe_fd[0]);
    (void)waitpid(pid, NULL, 0);
    return outcome;
}

static int removed(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

int main(int argc, char **argv)
{
    struct bench bench;
    static const uint8_t party_seed[32] = {1}, log_seed[32] = {2};
    const char *base = getenv("TMPDIR");
    double audits[ROUNDS], bare[ROUNDS + 1], peak = 0;
    bench_start(&bench, "audit", argc, argv);
    uint64_t size = bench.count ? bench.count : COUNT, few = size < BARE_MAX ? size : BARE_MAX;
    party_secret = secret_key_from_seed(party_seed, &party_key);
    log_secret = secret_key_from_seed(log_seed, &log_key);
    messages = calloc(BARE_MAX, sizeof *messages);
    (void)snprintf(dir, sizeof dir, "%.200s/comity-bench-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(dir) || !messages || !party_secret || !log_secret)
        bench_die(dir, E_IO, NULL);
    bench_pin();
    log_make(size);
    size_t rounds = size > 200000 ? 1 : ROUNDS;
    bare[0] = bare_rate(few); /* before, between and after, as the machine may be doing something else too */
    for (size_t i = 0; i < rounds; i++) {
        struct outcome outcome = audit_apart(size);
        audits[i] = outcome.rate;
        peak = (double)outcome.peak > peak ? (double)outcome.peak : peak;
        bare[i + 1] = bare_rate(few);
    }
    free(messages);
    char name[64];
    (void)snprintf(name, sizeof name, "entries audited, log of %llu", (unsigned long long)size);
    const struct bench_figure rate = {.name = name,
                                      .unit = "/s",
                                      .value = bench_median(audits, rounds),
                                      .floor = bench_median(bare, rounds + 1),
                                      .target = 0.85};
    const struct bench_figure memory = {
        .name = "peak memory of the audit", .unit = "kB", .value = peak, .target = 32 * 1024, .lower_is_better = true};
    bench_report(&bench, &rate);
    bench_report(&bench, &memory);
    (void)nftw(dir, removed, 16, FTW_DEPTH | FTW_PHYS);
    secret_key_free(party_secret);
    secret_key_free(log_secret);
    return 0;
}
