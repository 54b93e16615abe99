#include "circle/faces.h"

#include "base/text.h"
#include "format/flat.h"
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

static int hashes_read(struct faces_proof *out, const struct json *json, struct arena *arena, struct fault *fault)
{
    const struct json *items;
    struct hash *older = arena_alloc(arena, sizeof *older), *proof = NULL;
    int rc = older ? json_need_array(json, "consistency", &items, fault) : fail(fault, E_NOMEM, "two faces");
    if (rc == 0 && json_get(json, "older_root")) {
        out->older_root = older;
        if (!base64_hash(json_text(json, "older_root"), older))
            rc = fail(fault, E_SYNTAX, "\"older_root\" is no hash in base64");
    }
    if (rc == 0 && items->count > PROOF_HASHES_MAX)
        rc = fail(fault, E_LIMIT, "a proof has at most %d hashes", PROOF_HASHES_MAX);
    if (rc == 0 && !(proof = arena_array(arena, items->count + (size_t)1, sizeof *proof)))
        rc = fail(fault, E_NOMEM, "two faces");
    for (uint32_t i = 0; rc == 0 && i < items->count; i++)
        if (items->child[i].type != JSON_STRING || !base64_hash(items->child[i].text, &proof[out->count++]))
            rc = fail(fault, E_SYNTAX, "\"consistency\" item %u is no hash in base64", i);
    out->proof = proof;
    return rc;
}

int faces_read(struct faces_proof *out, struct span document, struct arena *arena, struct fault *fault)
{
    static const char *const allowed[] = {"comity", "first", "second", "older_root", "consistency", NULL};
    const struct json *json = NULL;
    *out = (struct faces_proof){0};
    int rc = json_parse(&json, document, 4 * NOTE_BYTES_MAX, arena, fault);
    rc = rc ? rc : json_need_format(json, "two-faces/1", fault);
    rc = rc ? rc : json_only(json, allowed, fault);
    rc = rc ? rc : json_need_text(json, "first", &out->first, fault);
    rc = rc ? rc : json_need_text(json, "second", &out->second, fault);
    rc = rc ? rc : hashes_read(out, json, arena, fault);
    return rc ? fail_at(fault, rc, "two faces") : 0;
}

static int convict(const struct faces_proof *proof, const struct face faces[static 2], struct fault *fault)
{
    bool swap = faces[0].checkpoint.size > faces[1].checkpoint.size;
    const struct checkpoint *older = &faces[swap].checkpoint, *newer = &faces[!swap].checkpoint;
    if (older->size == newer->size)
        return hash_eq(&older->root, &newer->root) || proof->count || proof->older_root
                   ? fail(fault, E_PROOF, "at one size the roots must differ, and there is nothing to prove")
                   : 0;
    if (!older->size || !proof->older_root || hash_eq(proof->older_root, &older->root))
        return fail(fault, E_PROOF, "\"older_root\" must be another root than the one signed at size %llu",
                    (unsigned long long)older->size);
    if (tree_verify_consistency(older->size, proof->older_root, newer->size, &newer->root, proof->proof,
                                proof->count) != 0)
        return fail(fault, E_PROOF, "\"older_root\" does not lead to the root signed at size %llu",
                    (unsigned long long)newer->size);
    return 0;
}

int faces_judge(const struct roster *roster, const struct faces_proof *proof, const struct face faces[static 2],
                const struct party **party, struct fault *fault)
{
    int rc = 0;
    *party = roster_origin(roster, faces[0].checkpoint.origin);
    if (!*party || !span_eq(faces[0].checkpoint.origin, faces[1].checkpoint.origin))
        return fail_at(fault, fail(fault, E_KEY, "the checkpoints are not of one log of this circle"), "two faces");
    for (int i = 0; i < 2 && rc == 0; i++)
        if ((rc = party_log_signed(*party, &faces[i].note, &faces[i].checkpoint, 0)) != 0)
            rc = fail(fault, rc, "the %s checkpoint's signature by the log key of %s", i ? "second" : "first",
                      (*party)->card.name);
    rc = rc ? rc : convict(proof, faces, fault);
    return rc ? fail_at(fault, rc, "two faces") : 0;
}

void faces_flat_put(struct buf *out, const struct faces_proof *proof)
{
    flat_put_text(out, proof->first);
    flat_put_text(out, proof->second);
    flat_put_text(out, proof->older_root ? span_hash(proof->older_root) : span_of(NULL, 0));
    flat_put_text(out, span_of(proof->proof, proof->count * sizeof *proof->proof));
}

int faces_flat_get(struct faces_proof *out, struct span bytes)
{
    struct span older, hashes;
    *out = (struct faces_proof){0};
    if (!flat_take_text(&bytes, &out->first) || !flat_take_text(&bytes, &out->second) ||
        !flat_take_text(&bytes, &older) || !flat_take_text(&bytes, &hashes))
        return E_TRUNCATED;
    out->count = hashes.len / sizeof(struct hash);
    if (bytes.len || hashes.len % sizeof(struct hash) || out->count > PROOF_HASHES_MAX ||
        (older.len && older.len != sizeof(struct hash)))
        return E_PARSER;
    out->older_root = older.len ? (const struct hash *)(const void *)older.data : NULL;
    out->proof = (const struct hash *)(const void *)hashes.data;
    return 0;
}
