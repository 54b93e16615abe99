/* Every HTTP route and every answer of a peer, through the real engine. The first byte says whether the
   node must hear the committee first, and whether its signer has signed what it does not hold; then comes a plan of up to 24 acts: bytes as they come, or a
   request built as an honest or dishonest peer would build it, with one byte smudged if the plan says so. Whatever happens, the node
   answers each request, cosigns no two trees of one log, and its views can be folded anew. */
#include "circle/change.h"
#include "fuzz/world.h"

enum { ACTS_MAX = 24, COSIGNED_MAX = 64 };

struct cosigned_tree {
    uint64_t size;
    struct hash root;
};
static struct cosigned_tree cosigned[COSIGNED_MAX];
static size_t cosigned_count;

/* One byte of what was built, or none. */
static void smudge(struct buf *bytes, struct span *plan)
{
    uint8_t way = plan_byte(plan);
    if (way < 128 || !bytes->len)
        return;
    size_t at = (size_t)plan_number(plan, 2) % bytes->len;
    if (way < 192)
        bytes->data[at] = plan_byte(plan);
    else
        bytes->len = at;
}

static uint64_t size_take(struct span *plan)
{
    return plan_byte(plan) % (ENTRIES + 1);
}

static struct face *face_take(struct world *w, struct span *plan)
{
    return &w->faces[plan_byte(plan) % FACES];
}

/* Two cosignatures on one size are on one root, whatever the log's owner signed. */
static void cosigned_check(struct world *w, uint64_t size)
{
    struct note note;
    struct subject *s = &w->subject;
    char name[MIRROR_NAME_BYTES];
    if (w->last_status != 200 || note_parse_signatures(&note, buf_view(&w->last_body), NULL) != 0)
        return;
    mirror_name(name, roster_party(&s->roster, span_str("p00")));
    for (size_t f = 0; f < FACES; f++) {
        struct buf text;
        struct hash root;
        world_root(&w->faces[f], size, &root);
        buf_init(&text, NOTE_BYTES_MAX);
        checkpoint_write_text(&text, span_str(s->writer->origin), size, &root);
        note.text = buf_view(&text);
        if (note_verify_cosignature(&note, span_str(name), &s->cards[0].keys[KEY_MIRROR], NULL, NULL) == 0) {
            for (size_t i = 0; i < cosigned_count; i++)
                must(cosigned[i].size != size || hash_eq(&cosigned[i].root, &root));
            if (cosigned_count < COSIGNED_MAX)
                cosigned[cosigned_count++] = (struct cosigned_tree){size, root};
        }
        buf_free(&text);
    }
}

/* Bytes as they come */

static void act_get(struct world *w, struct span *plan)
{
    bool member = plan_byte(plan) & 1;
    struct span path = plan_piece(plan);
    struct served served;
    for (size_t i = 0; i < path.len; i++)
        if (path.data[i] <= ' ' || path.data[i] >= 0x7f)
            return;
    node_serve(w->node, path, member, &served);
    must(served.status >= 200 && served.status < 600 && served.content_type != NULL && !served.body.error);
    must(memchr(served.location, 0, sizeof served.location) != NULL);
    buf_free(&served.body);
}

