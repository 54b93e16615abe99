/* The catalogue against brute force: after any sequence of advisories and uploads, what it told, added up, is what match_component says of
   every component one by one. */
#include "affected/catalogue.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "affected/judge.h"
#include "affected/lists.h"
#include "format/version.h"
#include "tests/test.h"

static uint64_t state = 88172645463325252ull;
static unsigned draw(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 20) % below;
}

static const char *const ecosystems[] = {"Debian:12", "Debian", "Go", "npm", "PyPI", "", "Nowhere", "Debian:13"};
static const char *const names[] = {"a-b", "a_b", "A.b", "zlib", "x/y", "x:y", "a-B"};
static const char *const versions[] = {"1.0.0", "1.0",     "v1.0.0",  "2.0.0-rc.1",    "2.0.0", "2.1.0", "10.0.0",
                                       "0",     "1:1.0-1", "1.0~rc1", "not a version", "3",     "0.0.1", "2.1.0+build"};
static const char *const cpes[] = {"cpe:2.3:a:acme:valve:1.0.0:*:*:*:*:*:*:*",
                                   "cpe:2.3:a:acme:valve:*:*:*:*:*:*:*:*",
                                   "cpe:/a:acme:valve",
                                   "cpe:2.3:a:acme:valve:2.0.0:sp1:*:*:*:*:*:*",
                                   "cpe:2.3:a:acme:valve:*:*:*:*:*:linux:*:*",
                                   "cpe:2.3:o:acme:valve:-:*:*:*:*:*:*:*",
                                   "cpe:2.3:a:acme:*:1:*:*:*:*:*:*:*",
                                   "cpe:2.3:a:ACME:Valve:3:*:*:*:*:*:*:*",
                                   "cpe:2.3:a:acme:pump:*:*:*:*:*:*:*:*",
                                   "cpe:nonsense"};
static const char *const vendors[] = {"Acme Inc.", "ACME", "Acme Ltd", "Volt AG", ""};
static const char *const products[] = {"Valve 7 (ABC-123456)", "Valve 7",         "Valve-7 firmware",
                                       "Acme Valve 7",         "Pump ABC-123456", ""};
static const char *const models[] = {"", "", "ABC-123456", "ABC 123456\nDEF-1", "DEF1", "X"};
#define PICK(from) span_str(from[draw(sizeof from / sizeof from[0])])
/* Few at a time, so that they meet: each round has another corner of the pools. */
static unsigned corner_ecosystem, corner_name;
#define PICK_ECOSYSTEM() span_str(ecosystems[(corner_ecosystem + draw(3)) % 8])
#define PICK_NAME() span_str(names[(corner_name + draw(2)) % 7])

enum { ADVISORIES = 7, ASSETS = 5, ROWS = 3, RANGES = 3, EVENTS = 4, LISTED = 3, COMPONENTS = 9, KEYS = 2048 };

static struct drawn_row {
    struct range ranges[RANGES];
    struct range_event events[RANGES][EVENTS];
    struct span versions[LISTED], fixed[LISTED];
} rows[ADVISORIES][ROWS];
static struct affected_package packages[ADVISORIES][ROWS];
static struct advisory advisories[ADVISORIES];
static struct component components[ASSETS][COMPONENTS];
static struct inventory inventories[ASSETS];
static bool have_advisory[ADVISORIES];
enum { DECIDED = 2 };
static struct decided decided[ASSETS][COMPONENTS][DECIDED];
static uint8_t decided_keys[ASSETS][COMPONENTS][DECIDED][KEY_BYTES_MAX];

static void low_row_draw(struct affected_package *p)
{
    p->lane = draw(2) ? LANE_CPE : LANE_TEXT;
    p->order = draw(3) ? ORDER_GENERIC : ORDER_SEMVER;
    p->ecosystem = span_of(NULL, 0);
    p->name = span_str("as shown");
    p->cpe = PICK(cpes);
    p->vendor = PICK(vendors);
    p->product = PICK(products);
    p->model = PICK(models);
}

