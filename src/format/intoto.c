#include "format/intoto.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "format/json.h"

static const char statement_type[] = "https://in-toto.io/Statement/v1",
                  provenance_type[] = "https://slsa.dev/provenance/v1";
/* What our own predicates mean by their parameters stands in docs/formats.md. */
static const char build_type[] = "urn:comity:build:release/1";

static int file_read_json(struct release_file *out, const struct json *subject, struct fault *fault)
{
    struct span digest;
    int rc = json_need_text(subject, "name", &out->name, fault);
    if (rc == 0 && !out->name.len)
        rc = fail(fault, E_MISSING, "a file's name is empty");
    if (rc)
        return rc;
    const struct json *digests = json_get(subject, "digest");
    rc = digests ? json_need_text(digests, "sha256", &digest, fault) : fail(fault, E_MISSING, "digest");
    if (rc == 0 && !hash_parse(digest, &out->sha256))
        rc = fail(fault, E_SYNTAX, "sha256 has 64 hex digits in lower case");
    return rc;
}

static int files_read(struct release *out, const struct json *subjects, struct arena *arena, struct fault *fault)
{
    if (!subjects->count || subjects->count > RELEASE_FILES_MAX)
        return fail(fault, subjects->count ? E_LIMIT : E_MISSING, "a release has 1 to %d files", RELEASE_FILES_MAX);
    struct release_file *files = arena_array(arena, subjects->count, sizeof *files);
    if (!files)
        return fail(fault, E_NOMEM, "subject");
    for (size_t i = 0; i < subjects->count; i++) {
        int rc = file_read_json(&files[i], &subjects->child[i], fault);
        if (rc)
            return fail_at(fault, rc, "subject[%zu]", i);
        for (size_t j = 0; j < i; j++)
            if (span_eq(files[i].name, files[j].name))
                return fail_at(fault, fail(fault, E_DUPLICATE, "two files have one name"), "subject[%zu]", i);
    }
    out->files = files;
    out->count = subjects->count;
    return 0;
}

static void predicate_read(struct release *out, const struct json *predicate)
{
    const struct json *parameters = json_path(predicate, "buildDefinition.externalParameters");
    const struct json *sources = json_path(predicate, "buildDefinition.resolvedDependencies");
    out->builder = json_text(json_path(predicate, "runDetails.builder"), "id");
    if (!span_is(json_text(json_get(predicate, "buildDefinition"), "buildType"), build_type))
        return;
    out->name = json_text(parameters, "name");
    out->version = json_text(parameters, "version");
    if (sources && sources->type == JSON_ARRAY && sources->count) {
        out->source = json_text(&sources->child[0], "uri");
        out->commit = json_text(json_get(&sources->child[0], "digest"), "gitCommit");
    }
}

int release_parse(struct release *out, struct span text, struct arena *arena, struct fault *fault)
{
    const struct json *root = NULL, *subjects = NULL;
    struct span type, predicate_type;
    memset(out, 0, sizeof *out);
    int rc = json_parse(&root, text, DOCUMENT_BYTES_MAX, arena, fault);
    rc = rc ? rc : json_need_text(root, "_type", &type, fault);
    if (rc == 0 && !span_is(type, statement_type))
        rc = fail(fault, E_UNSUPPORTED, "_type is not %s", statement_type);
    rc = rc ? rc : json_need_text(root, "predicateType", &predicate_type, fault);
    rc = rc ? rc : json_need_array(root, "subject", &subjects, fault);
    rc = rc ? rc : files_read(out, subjects, arena, fault);
    if (rc == 0 && span_is(predicate_type, provenance_type))
        predicate_read(out, json_get(root, "predicate"));
    return rc;
}

static void member(struct buf *out, const char *key, struct span value)
{
    buf_json(out, span_str(key));
    buf_byte(out, ':');
    buf_json(out, value);
}

void release_write(struct buf *out, const struct release *release)
{
    char hex[65];
    buf_printf(out, "{\"_type\":\"%s\",\n \"subject\":[", statement_type);
    for (size_t i = 0; i < release->count; i++) {
        hash_hex(&release->files[i].sha256, hex);
        buf_text(out, i ? ",\n  {" : "\n  {");
        member(out, "name", release->files[i].name);
        buf_printf(out, ",\"digest\":{\"sha256\":\"%s\"}}", hex);
    }
    buf_printf(out, "],\n \"predicateType\":\"%s\",\n \"predicate\":{\"buildDefinition\":{\"buildType\":\"%s\",\n",
               provenance_type, build_type);
    buf_text(out, "  \"externalParameters\":{");
    member(out, "name", release->name);
    buf_byte(out, ',');
    member(out, "version", release->version);
    buf_byte(out, '}');
    if (release->source.len) {
        buf_text(out, ",\n  \"resolvedDependencies\":[{");
        member(out, "uri", release->source);
        if (release->commit.len) {
            buf_text(out, ",\"digest\":{");
            member(out, "gitCommit", release->commit);
            buf_byte(out, '}');
        }
        buf_text(out, "}]");
    }
    buf_text(out, "},\n  \"runDetails\":{\"builder\":{");
    member(out, "id", release->builder);
    buf_text(out, "}}}}\n");
}