/* Paths that name something that is there. */
static void act_get_known(struct world *w, struct span *plan)
{
    static const struct {
        const char *before, *after;
    } formats[] = {
        {"/mirror/", "/checkpoint"},
        {"/mirror/", "/pending"},
        {"/mirror/", "/tile/0/000.p/3"},
        {"/mirror/", "/tile/entries/000.p/3"},
        {"/mirror/", "/cosigned/3"},
        {"/mirror/", "/tile/1/000"},
        {"/mirror/", "/nothing"},
        {"/witness/", "/checkpoint"},
        {"/documents/", ""},
        {"/entries/", ""},
        {"/mirror/", "/cosigned/1"},
        {"/.well-known/scitt-keys/", ""},
    };
    size_t which = plan_byte(plan) % (sizeof formats / sizeof formats[0]), entry = plan_byte(plan) % ENTRIES;
    const struct subject *s = &w->subject;
    char hex[65], path[160];
    struct hash hash = s->roster.parties[entry % WORLD_PARTIES].origin_hash;
    struct served served;
    if (which == 7)
        sha256(span_str(FOREIGN_ORIGIN), &hash);
    if (which == 8)
        sha256(buf_view(&w->documents[entry]), &hash);
    if (which == 9)
        tree_leaf(buf_view(&w->faces[0].entries[entry]), &hash);
    hash_hex(&hash, hex);
    if (which == 11) {
        struct buf text;
        struct hash kid;
        key_id(&s->cards[0].keys[KEY_MIRROR], &kid);
        buf_init(&text, sizeof hex);
        buf_base64(&text, span_hash(&kid));
        for (size_t i = 0; i < text.len; i++)
            hex[i] = (char)(text.data[i] == '+' ? '-' : text.data[i] == '/' ? '_' : text.data[i]);
        hex[43] = 0;
        buf_free(&text);
    }
    (void)snprintf(path, sizeof path, "%s%s%s", formats[which].before, hex, formats[which].after);
    node_serve(w->node, span_str(path), plan_byte(plan) & 1, &served);
    must(served.status == 200 || served.status == 303 || served.status == 403 || served.status == 404);
    buf_free(&served.body);
}

static void act_raw(struct world *w, struct span *plan)
{
    enum request_kind kind = (enum request_kind)(plan_byte(plan) % (REQ_KEY_CHANGE + 1));
    struct hash hash;
    struct span body = plan_piece(plan);
    sha256(body, &hash);
    (void)world_request(w, kind, body, &hash);
}

/* What a peer that knows the formats sends */

static void proof_between(struct face *face, uint64_t old, uint64_t size, struct hash *proof, size_t *count)
{
    struct tile_reader tiles = face_tiles(face);
    *count = 0;
    if (old && old < size)
        must(tree_consistency(&tiles, old, size, proof, count) == 0);
}

static void act_add_checkpoint(struct world *w, struct span *plan)
{
    struct face *face = face_take(w, plan);
    uint64_t old = size_take(plan), size = size_take(plan);
    struct hash proof[PROOF_HASHES_MAX];
    size_t count;
    struct buf note, body;
    proof_between(face, old, size, proof, &count);
    buf_init(&note, NOTE_BYTES_MAX);
    buf_init(&body, HTTP_BODY_MAX);
    writer_note(w, face, size, (uint32_t)plan_number(plan, 2), &note);
    smudge(&note, plan);
    add_checkpoint_write(&body, old, proof, count, buf_view(&note));
    smudge(&body, plan);
    (void)world_request(w, REQ_MIRROR_ADD_CHECKPOINT, buf_view(&body), NULL);
    buf_free(&note);
    buf_free(&body);
}

static void act_add_entries(struct world *w, struct span *plan)
{
    struct face *face = face_take(w, plan);
    uint64_t start = size_take(plan), end = size_take(plan), target = size_take(plan);
    struct tile_reader tiles = face_tiles(face);
    struct entry_package package = {.start = start, .end = end};
    struct buf body, foreign;
    buf_init(&body, HTTP_BODY_MAX);
    buf_init(&foreign, STATEMENT_BYTES_MAX);
    target = target < end ? end : target;
    add_entries_write_head(&body, span_str(w->subject.writer->origin), start, end, plan_bytes(plan, 2));
    for (uint64_t i = start; i < end; i++)
        package.entries[package.count++] = buf_view(&face->entries[i]);
    if (end && tree_subtree_consistency(&tiles, 0, end, target, package.proof, &package.proof_count) != 0)
        package.proof_count = 0;
    if (end > start)
        add_entries_write_package(&body, &package);
    smudge(&body, plan);
    (void)world_request(w, REQ_MIRROR_ADD_ENTRIES, buf_view(&body), NULL);
    cosigned_check(w, end);
    buf_free(&body);
    buf_free(&foreign);
}

