/* A follower's documents: several at once, bounded, from several sources, resumed, and not held up by one that is slow, false or gone. */
#include "tests/node/subject.h"

enum { SELF = 5, WRITER = 4, PARTIES = 6, COMMITTEE = 4, DOCUMENTS = 60 };

static char texts[DOCUMENTS][64];

static const char *writer_name(const struct bench *b)
{
    return b->s.cards[WRITER].name;
}

/* The follower has heard of the log and holds its entries; now it wants DOCUMENTS documents. */
static void entries_follow(struct bench *b, size_t count)
{
    struct buf note, bundle;
    bench_make(b, PARTIES, COMMITTEE, SELF, WRITER);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "document number %zu", i);
        bench_state(b, WRITER, "text/plain", span_str(texts[i]));
    }
    bench_start(b);
    bench_note(b, count, 0, &note);
    CHECK_INT(bench_request(b, REQ_ANNOUNCE, buf_view(&note), NULL), 200);
    buf_init(&bundle, BUNDLE_BYTES_MAX);
    for (size_t i = 0; i < count; i++)
        bundle_add(&bundle, buf_view(&b->s.entries[i]));
    struct sent *sent = bench_sent(b, writer_name(b), "/tile/entries/");
    CHECK(sent != NULL);
    if (sent)
        bench_respond(b, sent, 200, buf_view(&bundle));
    buf_free(&note);
    buf_free(&bundle);
}

static struct span text_of(const struct sent *sent)
{
    struct hash asked, hash;
    CHECK(hash_parse(span_str(sent->path + strlen("/documents/")), &asked));
    for (size_t i = 0; i < DOCUMENTS; i++) {
        sha256(span_str(texts[i]), &hash);
        if (hash_eq(&hash, &asked))
            return span_str(texts[i]);
    }
    return span_of(NULL, 0);
}

static size_t under_way(const struct bench *b, const char *party)
{
    return bench_sent_count(b, party, "/documents/");
}

static size_t held(struct bench *b)
{
    size_t n = 0;
    for (size_t i = 0; i < DOCUMENTS; i++) {
        struct hash hash;
        struct stored_document info;
        sha256(span_str(texts[i]), &hash);
        n += texts[i][0] && b->store->ops->document_info(b->store, &hash, &info) == 0;
    }
    return n;
}

/* Answers what is under way to everybody but `slow`. */
static void mirrors_answer(struct bench *b, const char *slow)
{
    for (size_t i = 0; i < b->sent_count; i++) {
        struct sent *sent = &b->sent[i];
        if (sent->answered || strncmp(sent->path, "/documents/", 11) != 0 || strcmp(sent->peer->card.name, slow) == 0)
            continue;
        bench_respond(b, sent, 200, text_of(sent));
        CHECK(under_way(b, NULL) <= DOCUMENT_PULLS_MAX);
        for (size_t p = 0; p < PARTIES; p++)
            CHECK(under_way(b, b->s.cards[p].name) <= DOCUMENT_PULLS_PER_SOURCE);
    }
}

static void several(void)
{
    static struct bench b;
    test("several documents at once, in all and from one source no more than the limits");
    entries_follow(&b, DOCUMENTS);
    CHECK_INT(under_way(&b, NULL), DOCUMENT_PULLS_MAX);
    CHECK_INT(under_way(&b, writer_name(&b)), DOCUMENT_PULLS_PER_SOURCE);
    mirrors_answer(&b, "nobody");
    CHECK_INT(held(&b), DOCUMENTS);
    CHECK_INT(under_way(&b, NULL), 0);
    bench_close(&b);
}

static void slow_source(void)
{
    static struct bench b;
    test("a slow source keeps what it was asked for, and the rest comes from others");
    entries_follow(&b, DOCUMENTS);
    mirrors_answer(&b, writer_name(&b));
    CHECK_INT(held(&b), DOCUMENTS - DOCUMENT_PULLS_PER_SOURCE);
    CHECK_INT(under_way(&b, NULL), DOCUMENT_PULLS_PER_SOURCE);
    b.now_ms += 15000;
    for (struct sent *sent; (sent = bench_sent(&b, writer_name(&b), "/documents/"));)
        bench_respond(&b, sent, RESPONSE_NONE, span_of(NULL, 0));
    CHECK_INT(under_way(&b, NULL), DOCUMENT_PULLS_PER_SOURCE); /* the same, of mirrors */
    mirrors_answer(&b, "nobody");
    CHECK_INT(held(&b), DOCUMENTS);
    bench_close(&b);
}

static void cuts(void)
{
    static struct bench b;
    test("what a cut leaves behind is resumed by Range, from another source too");
    entries_follow(&b, 1);
    struct sent *sent = bench_sent(&b, writer_name(&b), "/documents/");
    CHECK(sent && sent->range_from == 0);
    bench_respond(&b, sent, RESPONSE_CUT, span_of(texts[0], 5));
    sent = bench_sent(&b, writer_name(&b), "/documents/");
    CHECK(sent && sent->range_from == 5);
    bench_respond(&b, sent, 404, span_str("not here")); /* lost: no failure of the source, and what came stays */
    sent = bench_sent(&b, NULL, "/documents/");
    CHECK(sent && strcmp(sent->peer->card.name, writer_name(&b)) != 0 && sent->range_from == 5);
    bench_respond(&b, sent, 206, span_str(texts[0] + 5));
    CHECK_INT(held(&b), 1);
    bench_close(&b);
}

