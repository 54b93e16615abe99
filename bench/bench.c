#include "bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PARTY "northland.example"
static const char passphrase[] = "a passphrase for measurements only";

void bench_die(const char *what, int rc, const struct fault *fault)
{
    const struct error_text *text = error_text(rc);
    (void)fprintf(stderr, "bench: %s: %s (%s)%s%s\n", what, text->message, text->id, fault ? ": " : "",
                  fault ? fault->detail : "");
    exit(1);
}

double bench_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double bench_processor(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int64_t clock_wall_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t clock_seconds(void *ctx)
{
    (void)ctx;
    return (int64_t)time(NULL);
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, order);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

void bench_pin(void)
{
    cpu_set_t set, one;
    int last = 0;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        bench_die("affinity", E_STATE, NULL);
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set))
            last = i;
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0)
        bench_die("affinity", E_STATE, NULL);
}

static void cpu_model(char out[static 128])
{
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "re");
    (void)snprintf(out, 128, "unknown");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':')) {
            (void)snprintf(out, 128, "%.100s", strchr(line, ':') + 2);
            out[strcspn(out, "\n")] = 0;
            break;
        }
    if (file)
        (void)fclose(file);
}

static void tell_machine(const struct bench *bench)
{
    char model[128];
    struct utsname os;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    cpu_model(model);
    if (uname(&os) != 0)
        (void)snprintf(os.release, sizeof os.release, "unknown");
    if (bench->json)
        (void)printf("{\"bench\":\"%s\",\"cpu\":\"%s\",\"cores\":%ld,\"kernel\":\"%s\"}\n", bench->name, model, cores,
                     os.release);
    else
        (void)printf("%s on %s, %ld core(s), Linux %s\n", bench->name, model, cores, os.release);
    (void)fflush(stdout);
}

void bench_start(struct bench *bench, const char *name, int argc, char **argv)
{
    *bench = (struct bench){.name = name};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            bench->json = true;
        } else if (strcmp(argv[i], "--count") == 0 && i + 1 < argc) {
            bench->count = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--program") == 0 && i + 1 < argc) {
            bench->program = argv[++i];
        } else {
            (void)fprintf(stderr, "usage: bench_%s [--json] [--count N] [--program FILE]\n", name);
            exit(2);
        }
    }
    if (crypto_start() != 0)
        bench_die("crypto", E_STATE, NULL);
    tell_machine(bench);
}

void bench_report(const struct bench *bench, const struct bench_figure *f)
{
    double ratio = f->floor > 0 ? f->value / f->floor : 0, judged = f->floor > 0 ? ratio : f->value;
    bool reached = f->lower_is_better ? judged <= f->target : judged >= f->target;
    const char *verdict = f->target <= 0 ? "" : reached ? "reached" : "missed";
    if (bench->json) {
        (void)printf("{\"bench\":\"%s\",\"figure\":\"%s\",\"unit\":\"%s\",\"value\":%.3f", bench->name, f->name,
                     f->unit, f->value);
        if (f->floor > 0)
            (void)printf(",\"floor\":%.3f,\"ratio\":%.3f", f->floor, ratio);
        if (f->target > 0)
            (void)printf(",\"target\":%.3f,\"reached\":%s", f->target, reached ? "true" : "false");
        (void)puts("}");
    } else {
        (void)printf("  %-44s %12.1f %s", f->name, f->value, f->unit);
        if (f->floor > 0)
            (void)printf("; floor %.1f, ratio %.2f", f->floor, ratio);
        if (f->target > 0)
            (void)printf(" (target %s %g: %s)", f->lower_is_better ? "<=" : ">=", f->target, verdict);
        (void)puts("");
    }
    (void)fflush(stdout);
}

/* A circle of one */

static void path_of(const struct bench_circle *circle, const char *name, char out[static 512])
{
    (void)snprintf(out, 512, "%s/%s", circle->dir, name);
}