static void act_document(struct world *w, struct span *plan)
{
    struct buf *document = &w->documents[plan_byte(plan) % ENTRIES], body;
    struct hash hash;
    sha256(buf_view(document), &hash);
    buf_init(&body, DOCUMENT_BYTES_MAX);
    buf_span(&body, buf_view(document));
    smudge(&body, plan);
    int status = world_request(w, REQ_PUT_DOCUMENT, buf_view(&body), &hash);
    must(w->stopped || (status == 400) == !span_eq(buf_view(&body), buf_view(document)));
    buf_free(&body);
}

static void act_announce(struct world *w, struct span *plan)
{
    struct buf note;
    struct face *face = face_take(w, plan);
    buf_init(&note, NOTE_BYTES_MAX);
    uint64_t size = size_take(plan);
    writer_note(w, face, size, (uint32_t)plan_number(plan, 2), &note);
    smudge(&note, plan);
    (void)world_request(w, REQ_ANNOUNCE, buf_view(&note), NULL);
    buf_free(&note);
}

static void act_witness(struct world *w, struct span *plan)
{
    struct face *face = face_take(w, plan);
    uint64_t old = size_take(plan), size = size_take(plan);
    struct hash proof[PROOF_HASHES_MAX], root;
    struct public_key key;
    struct span name;
    enum note_type type;
    size_t count;
    struct buf note, body;
    must(note_vkey_parse(span_str(w->foreign_vkey), &name, &type, &key) == 0);
    proof_between(face, old, size, proof, &count);
    world_root(face, size, &root);
    buf_init(&note, NOTE_BYTES_MAX);
    buf_init(&body, HTTP_BODY_MAX);
    note_make(w, name, w->foreign, &key, size, &root, 0, &note);
    smudge(&note, plan);
    add_checkpoint_write(&body, old, proof, count, buf_view(&note));
    (void)world_request(w, REQ_WITNESS_ADD_CHECKPOINT, buf_view(&body), NULL);
    buf_free(&note);
    buf_free(&body);
}

/* A key change of a party, by its recovery key; the document is good but for its keys, or smudged. */
static void act_key_change(struct world *w, struct span *plan)
{
    struct subject *s = &w->subject;
    size_t party = plan_byte(plan) % WORLD_PARTIES;
    const struct party *p = roster_party(&s->roster, span_str(s->cards[party].name));
    struct cut cuts[WORLD_PARTIES] = {0};
    struct buf document, body, statement;
    struct key_change_draft draft = {.roster = &s->roster,
                                     .party = p,
                                     .card_note = buf_view(&s->notes[plan_byte(plan) % WORLD_PARTIES]),
                                     .cuts = cuts};
    cuts[WRITER].size = size_take(plan);
    world_root(&w->faces[0], cuts[WRITER].size, &cuts[WRITER].root);
    buf_init(&document, KEY_CHANGE_BYTES_MAX);
    buf_init(&body, HTTP_BODY_MAX);
    key_change_write(&document, &draft);
    smudge(&document, plan);
    entry_make(s, party, plan_byte(plan) & 1 ? KEY_STATEMENT : KEY_RECOVERY, span_str(MEDIA_KEY_CHANGE),
               span_str("keys"), buf_view(&document), &statement);
    buf_u16(&body, (uint16_t)statement.len);
    buf_span(&body, buf_view(&statement));
    buf_span(&body, buf_view(&document));
    smudge(&body, plan);
    (void)world_request(w, REQ_KEY_CHANGE, buf_view(&body), NULL);
    buf_free(&document);
    buf_free(&body);
    buf_free(&statement);
}

/* Answers of peers: what they would say honestly to this path, smudged or not, or bytes as they come */

/* What the committee remembers of us: a checkpoint of our own log, and the writer's as we have cosigned it. */
static void recovery_answer(struct world *w, struct face *face, uint64_t size, struct buf *body)
{
    struct subject *s = &w->subject;
    struct buf note;
    struct hash root;
    struct span origin = span_str(roster_party(&s->roster, span_str("p00"))->origin);
    world_root(face, size, &root);
    buf_init(&note, NOTE_BYTES_MAX);
    note_make(w, origin, s->secret[0][KEY_LOG], &s->cards[0].keys[KEY_LOG], size, &root, 14, &note);
    buf_text(body, "{\"log\":");
    buf_json(body, size % 2 ? buf_view(&note) : span_of(NULL, 0));
    buf_reset(&note);
    writer_note(w, face, size, 15, &note);
    buf_text(body, ",\"cosigned\":[");
    buf_json(body, buf_view(&note));
    buf_text(body, "]}");
    buf_free(&note);
}

