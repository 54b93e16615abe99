/* The process that reads what others wrote: JSON, package lists, gzip. It has no key, no file and no socket but its line to the node; a
   document that breaks it breaks nothing else. Here are both sides of that line. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "format/flat.h"
#include "record/flat.h"
#include "shell/gzip.h"
#include "shell/shell.h"

enum parse_type {
    PARSE_ADVISORY = 1,
    PARSE_INVENTORY,
    PARSE_LABEL,
    PARSE_PUBLICATION,
    PARSE_MEDIA,
    PARSE_UNPACK,
    PARSE_CHECKPOINT,
    PARSE_ADD_CHECKPOINT,
    PARSE_TEXTS, /* the side is the member's name */
    PARSE_FACES,
    PARSE_LISTING,
    PARSE_ARCHIVE_END,
    PARSE_ARCHIVE_LISTING,
    PARSE_ARCHIVE_DOCUMENT,
    PARSE_SIGNATURE, /* key and signature, each behind its length, then the document */
    PARSE_TYPES
};
enum {
    PARSE_SECONDS_MAX = 30, /* of one document; then the process ends by SIGALRM */
    LINE_SECONDS_MAX = PARSE_SECONDS_MAX + 10,
    AGAIN_MS_MAX = 15000, /* until there is a new process */
    ANSWER_BYTES_MAX = 4 * INVENTORY_BYTES_MAX,
    MEMBER_BYTES_MAX = 32
};
static const rlim_t memory_max = 2048ull * 1024 * 1024;

struct parse_ask {
    uint32_t type, open;
    uint64_t most;              /* PARSE_UNPACK: largest that it may expand to */
    uint64_t numbers[3];        /* ARCHIVE_END: size of the whole; _LISTING: entries; _DOCUMENT: packed, size, CRC */
    uint64_t side_bytes, bytes; /* media type or distribution, then the document */
};
struct parse_answer {
    int32_t code;
    struct fault fault;
    uint64_t bytes; /* that follow; 0 when code is not 0 */
};

/* In the parser's process */

static int advisory_answer(struct span media, struct span document, struct arena *arena, struct buf *out)
{
    struct advisory advisory;
    int rc = parser_here()->ops->advisory(NULL, media, document, &advisory, arena);
    if (rc == 0)
        flat_put_advisory(out, &advisory);
    return rc;
}

static int inventory_answer(struct span distribution, struct span bytes, struct arena *arena, struct buf *out,
                            struct fault *fault)
{
    struct inventory inventory;
    int rc = parser_here()->ops->inventory(NULL, bytes, distribution, &inventory, arena, fault);
    if (rc == 0)
        flat_put_inventory(out, &inventory);
    return rc;
}

static int publication_answer(struct span document, bool open, struct buf *out, struct fault *fault)
{
    static struct publication publication;
    int rc = parser_here()->ops->publication(NULL, document, open, &publication, fault);
    if (rc)
        return rc;
    buf_byte(out, (uint8_t)publication.label);
    flat_put_text(out, span_str(publication.media));
    flat_put_text(out, span_str(publication.subject));
    return 0;
}

static int checkpoint_answer(struct span bytes, struct buf *out)
{
    static struct note note;
    struct checkpoint checkpoint;
    int rc = parser_here()->ops->checkpoint(NULL, bytes, &checkpoint, &note);
    if (rc == 0)
        flat_put_checkpoint(out, &checkpoint, &note);
    return rc;
}

static int add_checkpoint_answer(struct span body, struct buf *out)
{
    static struct add_checkpoint request;
    int rc = parser_here()->ops->add_checkpoint(NULL, body, &request);
    if (rc == 0)
        flat_put_add_checkpoint(out, &request);
    return rc;
}

static int texts_answer(struct span side, struct span json, struct arena *arena, struct buf *out)
{
    struct texts texts;
    char member[MEMBER_BYTES_MAX] = "";
    if (side.len >= sizeof member)
        return E_LIMIT;
    memcpy(member, side.data, side.len);
    int rc = parser_here()->ops->texts(NULL, json, member, &texts, arena);
    for (size_t i = 0; rc == 0 && i < texts.count; i++)
        flat_put_text(out, texts.list[i]);
    return rc;
}

