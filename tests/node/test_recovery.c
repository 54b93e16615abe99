/* A node that starts: how many must answer, and that one restored from an older copy signs nothing before it has all it had signed. */
#include "tests/node/subject.h"

static const char nothing[] = "{\"log\":\"\",\"cosigned\":[]}";

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

static bool is_running(struct bench *b)
{
    return status_has(b, "\"state\":\"running\"");
}

/* m - k + f + 1 with f = floor((m - 1) / 3) and k = floor((m + f) / 2) + 1: whatever stood, an honest mirror of its quorum is among
   them. */
static void answers(void)
{
    static const unsigned needed[16] = {0, 1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10};
    static struct bench b;
    test("answers that a start waits for, with 1 to 15 mirrors");
    for (unsigned m = 1; m <= 15; m++) {
        bench_make(&b, m + 1, m, m, m);
        b.config.recover_alone = false;
        bench_start(&b);
        CHECK_INT(bench_sent_count(&b, NULL, "/recovery/"), m);
        for (unsigned heard = 0; heard < needed[m]; heard++) {
            CHECK(!is_running(&b));
            bench_respond(&b, bench_sent(&b, NULL, "/recovery/"), 200, span_str(nothing));
        }
        if (!is_running(&b))
            printf("# not running with %u of %u\n", needed[m], m);
        CHECK(is_running(&b));
        bench_close(&b);
    }
}

/* A refusal, garbage and silence are no answers. */
static void no_answers(void)
{
    static struct bench b;
    test("errors and garbage are no answers; while it waits it states nothing");
    bench_make(&b, 5, 4, 4, 4);
    b.config.recover_alone = false;
    bench_start(&b);
    bench_respond(&b, bench_sent(&b, NULL, "/recovery/"), 500, span_str(nothing));
    bench_respond(&b, bench_sent(&b, NULL, "/recovery/"), 200, span_str("{"));
    bench_respond(&b, bench_sent(&b, NULL, "/recovery/"), RESPONSE_NONE, span_of(NULL, 0));
    bench_respond(&b, bench_sent(&b, NULL, "/recovery/"), 404, span_str(nothing));
    CHECK(!is_running(&b));
    struct submission submission = {.media = "text/plain", .subject = "x", .document = span_str("x")};
    bench_step(&b, (struct event){.kind = EVENT_SUBMIT, .submissions = &submission, .submission_count = 1});
    CHECK_INT(b.status, 503);
    bench_close(&b);
}

/* Restored */

enum { MIRRORS = 4, SELF = 4 };

static void state_many(struct bench *b, unsigned first, unsigned count)
{
    struct submission *list = calloc(count, sizeof *list);
    char(*texts)[32] = calloc(count, sizeof *texts);
    if (!list || !texts)
        abort();
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "document %u", first + i);
        list[i] = (struct submission){.media = "text/plain", .subject = "x", .document = span_str(texts[i])};
    }
    bench_step(b, (struct event){.kind = EVENT_SUBMIT, .submissions = list, .submission_count = count});
    bench_step(b, (struct event){.kind = EVENT_FLUSH});
    free(list);
    free(texts);
}

/* What a mirror that holds the log would answer: taken from the node as it was before the loss. */
static void mirror_answers(struct bench *b, struct node *before, struct sent *sent)
{
    struct served served = {0};
    const char *tile = strstr(sent->path, "/tile/");
    buf_init(&served.body, HTTP_BODY_MAX);
    node_serve(before, span_str(tile ? tile : sent->path), false, &served);
    bench_respond(b, sent, served.status, buf_view(&served.body));
    buf_free(&served.body);
}

