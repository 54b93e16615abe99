/* Shared by the measurements: time, what it ran on, one line of text or of JSON for each figure, and a circle of one to run them in. */
#ifndef COMITY_BENCH_BENCH_H
#define COMITY_BENCH_BENCH_H

#include "circle/roster.h"
#include "node/engine.h"

struct bench {
    const char *name;
    bool json;
    uint64_t count;      /* --count, 0 if not given */
    const char *program; /* --program: the comity executable */
};
/* Reads --json, --count N and --program FILE, and tells what it runs on. Exits on anything else. */
void bench_start(struct bench *bench, const char *name, int argc, char **argv);
/* A figure; `floor` is what nobody could beat, measured in the same run (0: none); `target` is for the ratio, or for the figure when
   there is no floor (0: none). A floor that is a rate makes the ratio figure / floor. */
struct bench_figure {
    const char *name, *unit;
    double value, floor, target;
    bool lower_is_better;
};
void bench_report(const struct bench *bench, const struct bench_figure *figure);
double bench_now(void); /* seconds, monotonic */
double bench_processor(
    void); /* seconds of processor time of this process: on a busy machine, what it would have taken alone */
double bench_median(double *values, size_t count);
void bench_pin(void); /* to the last core that is allowed; children inherit it */
void bench_die(const char *what, int rc, const struct fault *fault) __attribute__((noreturn));

/* A folder as `comity init` and `comity charter accede` make it, of one state that is the whole committee: nobody mirrors it. */
struct bench_circle {
    char dir[256];
    struct arena arena;
    struct roster roster;
    struct store *store;
    struct signer *signer;
    struct node *node;
};
void bench_circle_make(struct bench_circle *circle);
void bench_circle_open(struct bench_circle *circle); /* signer process, store and engine */
void bench_circle_close(struct bench_circle *circle);
void bench_circle_drop(struct bench_circle *circle); /* removes the folder */
/* States small distinct texts, as the owner does: an event for each, and a flush after at most 1,024 of them. */
void bench_state(struct bench_circle *circle, uint64_t first, size_t count);
size_t bench_document(uint64_t number, char out[static 256]);

/* One request to a node's own socket, DIR/run/sock; the answer's body, and its HTTP status (0: no connection). */
int bench_request(const char *dir, const char *method, const char *target, struct span body, struct buf *answer);

#endif