static int faces_answer(struct span document, struct arena *arena, struct buf *out)
{
    struct faces_proof proof;
    int rc = parser_here()->ops->faces(NULL, document, &proof, arena);
    if (rc == 0)
        faces_flat_put(out, &proof);
    return rc;
}

static int listing_answer(const struct parse_ask *ask, struct span bytes, struct arena *arena, struct buf *out,
                          struct fault *fault)
{
    const struct parser_ops *ops = parser_here()->ops;
    struct listing listing;
    int rc = ask->type == PARSE_LISTING ? ops->listing(NULL, bytes, &listing, arena, fault)
                                        : ops->archive_listing(NULL, bytes, ask->numbers[0], &listing, arena, fault);
    if (rc == 0)
        flat_put_listing(out, &listing);
    return rc;
}

static int archive_end_answer(uint64_t total, struct span tail, struct buf *out, struct fault *fault)
{
    struct zip_end end;
    int rc = parser_here()->ops->archive_end(NULL, tail, total, &end, fault);
    buf_u64(out, end.offset);
    buf_u64(out, end.bytes);
    buf_u64(out, end.entries);
    return rc;
}

static int archive_document_answer(const struct parse_ask *ask, struct span bytes, struct buf *out, struct fault *fault)
{
    const struct listed item = {.packed = ask->numbers[0], .size = ask->numbers[1], .crc = (uint32_t)ask->numbers[2]};
    return parser_here()->ops->archive_document(NULL, bytes, &item, out, fault);
}

static int signature_answer(struct span bytes, struct buf *out, struct fault *fault)
{
    struct span key, signature;
    char fingerprint[FINGERPRINT_BYTES];
    if (!flat_take_text(&bytes, &key) || !flat_take_text(&bytes, &signature))
        return E_TRUNCATED;
    int rc = parser_here()->ops->signature(NULL, bytes, signature, key, fingerprint, fault);
    buf_text(out, fingerprint);
    return rc;
}

static int answer_make(const struct parse_ask *ask, struct span side, struct span document, struct arena *arena,
                       struct buf *out, struct fault *fault)
{
    char media[MEDIA_BYTES_MAX];
    enum label label = LABEL_CLOSED;
    int rc;
    switch ((enum parse_type)ask->type) {
    case PARSE_ADVISORY:
        return advisory_answer(side, document, arena, out);
    case PARSE_INVENTORY:
        return inventory_answer(side, document, arena, out, fault);
    case PARSE_LABEL:
        rc = parser_here()->ops->label(NULL, side, document, &label);
        buf_byte(out, (uint8_t)label);
        return rc;
    case PARSE_PUBLICATION:
        return publication_answer(document, ask->open != 0, out, fault);
    case PARSE_MEDIA:
        rc = parser_here()->ops->media(NULL, document, media);
        buf_text(out, media);
        return rc;
    case PARSE_CHECKPOINT:
        return checkpoint_answer(document, out);
    case PARSE_ADD_CHECKPOINT:
        return add_checkpoint_answer(document, out);
    case PARSE_TEXTS:
        return texts_answer(side, document, arena, out);
    case PARSE_FACES:
        return faces_answer(document, arena, out);
    case PARSE_LISTING:
    case PARSE_ARCHIVE_LISTING:
        return listing_answer(ask, document, arena, out, fault);
    case PARSE_ARCHIVE_END:
        return archive_end_answer(ask->numbers[0], document, out, fault);
    case PARSE_SIGNATURE:
        return signature_answer(document, out, fault);
    case PARSE_ARCHIVE_DOCUMENT:
        return archive_document_answer(ask, document, out, fault);
    default:
        out->max = ask->most < ANSWER_BYTES_MAX ? (size_t)ask->most : ANSWER_BYTES_MAX;
        return gunzip(out, document);
    }
}

