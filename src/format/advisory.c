#include "format/advisory.h"

#include "format/cpe.h"
#include "format/version_order.h"

enum { CPE_NAME_MAX = 512 };

const char *const lane_names[LANE_COUNT] = {"purl", "cpe", "text"};
const char *const justification_names[JUSTIFICATION_COUNT] = {"",
                                                              "component_not_present",
                                                              "vulnerable_code_not_present",
                                                              "vulnerable_code_not_in_execute_path",
                                                              "vulnerable_code_cannot_be_controlled_by_adversary",
                                                              "inline_mitigations_already_exist"};

/* The strings of an array; other items are passed over. */
int advisory_texts(const struct json *array, const struct span **out, size_t *count, struct arena *arena)
{
    *count = 0;
    if (!array || array->type != JSON_ARRAY)
        return 0;
    struct span *list = arena_array(arena, array->count ? array->count : 1, sizeof *list);
    if (!list)
        return E_NOMEM;
    for (uint32_t i = 0; i < array->count; i++)
        if (array->child[i].type == JSON_STRING)
            list[(*count)++] = array->child[i].text;
    *out = list;
    return 0;
}

struct span cpe_named(struct span cpe, struct arena *arena)
{
    uint8_t name[CPE_NAME_MAX];
    size_t n = cpe_product(cpe, name, sizeof name);
    return n ? arena_copy(arena, span_of(name, n)) : span_of(NULL, 0);
}

int advisory_read(struct advisory *out, struct span media, struct span json, struct arena *arena, struct fault *fault)
{
    static const struct {
        const char *media;
        int (*read)(struct advisory *, struct span, struct arena *, struct fault *);
    } readers[] = {{MEDIA_CSAF, advisory_read_csaf}, {MEDIA_OSV, advisory_read_osv}, {MEDIA_CVE, advisory_read_cve}};
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
        if (span_is(media, readers[i].media))
            return readers[i].read(out, json, arena, fault);
    return fail(fault, E_UNSUPPORTED, "no advisory: %.*s", (int)(media.len < 80 ? media.len : 80),
                (const char *)media.data);
}

const char *advisory_media(const struct json *root)
{
    if (json_path(root, "document.csaf_version"))
        return MEDIA_CSAF;
    if (span_is(json_text(root, "dataType"), "CVE_RECORD"))
        return MEDIA_CVE;
    if (json_get(root, "id") && json_get(root, "modified") && !json_get(root, "document"))
        return MEDIA_OSV;
    return NULL;
}

int advisory_revision_order(struct span version_a, int64_t modified_a, struct span version_b, int64_t modified_b)
{
    int order = 0;
    if (version_a.len && version_b.len && version_compare(ORDER_SEMVER, version_a, version_b, &order) && order)
        return order;
    return (modified_a > modified_b) - (modified_a < modified_b);
}
