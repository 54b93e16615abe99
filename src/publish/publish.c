#include "publish/publish.h"

#include <stdio.h>

#include "base/limits.h"
#include "record/statement.h"

static int label_check(const struct advisory *a, bool open, enum label *label, struct fault *fault)
{
    switch (a->tlp) {
    case TLP_CLEAR:
        *label = LABEL_OPEN;
        return 0;
    case TLP_GREEN:
        *label = LABEL_MEMBERS;
        return 0;
    case TLP_NONE:
        *label = LABEL_OPEN;
        return open ? 0 : fail(fault, E_LABEL, "the advisory carries no TLP label; say --open if everybody may read it");
    default:
        return fail(fault, E_LABEL, "it is labelled TLP:%s", a->tlp == TLP_RED ? "RED" : a->tlp == TLP_AMBER ? "AMBER" : "AMBER+STRICT");
    }
}

int publication_check(struct publication *out, struct span document, bool open, struct arena *arena, struct fault *fault)
{
    const struct json *root = NULL;
    memset(out, 0, sizeof *out);
    int rc = json_parse(&root, document, DOCUMENT_BYTES_MAX, arena, fault);
    const char *media = rc ? NULL : advisory_media(root);
    if (rc == 0 && !media)
        rc = json_get(root, "affected") || json_get(root, "vulnerabilities")
                 ? fail(fault, E_MISSING, "an advisory needs its id: OSV \"id\" and \"modified\", CSAF /document/tracking/id")
                 : fail(fault, E_UNSUPPORTED, "neither CSAF 2.0 nor OSV");
    rc = rc ? rc : advisory_read(&out->advisory, span_str(media), document, arena, fault);
    rc = rc ? rc : label_check(&out->advisory, open, &out->label, fault);
    if (rc)
        return rc;
    if (out->advisory.id.len >= sizeof out->subject)
        return fail(fault, E_LIMIT, "an advisory's id has at most %zu bytes", sizeof out->subject - 1);
    (void)snprintf(out->media, sizeof out->media, "%s", media);
    memcpy(out->subject, out->advisory.id.data, out->advisory.id.len);
    return 0;
}

enum label document_label(struct span media, struct span document)
{
    struct arena arena;
    struct advisory advisory;
    enum label label = LABEL_CLOSED;
    if (span_is(media, MEDIA_SEALED))
        return LABEL_SEALED;
    if (!span_is(media, "application/csaf+json") && !span_is(media, "application/osv+json"))
        return LABEL_OPEN; /* stated unsealed by its author, and of a kind that carries no label of its own */
    arena_init(&arena, 8 * (size_t)DOCUMENT_BYTES_MAX);
    if (advisory_read(&advisory, media, document, &arena, NULL) == 0)
        label = advisory.tlp <= TLP_CLEAR ? LABEL_OPEN : advisory.tlp == TLP_GREEN ? LABEL_MEMBERS : LABEL_CLOSED;
    arena_free(&arena);
    return label;
}
