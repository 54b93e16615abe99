/* Bodies that end the process which reads them, or that nobody is there to read: each request is answered, plainly, and they are counted;
   an answer of a peer that cannot be read is no answer. Reading happens in the parser that the node was given, and nowhere else. */
#include "node/parser.h"
#include "tests/node/subject.h"

enum { SELF = 0, WRITER = 4, PARTIES = 6, COMMITTEE = 4 };

static int answer; /* of the reader; 0: it reads */
static unsigned asked;

static int stub_checkpoint(struct parser *parser, struct span bytes, struct checkpoint *out, struct note *note)
{
    asked++;
    return answer ? answer : parser_here()->ops->checkpoint(parser, bytes, out, note);
}

static int stub_add_checkpoint(struct parser *parser, struct span body, struct add_checkpoint *out)
{
    asked++;
    return answer ? answer : parser_here()->ops->add_checkpoint(parser, body, out);
}

static int stub_texts(struct parser *parser, struct span json, const char *member, struct texts *out,
                      struct arena *arena)
{
    asked++;
    return answer ? answer : parser_here()->ops->texts(parser, json, member, out, arena);
}

static struct parser_ops ops;
static struct parser stub = {&ops};

static bool status_has(struct bench *b, const char *what)
{
    struct buf status;
    buf_init(&status, 1 << 20);
    node_status_json(b->node, b->now_ms, &status);
    buf_byte(&status, 0);
    bool has = strstr((const char *)status.data, what) != NULL;
    buf_free(&status);
    return has;
}

static void bench_stubbed(struct bench *b)
{
    ops = *parser_here()->ops;
    ops.checkpoint = stub_checkpoint;
    ops.add_checkpoint = stub_add_checkpoint;
    ops.texts = stub_texts;
    answer = 0;
    asked = 0;
    bench_make(b, PARTIES, COMMITTEE, SELF, WRITER);
    b->parser = &stub;
    subject_log(&b->s, 3);
}

static void requests(void)
{
    static const struct {
        int answer, status;
        const char *reason;
    } rows[] = {{E_PARSER, 400, "ended the process"}, {E_IO, 503, "is away"}, {E_SYNTAX, 400, ""}};
    static const enum request_kind kinds[] = {REQ_MIRROR_ADD_CHECKPOINT, REQ_WITNESS_ADD_CHECKPOINT};
    static struct bench b;
    struct buf note, body;
    test("a request whose body cannot be read: 400 or 503 with the reason, and nothing is taken of it");
    bench_stubbed(&b);
    bench_start(&b);
    bench_note(&b, 3, 0, &note);
    buf_init(&body, NOTE_BYTES_MAX);
    add_checkpoint_write(&body, 0, NULL, 0, buf_view(&note));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        answer = rows[i].answer;
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            unsigned before = asked;
            CHECK_INT(bench_request(&b, kinds[k], buf_view(&body), NULL), rows[i].status);
            CHECK(asked == before + 1);
            CHECK(*rows[i].reason ? memmem(b.answer.data, b.answer.len, rows[i].reason, strlen(rows[i].reason)) != NULL
                                  : b.answer.len == 0);
        }
        CHECK_INT(bench_request(&b, REQ_ANNOUNCE, buf_view(&note), NULL), rows[i].status);
        CHECK(b.answer.len > 0);
    }
    CHECK(status_has(&b, "\"bodies_unread\":3,"));
    answer = 0;
    CHECK_INT(bench_request(&b, REQ_MIRROR_ADD_CHECKPOINT, buf_view(&body), NULL), 200); /* it was none of theirs */
    CHECK_INT(bench_request(&b, REQ_ANNOUNCE, buf_view(&note), NULL), 200);
    buf_free(&note);
    buf_free(&body);
    bench_close(&b);
}

static void answers(void)
{
    static struct bench b;
    static const char nothing[] = "{\"log\":\"\",\"cosigned\":[]}";
    test("a peer's answer that cannot be read is none: it is asked again");
    bench_stubbed(&b);
    b.config.recover_alone = false;
    bench_start(&b);
    answer = E_PARSER;
    size_t calls = bench_sent_count(&b, NULL, "/recovery/");
    CHECK(calls > 1);
    for (size_t i = 0; i < calls; i++)
        bench_respond(&b, bench_sent(&b, NULL, "/recovery/"), 200, span_str(nothing));
    CHECK(status_has(&b, "\"state\":\"recovering\""));
    CHECK(!status_has(&b, "\"bodies_unread\":0,"));
    answer = 0;
    bench_tick(&b, 61000);
    CHECK_INT((int64_t)bench_sent_count(&b, NULL, "/recovery/"), (int64_t)calls);
    for (size_t i = 0; i < calls; i++)
        if (bench_sent(&b, NULL, "/recovery/"))
            bench_respond(&b, bench_sent(&b, NULL, "/recovery/"), 200, span_str(nothing));
    CHECK(status_has(&b, "\"state\":\"running\""));
    struct sent *poll = bench_sent(&b, b.s.writer->card.name, "/checkpoint");
    struct buf note;
    bench_note(&b, 3, 0, &note);
    answer = E_PARSER;
    CHECK(poll != NULL);
    if (poll)
        bench_respond(&b, poll, 200, buf_view(&note));
    CHECK(bench_sent(&b, NULL, "/tile/") == NULL);
    answer = 0;
    bench_tick(&b, 61000);
    poll = bench_sent(&b, NULL, "/mirror/"); /* the next source */
    CHECK(poll != NULL);
    if (poll)
        bench_respond(&b, poll, 200, buf_view(&note));
    bench_tick(&b, 5000);
    CHECK(bench_sent(&b, NULL, "/tile/") != NULL || bench_sent(&b, NULL, "/mirror/") != NULL);
    buf_free(&note);
    bench_close(&b);
}

int main(void)
{
    requests();
    answers();
    return test_end();
}