static void file_put(const struct bench_circle *circle, const char *name, struct span bytes)
{
    char path[512];
    path_of(circle, name, path);
    FILE *file = fopen(path, "we");
    if (!file || fwrite(bytes.data, 1, bytes.len, file) != bytes.len || fclose(file) != 0)
        bench_die(path, E_IO, NULL);
}

static void charter_make(struct bench_circle *circle, struct span card_note)
{
    struct fault fault = {0};
    struct charter_party party = {.card_note = card_note, .committee = true};
    struct charter_draft draft = {
        .name = span_str("Circle of one"), .founded_at = (int64_t)time(NULL), .parties = &party, .count = 1};
    struct buf charter;
    char path[512];
    buf_init(&charter, CHARTER_BYTES_MAX);
    charter_write(&charter, &draft);
    arena_init(&circle->arena, 64 << 20);
    int rc = charter.error ? charter.error
                           : charter_parse(&circle->roster, arena_copy(&circle->arena, buf_view(&charter)),
                                           &circle->arena, &fault);
    if (rc)
        bench_die("charter", rc, &fault);
    path_of(circle, "charter", path);
    (void)mkdir(path, 0700);
    file_put(circle, "charter/charter.json", buf_view(&charter));
    buf_free(&charter);
}

void bench_circle_make(struct bench_circle *circle)
{
    const char *base = getenv("TMPDIR");
    struct fault fault = {0};
    struct card card = {
        .name = PARTY, .role = ROLE_STATE, .jurisdiction = "northland", .url = "http://127.0.0.1:18399"};
    struct keyring *ring = NULL;
    struct buf note, conf;
    uint8_t seed[32];
    *circle = (struct bench_circle){0};
    (void)snprintf(circle->dir, sizeof circle->dir, "%.200s/comity-bench-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(circle->dir))
        bench_die(circle->dir, E_IO, NULL);
    int rc = keys_create(circle->dir, span_str(passphrase), card.keys, seed, &fault);
    rc = rc ? rc : keyring_open(&ring, circle->dir, span_str(passphrase), &fault);
    if (rc)
        bench_die("keys", rc, &fault);
    card.made_at = (int64_t)time(NULL);
    buf_init(&note, CARD_BYTES_MAX);
    card_sign(&note, &card, ring, seed);
    keyring_free(ring);
    charter_make(circle, buf_view(&note));
    file_put(circle, "card.note", buf_view(&note));
    file_put(circle, "passphrase", span_str(passphrase));
    buf_init(&conf, CONFIG_BYTES_MAX);
    buf_printf(&conf, "name = %s\nlisten = 127.0.0.1:18399\npassphrase-file = %s/passphrase\n", PARTY, circle->dir);
    file_put(circle, "comity.conf", buf_view(&conf));
    buf_free(&conf);
    buf_free(&note);
}

static void signer_open(struct bench_circle *circle)
{
    struct fault fault = {0};
    struct signer_config config = {.party = PARTY, .circle = circle->roster.circle, .clock = clock_seconds};
    char path[512], degraded[128];
    struct signer_process process = {.control = -1};
    int fd = -1;
    path_of(circle, "signer.state", path);
    config.state_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int rc = config.state_fd < 0 ? E_IO : keyring_open(&config.keys, circle->dir, span_str(passphrase), &fault);
    rc = rc ? rc : signer_spawn(&process, &config, degraded, &fault);
    rc = rc ? rc : signer_connect(&process, &fd);
    if (rc == 0 && !(circle->signer = signer_client(fd)))
        rc = E_NOMEM;
    if (rc)
        bench_die("signer", rc, &fault);
    (void)close(config.state_fd);
    (void)close(process.control); /* it ends with its one node */
}

static void step(struct bench_circle *circle, const struct event *event, size_t replies)
{
    struct actions actions = {0};
    size_t seen = 0;
    int rc = node_step(circle->node, event, clock_wall_ms(), &actions);
    for (size_t i = 0; i < actions.count; i++)
        seen += actions.list[i].kind == ACTION_REPLY && actions.list[i].status == 201;
    if (rc == 0 && seen != replies)
        rc = E_REFUSED;
    actions_clear(&actions);
    if (rc)
        bench_die("step", rc, NULL);
}

void bench_circle_open(struct bench_circle *circle)
{
    struct fault fault = {0};
    char path[512], blobs[512];
    signer_open(circle);
    path_of(circle, "state.db", path);
    path_of(circle, "blobs", blobs);
    int rc = store_sqlite_open(&circle->store, path, blobs, &fault);
    const struct env env = {.store = circle->store, .signer = circle->signer};
    const struct node_config config = {.roster = &circle->roster, .party = span_str(PARTY)};
    rc = rc ? rc : node_open(&circle->node, &env, &config, &fault);
    if (rc)
        bench_die("node", rc, &fault);
    const struct event start = {.kind = EVENT_START}, tick = {.kind = EVENT_TICK};
    step(circle, &start, 0);
    step(circle, &tick, 0); /* nobody to ask: recovered at once */
}

void bench_circle_close(struct bench_circle *circle)
{
    node_close(circle->node);
    circle->store->ops->close(circle->store);
    circle->signer->ops->close(circle->signer);
    (void)waitpid(-1, NULL, 0);
}

static int removed(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

void bench_circle_drop(struct bench_circle *circle)
{
    (void)nftw(circle->dir, removed, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(&circle->arena);
}

size_t bench_document(uint64_t number, char out[static 256])
{
    int n =
        snprintf(out, 256,
                 "Notice %llu: the service of station %llu is restored, and its measurement %llu is to be discarded.\n",
                 (unsigned long long)number, (unsigned long long)(number * 2654435761u % 100003),
                 (unsigned long long)(number * 40503u));
    return n > 0 ? (size_t)n : 0;
}

void bench_state(struct bench_circle *circle, uint64_t first, size_t count)
{
    const struct event flush = {.kind = EVENT_FLUSH};
    size_t waiting = 0;
    for (size_t i = 0; i < count; i++) {
        char text[256];
        struct submission s = {.media = "text/plain", .label = LABEL_OPEN};
        s.document = span_of(text, bench_document(first + i, text));
        (void)snprintf(s.subject, sizeof s.subject, "notice-%llu", (unsigned long long)(first + i));
        const struct event event = {
            .kind = EVENT_SUBMIT, .token = first + i + 1, .submissions = &s, .submission_count = 1};
        step(circle, &event, 0);
        if (++waiting == BATCH_STATEMENTS_MAX || i + 1 == count) {
            step(circle, &flush, waiting);
            waiting = 0;
        }
    }
}

static int socket_open(const char *dir)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int n = snprintf(address.sun_path, sizeof address.sun_path, "%s/run/sock", dir);
    int fd = n > 0 && (size_t)n < sizeof address.sun_path ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

int bench_request(const char *dir, const char *method, const char *target, struct span body, struct buf *answer)
{
    struct buf request;
    uint8_t block[16384];
    ssize_t n;
    int status = 0, fd = socket_open(dir);
    if (fd < 0)
        return 0;
    buf_init(&request, 1 << 20);
    buf_printf(&request, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
               method, target, body.len);
    buf_span(&request, body);
    bool sent = !request.error && write(fd, request.data, request.len) == (ssize_t)request.len;
    buf_free(&request);
    buf_reset(answer);
    while (sent && (n = read(fd, block, sizeof block)) > 0)
        buf_add(answer, block, (size_t)n);
    (void)close(fd);
    buf_byte(answer, 0);
    if (answer->error || sscanf((const char *)answer->data, "HTTP/1.1 %d", &status) != 1)
        return 0;
    return status;
}