static bool ask_serve_one(int fd, const struct parse_ask *ask)
{
    struct parse_answer answer = {0};
    struct arena arena;
    struct buf out;
    uint8_t *bytes = malloc((size_t)(ask->side_bytes + ask->bytes) + 1);
    if (!bytes || !receive_all(fd, bytes, (size_t)(ask->side_bytes + ask->bytes))) {
        free(bytes);
        return false;
    }
    const struct span side = span_of(bytes, (size_t)ask->side_bytes),
                      document = span_of(bytes + ask->side_bytes, (size_t)ask->bytes);
    arena_init(&arena, 8 * (size_t)INVENTORY_BYTES_MAX);
    buf_init(&out, ANSWER_BYTES_MAX);
    (void)alarm(PARSE_SECONDS_MAX);
    answer.code = answer_make(ask, side, document, &arena, &out, &answer.fault);
    (void)alarm(0);
    answer.code = answer.code ? answer.code : out.error;
    answer.bytes = answer.code ? 0 : out.len;
    bool good = send_all(fd, &answer, sizeof answer) && send_all(fd, out.data, (size_t)answer.bytes);
    arena_free(&arena);
    buf_free(&out);
    free(bytes);
    return good;
}

static bool ask_good(const struct parse_ask *ask)
{
    return ask->type >= PARSE_ADVISORY && ask->type < PARSE_TYPES && ask->side_bytes <= 4096 &&
           ask->bytes <= INVENTORY_BYTES_MAX;
}

static int by_byte(const void *a, const void *b)
{
    return *(const uint8_t *)a - *(const uint8_t *)b;
}

/* The C library asks how much memory the machine has when it first sorts more than a kilobyte, and the filter would kill it for that. */
static void sort_prepare(void)
{
    uint8_t bytes[2048] = {0};
    qsort(bytes, sizeof bytes, 1, by_byte);
}

void parser_run(const struct serve *serve, int control)
{
    const struct fault fault = {0};
    const struct rlimit memory = {memory_max, memory_max};
    char degraded[128];
    struct parse_ask ask;
    sigset_t none;
    uint8_t what;
    int fd;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    descriptors_keep((int[]){control, serve->lock_fd}, 2);
    if (!confine_sanitized()) /* such a build needs address space without measure */
        (void)setrlimit(RLIMIT_AS, &memory);
    sort_prepare();
    openpgp_prepare();
    int rc = confine_self(CONFINED_PARSER, NULL, degraded);
    child_report(control, rc, &fault, degraded);
    while ((fd = fd_receive(control, &what)) >= 0) {
        while (receive_all(fd, &ask, sizeof ask) && ask_good(&ask) && ask_serve_one(fd, &ask))
            ;
        (void)close(fd);
    }
    _exit(0);
}

/* In the node's process */

struct client {
    struct parser base;
    struct shell *shell;
    int fd; /* -1: there is none now */
};

void parser_line(struct parser *parser, int fd)
{
    struct client *p = (struct client *)parser;
    const struct timeval most = {.tv_sec = LINE_SECONDS_MAX};
    if (p->fd >= 0)
        (void)close(p->fd);
    p->fd = fd;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
}

bool parser_there(const struct parser *parser)
{
    return ((const struct client *)parser)->fd >= 0;
}

static bool there(struct client *p)
{
    while (p->fd < 0)
        if (!line_wait(p->shell, AGAIN_MS_MAX))
            return false;
    return true;
}

static void lost(struct client *p)
{
    (void)close(p->fd);
    p->fd = -1;
}

/* One try. False: the process has ended, or does not keep to the form. */
static bool try_once(struct client *p, const struct parse_ask *ask, struct span side, struct span document,
                     struct parse_answer *answer, struct buf *out)
{
    buf_reset(out);
    if (!send_all(p->fd, ask, sizeof *ask) || !send_all(p->fd, side.data, side.len) ||
        !send_all(p->fd, document.data, document.len) || !receive_all(p->fd, answer, sizeof *answer) ||
        answer->code > 0 || answer->bytes > ANSWER_BYTES_MAX || (answer->code && answer->bytes))
        return false;
    uint8_t *bytes = malloc(answer->bytes ? (size_t)answer->bytes : 1);
    bool good = bytes && receive_all(p->fd, bytes, (size_t)answer->bytes);
    if (good) {
        buf_free(out);
        out->data = bytes;
        out->len = out->cap = (size_t)answer->bytes;
    } else {
        free(bytes);
    }
    return good;
}

