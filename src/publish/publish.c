#include "publish/publish.h"

#include <stdio.h>
#include <strings.h>

#include "base/limits.h"
#include "record/statement.h"

static const size_t ARENA_BYTES_MAX = 8 * (size_t)DOCUMENT_BYTES_MAX;

static int label_check(const struct advisory *a, bool open, enum label *label, struct fault *fault)
{
    static const char *const names[] = {[TLP_AMBER] = "AMBER", [TLP_AMBER_STRICT] = "AMBER+STRICT", [TLP_RED] = "RED"};
    switch (a->tlp) {
    case TLP_CLEAR:
        *label = LABEL_OPEN;
        return 0;
    case TLP_GREEN:
        *label = LABEL_MEMBERS;
        return 0;
    case TLP_NONE:
        *label = LABEL_OPEN;
        return open ? 0
                    : fail(fault, E_LABEL, "the advisory carries no TLP label; say --open if everybody may read it");
    default:
        return fail(fault, E_LABEL, "it is labelled TLP:%s", names[a->tlp]);
    }
}

/* `exhausted`: memory was wanting, and nothing is known of the document. */
static int media_tell(const char **media, struct span document, bool *exhausted, struct fault *fault)
{
    const struct json *root = NULL;
    struct arena arena;
    arena_init(&arena, ARENA_BYTES_MAX);
    int rc = json_parse(&root, document, DOCUMENT_BYTES_MAX, &arena, fault);
    *media = rc ? NULL : advisory_media(root);
    if (rc == 0 && !*media)
        rc = json_get(root, "affected") || json_get(root, "vulnerabilities")
                 ? fail(fault, E_MISSING,
                        "an advisory needs its id: OSV \"id\" and \"modified\", CSAF /document/tracking/id")
                 : fail(fault, E_UNSUPPORTED, "neither CSAF 2.0, OSV nor a CVE record");
    *exhausted = arena.exhausted;
    arena_free(&arena);
    return rc;
}

/* Readers go on behind what is wrong with a part of a record; who publishes it mends it first. */
static int contradiction(const struct record_problem *problem, struct fault *fault)
{
    (void)fail(fault, E_SYNTAX, "%.*s", (int)problem->text.len, (const char *)problem->text.data);
    return fail_at(fault, E_SYNTAX, "%.*s", (int)(problem->path.len < 200 ? problem->path.len : 200),
                   (const char *)problem->path.data);
}

int publication_check(struct publication *out, struct span document, bool open, struct arena *arena,
                      struct fault *fault)
{
    const char *media = NULL;
    bool exhausted;
    memset(out, 0, sizeof *out);
    int rc = media_tell(&media, document, &exhausted, fault);
    rc = rc ? rc : advisory_read(&out->advisory, span_str(media), document, arena, fault);
    if (rc == 0 && out->advisory.contradictory)
        rc = contradiction(&out->advisory.problems[0], fault);
    rc = rc ? rc : label_check(&out->advisory, open, &out->label, fault);
    if (rc)
        return rc;
    if (out->advisory.id.len >= sizeof out->subject)
        return fail(fault, E_LIMIT, "an advisory's id has at most %zu bytes", sizeof out->subject - 1);
    (void)snprintf(out->media, sizeof out->media, "%s", media);
    memcpy(out->subject, out->advisory.id.data, out->advisory.id.len);
    return 0;
}

/* Whatever it was stated as: a document that is an advisory is held to the label inside it. */
static int advisory_label(const char *media, struct span document, enum label *label)
{
    static const enum label labels[] = {
        [TLP_NONE] = LABEL_OPEN,    [TLP_CLEAR] = LABEL_OPEN,          [TLP_GREEN] = LABEL_MEMBERS,
        [TLP_AMBER] = LABEL_CLOSED, [TLP_AMBER_STRICT] = LABEL_CLOSED, [TLP_RED] = LABEL_CLOSED};
    struct arena arena;
    struct advisory advisory;
    arena_init(&arena, ARENA_BYTES_MAX);
    *label = LABEL_CLOSED;
    if (advisory_read(&advisory, span_str(media), document, &arena, NULL) == 0)
        *label = labels[advisory.tlp];
    bool exhausted = arena.exhausted;
    arena_free(&arena);
    return exhausted ? E_NOMEM : 0;
}

/* Types whose own labels this release cannot read: closed, whatever is inside. Compared up to a parameter, in any case. */
static bool label_unreadable(struct span media)
{
    static const char *const types[] = {"application/csaf+json", "application/osv+json", "application/stix+json"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (media.len >= strlen(types[i]) && strncasecmp((const char *)media.data, types[i], strlen(types[i])) == 0)
            return true;
    return false;
}

int document_label(struct span media, struct span document, enum label *label)
{
    const char *found = NULL;
    bool exhausted = false;
    *label = span_is(media, MEDIA_SEALED) ? LABEL_SEALED : LABEL_CLOSED;
    if (*label == LABEL_SEALED)
        return 0;
    (void)media_tell(&found, document, &exhausted, NULL);
    if (exhausted)
        return E_NOMEM;
    if (found && (span_is(media, found) || !label_unreadable(media)))
        return advisory_label(found, document, label);
    if (media.len && !label_unreadable(media))
        *label = LABEL_OPEN; /* stated unsealed by its author, and without a label */
    return 0;
}