static void low_component_draw(struct component *c, unsigned asset, unsigned number)
{
    if (draw(2))
        c->cpe = PICK(cpes);
    if (draw(3))
        c->vendor = PICK(vendors);
    c->product = draw(3) ? PICK(products) : span_of(NULL, 0);
    c->model = PICK(models);
    c->decided = decided[asset][number];
    c->decided_count = draw(3) ? 0 : 1 + draw(DECIDED);
    for (unsigned i = 0; i < c->decided_count; i++)
        decided[asset][number][i] = (struct decided){
            .key = product_key(PICK(vendors), PICK(products), decided_keys[asset][number][i]), .same = draw(2)};
    if (draw(4) == 0)
        c->ecosystem = c->name = c->source = span_of(NULL, 0);
}

static void advisory_draw(unsigned id)
{
    advisories[id] =
        (struct advisory){.packages = packages[id], .package_count = 1 + draw(ROWS), .withdrawn = draw(9) == 0};
    if (draw(2))
        advisories[id].version = span_str("2"); /* as CSAF: not exhaustive */
    for (size_t r = 0; r < advisories[id].package_count; r++) {
        struct drawn_row *d = &rows[id][r];
        struct affected_package *p = &packages[id][r];
        *p = (struct affected_package){.ecosystem = PICK_ECOSYSTEM(),
                                       .name = PICK_NAME(),
                                       .range_count = draw(RANGES + 1),
                                       .version_count = draw(LISTED + 1),
                                       .fixed_count = draw(4) ? 0 : draw(LISTED + 1)};
        p->order = order_of_ecosystem(p->ecosystem);
        p->claim = draw(3) ? CLAIM_AFFECTED : (enum row_claim)draw(CLAIM_COUNT);
        p->open = draw(4) == 0;
        if (draw(3) == 0)
            low_row_draw(p);
        p->ranges = d->ranges;
        p->versions = d->versions;
        p->fixed_versions = d->fixed;
        for (size_t i = 0; i < RANGES; i++) {
            d->ranges[i] = (struct range){.count = 1 + draw(EVENTS), .events = d->events[i]};
            for (size_t e = 0; e < EVENTS; e++)
                d->events[i][e] =
                    (struct range_event){.kind = e == 0 && draw(8) ? EVENT_INTRODUCED : (enum event_kind)draw(4),
                                         .version = draw(12) ? PICK(versions) : span_str("*")};
        }
        for (size_t i = 0; i < LISTED; i++) {
            d->versions[i] = PICK(versions);
            d->fixed[i] = PICK(versions);
        }
    }
}

static void inventory_draw(unsigned id)
{
    inventories[id] = (struct inventory){.components = components[id], .count = draw(COMPONENTS + 1)};
    for (size_t i = 0; i < inventories[id].count; i++) {
        struct component *c = &components[id][i];
        if (draw(3) == 0 && i) { /* the same as before */
            components[id][i] = components[id][i - 1];
            continue;
        }
        *c = (struct component){.ecosystem = PICK_ECOSYSTEM(), .name = PICK_NAME(), .version = PICK(versions)};
        if (draw(10) == 0)
            c->version = span_of(NULL, 0);
        if (draw(12) == 0)
            c->problem = "it is torn";
        if (draw(4) == 0) {
            c->source = PICK_NAME();
            if (draw(2))
                c->source_version = PICK(versions);
        }
        if (draw(2))
            low_component_draw(c, id, (unsigned)i);
    }
}

/* What was told, added up. */
static struct key {
    enum lane lane;
    struct span ecosystem, name, version; /* copies */
    bool broken;
    struct component alone; /* a component with this face only */
    struct decided decided[DECIDED];
    enum verdict told[ASSETS][ADVISORIES];
} keys[KEYS];
static size_t key_count;
static uint8_t copies[1 << 21];
static size_t copied;

static struct span copy(struct span text)
{
    if (sizeof copies - copied < text.len)
        abort();
    uint8_t *at = copies + copied;
    if (text.len)
        memcpy(at, text.data, text.len);
    copied += text.len;
    return span_of(at, text.len);
}

/* By content: the catalogue's own texts move. */
static struct key *key_of(enum lane lane, struct span ecosystem, struct span name, struct span version, bool broken)
{
    for (size_t i = 0; i < key_count; i++)
        if (keys[i].lane == lane && span_eq(keys[i].ecosystem, ecosystem) && span_eq(keys[i].name, name) &&
            span_eq(keys[i].version, version) && keys[i].broken == broken)
            return &keys[i];
    if (key_count == KEYS)
        abort();
    keys[key_count] = (struct key){
        .lane = lane, .ecosystem = copy(ecosystem), .name = copy(name), .version = copy(version), .broken = broken};
    return &keys[key_count++];
}