static int ask(struct parser *parser, struct parse_ask *ask, struct span side, struct span document, struct buf *out,
               struct fault *fault)
{
    struct client *p = (struct client *)parser;
    struct parse_answer answer;
    ask->side_bytes = side.len;
    ask->bytes = document.len;
    if (!ask_good(ask))
        return fail(fault, E_LIMIT, "%zu bytes", document.len);
    for (int round = 0; round < 2; round++) {
        if (!there(p))
            return fail(fault, E_IO, "the process that reads documents does not come back");
        if (try_once(p, ask, side, document, &answer, out)) {
            answer.fault.where[sizeof answer.fault.where - 1] = 0;
            answer.fault.detail[sizeof answer.fault.detail - 1] = 0;
            if (answer.code && fault)
                *fault = answer.fault;
            if (answer.code && fault)
                fault->code = answer.code;
            return answer.code;
        }
        lost(p);
    }
    return fail(fault, E_PARSER, "the process that reads documents ended twice over it");
}

/* The answer, moved to the arena. */
static int ask_kept(struct parser *parser, struct parse_ask *request, struct span side, struct span body,
                    struct arena *arena, struct span *kept)
{
    struct buf answer;
    buf_init(&answer, ANSWER_BYTES_MAX);
    int rc = ask(parser, request, side, body, &answer, NULL);
    *kept = rc ? span_of(NULL, 0) : arena_copy(arena, buf_view(&answer));
    if (rc == 0 && answer.len && !kept->data)
        rc = arena->exhausted ? E_NOMEM : E_LIMIT;
    buf_free(&answer);
    return rc;
}

static int op_advisory(struct parser *parser, struct span media, struct span document, struct advisory *out,
                       struct arena *arena)
{
    struct parse_ask request = {.type = PARSE_ADVISORY};
    struct span bytes;
    int rc = ask_kept(parser, &request, media, document, arena, &bytes);
    return rc ? rc : flat_get_advisory(out, bytes, arena);
}

static int op_inventory(struct parser *parser, struct span bytes, struct span distribution, struct inventory *out,
                        struct arena *arena, struct fault *fault)
{
    struct parse_ask request = {.type = PARSE_INVENTORY};
    struct buf flat;
    buf_init(&flat, ANSWER_BYTES_MAX);
    int rc = ask(parser, &request, distribution, bytes, &flat, fault);
    struct span kept = rc ? span_of(NULL, 0) : arena_copy(arena, buf_view(&flat));
    if (rc == 0 && flat.len && !kept.data)
        rc = fail(fault, arena->exhausted ? E_NOMEM : E_LIMIT, "%zu bytes", flat.len);
    if (rc == 0 && (rc = flat_get_inventory(out, kept, arena)) != 0)
        (void)fail(fault, rc, "the answer of the process that reads documents");
    buf_free(&flat);
    return rc;
}

static bool label_take(struct span *bytes, enum label *label)
{
    if (!bytes->len || bytes->data[0] > LABEL_SEALED)
        return false;
    *label = (enum label)bytes->data[0];
    *bytes = span_from(*bytes, 1);
    return true;
}

static int op_label(struct parser *parser, struct span media, struct span document, enum label *out)
{
    struct parse_ask request = {.type = PARSE_LABEL};
    struct buf answer;
    buf_init(&answer, ANSWER_BYTES_MAX);
    int rc = ask(parser, &request, media, document, &answer, NULL);
    struct span bytes = buf_view(&answer);
    if (rc == 0 && (!label_take(&bytes, out) || bytes.len))
        rc = E_PARSER;
    buf_free(&answer);
    return rc;
}

static bool text_take(struct span *bytes, char *out, size_t size)
{
    struct span text;
    if (!flat_take_text(bytes, &text) || text.len >= size || (text.len && memchr(text.data, 0, text.len)))
        return false;
    if (text.len)
        memcpy(out, text.data, text.len);
    out[text.len] = 0;
    return true;
}

static int op_publication(struct parser *parser, struct span document, bool open, struct publication *out,
                          struct fault *fault)
{
    struct parse_ask request = {.type = PARSE_PUBLICATION, .open = open};
    struct buf answer;
    buf_init(&answer, ANSWER_BYTES_MAX);
    memset(out, 0, sizeof *out);
    int rc = ask(parser, &request, span_of(NULL, 0), document, &answer, fault);
    struct span bytes = buf_view(&answer);
    if (rc == 0 && (!label_take(&bytes, &out->label) || !text_take(&bytes, out->media, sizeof out->media) ||
                    !text_take(&bytes, out->subject, sizeof out->subject) || bytes.len))
        rc = fail(fault, E_PARSER, "the answer of the process that reads documents");
    buf_free(&answer);
    return rc;
}

