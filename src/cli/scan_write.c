/* What a scan found: for people, and in three formats for programs. */
#include <stdlib.h>
#include <string.h>

#include "cli/scan.h"

static void member(struct buf *out, const char *name, const char *value, const char *after)
{
    buf_printf(out, "\"%s\":", name);
    buf_json(out, span_str(value));
    buf_text(out, after);
}

void scan_write_text(const struct scan *s, struct buf *out)
{
    for (size_t i = 0; i < s->hit_count; i++) {
        const struct hit *h = &s->hits[i];
        buf_printf(out, "%-9s  ", h->verdict == VERDICT_AFFECTED ? "AFFECTED" : "undecided");
        text_show(out, span_str(h->advisory));
        buf_text(out, "  ");
        text_show(out, span_str(h->component));
        buf_text(out, " ");
        text_show(out, span_str(h->version));
        if (s->asset_count > 1) {
            buf_text(out, "  in ");
            text_show(out, span_str(s->assets[h->asset].path));
        }
        buf_text(out, "\n           ");
        text_show(out, span_str(h->reason));
        buf_text(out, "\n");
    }
    buf_printf(out, "%llu advisories, %zu inventories: %zu affected, %zu undecided%s, %zu records with problems\n",
               (unsigned long long)s->advisories, s->asset_count, s->affected, s->undecided,
               s->with_undecided || !s->undecided ? "" : " (--undecided shows them)", s->problem_count - s->remarks);
}

void scan_write_json(const struct scan *s, struct buf *out)
{
    buf_printf(out, "{\"advisories\":%llu,\"inventories\":%zu,\"affected\":%zu,\"undecided\":%zu,\"findings\":[",
               (unsigned long long)s->advisories, s->asset_count, s->affected, s->undecided);
    for (size_t i = 0; i < s->hit_count; i++) {
        const struct hit *h = &s->hits[i];
        buf_text(out, i ? ",\n{" : "\n{");
        member(out, "verdict", verdict_names[h->verdict], ",");
        member(out, "advisory", h->advisory, ",");
        member(out, "title", h->title, ",");
        member(out, "inventory", s->assets[h->asset].path, ",\"component\":{");
        member(out, "ecosystem", h->ecosystem, ",");
        member(out, "name", h->component, ",");
        member(out, "version", h->version, ",");
        member(out, "purl", h->purl, ",");
        member(out, "path", h->place, "},");
        member(out, "reason", h->reason, ",");
        member(out, "file", h->file, "}");
    }
    buf_text(out, "],\"problems\":[");
    for (size_t i = 0; i < s->problem_count; i++) {
        buf_text(out, i ? ",\n{" : "\n{");
        member(out, "file", s->problems[i].file, ",");
        member(out, s->problems[i].remark ? "remark" : "problem", s->problems[i].what, "}");
    }
    buf_text(out, "]}\n");
}

/* A path as a relative reference (RFC 3986): a colon in its first part would make a scheme of it. */
static void uri_member(struct buf *out, const char *path)
{
    static const char plain[] = "-._~/";
    buf_text(out, "\"uri\":\"");
    for (const char *p = path; *p; p++) {
        bool kept =
            (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr(plain, *p);
        if (kept)
            buf_byte(out, (uint8_t)*p);
        else
            buf_printf(out, "%%%02X", (unsigned)(uint8_t)*p);
    }
    buf_byte(out, '"');
}

/* SARIF 2.1.0 (OASIS): a rule an advisory, a result a finding; undecided ones are warnings. */
void scan_write_sarif(const struct scan *s, struct buf *out)
{
    buf_text(
        out,
        "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":{"
        "\"driver\":{\"name\":\"comity\",\"rules\":[");
    for (size_t i = 0; i < s->hit_count; i++) { /* of one advisory they stand together */
        const struct hit *h = &s->hits[i];
        if (i && strcmp(h->advisory, s->hits[i - 1].advisory) == 0)
            continue;
        buf_text(out, i ? ",\n{" : "\n{");
        member(out, "id", h->advisory, ",\"shortDescription\":{");
        member(out, "text", h->title[0] ? h->title : h->advisory, "}}");
    }
    buf_text(out, "]}},\"results\":[");
    for (size_t i = 0; i < s->hit_count; i++) {
        const struct hit *h = &s->hits[i];
        buf_text(out, i ? ",\n{" : "\n{");
        member(out, "ruleId", h->advisory, ",");
        member(out, "level", h->verdict == VERDICT_AFFECTED ? "error" : "warning", ",\"message\":{\"text\":");
        struct buf text;
        buf_init(&text, 4096);
        buf_printf(&text, "%.500s %.500s: %s", h->component, h->version, h->reason);
        buf_json(out, buf_view(&text));
        buf_free(&text);
        buf_text(out, "},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{");
        uri_member(out, s->assets[h->asset].path);
        buf_text(out, "}},\"logicalLocations\":[{");
        member(out, "fullyQualifiedName", h->place, "}]}]}");
    }
    buf_text(out, "]}]}\n");
}

/* CycloneDX 1.5 VEX: what is named affected or unknown, by the component's purl. No analysis: that is a person's. Each advisory stands once,
   and what it affects once, in however many inventories it is. */

static const char *vex_reference(const struct hit *h)
{
    return h->purl[0] ? h->purl : h->place;
}

static int by_vex(const void *a, const void *b)
{
    const struct hit *left = *(const struct hit *const *)a, *right = *(const struct hit *const *)b;
    int order = strcmp(left->advisory, right->advisory);
    order = order ? order : strcmp(vex_reference(left), vex_reference(right));
    order = order ? order : strcmp(left->version, right->version);
    return order ? order : (left->verdict > right->verdict) - (left->verdict < right->verdict);
}

static void vex_hits(const struct hit *const *hits, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct hit *h = hits[i];
        bool first = i == 0 || strcmp(h->advisory, hits[i - 1]->advisory) != 0;
        if (i && by_vex(&hits[i - 1], &hits[i]) == 0)
            continue;
        if (first) {
            buf_text(out, i ? "]},\n{" : "\n{");
            member(out, "id", h->advisory, ",");
            member(out, "description", h->title, ",\"affects\":[");
        }
        buf_text(out, first ? "{" : ",{");
        member(out, "ref", vex_reference(h), ",\"versions\":[{");
        member(out, "version", h->version[0] ? h->version : "unknown", ","); /* none is not allowed there */
        member(out, "status", h->verdict == VERDICT_AFFECTED ? "affected" : "unknown", "}]}");
    }
}

void scan_write_vex(const struct scan *s, struct buf *out)
{
    const struct hit **sorted = calloc(s->hit_count + 1, sizeof(const struct hit *));
    if (!sorted) {
        out->error = E_NOMEM;
        return;
    }
    for (size_t i = 0; i < s->hit_count; i++)
        sorted[i] = &s->hits[i];
    qsort(sorted, s->hit_count, sizeof(const struct hit *), by_vex);
    buf_text(out, "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\"vulnerabilities\":[");
    vex_hits(sorted, s->hit_count, out);
    buf_text(out, s->hit_count ? "]}]}\n" : "]}\n");
    free(sorted);
}

void scan_tell_problems(const struct scan *s, FILE *out)
{
    for (size_t i = 0; i < s->problem_count; i++) {
        struct buf line;
        buf_init(&line, 8192);
        text_show(&line, span_str(s->problems[i].file));
        buf_text(&line, ": ");
        text_show(&line, span_str(s->problems[i].what));
        (void)fprintf(out, "%.*s\n", (int)line.len, (const char *)line.data);
        buf_free(&line);
    }
}
