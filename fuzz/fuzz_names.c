/* Rows of an advisory against components, each a line of fields between tabs: the index must say what a comparison of everything with
   everything says. Lines that begin with '-' are rows: ecosystem, name, introduced, fixed; others components: ecosystem, name, version,
   source, source version. */
#include "affected/judge.h"
#include "crypto/sign.h"
#include "format/version.h"
#include "fuzz/fuzz.h"

enum { MOST = 24 };

struct seen {
    struct advisory advisory;
    struct inventory inventory;
    struct affected_package rows[MOST];
    struct range ranges[MOST];
    struct range_event events[MOST][2];
    struct component components[MOST];
    enum verdict verdicts[MOST];
};

static struct span field(struct span *line)
{
    const uint8_t *tab = line->len ? memchr(line->data, '\t', line->len) : NULL;
    struct span text = span_of(line->data, tab ? (size_t)(tab - line->data) : line->len);
    *line = span_from(*line, text.len + 1);
    return text;
}

static void row_add(struct seen *s, struct span line)
{
    size_t i = s->advisory.package_count++;
    struct affected_package *row = &s->rows[i];
    row->ecosystem = field(&line);
    row->name = field(&line);
    row->order = order_of_ecosystem(row->ecosystem);
    s->events[i][0] = (struct range_event){EVENT_INTRODUCED, field(&line)};
    s->events[i][1] = (struct range_event){EVENT_FIXED, field(&line)};
    s->ranges[i] = (struct range){s->events[i][1].version.len ? 2 : 1, s->events[i]};
    row->ranges = &s->ranges[i];
    row->range_count = s->events[i][0].version.len > 0;
}

static void component_add(struct seen *s, struct span line)
{
    struct component *c = &s->components[s->inventory.count++];
    c->ecosystem = field(&line);
    c->name = field(&line);
    c->version = field(&line);
    c->source = field(&line);
    c->source_version = field(&line);
}

static int visit(void *ctx, enum verdict verdict, const struct evidence *evidence)
{
    struct seen *s = ctx;
    size_t at = (size_t)(evidence->component - s->components);
    must(at < s->inventory.count && verdict != VERDICT_NONE && s->verdicts[at] == VERDICT_NONE);
    must(memchr(evidence->reason, 0, sizeof evidence->reason) != NULL);
    s->verdicts[at] = verdict;
    return 0;
}

static void symmetric(const struct seen *s)
{
    for (size_t i = 0; i < s->advisory.package_count; i++)
        for (size_t j = 0; j < s->inventory.count; j++) {
            struct span e = s->rows[i].ecosystem, a = s->rows[i].name, b = s->components[j].name;
            must(name_eq(e, a, b) == name_eq(e, b, a) && (!name_trim(a).len || name_eq(e, a, a)));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct seen s;
    struct span rest = span_of(data, size);
    memset(&s, 0, sizeof s);
    must(crypto_start() == 0);
    s.advisory.packages = s.rows;
    s.inventory.components = s.components;
    while (rest.len) {
        struct span line = plan_line(&rest);
        bool row = span_starts(line, "-");
        if (row && s.advisory.package_count < MOST)
            row_add(&s, span_from(line, 1));
        else if (!row && s.inventory.count < MOST)
            component_add(&s, line);
    }
    must(match_inventory(&s.advisory, &s.inventory, visit, &s) == 0);
    for (size_t i = 0; i < s.inventory.count; i++)
        must(match_component(&s.advisory, &s.components[i], NULL) == s.verdicts[i]);
    symmetric(&s);
    return 0;
}
