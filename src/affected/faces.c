/* How a row and a component meet, lane by lane. */
#include "affected/judge.h"
#include "base/buf.h"
#include "format/cpe.h"
#include "format/version.h"

enum { CPE_ARENA_BYTES = 1 << 20, CPE_TEXT_MAX = 2050, TEXT_NAME_MAX = 65535 };

bool is_distribution(struct span ecosystem)
{
    enum order order = order_of_ecosystem(ecosystem);
    return order == ORDER_DEBIAN || order == ORDER_RPM || order == ORDER_ALPINE;
}

const char distribution_doubt[] = "it is a distribution's package, whose versions are its own";

void row_keys(const struct affected_package *row, struct keys *out)
{
    out->count = out->used = 0;
    if (row->lane == LANE_CPE)
        cpe_keys(row->cpe, out);
    else if (row->lane == LANE_TEXT)
        text_keys(row->vendor, row->product, row->model, out);
}

void component_cpe_keys(const struct component *component, struct keys *out)
{
    out->count = out->used = 0;
    if (component->cpe.len)
        cpe_keys(component->cpe, out);
}

static void decided_add(const struct component *component, struct keys *out)
{
    for (size_t i = 0; i < component->decided_count && out->count < KEYS_MAX; i++) {
        bool there = !component->decided[i].same || !component->decided[i].key.len;
        for (size_t k = 0; k < out->count && !there; k++)
            there = span_eq(out->list[k], component->decided[i].key);
        if (there)
            continue;
        out->ways[out->count] = WAY_PRODUCT;
        out->list[out->count++] = component->decided[i].key;
    }
}

/* Without a vendor only a name that nothing else places: packages have their ecosystem. */
bool has_words(const struct component *component)
{
    return component->vendor.len || !component->ecosystem.len || component->decided_count;
}

void component_text_keys(const struct component *component, struct keys *out)
{
    struct span product = component->product.len ? component->product : component->name;
    out->count = out->used = 0;
    if (component->vendor.len || !component->ecosystem.len)
        text_keys(component->vendor, product, component->model, out);
    decided_add(component, out);
}

/* The version that the name itself has is the one that such names mean; else the component's. */
struct span component_cpe_version(const struct component *component)
{
    struct span version = cpe_version(component->cpe);
    return version.len ? version : component->version;
}

bool cpes_meet(struct span row, struct span component, const char **doubt)
{
    struct cpe a, b;
    struct arena arena;
    enum cpe_relation relation = CPE_DISJOINT;
    arena_init(&arena, CPE_ARENA_BYTES);
    if (cpe_parse(&a, row, &arena, NULL) == 0 && cpe_parse(&b, component, &arena, NULL) == 0) {
        a.values[CPE_VERSION] = b.values[CPE_VERSION] = (struct cpe_value){.kind = CPE_ANY};
        relation = cpe_compare(&a, &b);
    }
    arena_free(&arena);
    if (relation == CPE_SUBSET || relation == CPE_UNDEFINED)
        *doubt = "the advisory's CPE name says more than the component's";
    return relation != CPE_DISJOINT;
}

enum bond decision_on(const struct decided *decided, size_t count, struct span key, bool *refused)
{
    *refused = false;
    for (size_t i = 0; i < count; i++)
        if (span_eq(decided[i].key, key)) {
            *refused = !decided[i].same;
            return decided[i].same ? BOND_DECIDED : BOND_PROPOSED;
        }
    return BOND_PROPOSED;
}

static bool cpe_meets(const struct affected_package *row, const struct component *component, struct meeting *meeting)
{
    struct keys a, b;
    if (!component->cpe.len)
        return false;
    row_keys(row, &a);
    component_cpe_keys(component, &b);
    if (!keys_meet(&a, &b, &meeting->way_row, &meeting->way_component) ||
        !cpes_meet(row->cpe, component->cpe, &meeting->doubt))
        return false;
    meeting->bond = BOND_NAMED;
    meeting->version = component_cpe_version(component);
    if (is_distribution(component->ecosystem))
        meeting->doubt = distribution_doubt;
    return true;
}