static int op_media(struct parser *parser, struct span document, char out[static MEDIA_BYTES_MAX])
{
    struct parse_ask request = {.type = PARSE_MEDIA};
    struct buf answer;
    buf_init(&answer, ANSWER_BYTES_MAX);
    int rc = ask(parser, &request, span_of(NULL, 0), document, &answer, NULL);
    if (rc == 0 && answer.len >= MEDIA_BYTES_MAX)
        rc = E_PARSER;
    (void)snprintf(out, MEDIA_BYTES_MAX, "%.*s", rc ? 0 : (int)answer.len, answer.len ? (const char *)answer.data : "");
    buf_free(&answer);
    return rc;
}

static int op_checkpoint(struct parser *parser, struct span bytes, struct checkpoint *out, struct note *note)
{
    struct parse_ask request = {.type = PARSE_CHECKPOINT};
    struct buf answer;
    if (bytes.len > NOTE_BYTES_MAX)
        return E_LIMIT;
    buf_init(&answer, ANSWER_BYTES_MAX);
    int rc = ask(parser, &request, span_of(NULL, 0), bytes, &answer, NULL);
    rc = rc ? rc : flat_get_checkpoint(out, note, buf_view(&answer), bytes);
    buf_free(&answer);
    return rc;
}

static int listing_ask(struct parser *parser, struct parse_ask *request, struct span bytes, struct listing *out,
                       struct arena *arena, struct fault *fault)
{
    struct buf flat;
    buf_init(&flat, ANSWER_BYTES_MAX);
    int rc = ask(parser, request, span_of(NULL, 0), bytes, &flat, fault);
    struct span kept = rc ? span_of(NULL, 0) : arena_copy(arena, buf_view(&flat));
    if (rc == 0 && flat.len && !kept.data)
        rc = fail(fault, arena->exhausted ? E_NOMEM : E_LIMIT, "a list");
    if (rc == 0 && (rc = flat_get_listing(out, kept, arena)) != 0)
        rc = fail(fault, rc == E_NOMEM ? rc : E_PARSER, "what came back is no list");
    buf_free(&flat);
    return rc;
}

static int op_listing(struct parser *parser, struct span bytes, struct listing *out, struct arena *arena,
                      struct fault *fault)
{
    struct parse_ask request = {.type = PARSE_LISTING};
    return listing_ask(parser, &request, bytes, out, arena, fault);
}

static int op_archive_listing(struct parser *parser, struct span directory, uint64_t entries, struct listing *out,
                              struct arena *arena, struct fault *fault)
{
    struct parse_ask request = {.type = PARSE_ARCHIVE_LISTING, .numbers = {entries}};
    return listing_ask(parser, &request, directory, out, arena, fault);
}

static int op_archive_end(struct parser *parser, struct span tail, uint64_t total, struct zip_end *out,
                          struct fault *fault)
{
    struct parse_ask request = {.type = PARSE_ARCHIVE_END, .numbers = {total}};
    struct buf answer;
    *out = (struct zip_end){0};
    buf_init(&answer, ANSWER_BYTES_MAX);
    int rc = ask(parser, &request, span_of(NULL, 0), tail, &answer, fault);
    if (rc == 0 && answer.len != 24)
        rc = fail(fault, E_PARSER, "what came back is no end of an archive");
    if (rc == 0)
        *out = (struct zip_end){
            .offset = u64_get(answer.data), .bytes = u64_get(answer.data + 8), .entries = u64_get(answer.data + 16)};
    buf_free(&answer);
    return rc;
}

static int op_add_checkpoint(struct parser *parser, struct span body, struct add_checkpoint *out)
{
    struct parse_ask request = {.type = PARSE_ADD_CHECKPOINT};
    struct buf answer;
    buf_init(&answer, ANSWER_BYTES_MAX);
    int rc = ask(parser, &request, span_of(NULL, 0), body, &answer, NULL);
    rc = rc ? rc : flat_get_add_checkpoint(out, buf_view(&answer), body);
    buf_free(&answer);
    return rc;
}