static void false_source(void)
{
    static struct bench b;
    test("a source that sends other bytes is left alone for a while");
    entries_follow(&b, DOCUMENTS);
    struct sent *sent = bench_sent(&b, writer_name(&b), "/documents/");
    bench_respond(&b, sent, 200, span_str("something else"));
    size_t before = under_way(&b, writer_name(&b));
    CHECK_INT(before, DOCUMENT_PULLS_PER_SOURCE - 1); /* it gets no other call in its place */
    mirrors_answer(&b, writer_name(&b));
    CHECK_INT(under_way(&b, writer_name(&b)), before);
    CHECK_INT(held(&b), DOCUMENTS - before);
    bench_close(&b);
}

static void nobody_has_it(void)
{
    static struct bench b;
    size_t asked = 0;
    test("what nobody has is asked of everybody, then again later, ever more seldom");
    entries_follow(&b, 1);
    for (struct sent *sent; asked < 100 && (sent = bench_sent(&b, NULL, "/documents/")); asked++)
        bench_respond(&b, sent, 404, span_of(NULL, 0));
    CHECK_INT(asked, 1 + COMMITTEE);
    int64_t waited = 0;
    for (unsigned round = 0; round < 12; round++) {
        int64_t due = node_due(b.node);
        CHECK(due > b.now_ms);
        waited += due - b.now_ms;
        bench_tick(&b, due - b.now_ms);
        for (struct sent *sent; asked < 1000 && (sent = bench_sent(&b, NULL, "/documents/")); asked++)
            bench_respond(&b, sent, 404, span_of(NULL, 0));
    }
    CHECK(waited > 60000 && asked <= 13 * (1 + COMMITTEE) && asked > 5 * (1 + COMMITTEE));
    bench_tick(&b, 60000);
    struct sent *sent = bench_sent(&b, NULL, "/documents/");
    CHECK(sent != NULL);
    if (sent)
        bench_respond(&b, sent, 200, text_of(sent));
    CHECK_INT(held(&b), 1);
    bench_close(&b);
}

static size_t large_calls(const struct bench *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->sent_count; i++)
        n += !b->sent[i].answered && strncmp(b->sent[i].path, "/documents/", 11) == 0 &&
             b->sent[i].body_max == DOCUMENT_BYTES_MAX;
    return n;
}

static void large(void)
{
    static struct bench b;
    test("large documents come one after the other, and do not hold up small ones");
    entries_follow(&b, DOCUMENTS);
    for (unsigned i = 0; i < 3; i++) {
        struct sent *sent = bench_sent(&b, writer_name(&b), "/documents/");
        while (sent && sent->body_max == DOCUMENT_BYTES_MAX)
            sent++; /* calls to the writer are the first eight */
        CHECK_INT(sent->body_max, DOCUMENT_PULL_SMALL_MAX);
        bench_respond(&b, sent, RESPONSE_TOO_LARGE, span_of(NULL, 0));
    }
    CHECK_INT(large_calls(&b), 1);
    for (size_t i = 0; i < b.sent_count; i++)
        if (!b.sent[i].answered && b.sent[i].body_max == DOCUMENT_PULL_SMALL_MAX &&
            strncmp(b.sent[i].path, "/documents/", 11) == 0)
            bench_respond(&b, &b.sent[i], 200, text_of(&b.sent[i]));
    CHECK_INT(held(&b), DOCUMENTS - 3);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_INT(under_way(&b, NULL), 1);
        CHECK_INT(large_calls(&b), 1);
        struct sent *sent = bench_sent(&b, NULL, "/documents/");
        bench_respond(&b, sent, 200, text_of(sent));
    }
    CHECK_INT(held(&b), DOCUMENTS);
    bench_close(&b);
}

/* A small one that comes in pieces becomes large when the pieces are more than a small one may be. */
static void grows(void)
{
    static struct bench b;
    static uint8_t piece[DOCUMENT_PULL_SMALL_MAX];
    test("pieces add up to a large document");
    entries_follow(&b, 1);
    bench_respond(&b, bench_sent(&b, writer_name(&b), "/documents/"), RESPONSE_CUT, span_of(piece, sizeof piece));
    struct sent *sent = bench_sent(&b, writer_name(&b), "/documents/");
    CHECK(sent && sent->range_from == sizeof piece && sent->body_max == DOCUMENT_PULL_SMALL_MAX);
    bench_respond(&b, sent, RESPONSE_CUT, span_of(piece, 1));
    sent = bench_sent(&b, writer_name(&b), "/documents/");
    CHECK(sent && sent->range_from == sizeof piece + 1 && sent->body_max == DOCUMENT_BYTES_MAX);
    bench_close(&b);
}

/* The writer sends it meanwhile: nothing is left to ask for, and nothing is asked. */
static void pushed(void)
{
    static struct bench b;
    test("what is pushed while it is pulled is taken once");
    entries_follow(&b, 2);
    CHECK_INT(bench_put(&b, span_str(texts[0])), 201);
    CHECK_INT(bench_put(&b, span_str(texts[1])), 201);
    mirrors_answer(&b, "nobody");
    CHECK_INT(held(&b), 2);
    bench_tick(&b, 1000);
    CHECK_INT(under_way(&b, NULL), 0);
    bench_close(&b);
}

int main(void)
{
    several();
    slow_source();
    cuts();
    false_source();
    nobody_has_it();
    large();
    grows();
    pushed();
    return test_end();
}