struct hearing {
    struct catalogue *catalogue;
    int asset; /* of an upload; -1: of an advisory, so of all that have the release */
    unsigned wrong, asked;
};

static int hear(void *ctx, const struct finding *f)
{
    struct hearing *h = ctx;
    struct release_view view;
    size_t count = 1;
    uint32_t one = (uint32_t)h->asset;
    const uint32_t *assets = h->asset >= 0 ? &one : catalogue_assets(h->catalogue, f->release, &count);
    catalogue_release(h->catalogue, f->release, &view);
    struct key *key = key_of(view.lane, view.ecosystem, view.name, view.version, view.broken);
    for (size_t i = 0; i < count; i++) {
        h->wrong += key->told[assets[i]][f->advisory] != f->before; /* the step before it was told, too */
        key->told[assets[i]][f->advisory] = f->verdict;
    }
    h->wrong += f->before == f->verdict && f->verdict == VERDICT_NONE;
    return 0;
}

/* What should be known of one release of one asset, by brute force. */
static enum verdict truth(const struct key *key, unsigned advisory)
{
    enum verdict verdict = have_advisory[advisory] && !advisories[advisory].withdrawn
                               ? match_component(&advisories[advisory], &key->alone, NULL)
                               : VERDICT_NONE;
    return verdict == VERDICT_NOT_AFFECTED ? VERDICT_NONE : verdict;
}

static bool present[KEYS];

/* What is left of the component when it is known by this face alone. Its keys of decisions are kept: others are drawn where they lie. */
static int face_mark(void *ctx, const struct face *face)
{
    const struct component *c = ctx;
    struct key *key =
        key_of(face->lane, face->ecosystem, face->name, face->broken ? span_of(NULL, 0) : face->version, face->broken);
    struct component alone = {.ecosystem = key->ecosystem, .version = key->version};
    present[key - keys] = true;
    if (key->alone.path.len)
        return 0;
    alone.path = span_str("seen");
    if (face->lane == LANE_PURL) {
        alone.name = key->name;
        alone.problem = face->broken ? "it is broken" : NULL;
    } else if (face->lane == LANE_CPE) {
        alone.cpe = c->cpe;
        alone.version = c->version;
    } else {
        if (!c->vendor.len)
            alone.ecosystem = c->ecosystem; /* with one, a name without a vendor has no keys */
        alone.vendor = c->vendor;
        alone.product = c->product.len ? c->product : c->name;
        alone.model = c->model;
        alone.decided = key->decided;
        alone.decided_count = c->decided_count;
        for (size_t i = 0; i < c->decided_count; i++)
            key->decided[i] = (struct decided){copy(c->decided[i].key), c->decided[i].same};
    }
    key->alone = alone;
    return 0;
}

struct findings_of {
    unsigned told, want;
};

static int count_told(void *ctx, const struct finding *f)
{
    struct findings_of *of = ctx;
    of->told += f->verdict != VERDICT_NONE && f->before == VERDICT_NONE;
    return 0;
}

static int count_wanted(void *ctx, const struct face *face)
{
    struct findings_of *of = ctx;
    const struct key *key =
        key_of(face->lane, face->ecosystem, face->name, face->broken ? span_of(NULL, 0) : face->version, face->broken);
    for (unsigned a = 0; a < ADVISORIES; a++)
        of->want += truth(key, a) != VERDICT_NONE;
    return 0;
}

/* What the catalogue tells of one component: all that its faces have, in every lane. */
static unsigned component_compare(const struct catalogue *c, const struct component *component)
{
    struct findings_of of = {0};
    CHECK_INT(catalogue_component(c, component, count_told, &of), 0);
    CHECK_INT(component_faces(component, count_wanted, &of), 0);
    return of.told != of.want;
}

static unsigned compare(const struct catalogue *catalogue)
{
    unsigned wrong = 0;
    for (unsigned asset = 0; asset < ASSETS; asset++) {
        memset(present, 0, sizeof present);
        for (size_t i = 0; i < inventories[asset].count; i++) {
            CHECK_INT(component_faces(&components[asset][i], face_mark, &components[asset][i]), 0);
            wrong += component_compare(catalogue, &components[asset][i]);
        }
        for (size_t k = 0; k < key_count; k++)
            for (unsigned a = 0; a < ADVISORIES; a++)
                wrong += keys[k].told[asset][a] != (present[k] ? truth(&keys[k], a) : VERDICT_NONE);
    }
    return wrong;
}

