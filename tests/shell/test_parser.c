/* The process that reads documents, confined as it is in production: it gives what a call in this process gives; its death costs one
   document, and an answer that makes no sense counts as a death. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "format/flat.h"
#include "record/flat.h"
#include "shell/gzip.h"
#include "shell/shell.h"
#include "tests/test.h"

static struct shell shell;
static int supervisor; /* the test's end of the node's control socket */

static struct buf file_of(const char *name)
{
    const char *root = getenv("COMITY_SOURCE");
    char path[512];
    struct buf out;
    struct fault fault = {0};
    (void)snprintf(path, sizeof path, "%s/examples/%s", root ? root : ".", name);
    CHECK_INT(serve_read(path, 1 << 20, &out, &fault), 0);
    return out;
}

static pid_t parser_start(int *control)
{
    static const struct serve serve = {.lock_fd = -1};
    struct child_report report;
    (void)fflush(stdout);
    pid_t pid = child_fork("comity-parser", SIGKILL, control);
    if (pid == 0)
        parser_run(&serve, *control);
    CHECK(receive_all(*control, &report, sizeof report) && report.code == 0);
    return pid;
}

/* A line whose one end goes to the node by its control socket, as from the supervisor; returns the other. */
static int line_offer(void)
{
    int pair[2];
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    CHECK(fd_send(supervisor, CHILD_PARSER, pair[0]));
    (void)close(pair[0]);
    return pair[1];
}

/* Texts for the kinds of bodies; `way` as below. */
static const char note_text[] =
    "example.org/log\n5\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
    "\xe2\x80\x94 example.org/log "
    "AAAAAQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0A=\n";
static const char faces_text[] = "{\"comity\":\"two-faces/1\",\"first\":\"a\",\"second\":\"b\",\"older_root\":"
                                 "\"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"consistency\":["
                                 "\"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"]}";
static const char list_text[] = "{\"one\":\"alone\",\"many\":[\"a\",1,\"b\\n\"],\"other\":7}";

enum way { WAY_CHECKPOINT, WAY_ADD_CHECKPOINT, WAY_TEXT, WAY_TEXTS, WAY_FACES, WAYS };

/* What came of reading, written down to be compared. */
static int body_read(struct parser *parser, enum way way, const char *text, struct buf *out)
{
    static struct add_checkpoint request;
    struct texts texts;
    struct faces_proof proof;
    struct arena arena;
    int rc = 0;
    arena_init(&arena, 1 << 20);
    memset(&request, 0, sizeof request);
    if (way == WAY_CHECKPOINT)
        rc = parser->ops->checkpoint(parser, span_str(text), &request.checkpoint, &request.note);
    else if (way == WAY_ADD_CHECKPOINT)
        rc = parser->ops->add_checkpoint(parser, span_str(text), &request);
    if (rc == 0 && way <= WAY_ADD_CHECKPOINT) {
        buf_printf(out, "%llu %zu %llu", (unsigned long long)request.old_size, request.count,
                   (unsigned long long)request.checkpoint.size);
        buf_span(out, request.checkpoint.origin);
        buf_span(out, request.note.signatures[0].line);
        buf_add(out, request.note.signatures[0].bytes, request.note.signatures[0].len);
    }
    if (way == WAY_TEXT || way == WAY_TEXTS) {
        rc = parser->ops->texts(parser, span_str(text), way == WAY_TEXT ? "one" : "many", &texts, &arena);
        for (size_t i = 0; rc == 0 && i < texts.count; i++)
            flat_put_text(out, texts.list[i]);
    }
    if (way == WAY_FACES && (rc = parser->ops->faces(parser, span_str(text), &proof, &arena)) == 0)
        faces_flat_put(out, &proof);
    buf_printf(out, " %d\n", rc);
    arena_free(&arena);
    return rc;
}