/* 5,001 entries: more than one feed of the signer, and a long pull. */
static void restored(void)
{
    static struct bench b;
    enum { STATED = 5000 };
    struct served note = {0};
    struct signer_position position;
    struct buf answer;
    char size[64];
    test("restored from nothing, it waits for every mirror, takes its log back, and signs on from there");
    bench_make(&b, MIRRORS + 1, MIRRORS, SELF, SELF);
    bench_start(&b);
    state_many(&b, 0, STATED);
    buf_init(&note.body, NOTE_BYTES_MAX);
    node_serve(b.node, span_str("/checkpoint"), false, &note);
    CHECK_INT(note.status, 200);
    buf_init(&answer, 1 << 20);
    buf_text(&answer, "{\"log\":");
    buf_json(&answer, buf_view(&note.body));
    buf_text(&answer, ",\"cosigned\":[]}");

    struct node *before = b.node; /* it serves what the mirrors hold */
    struct store *store = b.store;
    struct signer *signer = b.signer;
    bench_open(&b, ring_open());
    b.sent_count = 0;
    b.config.recover_alone = false;
    bench_start(&b);
    bench_respond(&b, bench_sent(&b, NULL, "/recovery/"), 200, buf_view(&answer));
    CHECK(status_has(&b, "\"restored\":true,\"recovery_answers_needed\":4"));
    for (unsigned heard = 1; heard < MIRRORS; heard++) {
        CHECK(!is_running(&b));
        bench_respond(&b, bench_sent(&b, NULL, "/recovery/"), 200, span_str(nothing));
    }
    CHECK(!is_running(&b)); /* all have answered, but it lacks its entries */
    for (unsigned i = 0; i < 200 && !is_running(&b); i++) {
        struct sent *sent = bench_sent(&b, NULL, "/mirror/");
        CHECK(sent != NULL);
        if (!sent)
            break;
        CHECK(b.signer->ops->position(b.signer, KEY_LOG, span_str(b.s.writer->origin), &position) == E_NOTFOUND ||
              position.size == 0); /* it has signed nothing and moved nowhere */
        mirror_answers(&b, before, sent);
    }
    CHECK(is_running(&b));
    CHECK_INT(b.signer->ops->position(b.signer, KEY_LOG, span_str(b.s.writer->origin), &position), 0);
    CHECK_INT(position.size, STATED + 1);
    struct checkpoint checkpoint;
    struct note parsed;
    CHECK_INT(checkpoint_parse(&checkpoint, &parsed, buf_view(&note.body), NULL), 0);
    CHECK(hash_eq(&position.root, &checkpoint.root));
    state_many(&b, STATED, 1);
    CHECK_INT(b.status, 0); /* the flush has no answer of its own */
    (void)snprintf(size, sizeof size, "\"log\":{\"size\":%d,\"signed\":%d,", STATED + 2, STATED + 2);
    CHECK(status_has(&b, size));
    node_close(before);
    store->ops->close(store);
    signer->ops->close(signer);
    buf_free(&note.body);
    buf_free(&answer);
    bench_close(&b);
}

/* Somebody else's checkpoint, or a forged one, holds nobody up. */
static void liar(void)
{
    static struct bench b;
    struct buf note, answer;
    test("an invented checkpoint of its own log holds a node up no longer than an answer");
    bench_make(&b, MIRRORS + 1, MIRRORS, SELF, SELF);
    subject_log(&b.s, 3);
    buf_init(&answer, 1 << 20);
    b.config.recover_alone = false;
    bench_note(&b, 3, 0, &note); /* signed by a key that is not its own: that one is in the folder */
    buf_text(&answer, "{\"log\":");
    buf_json(&answer, buf_view(&note));
    buf_text(&answer, ",\"cosigned\":[]}");
    bench_start(&b);
    for (unsigned heard = 0; heard < 3; heard++) {
        CHECK(!is_running(&b));
        bench_respond(&b, bench_sent(&b, NULL, "/recovery/"), 200, buf_view(&answer));
    }
    CHECK(is_running(&b));
    buf_free(&note);
    buf_free(&answer);
    bench_close(&b);
}

static void note_of(struct bench *b, const char *path, struct buf *answer)
{
    struct served note = {0};
    buf_init(&note.body, NOTE_BYTES_MAX);
    node_serve(b->node, span_str(path), false, &note);
    CHECK_INT(note.status, 200);
    buf_init(answer, 1 << 20);
    buf_text(answer, "{\"log\":");
    buf_json(answer, buf_view(&note.body));
    buf_text(answer, ",\"cosigned\":[]}");
    buf_free(&note.body);
}

