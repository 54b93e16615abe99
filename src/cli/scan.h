/* A scan: inventories judged by advisories from files, without a node. All inventories go into one catalogue; each advisory is read once,
   asked of it, and only where it meets something judged in full. What cannot be read is told by file and place, and stops nothing. */
#ifndef COMITY_CLI_SCAN_H
#define COMITY_CLI_SCAN_H

#include <time.h>

#include "affected/catalogue.h"
#include "cli/cli.h"

struct asset { /* one inventory */
    const char *path;
    struct arena arena;
    struct buf bytes;
    struct inventory inventory;
    struct match_index *index;
};
struct hit {
    uint32_t asset;
    enum verdict verdict;
    char *advisory, *title, *component, *version, *ecosystem, *purl, *place, *reason, *file;
};
struct problem {
    char *file, *what;
    bool remark; /* nothing is undecided because of it */
};
struct scan {
    bool with_undecided, progress; /* progress: on standard error, after two seconds */
    struct catalogue *catalogue;
    struct asset *assets;
    size_t asset_count;
    struct hit *hits;
    size_t hit_count, hit_cap;
    struct problem *problems;
    size_t problem_count, problem_cap; /* remarks among them */
    size_t remarks, unread; /* unread: inventories, and paths of advisories, of which nothing could be read */
    uint64_t advisories, bytes;
    size_t affected, undecided;
    const struct advisory *advisory; /* at hand, of this file */
    const char *file;
    uint64_t *touched; /* assets that the advisory at hand meets */
    bool terminal;     /* standard error is one */
    time_t begun_at, shown_at;
};
/* Room for `count` inventories. What a scan holds is freed by scan_free, also after an error. E_NOMEM. */
int scan_start(struct scan *, size_t count, struct fault *fault);
/* "-" is standard input. `about` as for inventory_read. E_NOMEM only: whatever else is wrong becomes a problem. */
int scan_inventory(struct scan *, const char *path, struct span about);
/* A file, an archive (format/archive.h), a folder with *.json and archives in it, however deep, or "-". Names that begin with a dot and
   links to folders are passed over. E_IO, E_NOTFOUND: the path itself; E_NOMEM. */
int scan_advisories(struct scan *, const char *path, struct fault *fault);
void scan_finish(struct scan *); /* takes the progress off the screen */
void scan_free(struct scan *);

typedef void scan_write(const struct scan *, struct buf *);
scan_write scan_write_text, scan_write_json, scan_write_sarif, scan_write_vex;
void scan_tell_problems(const struct scan *, FILE *out);

#endif