static const char *body_text(enum way way)
{
    static char add[sizeof note_text + 64];
    (void)snprintf(add, sizeof add, "old 3\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n%s", note_text);
    return way == WAY_CHECKPOINT       ? note_text
           : way == WAY_ADD_CHECKPOINT ? add
           : way == WAY_FACES          ? faces_text
                                       : list_text;
}

static void same_bodies(struct parser *parser)
{
    struct parser *const both[2] = {parser, parser_here()};
    struct buf out[2];
    for (int i = 0; i < 2; i++) {
        buf_init(&out[i], 1 << 20);
        for (enum way way = 0; way < WAYS; way++) {
            CHECK_INT(body_read(both[i], way, body_text(way), &out[i]), 0);
            CHECK(body_read(both[i], way, "{\"a\":", &out[i]) < 0);
            CHECK(body_read(both[i], way, "", &out[i]) < 0);
        }
    }
    CHECK(out[0].len > 500 && span_eq(buf_view(&out[0]), buf_view(&out[1])));
    CHECK(memmem(out[0].data, out[0].len, "alone", 5) && memmem(out[0].data, out[0].len, "b\n", 2));
    buf_free(&out[0]);
    buf_free(&out[1]);
}

static void same_answers(struct parser *parser)
{
    struct buf csaf = file_of("advisories/xz-backdoor.csaf.json"), cdx = file_of("inventories/appliance.cdx.json");
    struct parser *const both[2] = {parser, parser_here()};
    struct buf flat[2];
    for (int i = 0; i < 2; i++) {
        static struct publication publication;
        const struct parser_ops *ops = both[i]->ops;
        struct advisory advisory;
        struct inventory inventory;
        struct fault fault = {0};
        struct arena arena;
        enum label label = LABEL_CLOSED;
        char media[MEDIA_BYTES_MAX];
        arena_init(&arena, 1 << 26);
        buf_init(&flat[i], 1 << 24);
        CHECK_INT(ops->advisory(both[i], span_str("application/csaf+json"), buf_view(&csaf), &advisory, &arena), 0);
        flat_put_advisory(&flat[i], &advisory);
        CHECK_INT(ops->inventory(both[i], buf_view(&cdx), span_str("Debian:12"), &inventory, &arena, &fault), 0);
        flat_put_inventory(&flat[i], &inventory);
        CHECK_INT(ops->label(both[i], span_str("application/csaf+json"), buf_view(&csaf), &label), 0);
        CHECK_INT(label, LABEL_OPEN);
        CHECK_INT(ops->publication(both[i], buf_view(&csaf), false, &publication, &fault), 0);
        buf_text(&flat[i], publication.media);
        buf_text(&flat[i], publication.subject);
        CHECK_INT(ops->media(both[i], buf_view(&csaf), media), 0);
        CHECK(strcmp(media, "application/csaf+json") == 0);
        CHECK_INT(ops->media(both[i], buf_view(&cdx), media), 0);
        CHECK(media[0] == 0);
        int rc = ops->inventory(both[i], span_str("{\"a\":"), span_str(""), &inventory, &arena, &fault);
        buf_printf(&flat[i], "%d %s %s", rc, fault.where, fault.detail);
        CHECK(rc != 0 && fault.detail[0]);
        arena_free(&arena);
    }
    CHECK(span_eq(buf_view(&flat[0]), buf_view(&flat[1])));
    buf_free(&flat[0]);
    buf_free(&flat[1]);
    buf_free(&csaf);
    buf_free(&cdx);
}

