#include "circle/faces.h"

#include "base/text.h"
#include "format/json.h"

static void hash_item(struct buf *out, const struct hash *hash)
{
    buf_byte(out, '"');
    buf_base64(out, span_hash(hash));
    buf_byte(out, '"');
}

int faces_write(struct buf *out, const struct faces_proof *proof)
{
    buf_text(out, "{\"comity\":\"two-faces/1\",\"first\":");
    buf_json(out, proof->first);
    buf_text(out, ",\"second\":");
    buf_json(out, proof->second);
    if (proof->older_root) {
        buf_text(out, ",\"older_root\":");
        hash_item(out, proof->older_root);
    }
    buf_text(out, ",\"consistency\":[");
    for (size_t i = 0; i < proof->count; i++) {
        buf_text(out, i ? "," : "");
        hash_item(out, &proof->proof[i]);
    }
    buf_text(out, "]}\n");
    return out->error;
}

struct face {
    struct note note;
    struct checkpoint checkpoint;
};
struct faces {
    struct face faces[2];
    bool has_older_root;
    struct hash older_root;
    struct hash proof[PROOF_HASHES_MAX];
    size_t count;
};

static int face_parse(struct face *out, const struct json *json, const char *member, struct fault *fault)
{
    struct span text;
    int rc = json_need_text(json, member, &text, fault);
    rc = rc ? rc : checkpoint_parse(&out->checkpoint, &out->note, text, fault);
    return rc ? fail_at(fault, rc, "/%s", member) : 0;
}

static int proof_parse(struct faces *out, const struct json *json, struct fault *fault)
{
    const struct json *items;
    struct span older = json_text(json, "older_root");
    int rc = json_need_array(json, "consistency", &items, fault);
    if (rc == 0 && json_get(json, "older_root") && !(out->has_older_root = base64_hash(older, &out->older_root)))
        rc = fail(fault, E_SYNTAX, "\"older_root\" is no hash in base64");
    if (rc == 0 && items->count > PROOF_HASHES_MAX)
        rc = fail(fault, E_LIMIT, "a proof has at most %d hashes", PROOF_HASHES_MAX);
    for (uint32_t i = 0; rc == 0 && i < items->count; i++)
        if (items->child[i].type != JSON_STRING || !base64_hash(items->child[i].text, &out->proof[out->count++]))
            rc = fail(fault, E_SYNTAX, "\"consistency\" item %u is no hash in base64", i);
    return rc;
}

static int faces_parse(struct faces *out, struct span document, struct arena *arena, struct fault *fault)
{
    static const char *const allowed[] = {"comity", "first", "second", "older_root", "consistency", NULL};
    const struct json *json = NULL;
    int rc = json_parse(&json, document, 4 * NOTE_BYTES_MAX, arena, fault);
    rc = rc ? rc : json_need_format(json, "two-faces/1", fault);
    rc = rc ? rc : json_only(json, allowed, fault);
    rc = rc ? rc : face_parse(&out->faces[0], json, "first", fault);
    rc = rc ? rc : face_parse(&out->faces[1], json, "second", fault);
    return rc ? rc : proof_parse(out, json, fault);
}

static int convict(const struct faces *f, struct fault *fault)
{
    bool swap = f->faces[0].checkpoint.size > f->faces[1].checkpoint.size;
    const struct checkpoint *older = &f->faces[swap].checkpoint, *newer = &f->faces[!swap].checkpoint;
    if (older->size == newer->size)
        return hash_eq(&older->root, &newer->root) || f->count || f->has_older_root
                   ? fail(fault, E_PROOF, "at one size the roots must differ, and there is nothing to prove")
                   : 0;
    if (!older->size || !f->has_older_root || hash_eq(&f->older_root, &older->root))
        return fail(fault, E_PROOF, "\"older_root\" must be another root than the one signed at size %llu",
                    (unsigned long long)older->size);
    if (tree_verify_consistency(older->size, &f->older_root, newer->size, &newer->root, f->proof, f->count) != 0)
        return fail(fault, E_PROOF, "\"older_root\" does not lead to the root signed at size %llu",
                    (unsigned long long)newer->size);
    return 0;
}

int faces_verify(const struct roster *roster, struct span document, const struct party **party, struct arena *arena,
                 struct fault *fault)
{
    struct faces *f = arena_alloc(arena, sizeof *f);
    int rc = f ? 0 : fail(fault, E_NOMEM, "two faces");
    if (rc == 0) {
        memset(f, 0, sizeof *f);
        rc = faces_parse(f, document, arena, fault);
    }
    if (rc)
        return fail_at(fault, rc, "two faces");
    *party = roster_origin(roster, f->faces[0].checkpoint.origin);
    if (!*party || !span_eq(f->faces[0].checkpoint.origin, f->faces[1].checkpoint.origin))
        return fail_at(fault, fail(fault, E_KEY, "the checkpoints are not of one log of this circle"), "two faces");
    for (int i = 0; i < 2 && rc == 0; i++)
        if ((rc = party_log_signed(*party, &f->faces[i].note, &f->faces[i].checkpoint, 0)) != 0)
            rc = fail(fault, rc, "the %s checkpoint's signature by the log key of %s", i ? "second" : "first",
                      (*party)->card.name);
    rc = rc ? rc : convict(f, fault);
    return rc ? fail_at(fault, rc, "two faces") : 0;
}