static void honest_answer(struct world *w, struct face *face, uint64_t size, const char *path, struct buf *body)
{
    const char *tile = strstr(path, "/tile/"), *document = strstr(path, "/documents/");
    struct hash hash, wanted;
    if (strstr(path, "/checkpoint") || strstr(path, "/announce"))
        writer_note(w, face, size, 15, body);
    for (size_t i = 0; tile && i < size; i++) {
        if (strstr(tile, "entries"))
            bundle_add(body, buf_view(&face->entries[i]));
        else
            buf_span(body, span_hash(&face->leaves[i]));
    }
    for (size_t i = 0; document && i < ENTRIES; i++) {
        sha256(buf_view(&w->documents[i]), &hash);
        if (hash_parse(span_str(document + strlen("/documents/")), &wanted) && hash_eq(&hash, &wanted))
            buf_span(body, buf_view(&w->documents[i]));
    }
    if (strstr(path, "/recovery/"))
        recovery_answer(w, face, size, body);
}

static void act_answer(struct world *w, struct span *plan)
{
    static const int statuses[] = {200, 200, 200, 206, 404, 409, 503, 0, -1, 422, 202, 403, 416, 500};
    if (!w->call_count)
        return;
    size_t which = plan_byte(plan) % w->call_count;
    struct sent sent = w->calls[which];
    struct buf body;
    uint8_t way = plan_byte(plan);
    struct event event = {.kind = EVENT_RESPONSE,
                          .status = statuses[plan_byte(plan) % (sizeof statuses / sizeof statuses[0])]};
    w->calls[which] = w->calls[--w->call_count];
    buf_init(&body, HTTP_BODY_MAX);
    if (way & 1) {
        buf_span(&body, plan_piece(plan));
    } else {
        struct face *face = &w->faces[way >> 1 & 1];
        honest_answer(w, face, size_take(plan), sent.path, &body);
        smudge(&body, plan);
    }
    event.body = buf_view(&body);
    event.content_type = way & 4 ? plan_piece(plan) : span_str("text/x.tlog.mirror-info");
    event.header = way & 8 ? plan_piece(plan) : span_of(NULL, 0);
    struct actions actions = {0};
    event.token = sent.token;
    if (!w->stopped) {
        w->stopped = node_step(w->node, &event, w->now, &actions) != 0;
        for (size_t i = 0; i < actions.count; i++)
            action_take(w, &actions.list[i]);
        actions_clear(&actions);
    }
    buf_free(&body);
}

/* The owner, and time */

static void text_take(char *out, size_t size, struct span text)
{
    size_t n = text.len < size - 1 ? text.len : size - 1;
    memset(out, 0, size);
    if (n)
        memcpy(out, text.data, n);
}

static void act_submit(struct world *w, struct span *plan)
{
    static struct submission submission;
    submission = (struct submission){.label = (enum label)(plan_byte(plan) % 4)};
    text_take(submission.media, sizeof submission.media, plan_piece(plan));
    text_take(submission.subject, sizeof submission.subject, plan_piece(plan));
    submission.document = plan_piece(plan);
    submission.answer_count = plan_byte(plan) % (STATEMENT_ANSWERS_MAX + 1);
    for (size_t i = 0; i < submission.answer_count; i++)
        submission.answers[i].b[0] = plan_byte(plan);
    world_step(w, &(struct event){.kind = EVENT_SUBMIT, .submissions = &submission, .submission_count = 1});
}

static void act_inventory(struct world *w, struct span *plan)
{
    struct span name = plan_bytes(plan, plan_byte(plan) % 64), distribution = plan_bytes(plan, plan_byte(plan) % 32);
    if (utf8_valid(name) && utf8_valid(distribution) && !(name.len && memchr(name.data, 0, name.len)))
        world_step(
            w, &(struct event){.kind = EVENT_INVENTORY, .name = name, .media = distribution, .body = plan_piece(plan)});
}