/* A sort of more than a kilobyte, for which the C library wants to know the machine's memory. */
static void sorted(struct parser *parser)
{
    struct buf text;
    struct arena arena;
    struct advisory advisory;
    test("a document of many products is sorted there");
    buf_init(&text, 1 << 20);
    arena_init(&arena, 64 << 20);
    buf_text(&text,
             "{\"document\":{\"category\":\"csaf_security_advisory\",\"csaf_version\":\"2.0\",\"title\":\"x\","
             "\"publisher\":{\"category\":\"vendor\",\"name\":\"x\",\"namespace\":\"https://x.example\"},\"tracking\":{"
             "\"id\":\"X-1\",\"status\":\"final\",\"version\":\"1\",\"initial_release_date\":\"2026-01-01T00:00:00Z\","
             "\"current_release_date\":\"2026-01-01T00:00:00Z\",\"revision_history\":[]}},\"product_tree\":{"
             "\"full_product_names\":[");
    for (int i = 0; i < 500; i++)
        buf_printf(&text, "%s{\"name\":\"p\",\"product_id\":\"P%d\"}", i ? "," : "", i);
    buf_text(&text, "]},\"vulnerabilities\":[{\"product_status\":{\"known_affected\":[\"P1\"]}}]}");
    CHECK_INT(parser->ops->advisory(parser, span_str("application/csaf+json"), buf_view(&text), &advisory, &arena), 0);
    buf_free(&text);
    arena_free(&arena);
}