static bool text_meets(const struct affected_package *row, const struct component *component, struct meeting *meeting)
{
    struct keys a, b;
    uint8_t product[KEY_BYTES_MAX];
    bool refused;
    if (!has_words(component))
        return false;
    row_keys(row, &a);
    component_text_keys(component, &b);
    meeting->weight = keys_meet(&a, &b, &meeting->way_row, &meeting->way_component);
    meeting->bond = decision_on(component->decided, component->decided_count,
                                product_key(row->vendor, row->product, product), &refused);
    meeting->version = component->version;
    if (meeting->bond == BOND_DECIDED && is_distribution(component->ecosystem))
        meeting->doubt = distribution_doubt;
    return meeting->weight && !refused;
}

bool names_meet(const struct affected_package *row, const struct component *component, struct meeting *meeting)
{
    *meeting = (struct meeting){.bond = BOND_NAMED};
    bool met = row->lane == LANE_PURL  ? packages_meet(row, component, &meeting->version)
               : row->lane == LANE_CPE ? cpe_meets(row, component, meeting)
                                       : text_meets(row, component, meeting);
    meeting->broken = meeting->version.len == 0;
    return met;
}

/* Whatever does not decide. */
static bool is_open(enum judgement judgement)
{
    return judgement == JUDGED_SILENT || judgement == JUDGED_UNDECIDED || judgement == JUDGED_INVESTIGATED;
}

enum lane lane_of(const enum judgement judgements[static LANE_COUNT])
{
    enum lane best = LANE_COUNT;
    for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
        if (judgements[lane] == JUDGED_NONE)
            continue;
        if (best == LANE_COUNT || (is_open(judgements[best]) && judgements[lane] == JUDGED_AFFECTED))
            best = (enum lane)lane;
    }
    return best;
}

/* Faces */

static int package_face(const struct component *component, struct span name, struct span version, face_visit *visit,
                        void *ctx)
{
    return visit(ctx, &(struct face){.lane = LANE_PURL,
                                     .ecosystem = component->ecosystem,
                                     .name = name,
                                     .version = version,
                                     .broken = component->problem || !version.len,
                                     .key_count = 1,
                                     .keys = &name});
}

static int low_face(const struct component *component, enum lane lane, struct span name, struct span version,
                    const struct keys *keys, face_visit *visit, void *ctx)
{
    bool distribution = is_distribution(component->ecosystem);
    if (!keys->count || !name.len)
        return 0;
    return visit(ctx, &(struct face){.lane = lane,
                                     .ecosystem = distribution ? component->ecosystem : span_of(NULL, 0),
                                     .name = name,
                                     .version = version,
                                     .broken = !version.len,
                                     .key_count = keys->count,
                                     .keys = keys->list});
}

static int cpe_face(const struct component *component, face_visit *visit, void *ctx)
{
    struct keys keys;
    uint8_t name[CPE_TEXT_MAX];
    component_cpe_keys(component, &keys);
    size_t n = cpe_versionless(component->cpe, name, sizeof name);
    return low_face(component, LANE_CPE, span_of(name, n), component_cpe_version(component), &keys, visit, ctx);
}

static int text_face(const struct component *component, face_visit *visit, void *ctx)
{
    struct keys keys;
    struct buf name;
    component_text_keys(component, &keys);
    buf_init(&name, TEXT_NAME_MAX);
    for (size_t i = 0; i < keys.count; i++) {
        buf_span(&name, keys.list[i]);
        buf_byte(&name, '\n');
    }
    for (size_t i = 0; i < component->decided_count; i++) {
        buf_byte(&name, component->decided[i].same ? '+' : '-');
        buf_span(&name, component->decided[i].key);
        buf_byte(&name, '\n');
    }
    int rc = name.error ? name.error
                        : low_face(component, LANE_TEXT, buf_view(&name), component->version, &keys, visit, ctx);
    buf_free(&name);
    return rc;
}

int component_faces(const struct component *component, face_visit *visit, void *ctx)
{
    struct span source = component->source, name = component->name;
    int rc = 0;
    if (source.len)
        rc = package_face(component, source,
                          component->source_version.len ? component->source_version : component->version, visit, ctx);
    if (rc == 0 && name.len && !span_eq(name, source))
        rc = package_face(component, name, component->version, visit, ctx);
    if (rc == 0 && component->cpe.len)
        rc = cpe_face(component, visit, ctx);
    return rc == 0 && has_words(component) ? text_face(component, visit, ctx) : rc;
}
