/* A document that ends the process that reads it is written down once, is neither readable nor labelled, and is not read again: not in
   this process, nor in the next. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "node/state.h"
#include "tests/test.h"

static unsigned asked;
static int answer;

static int stub_advisory(struct parser *parser, struct span media, struct span document, struct advisory *out,
                         struct arena *arena)
{
    (void)parser;
    (void)media;
    (void)document;
    (void)arena;
    asked++;
    memset(out, 0, sizeof *out);
    return answer;
}

static int stub_label(struct parser *parser, struct span media, struct span document, enum label *out)
{
    (void)parser;
    (void)media;
    (void)document;
    asked++;
    *out = LABEL_OPEN;
    return answer;
}

static const struct parser_ops ops = {.advisory = stub_advisory, .label = stub_label};
static struct parser stub = {&ops};

static struct node *opened(struct store *store)
{
    const struct env env = {.store = store, .parser = &stub};
    const struct node_config config = {.party = span_str("alpha")};
    struct node *node = NULL;
    struct fault fault = {0};
    CHECK_INT(node_open(&node, &env, &config, &fault), 0);
    return node;
}

static int read_it(struct node *node, const char *text, bool *readable)
{
    struct advisory advisory;
    struct arena arena;
    struct hash hash;
    arena_init(&arena, 1 << 20);
    sha256(span_str(text), &hash);
    int rc = document_read(node, &hash, span_str("application/csaf+json"), span_str(text), &advisory, &arena, readable);
    rc = rc ? rc : write_commit(node);
    arena_free(&arena);
    return rc;
}

static int label_it(struct node *node, const char *text, enum label *label)
{
    struct hash hash;
    sha256(span_str(text), &hash);
    int rc = document_label_tell(node, &hash, span_str("application/csaf+json"), span_str(text), label);
    return rc ? rc : write_commit(node);
}

int main(void)
{
    struct store *store = NULL;
    bool readable = true;
    enum label label = LABEL_OPEN;
    if (store_memory_open(&store) != 0)
        return 1;
    struct node *node = opened(store);
    test("what is no advisory is asked about each time, and is not written down");
    answer = E_SYNTAX;
    CHECK_INT(read_it(node, "other", &readable), 0);
    CHECK(!readable && asked == 1);
    CHECK_INT(read_it(node, "other", &readable), 0);
    CHECK_INT(asked, 2);
    CHECK_INT(documents_unread(node), 0);
    test("what ended its reader is written down, and not read again");
    answer = E_PARSER;
    CHECK_INT(read_it(node, "deadly", &readable), 0);
    CHECK(!readable && asked == 3);
    CHECK_INT(documents_unread(node), 1);
    answer = 0;
    CHECK_INT(read_it(node, "deadly", &readable), 0);
    CHECK(!readable && asked == 3);
    test("... nor labelled: it is served to nobody");
    CHECK_INT(label_it(node, "deadly", &label), 0);
    CHECK(label == LABEL_CLOSED && asked == 3);
    CHECK_INT(label_it(node, "good", &label), 0);
    CHECK(label == LABEL_OPEN && asked == 4);
    test("... and the next process knows");
    node_close(node);
    node = opened(store);
    CHECK_INT(read_it(node, "deadly", &readable), 0);
    CHECK(!readable && asked == 4);
    test("a reader that is not there stops the node instead");
    answer = E_IO;
    CHECK_INT(read_it(node, "good", &readable), E_IO);
    CHECK_INT(label_it(node, "good", &label), E_IO);
    CHECK_INT(documents_unread(node), 1);
    node_close(node);
    store->ops->close(store);
    return test_end();
}
