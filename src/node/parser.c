#include "node/parser.h"

#include <stdio.h>

#include "node/state.h"

enum { ARENA_BYTES_MAX = 8 * DOCUMENT_BYTES_MAX };

static int here_advisory(struct parser *parser, struct span media, struct span document, struct advisory *out,
                         struct arena *arena)
{
    (void)parser;
    int rc = advisory_read(out, media, document, arena, NULL);
    return rc && arena->exhausted ? E_NOMEM : rc;
}

static int here_inventory(struct parser *parser, struct span bytes, struct span distribution, struct inventory *out,
                          struct arena *arena, struct fault *fault)
{
    (void)parser;
    return inventory_read(out, bytes, distribution, arena, fault);
}

static int here_label(struct parser *parser, struct span media, struct span document, enum label *out)
{
    (void)parser;
    return document_label(media, document, out);
}

static int here_publication(struct parser *parser, struct span document, bool open, struct publication *out,
                            struct fault *fault)
{
    struct arena arena;
    (void)parser;
    arena_init(&arena, ARENA_BYTES_MAX);
    int rc = publication_check(out, document, open, &arena, fault);
    memset(&out->advisory, 0, sizeof out->advisory); /* it lives in the arena */
    arena_free(&arena);
    return rc;
}

static int here_media(struct parser *parser, struct span document, char out[static MEDIA_BYTES_MAX])
{
    const struct json *root = NULL;
    struct arena arena;
    (void)parser;
    arena_init(&arena, ARENA_BYTES_MAX);
    const char *found =
        json_parse(&root, document, DOCUMENT_BYTES_MAX, &arena, NULL) == 0 ? advisory_media(root) : NULL;
    (void)snprintf(out, MEDIA_BYTES_MAX, "%s", found ? found : "");
    arena_free(&arena);
    return 0;
}

static int here_checkpoint(struct parser *parser, struct span note_bytes, struct checkpoint *out, struct note *note)
{
    (void)parser;
    return checkpoint_parse(out, note, note_bytes, NULL);
}

static int here_add_checkpoint(struct parser *parser, struct span body, struct add_checkpoint *out)
{
    (void)parser;
    return add_checkpoint_parse(out, body, NULL);
}

static int here_texts(struct parser *parser, struct span json, const char *member, struct texts *out,
                      struct arena *arena)
{
    const struct json *root = NULL;
    (void)parser;
    *out = (struct texts){0};
    int rc = json_parse(&root, json, TEXTS_JSON_BYTES_MAX, arena, NULL);
    const struct json *found = rc ? NULL : json_get(root, member);
    bool one = found && found->type == JSON_STRING;
    size_t most = one ? 1 : found && found->type == JSON_ARRAY ? found->count : 0;
    struct span *list = arena_array(arena, most + 1, sizeof *list);
    if (rc || !list || most > TEXTS_MAX)
        return rc ? rc : !list ? E_NOMEM : E_LIMIT;
    for (size_t i = 0; i < most; i++)
        if (one || found->child[i].type == JSON_STRING)
            list[out->count++] = one ? found->text : found->child[i].text;
    out->list = list;
    return 0;
}

static int here_faces(struct parser *parser, struct span document, struct faces_proof *out, struct arena *arena)
{
    (void)parser;
    return faces_read(out, document, arena, NULL);
}

static int here_listing(struct parser *parser, struct span bytes, struct listing *out, struct arena *arena,
                        struct fault *fault)
{
    (void)parser;
    return listing_read(out, bytes, arena, fault);
}

static int here_archive_end(struct parser *parser, struct span tail, uint64_t total, struct zip_end *out,
                            struct fault *fault)
{
    (void)parser;
    return zip_end_read(out, tail, total, fault);
}

static int here_archive_listing(struct parser *parser, struct span directory, uint64_t entries, struct listing *out,
                                struct arena *arena, struct fault *fault)
{
    (void)parser;
    return zip_directory_read(out, directory, entries, arena, fault);
}

static int here_archive_document(struct parser *parser, struct span bytes, const struct listed *item, struct buf *out,
                                 struct fault *fault)
{
    (void)parser;
    return zip_document_read(out, bytes, item, fault);
}

static int here_signature(struct parser *parser, struct span document, struct span signature, struct span key,
                          char fingerprint[static FINGERPRINT_BYTES], struct fault *fault)
{
    (void)parser;
    int rc = openpgp_key(key, fingerprint, fault);
    return rc || !signature.len ? rc : openpgp_verify(document, signature, key, fault);
}