static void act_view(struct world *w, struct span *plan)
{
    struct buf out;
    struct hash id;
    struct fault fault = {0};
    tree_leaf(buf_view(&face_take(w, plan)->entries[plan_byte(plan) % ENTRIES]), &id);
    buf_init(&out, HTTP_BODY_MAX);
    node_status_json(w->node, w->now, &out);
    (void)node_statement_json(w->node, &id, &out, &fault);
    const struct notice_filter filter = {.after = plan_byte(plan), .verdict = -1};
    (void)node_notices_json(w->node, &filter, &out);
    (void)node_bundle(w->node, &out, &fault);
    (void)node_wants_json(w->node, span_of(NULL, 0), &out, &fault);
    must(!out.error && utf8_valid(buf_view(&out)));
    buf_reset(&out);
    (void)node_receipt(w->node, &id, plan_byte(plan) & 1, &out, &fault);
    buf_free(&out);
}

static void act_time(struct world *w, struct span *plan)
{
    w->now += (int64_t)plan_number(plan, 2) * 100;
    world_step(w, &(struct event){.kind = EVENT_TICK});
    must(w->stopped || node_due(w->node) > w->now - 1);
}

/* A file of a medium: what a peer would have answered, smudged or not, under its own path or another. */
static void act_carried(struct world *w, struct span *plan, uint8_t way)
{
    char path[96] = "/";
    struct buf body;
    uint64_t size = size_take(plan);
    struct hash document;
    buf_init(&body, HTTP_BODY_MAX);
    sha256(buf_view(&w->documents[plan_byte(plan) % ENTRIES]), &document);
    if (way & 4)
        (void)snprintf(path, sizeof path, "/checkpoint");
    else if (way & 8)
        tile_path(path + 1, way & 16 ? -1 : 0, 0, size && size < TILE_WIDTH ? (unsigned)size : TILE_WIDTH);
    else
        (void)snprintf(path, sizeof path, "/documents/");
    if (way & 12)
        honest_answer(w, &w->faces[way >> 5 & 1], size, path, &body);
    else
        buf_span(&body, plan_byte(plan) & 1 ? plan_piece(plan) : buf_view(&w->documents[0]));
    if (!(way & 12))
        hash_hex(&document, path + strlen(path));
    smudge(&body, plan);
    struct event event = {.kind = EVENT_CARRIED,
                          .name = way & 12 ? span_str(w->subject.writer->card.name) : span_of(NULL, 0),
                          .media = span_str(path + 1),
                          .body = buf_view(&body)};
    world_step(w, &event);
    buf_free(&body);
}

static void act_owner(struct world *w, struct span *plan)
{
    uint8_t way = plan_byte(plan);
    struct event event = {.kind = way & 1 ? EVENT_ABSENT : EVENT_DELIVERED};
    if (way & 2) {
        act_carried(w, plan, way);
        return;
    }
    sha256(plan_bytes(plan, 1), &event.hash);
    event.name = plan_bytes(plan, plan_byte(plan) % 64);
    world_step(w, &event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const acts[])(struct world *, struct span *) = {
        act_get,     act_raw,    act_add_checkpoint, act_add_entries, act_document,  act_announce,
        act_witness, act_answer, act_key_change,     act_submit,      act_inventory, act_view,
        act_time,    act_owner,  act_answer,         act_get_known};
    struct world *w = world_get();
    struct span plan = span_of(data, size);
    int rc = 0;
    uint8_t first = plan_byte(&plan);
    bool recovering = first & 1, ahead = (first & 0xfe) == 0xa0;
    cosigned_count = 0;
    must(w->real->begin(w->store) == 0);
    w->store->ops = &w->inner;
    world_open_node(w, recovering, ahead);
    for (int i = 0; i < ACTS_MAX && plan.len && !w->stopped; i++)
        acts[plan_byte(&plan) % (sizeof acts / sizeof acts[0])](w, &plan);
    if (!w->stopped)
        node_rebuild(w->node, &rc);
    must(rc == 0);
    world_close_node(w);
    w->store->ops = w->real;
    must(w->real->rollback(w->store) == 0);
    return 0;
}
