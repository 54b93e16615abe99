#include "base/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void findings_add(struct findings *findings, const char *place, const char *format, ...)
{
    va_list args;
    findings->count++;
    if (findings->kept == FINDINGS_MAX)
        return;
    if (!findings->list)
        findings->list = calloc(FINDINGS_MAX, sizeof *findings->list);
    if (!findings->list)
        return; /* counted all the same: nobody will call the folder whole */
    struct finding *finding = &findings->list[findings->kept++];
    (void)snprintf(finding->place, sizeof finding->place, "%s", place);
    va_start(args, format);
    (void)vsnprintf(finding->what, sizeof finding->what, format, args);
    va_end(args);
}

bool findings_has(const struct findings *findings, const char *place_starts)
{
    for (size_t i = 0; i < findings->kept; i++)
        if (strncmp(findings->list[i].place, place_starts, strlen(place_starts)) == 0)
            return true;
    return false;
}

void findings_free(struct findings *findings)
{
    free(findings->list);
    *findings = (struct findings){0};
}