static int ask_hear(void *ctx, const struct finding *f)
{
    struct release_view view;
    struct hearing *h = ctx;
    catalogue_release(h->catalogue, f->release, &view);
    h->wrong += truth(key_of(view.lane, view.ecosystem, view.name, view.version, view.broken), (unsigned)h->asset) !=
                f->verdict;
    h->asked++;
    return 0;
}

/* Asked again, an advisory finds what is known of it, and as much. */
static void ask(struct catalogue *c, struct hearing *h, unsigned id)
{
    struct hearing asked = {.catalogue = c, .asset = (int)id};
    unsigned known = 0;
    (void)catalogue_ask(c, &advisories[id], ask_hear, &asked);
    for (size_t k = 0; k < key_count; k++) {
        bool held = false;
        for (unsigned asset = 0; asset < ASSETS; asset++)
            held = held || keys[k].told[asset][id] != VERDICT_NONE;
        known += held;
    }
    h->wrong += asked.wrong + (known != asked.asked);
}

static void against_brute_force(void)
{
    struct catalogue *c = NULL;
    struct catalogue_size size;
    unsigned wrong = 0, findings = 0;
    test("whatever the order of advisories and uploads, what is told adds up to what brute force says");
    for (unsigned round = 0; round < 60; round++) {
        key_count = copied = 0;
        corner_ecosystem = draw(8);
        corner_name = draw(7);
        memset(keys, 0, sizeof keys);
        memset(have_advisory, 0, sizeof have_advisory);
        memset(inventories, 0, sizeof inventories);
        CHECK_INT(catalogue_new(&c), 0);
        struct hearing h = {.catalogue = c};
        for (unsigned step = 0; step < 40; step++) {
            if (draw(2)) {
                unsigned id = draw(ADVISORIES);
                have_advisory[id] = draw(6) != 0;
                h.asset = -1;
                if (have_advisory[id])
                    advisory_draw(id);
                CHECK_INT(catalogue_advisory(c, id, have_advisory[id] ? &advisories[id] : NULL, hear, &h), 0);
                if (have_advisory[id])
                    ask(c, &h, id);
            } else {
                unsigned id = draw(ASSETS);
                h.asset = (int)id;
                inventory_draw(id);
                CHECK_INT(catalogue_asset(c, id, inventories[id].count || draw(2) ? &inventories[id] : NULL, hear, &h),
                          0);
            }
            wrong += compare(c) + h.wrong;
            if (wrong) {
                printf("# round %u, step %u\n", round, step);
                round = 1000000;
                break;
            }
        }
        catalogue_size(c, &size);
        findings += (unsigned)size.findings;
        for (unsigned id = 0; id < ASSETS; id++)
            CHECK_INT(catalogue_asset(c, id, NULL, NULL, NULL), 0);
        catalogue_size(c, &size);
        CHECK_INT(size.releases, 0);
        CHECK_INT(size.postings, 0);
        catalogue_free(c);
    }
    CHECK_INT(wrong, 0);
    CHECK(findings > 2000);
}

static void lists(void)
{
    struct lists all = {0};
    struct list many[16] = {0};
    bool want[16][64] = {0};
    unsigned wrong = 0;
    test("many small lists in one array");
    for (unsigned i = 0; i < 20000; i++) {
        unsigned l = draw(16), v = draw(64);
        if (draw(2)) {
            wrong += list_insert(&all, &many[l], v) != 0;
            want[l][v] = true;
        } else {
            list_remove(&all, &many[l], v);
            want[l][v] = false;
        }
        unsigned count = 0;
        for (unsigned x = 0; x < 64; x++) {
            wrong += list_has(&all, many[l], x) != want[l][x];
            count += want[l][x];
        }
        wrong += many[l].count != count;
    }
    CHECK_INT(wrong, 0);
    CHECK(all.used < 16 * 64 * 4); /* rooms are given back and taken again */
    lists_free(&all);
}

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    lists();
    against_brute_force();
    return test_end();
}