struct parser *parser_here(void)
{
    static const struct parser_ops ops = {.advisory = here_advisory,
                                          .inventory = here_inventory,
                                          .label = here_label,
                                          .publication = here_publication,
                                          .media = here_media,
                                          .checkpoint = here_checkpoint,
                                          .add_checkpoint = here_add_checkpoint,
                                          .texts = here_texts,
                                          .faces = here_faces,
                                          .listing = here_listing,
                                          .archive_end = here_archive_end,
                                          .archive_listing = here_archive_listing,
                                          .archive_document = here_archive_document,
                                          .signature = here_signature};
    static struct parser here = {&ops};
    return &here;
}

/* A document that ended its reader, or is too much for the catalogue, is written down, and not read again. */

static const struct span kind_unread = {(const uint8_t *)"unread", 6};

static bool unread_known(struct node *node, const struct hash *document)
{
    char hex[65];
    hash_hex(document, hex);
    return node->env.store->ops->journal_find(node->env.store, kind_unread, span_str(hex), NULL, NULL) == 0;
}

int document_unread(struct node *node, const struct hash *document, int code)
{
    char hex[65];
    int64_t seq;
    const struct fault fault = {.code = code};
    struct buf body;
    hash_hex(document, hex);
    buf_init(&body, 4096);
    fault_json(&body, &fault, code);
    int rc = body.error ? body.error : write_begin(node);
    if (rc == 0)
        rc = node->env.store->ops->journal_append(node->env.store, now_seconds(node), kind_unread, span_str(hex),
                                                  buf_view(&body), &seq);
    buf_free(&body);
    return rc == E_EXISTS ? 0 : rc;
}

/* Errors of the reader, not of what was read. */
static bool hard(int code)
{
    return code == E_NOMEM || code == E_IO;
}

int document_read(struct node *node, const struct hash *hash, struct span media, struct span document,
                  struct advisory *out, struct arena *arena, bool *readable)
{
    *readable = false;
    if (unread_known(node, hash))
        return 0;
    int rc = node->env.parser->ops->advisory(node->env.parser, media, document, out, arena);
    *readable = rc == 0;
    return rc == E_PARSER ? document_unread(node, hash, E_PARSER) : hard(rc) ? rc : 0;
}

int document_label_tell(struct node *node, const struct hash *hash, struct span media, struct span document,
                        enum label *out)
{
    *out = LABEL_CLOSED;
    if (unread_known(node, hash))
        return 0;
    int rc = node->env.parser->ops->label(node->env.parser, media, document, out);
    if (rc == 0)
        return 0;
    *out = LABEL_CLOSED;
    return rc == E_PARSER ? document_unread(node, hash, E_PARSER) : rc;
}

/* Bodies */

static int body_read(struct node *node, int rc)
{
    node->bodies_unread += rc == E_PARSER;
    return rc;
}

int body_checkpoint(struct node *node, struct span bytes, struct checkpoint *out, struct note *note)
{
    return body_read(node, node->env.parser->ops->checkpoint(node->env.parser, bytes, out, note));
}

int body_add_checkpoint(struct node *node, struct span bytes, struct add_checkpoint *out)
{
    return body_read(node, node->env.parser->ops->add_checkpoint(node->env.parser, bytes, out));
}

int body_texts(struct node *node, struct span json, const char *member, struct texts *out, struct arena *arena)
{
    return body_read(node, node->env.parser->ops->texts(node->env.parser, json, member, out, arena));
}

int body_status(int rc)
{
    return rc == 0 ? 200 : rc == E_IO || rc == E_NOMEM ? 503 : 400;
}

const char *body_reason(int rc)
{
    return rc == E_PARSER ? "reading this ended the process that reads it, twice\n"
           : rc == E_IO   ? "the process that reads this is away; ask again\n"
                          : "";
}

int document_faces(struct node *node, const struct hash *hash, struct span document, struct faces_proof *out,
                   struct arena *arena, bool *readable)
{
    *readable = false;
    if (hash && unread_known(node, hash))
        return 0;
    int rc = node->env.parser->ops->faces(node->env.parser, document, out, arena);
    *readable = rc == 0;
    return rc == E_PARSER && hash ? document_unread(node, hash, E_PARSER) : hard(rc) ? rc : 0;
}

static int unread_visit(void *ctx, const struct journal_row *row)
{
    size_t *count = ctx;
    (void)row;
    (*count)++;
    return 0;
}

size_t documents_unread(struct node *node)
{
    size_t count = 0;
    (void)node->env.store->ops->journal_scan(node->env.store, kind_unread, 0, unread_visit, &count);
    return count;
}