static void real(struct parser *parser)
{
    int control, status;
    test("what the process reads is what a call here reads, errors too");
    pid_t pid = parser_start(&control);
    int pair[2];
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    CHECK(fd_send(control, 0, pair[1]));
    (void)close(pair[1]);
    parser_line(parser, pair[0]);
    same_answers(parser);
    same_bodies(parser);
    sorted(parser);
    test("gzip is expanded there, to its limit and no further");
    struct buf text, packed, out;
    buf_init(&text, 100000);
    buf_init(&packed, 100000);
    buf_init(&out, 100000);
    while (text.len < 100000)
        buf_text(&text, "ten bytes ");
    CHECK_INT(gzip(&packed, buf_view(&text)), 0);
    CHECK_INT(parser_unpack(parser, buf_view(&packed), &out), 0);
    CHECK(span_eq(buf_view(&out), buf_view(&text)));
    buf_free(&out);
    buf_init(&out, 99999);
    CHECK_INT(parser_unpack(parser, buf_view(&packed), &out), E_LIMIT);
    buf_free(&out);
    buf_init(&out, 200000);
    CHECK_INT(parser_unpack(parser, span_of(packed.data, packed.len - 1), &out), E_TRUNCATED);
    buf_free(&text);
    buf_free(&packed);
    buf_free(&out);
    test("it serves one node after the other, and ends when its supervisor does");
    parser_line(parser, line_offer());
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    CHECK(fd_send(control, 0, pair[1]));
    (void)close(pair[1]);
    parser_line(parser, pair[0]);
    same_answers(parser);
    (void)close(control);
    parser_line(parser, line_offer()); /* the old line is closed */
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Two lines that end, one after the other; then a third that would work is not asked. */
static void deaths(struct parser *parser)
{
    struct advisory advisory;
    struct arena arena;
    test("a document over which the process ends twice is E_PARSER");
    arena_init(&arena, 1 << 20);
    for (int i = 0; i < 3; i++)
        (void)close(line_offer());
    (void)close(line_offer());
    int pair[2];
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    (void)close(pair[1]);
    parser_line(parser, pair[0]);
    CHECK_INT(parser->ops->advisory(parser, span_str("application/csaf+json"), span_str("{}"), &advisory, &arena),
              E_PARSER);
    CHECK(!parser_there(parser));
    arena_free(&arena);
}

/* Each kind: two lines that end, and the body is given up; one that ends, and the next reader reads it. */
static void bodies_deadly(struct parser *parser)
{
    struct buf out, same;
    int control, status;
    test("a body over which the process ends twice is E_PARSER, of every kind; over which it ends once it is read by "
         "the next");
    pid_t pid = parser_start(&control);
    for (enum way way = 0; way < WAYS; way++) {
        int pair[2];
        buf_init(&out, 1 << 20);
        buf_init(&same, 1 << 20);
        (void)close(line_offer()); /* behind the one that the last round left */
        CHECK_INT(body_read(parser, way, body_text(way), &out), E_PARSER);
        CHECK(!parser_there(parser));
        (void)close(line_offer());
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        CHECK(fd_send(control, 0, pair[1]) && fd_send(supervisor, CHILD_PARSER, pair[0]));
        buf_reset(&out);
        CHECK_INT(body_read(parser, way, body_text(way), &out), 0);
        CHECK_INT(body_read(parser_here(), way, body_text(way), &same), 0);
        CHECK(span_eq(buf_view(&out), buf_view(&same)));
        (void)close(pair[0]);
        (void)close(pair[1]);
        (void)close(line_offer()); /* this line is not used again: the parser waits for the next one */
        CHECK(line_wait(&shell, 0));
        buf_free(&out);
        buf_free(&same);
    }
    (void)close(control);
    CHECK_INT(waitpid(pid, &status, 0), pid);
}

/* A reader that was taken over: what it says of a note that the note does not say is not taken, and nor is what has no form. */
static void bodies_false(struct parser *parser)
{
    static struct note note;
    struct checkpoint checkpoint;
    struct buf flat, out;
    test("what a reader says of a body that the body does not say is not taken");
    CHECK_INT(checkpoint_parse(&checkpoint, &note, span_str(note_text), NULL), 0);
    for (enum way way = 0; way < WAYS; way++) {
        buf_init(&flat, 1 << 20);
        buf_init(&out, 1 << 20);
        checkpoint.size = 6;
        if (way == WAY_CHECKPOINT)
            flat_put_checkpoint(&flat, &checkpoint, &note);
        else
            buf_text(&flat, way == WAY_ADD_CHECKPOINT ? "short" : "\xff\xff\xff\xffpast the end");
        struct {
            int32_t code;
            struct fault fault;
            uint64_t bytes;
        } answer = {.bytes = flat.len};
        int end = line_offer();
        CHECK(send_all(end, &answer, sizeof answer) && send_all(end, flat.data, flat.len));
        CHECK_INT(body_read(parser, way, body_text(way), &out), E_PARSER);
        CHECK(parser_there(parser)); /* it has answered: this was no death */
        (void)close(end);
        (void)close(line_offer());
        CHECK(line_wait(&shell, 0));
        buf_free(&flat);
        buf_free(&out);
    }
}

static void nonsense(struct parser *parser)
{
    /* code, then the fault, then the bytes that are said to follow */
    static const struct {
        int32_t code;
        uint64_t bytes;
    } rows[] = {{1, 0}, {E_SYNTAX, 5}, {0, UINT64_MAX}, {0, 3}};
    test("an answer that makes no sense counts as a death");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char media[MEDIA_BYTES_MAX];
        for (int k = 0; k < 2; k++) {
            struct {
                int32_t code;
                struct fault fault;
                uint64_t bytes;
            } answer = {.code = rows[i].code, .bytes = rows[i].bytes};
            int end = line_offer();
            CHECK(send_all(end, &answer, sizeof answer) && shutdown(end, SHUT_WR) == 0);
        }
        CHECK_INT(parser->ops->media(parser, span_str("{}"), media), E_PARSER);
        CHECK(media[0] == 0);
    }
}

int main(void)
{
    int pair[2];
    (void)signal(SIGPIPE, SIG_IGN);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return 1;
    shell.control = pair[0];
    supervisor = pair[1];
    shell.net.fd = shell.commands.fd = -1;
    struct parser *parser = shell.parser = parser_client(&shell);
    real(parser);
    while (line_wait(&shell, 0)) /* what was offered and not needed */
        ;
    deaths(parser);
    while (line_wait(&shell, 0))
        ;
    parser_line(parser, line_offer());
    while (line_wait(&shell, 0))
        ;
    nonsense(parser);
    while (line_wait(&shell, 0))
        ;
    bodies_deadly(parser);
    bodies_false(parser);
    return test_end();
}