static int submit_one(struct bench *b)
{
    struct submission submission = {.media = "text/plain", .subject = "x", .document = span_str("x")};
    bench_step(b, (struct event){.kind = EVENT_SUBMIT, .submissions = &submission, .submission_count = 1});
    return b->status;
}

static void everybody_knows_nothing(struct bench *b)
{
    for (unsigned heard = 0; heard < MIRRORS; heard++) {
        struct sent *sent = bench_sent(b, NULL, "/recovery/");
        CHECK(sent != NULL);
        if (sent)
            bench_respond(b, sent, 200, span_str(nothing));
    }
}

/* The database alone was put back: here to before its first entry. */
static void ahead(void)
{
    static struct bench b;
    struct buf answer, note;
    struct checkpoint checkpoint;
    struct note parsed;
    struct fault fault = {0};
    test("a signer ahead of the database, and nobody has the rest: no second tree, no end, and the rest is asked for "
         "again and again");
    bench_make(&b, MIRRORS + 1, MIRRORS, SELF, SELF);
    bench_start(&b);
    state_many(&b, 0, 3);
    note_of(&b, "/checkpoint", &answer);
    struct node *before = b.node;
    struct store *store = b.store;
    CHECK_INT(store_memory_open(&b.store), 0);
    b.sent_count = 0;
    b.config.recover_alone = false;
    bench_start(&b);
    CHECK(status_has(&b, "\"state\":\"recovering\",\"restored\":true"));
    CHECK_INT(node_ahead(b.node), 0);
    everybody_knows_nothing(&b);
    CHECK(status_has(&b, "\"state\":\"signer-ahead\""));
    CHECK(status_has(&b, "\"ahead\":{\"size\":4,"));
    CHECK_INT(node_ahead(b.node), 4);
    CHECK_INT(submit_one(&b), 409);
    CHECK(memmem(b.answer.data, b.answer.len, "\"id\":\"signer-ahead\"", 19) != NULL);
    bench_step(&b, (struct event){.kind = EVENT_LEAVE, .name = b.config.party, .body = span_str("gone")});
    CHECK_INT(b.status, 409);
    buf_init(&note, NOTE_BYTES_MAX);
    CHECK_INT(node_ahead_note(b.node, &note, &fault), 0);
    CHECK_INT(checkpoint_parse(&checkpoint, &parsed, buf_view(&note), NULL), 0);
    CHECK_INT(checkpoint.size, 4);
    buf_free(&note);
    bench_restart(&b); /* the same again */
    everybody_knows_nothing(&b);
    CHECK(status_has(&b, "\"state\":\"signer-ahead\""));
    CHECK(bench_sent(&b, NULL, "/recovery/") == NULL);
    bench_tick(&b, 31000);
    bench_respond(&b, bench_sent(&b, NULL, "/recovery/"), 200, buf_view(&answer)); /* one has found it */
    for (unsigned heard = 1; heard < MIRRORS; heard++)
        bench_respond(&b, bench_sent(&b, NULL, "/recovery/"), 200, span_str(nothing));
    for (unsigned i = 0; i < 20 && !is_running(&b); i++) {
        struct sent *sent = bench_sent(&b, NULL, "/mirror/");
        CHECK(sent != NULL);
        if (sent)
            mirror_answers(&b, before, sent);
    }
    CHECK(is_running(&b));
    CHECK_INT(node_ahead(b.node), 0);
    CHECK_INT(node_ahead_note(b.node, &answer, &fault), E_NOTFOUND);
    state_many(&b, 3, 1);
    CHECK(status_has(&b, "\"log\":{\"size\":5,\"signed\":5,"));
    node_close(before);
    store->ops->close(store);
    buf_free(&answer);
    bench_close(&b);
}

int main(void)
{
    answers();
    no_answers();
    restored();
    liar();
    ahead();
    return test_end();
}