static int op_texts(struct parser *parser, struct span json, const char *member, struct texts *out, struct arena *arena)
{
    struct parse_ask request = {.type = PARSE_TEXTS};
    struct span bytes;
    *out = (struct texts){0};
    int rc = ask_kept(parser, &request, span_str(member), json, arena, &bytes);
    struct span *list = rc ? NULL : arena_array(arena, TEXTS_MAX, sizeof *list);
    while (list && bytes.len)
        if (out->count == TEXTS_MAX || !flat_take_text(&bytes, &list[out->count++]))
            return E_PARSER;
    out->list = list;
    return rc ? rc : list ? 0 : E_NOMEM;
}

static int op_faces(struct parser *parser, struct span document, struct faces_proof *out, struct arena *arena)
{
    struct parse_ask request = {.type = PARSE_FACES};
    struct span bytes;
    int rc = ask_kept(parser, &request, span_of(NULL, 0), document, arena, &bytes);
    return rc ? rc : faces_flat_get(out, bytes) == 0 ? 0 : E_PARSER;
}

static int op_archive_document(struct parser *parser, struct span bytes, const struct listed *item, struct buf *out,
                               struct fault *fault)
{
    struct parse_ask request = {.type = PARSE_ARCHIVE_DOCUMENT, .numbers = {item->packed, item->size, item->crc}};
    struct buf answer;
    buf_init(&answer, ANSWER_BYTES_MAX);
    int rc = ask(parser, &request, span_of(NULL, 0), bytes, &answer, fault);
    if (rc == 0 && answer.len != item->size)
        rc = fail(fault, E_PARSER, "what came back is no document of that size");
    if (rc == 0)
        buf_span(out, buf_view(&answer));
    buf_free(&answer);
    return rc ? rc : out->error;
}

static int op_signature(struct parser *parser, struct span document, struct span signature, struct span key,
                        char fingerprint[static FINGERPRINT_BYTES], struct fault *fault)
{
    struct parse_ask request = {.type = PARSE_SIGNATURE};
    struct buf body, answer;
    buf_init(&body, INVENTORY_BYTES_MAX);
    buf_init(&answer, ANSWER_BYTES_MAX);
    flat_put_text(&body, key);
    flat_put_text(&body, signature);
    buf_span(&body, document);
    int rc = body.error ? body.error : ask(parser, &request, span_of(NULL, 0), buf_view(&body), &answer, fault);
    if (rc == 0 && (!answer.len || answer.len >= FINGERPRINT_BYTES || !text_is_line(buf_view(&answer))))
        rc = fail(fault, E_PARSER, "what came back is no fingerprint");
    (void)snprintf(fingerprint, FINGERPRINT_BYTES, "%.*s", rc ? 0 : (int)answer.len,
                   answer.len ? (const char *)answer.data : "");
    buf_free(&body);
    buf_free(&answer);
    return rc;
}

int parser_unpack(struct parser *parser, struct span packed, struct buf *out)
{
    struct parse_ask request = {.type = PARSE_UNPACK, .most = out->max};
    size_t max = out->max;
    int rc = ask(parser, &request, span_of(NULL, 0), packed, out, NULL);
    out->max = max;
    if (rc == 0 && out->len > max)
        rc = E_LIMIT;
    return rc;
}

struct parser *parser_client(struct shell *shell)
{
    static const struct parser_ops ops = {.advisory = op_advisory,
                                          .inventory = op_inventory,
                                          .label = op_label,
                                          .publication = op_publication,
                                          .media = op_media,
                                          .checkpoint = op_checkpoint,
                                          .add_checkpoint = op_add_checkpoint,
                                          .texts = op_texts,
                                          .faces = op_faces,
                                          .listing = op_listing,
                                          .archive_end = op_archive_end,
                                          .archive_listing = op_archive_listing,
                                          .archive_document = op_archive_document,
                                          .signature = op_signature};
    static struct client client;
    client = (struct client){.base = {&ops}, .shell = shell, .fd = -1};
    return &client.base;
}
