#include "tests/faults/world.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "crypto/sha256.h"
#include "record/audit.h"
#include "record/wire.h"
#include "tests/faults/interpose.h"

static const char *const names[MEMBERS] = {"alpha", "bravo", "charlie"};
enum { TOKEN_SUBMIT = 1 << 30, TOKEN_INVENTORY, TOKEN_REQUESTS };

struct message {
    bool answer;
    unsigned from, to, life; /* `life`: of the one who asked */
    uint64_t token, range_from;
    const char *method;
    char path[160], header[96], content_type[128];
    int status;
    size_t body_max;
    struct buf body;
};

static void trouble(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void trouble(struct world *world, const char *format, ...)
{
    va_list args;
    if (world->trouble[0])
        return;
    va_start(args, format);
    (void)vsnprintf(world->trouble, sizeof world->trouble, format, args);
    va_end(args);
}

/* The cast */

static int circle_found(struct cast *cast, struct fault *fault)
{
    struct charter_party parties[MEMBERS] = {0};
    struct charter_draft draft = {.name = span_str("three with faults"),
                                  .founded_at = 1750000000,
                                  .nonce = {7},
                                  .parties = parties,
                                  .count = MEMBERS};
    struct buf notes[MEMBERS], text;
    buf_init(&text, CHARTER_BYTES_MAX);
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct card card = {.role = ROLE_STATE, .made_at = 1750000000};
        (void)snprintf(card.name, sizeof card.name, "%s", names[i]);
        (void)snprintf(card.jurisdiction, sizeof card.jurisdiction, "J%u", i);
        (void)snprintf(card.url, sizeof card.url, "http://%s.example", names[i]);
        memcpy(card.keys, cast->pub[i], sizeof card.keys);
        buf_init(&notes[i], CARD_BYTES_MAX);
        card_sign(&notes[i], &card, i == SELF ? cast->rings[0] : cast->peer_rings[i], cast->recovery[i]);
        parties[i] = (struct charter_party){
            .card_note = buf_view(&notes[i]), .committee = true, .proof = {.letter = true, .call_backs = 2}};
    }
    charter_write(&text, &draft);
    arena_init(&cast->arena, 64 << 20);
    int rc = charter_parse(&cast->roster, arena_copy(&cast->arena, buf_view(&text)), &cast->arena, fault);
    for (unsigned i = 0; i < MEMBERS; i++)
        buf_free(&notes[i]);
    buf_free(&text);
    return rc;
}

/* Bytes that compress badly, for a large document's file; made once, before the runs. */
static void noise_make(struct buf *out)
{
    uint64_t x = 1;
    buf_init(out, NOISE_BYTES);
    while (out->len < NOISE_BYTES && !out->error) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        buf_byte(out, (uint8_t)("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/"[x >> 58]));
    }
}

int cast_make(struct cast *cast, const char *folder, struct fault *fault)
{
    static const struct span passphrase = {(const uint8_t *)"correct horse", 13};
    char dir[256];
    int rc = 0;
    for (unsigned i = 0; i < MEMBERS && rc == 0; i++) {
        (void)snprintf(dir, sizeof dir, "%s/%s-keys", folder, names[i]);
        rc = mkdir(dir, 0700) == 0 ? keys_create(dir, passphrase, cast->pub[i], cast->recovery[i], fault) : E_IO;
        for (unsigned k = 0; k < (i == SELF ? RINGS : 1) && rc == 0; k++)
            rc = keyring_open(i == SELF ? &cast->rings[k] : &cast->peer_rings[i], dir, passphrase, fault);
    }
    noise_make(&cast->noise);
    return rc ? rc : circle_found(cast, fault);
}

/* Members */

static uint64_t random_number(void *ctx)
{
    struct world *world = ctx;
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return world->random >> 33;
}

static int64_t clock_seconds(void *ctx)
{
    return ((struct world *)ctx)->now / 1000;
}

static void member_step(struct world *world, unsigned number, const struct event *event, const struct message *request);

static void member_close(struct world *world, unsigned number)
{
    struct member *m = &world->members[number];
    if (number == SELF)
        interpose_enter();
    bool fired = interpose_fired();
    node_close(m->node);
    if (m->store)
        m->store->ops->close(m->store);
    if (m->signer)
        m->signer->ops->close(m->signer);
    if (m->state_fd >= 0)
        (void)close(m->state_fd);
    world->closing_fired |= interpose_fired() && !fired;
    interpose_leave();
    *m = (struct member){.life = m->life + 1, .state_fd = -1};
}

static int files_open(struct world *world, struct member *m, const struct signer_config *base, struct fault *fault)
{
    char path[256], database[256], blobs[256];
    struct signer_config config = *base;
    (void)snprintf(path, sizeof path, "%s/signer.state", world->folder);
    (void)snprintf(database, sizeof database, "%s/state.db", world->folder);
    (void)snprintf(blobs, sizeof blobs, "%s/blobs", world->folder);
    config.state_fd = m->state_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int rc = m->state_fd < 0 ? fail(fault, E_IO, "signer.state cannot be opened")
                             : signer_local_open(&m->signer, &config, fault);
    return rc ? rc : store_sqlite_open(&m->store, database, blobs, fault);
}

static int member_open(struct world *world, unsigned number, struct fault *fault)
{
    static const char *const channels[] = {"command", NULL};
    struct member *m = &world->members[number];
    struct signer_config config = {
        .circle = world->cast->roster.circle, .state_fd = -1, .clock = clock_seconds, .clock_ctx = world};
    struct node_config node = {.roster = &world->cast->roster, .party = span_str(names[number]), .channels = channels};
    (void)snprintf(config.party, sizeof config.party, "%s", names[number]);
    if (number == SELF && world->rings_used == RINGS) {
        trouble(world, "started too often");
        return E_LIMIT;
    }
    config.keys = number == SELF ? world->cast->rings[world->rings_used++] : world->cast->peer_rings[number];
    if (number == SELF)
        interpose_enter();
    int rc = number == SELF ? files_open(world, m, &config, fault) : store_memory_open(&m->store);
    if (rc == 0 && number != SELF)
        rc = signer_local_open(&m->signer, &config, fault);
    struct env env = {.store = m->store, .signer = m->signer, .random = random_number, .ctx = world};
    rc = rc ? rc : node_open(&m->node, &env, &node, fault);
    interpose_leave();
    return rc;
}

static bool died(int rc)
{
    return rc || interpose_powerless();
}

/* An error is final for the process: it ends, and its supervisor starts it again. */
static void self_open(struct world *world);
static void self_dies(struct world *world, int rc)
{
    if (world->calm || (!interpose_fired() && !interpose_powerless()))
        trouble(world, "ended with %s though nothing had failed", error_text(rc)->id);
    if (world->stops++ == 0)
        world->stop_code = rc;
    interpose_freeze(world->abrupt);
    member_close(world, SELF);
    interpose_freeze(false);
    world->died(world, world->died_ctx);
    if (world->stops <= STOPS_MAX)
        self_open(world);
    else
        trouble(world, "it does not stay up");
}

static void check_at_once(struct world *world);
static log_id log_number(struct world *world, unsigned number, unsigned owner, uint64_t *size);
static void self_open(struct world *world)
{
    struct fault fault = {0};
    int rc = member_open(world, SELF, &fault);
    if (died(rc)) {
        if (world->calm || (!interpose_fired() && !interpose_powerless()))
            trouble(world, "does not start: %s: %s %s", error_text(rc)->id, fault.where, fault.detail);
        if (!world->trouble[0])
            self_dies(world, rc);
        return;
    }
    check_at_once(world);
    member_step(world, SELF, &(struct event){.kind = EVENT_START}, NULL);
}

/* Messages */

static struct message *message_add(struct world *world)
{
    if (world->queue_count == world->queue_cap) {
        world->queue_cap = world->queue_cap ? world->queue_cap * 2 : 64;
        world->queue = realloc(world->queue, world->queue_cap * sizeof *world->queue);
        if (!world->queue)
            abort();
    }
    struct message *m = &world->queue[world->queue_count++];
    *m = (struct message){0};
    return m;
}

static void answer(struct world *world, const struct message *request, int status, const char *content_type,
                   const char *header, struct span body)
{
    struct message *m = message_add(world);
    *m = (struct message){.answer = true,
                          .from = request->to,
                          .to = request->from,
                          .life = request->life,
                          .token = request->token,
                          .status = status};
    (void)snprintf(m->content_type, sizeof m->content_type, "%s", content_type ? content_type : "");
    (void)snprintf(m->header, sizeof m->header, "%s", header);
    buf_init(&m->body, HTTP_BODY_MAX);
    buf_span(&m->body, body);
}

static void given_add(struct position *list, size_t *count, uint64_t size, const struct hash *root)
{
    if (*count < GIVEN_MAX)
        list[(*count)++] = (struct position){.size = size, .root = *root};
}

/* Its own checkpoints, as they go out. */
static void given_note(struct world *world, const char *path, struct span body)
{
    static struct add_checkpoint request;
    struct checkpoint checkpoint;
    struct note note;
    if (strcmp(path, "/mirror/add-checkpoint") == 0 && add_checkpoint_parse(&request, body, NULL) == 0)
        given_add(world->given, &world->given_count, request.checkpoint.size, &request.checkpoint.root);
    else if (strcmp(path, "/announce") == 0 && checkpoint_parse(&checkpoint, &note, body, NULL) == 0)
        given_add(world->given, &world->given_count, checkpoint.size, &checkpoint.root);
}

static void send_out(struct world *world, unsigned number, struct action *action)
{
    struct message *m = message_add(world);
    *m = (struct message){.from = number,
                          .life = world->members[number].life,
                          .token = action->token,
                          .range_from = action->range_from,
                          .method = action->method,
                          .body_max = action->body_max,
                          .body = action->body};
    buf_init(&action->body, 0); /* taken over */
    while (m->to < MEMBERS && strcmp(names[m->to], action->peer->card.name) != 0)
        m->to++;
    (void)snprintf(m->path, sizeof m->path, "%s", action->path);
    if (number == SELF)
        given_note(world, m->path, buf_view(&m->body));
}

static struct span field(struct span body, const char *name)
{
    const uint8_t *at = memmem(body.data, body.len, name, strlen(name));
    return at ? span_from(body, (size_t)(at - body.data) + strlen(name)) : span_of(NULL, 0);
}

static void acknowledged(struct world *world, unsigned number, const struct action *action)
{
    struct span body = buf_view(&action->body), id = field(body, "\"id\":\""),
                document = field(body, "\"document\":\""), index = field(body, "\"index\":");
    struct hash hash;
    if (action->token == TOKEN_INVENTORY && number == SELF && action->status / 100 == 2)
        world->inventory_kept = true;
    if (action->token != TOKEN_SUBMIT || action->status != 201)
        return;
    if (id.len < 64 || document.len < 64 || !index.len || !hash_parse(span_of(document.data, 64), &hash)) {
        trouble(world, "an acknowledgement is cut short");
        return;
    }
    for (size_t i = 0; i < world->stated_count; i++) {
        struct stated *s = &world->stated[i];
        if (s->owner != number || !hash_eq(&s->hash, &hash))
            continue;
        s->acknowledged = hash_parse(span_of(id.data, 64), &s->id);
        s->index = strtoull((const char *)index.data, NULL, 10);
    }
}

/* What it cosigned of bravo's log: the reply is out, so this must never be forgotten. */
static void cosigned_note(struct world *world, const struct message *request)
{
    struct add_entries entries;
    struct member *bravo = &world->members[BRAVO];
    log_id log;
    struct hash root;
    if (strcmp(request->path, "/mirror/add-entries") != 0 ||
        add_entries_parse(&entries, buf_view(&request->body), NULL) != 0 ||
        bravo->store->ops->log_open(bravo->store, entries.origin, false, &log) != 0)
        return;
    struct store_tiles tiles = {.store = bravo->store, .log = log};
    struct tile_reader reader = store_tile_reader(&tiles);
    if (request->from == BRAVO && tree_root(&reader, entries.upload_end, &root) == 0)
        given_add(world->cosigned, &world->cosigned_count, entries.upload_end, &root);
}

static void hand_over(struct world *world, unsigned number, const struct action *action)
{
    size_t known = 0;
    while (known < world->handed_count && !hash_eq(&world->handed[known], &action->hash))
        known++;
    if (number == SELF && known == world->handed_count && known < HANDED_MAX)
        world->handed[world->handed_count++] = action->hash;
    struct event event = {.kind = EVENT_DELIVERED, .name = span_str("command"), .hash = action->hash};
    member_step(world, number, &event, NULL);
}

static void carry_out(struct world *world, unsigned number, struct actions *actions, const struct message *request)
{
    for (size_t i = 0; i < actions->count; i++) {
        struct action *action = &actions->list[i];
        if (action->kind != ACTION_NOTICE && action->body.error && action->body.error != E_LIMIT)
            trouble(world, "an answer or request goes out cut short");
        if (action->kind == ACTION_SEND) {
            send_out(world, number, action);
        } else if (action->kind == ACTION_REPLY && request && action->token == TOKEN_REQUESTS) {
            if (number == SELF && action->status == 200)
                cosigned_note(world, request);
            answer(world, request, action->status, action->content_type, action->header, buf_view(&action->body));
        } else if (action->kind == ACTION_REPLY) {
            acknowledged(world, number, action);
        }
    }
    for (size_t i = 0; i < actions->count; i++)
        if (actions->list[i].kind == ACTION_NOTICE)
            hand_over(world, number, &actions->list[i]);
}

static void member_step(struct world *world, unsigned number, const struct event *event, const struct message *request)
{
    struct member *m = &world->members[number];
    struct actions actions = {0};
    if (!m->node)
        return;
    if (number == SELF)
        interpose_enter();
    int rc = node_step(m->node, event, world->now, &actions);
    interpose_leave();
    if (number != SELF && rc)
        trouble(world, "%s ended with %s", names[number], error_text(rc)->id);
    if (number == SELF && died(rc)) {
        if (request)
            answer(world, request, 0, NULL, "", span_of(NULL, 0));
        actions_clear(&actions);
        self_dies(world, rc);
        return;
    }
    carry_out(world, number, &actions, request);
    actions_clear(&actions);
    if (m->node && node_wants_flush(m->node) && event->kind != EVENT_FLUSH)
        member_step(world, number, &(struct event){.kind = EVENT_FLUSH}, NULL);
}

static void serve(struct world *world, const struct message *request)
{
    struct served served;
    if (request->to == SELF)
        interpose_enter();
    node_serve(world->members[request->to].node, span_str(request->path), true, &served);
    interpose_leave();
    struct span body = buf_view(&served.body);
    int status = served.status;
    if (status == 200 && request->range_from) {
        status = request->range_from < body.len ? 206 : 416;
        body = status == 206 ? span_from(body, (size_t)request->range_from) : span_of(NULL, 0);
    }
    answer(world, request, served.body.error ? 500 : status, served.content_type, "", body);
    buf_free(&served.body);
}

static void write_request(struct world *world, const struct message *request)
{
    static const struct {
        const char *path;
        enum request_kind kind;
    } routes[] = {
        {"/mirror/add-checkpoint", REQ_MIRROR_ADD_CHECKPOINT},
        {"/mirror/add-entries", REQ_MIRROR_ADD_ENTRIES},
        {"/announce", REQ_ANNOUNCE},
        {"/documents/", REQ_PUT_DOCUMENT},
    };
    struct event event = {.kind = EVENT_REQUEST, .token = TOKEN_REQUESTS, .body = buf_view(&request->body)};
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!span_starts(span_str(request->path), routes[i].path))
            continue;
        event.request = routes[i].kind;
        if (event.request == REQ_PUT_DOCUMENT)
            (void)hash_parse(span_from(span_str(request->path), strlen(routes[i].path)), &event.hash);
        member_step(world, request->to, &event, request);
        return;
    }
}

static void deliver(struct world *world, const struct message *m)
{
    struct member *to = &world->members[m->to];
    if (m->answer) {
        struct event event = {.kind = EVENT_RESPONSE,
                              .token = m->token,
                              .body = buf_view(&m->body),
                              .status = m->status,
                              .content_type = span_str(m->content_type),
                              .header = span_str(m->header)};
        if (to->life == m->life)
            member_step(world, m->to, &event, NULL);
    } else if (!to->node) {
        answer(world, m, 0, NULL, "", span_of(NULL, 0));
    } else if (strcmp(m->method, "GET") == 0) {
        serve(world, m);
    } else {
        write_request(world, m);
    }
}

/* Time goes on by `ms`; everything under way arrives. */
static void settle(struct world *world, int64_t ms)
{
    int64_t until = world->now + ms;
    for (unsigned turns = 0; !world->trouble[0]; turns++) {
        int64_t at = until;
        int due = -1;
        if (turns > 20000) {
            trouble(world, "it never comes to rest");
            return;
        }
        if (world->queue_count) {
            struct message m = world->queue[0];
            memmove(world->queue, world->queue + 1, --world->queue_count * sizeof m);
            world->now++;
            deliver(world, &m);
            buf_free(&m.body);
            continue;
        }
        for (int i = 0; i < MEMBERS; i++)
            if (world->members[i].node && node_due(world->members[i].node) < at) {
                at = node_due(world->members[i].node);
                due = i;
            }
        if (due < 0)
            break;
        world->now = at > world->now ? at : world->now;
        member_step(world, (unsigned)due, &(struct event){.kind = EVENT_TICK}, NULL);
    }
    world->now = until > world->now ? until : world->now;
}

/* The script */

static void advisory_write(struct buf *out, const char *id, const char *package)
{
    buf_printf(out,
               "{\"schema_version\":\"1.6.0\",\"id\":\"%s\",\"modified\":\"2025-06-01T00:00:00Z\",\"affected\":[{"
               "\"package\":{\"ecosystem\":\"Debian:12\",\"name\":\"%s\"},\"ranges\":[{\"type\":\"ECOSYSTEM\","
               "\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"9:9\"}]}]}]}\n",
               id, package);
}

static struct stated *stated_add(struct world *world, unsigned owner)
{
    struct stated *s = &world->stated[world->stated_count++];
    *s = (struct stated){.owner = owner};
    buf_init(&s->document, DOCUMENT_BYTES_MAX);
    return s;
}

/* How many of them were not acknowledged yet. */
static size_t submit(struct world *world, size_t from)
{
    struct submission list[STATED_MAX];
    size_t count = 0;
    unsigned owner = world->stated[from].owner;
    for (size_t i = from; i < world->stated_count; i++) {
        struct stated *s = &world->stated[i];
        if (s->acknowledged)
            continue;
        bool large = s->document.len > 65536;
        list[count] = (struct submission){.label = LABEL_OPEN, .document = buf_view(&s->document)};
        (void)snprintf(list[count].media, MEDIA_BYTES_MAX, "%s", large ? "text/plain" : "application/osv+json");
        (void)snprintf(list[count++].subject, SUBJECT_BYTES_MAX, "subject-%zu", i);
        sha256(buf_view(&s->document), &s->hash);
    }
    struct event event = {.kind = EVENT_SUBMIT, .token = TOKEN_SUBMIT, .submissions = list, .submission_count = count};
    if (count)
        member_step(world, owner, &event, NULL);
    return count;
}

/* Whoever gets no acknowledgement states it again. */
static void publish(struct world *world, unsigned owner, const char *id, unsigned small, size_t large)
{
    static const char *const packages[] = {"glibc", "nothing-there", "zlib"};
    size_t from = world->stated_count;
    char name[64];
    for (unsigned i = 0; i < small; i++) {
        (void)snprintf(name, sizeof name, "%s-%u", id, i);
        advisory_write(&stated_add(world, owner)->document, name, packages[i % 3]);
    }
    if (large)
        buf_add(&stated_add(world, owner)->document, world->cast->noise.data + NOISE_BYTES - large, large);
    for (int attempt = 0; attempt < 4 && submit(world, from); attempt++) {
        world->again = world->again || attempt;
        settle(world, 4000);
    }
}

static void inventory_add(struct world *world)
{
    static const char sbom[] =
        "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\"components\":[{\"type\":\"library\","
        "\"name\":\"libc6\",\"version\":\"2.36-9\",\"purl\":\"pkg:deb/debian/libc6@2.36-9?distro=debian-12&upstream="
        "glibc\"},{\"type\":\"library\",\"name\":\"zlib1g\",\"version\":\"1:1.3-3\",\"purl\":\"pkg:deb/debian/zlib1g@1:"
        "1.3-3?distro=debian-12&upstream=zlib\"}]}";
    struct event event = {
        .kind = EVENT_INVENTORY, .token = TOKEN_INVENTORY, .name = span_str("gateway"), .body = span_str(sbom)};
    for (int attempt = 0; attempt < 4 && !world->inventory_kept; attempt++) {
        world->again = world->again || attempt;
        member_step(world, SELF, &event, NULL);
        settle(world, 4000);
    }
}

/* An answer may fail, but never be another one. */
static void read_check(struct world *world, const char *what, int status, struct span body)
{
    struct reading now = {.status = status};
    size_t n = world->reads++;
    sha256(body, &now.body);
    if (world->first) {
        world->baseline->answers[n] = now;
        world->baseline->reads = world->reads;
        return;
    }
    const struct reading *good = &world->baseline->answers[n];
    bool same = now.status == good->status && hash_eq(&now.body, &good->body);
    if (!same && status < 500 && !world->stops && !world->again)
        trouble(world, "%s: status %d instead of %d, or another body", what, status, good->status);
}

/* A node that could not read ends with its next step. */
static void read_end(struct world *world)
{
    if (node_sound(world->members[SELF].node) || interpose_powerless())
        member_step(world, SELF, &(struct event){.kind = EVENT_TICK}, NULL);
}

static void read_one(struct world *world, const char *path)
{
    struct served served;
    if (!world->members[SELF].node || world->trouble[0])
        return;
    interpose_enter();
    node_serve(world->members[SELF].node, span_str(path), true, &served);
    interpose_leave();
    read_check(world, path, served.body.error ? 500 : served.status, buf_view(&served.body));
    buf_free(&served.body);
    read_end(world);
}

static void read_views(struct world *world)
{
    struct node *node = world->members[SELF].node;
    struct fault fault = {0};
    struct buf out[4];
    if (!node || world->trouble[0])
        return;
    for (int i = 0; i < 4; i++)
        buf_init(&out[i], HTTP_BODY_MAX);
    interpose_enter();
    int rc[4] = {node_notices_json(node, &notice_filter_all, &out[0]),
                 node_statement_json(node, &world->stated[0].id, &out[1], &fault),
                 node_receipt(node, &world->stated[0].id, false, &out[2], &fault)};
    node_status_json(node, world->now, &out[3]);
    interpose_leave();
    static const char *const what[] = {"notices", "statement", "receipt", "status"};
    for (int i = 0; i < 4; i++) { /* with this the private API answers 500 */
        bool failed = node_sound(node) || out[i].error == E_NOMEM || rc[i] == E_NOMEM || rc[i] == E_IO;
        read_check(world, what[i], failed ? 500 : rc[i] ? 404 : 200, buf_view(&out[i]));
        buf_free(&out[i]);
    }
    read_end(world);
}

static void read_all(struct world *world)
{
    static const char *const fixed[] = {"/checkpoint", "/tile/0/000.p/3",        "/tile/entries/000.p/3",
                                        "/pending",    "/recovery/bravo",        "/recovery/charlie",
                                        "/cosigned/1", "/.well-known/scitt-keys"};
    char path[160], hex[65];
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        read_one(world, fixed[i]);
    hash_hex(&roster_party(&world->cast->roster, span_str("bravo"))->origin_hash, hex);
    (void)snprintf(path, sizeof path, "/mirror/%s/checkpoint", hex);
    read_one(world, path);
    (void)snprintf(path, sizeof path, "/mirror/%s/tile/entries/000.p/2", hex);
    read_one(world, path);
    for (size_t i = 0; i < world->stated_count; i++) {
        hash_hex(&world->stated[i].hash, hex);
        (void)snprintf(path, sizeof path, "/documents/%s", hex);
        read_one(world, path);
    }
    hash_hex(&world->stated[0].id, hex);
    (void)snprintf(path, sizeof path, "/entries/%s", hex);
    read_one(world, path);
    read_views(world);
}

static void reopen(struct world *world)
{
    member_close(world, SELF);
    if (interpose_powerless()) {
        world->stops++;
        world->died(world, world->died_ctx);
    }
    self_open(world);
}

static void script(struct world *world)
{
    self_open(world);
    settle(world, 4000);
    publish(world, SELF, "ALPHA-1", 3, 0);
    publish(world, BRAVO, "BRAVO-1", 3, 0);
    inventory_add(world);
    publish(world, SELF, "ALPHA-2", 1, (1 << 20) + 70000);
    read_all(world);
    reopen(world);
    settle(world, 4000);
    publish(world, BRAVO, "BRAVO-2", 2, 0);
    publish(world, SELF, "ALPHA-3", 2, 0);
    settle(world, 100000);
}

/* At the end */

static log_id log_number(struct world *world, unsigned number, unsigned owner, uint64_t *size)
{
    struct store *store = world->members[number].store;
    const struct party *party = roster_party(&world->cast->roster, span_str(names[owner]));
    log_id log = 0;
    *size = 0;
    if (store->ops->log_open(store, span_str(party->origin), false, &log) != 0 ||
        store->ops->log_size(store, log, size) != 0)
        trouble(world, "%s has lost the log of %s", names[number], names[owner]);
    return log;
}

static void check_stated(struct world *world)
{
    struct store *store = world->members[SELF].store;
    uint64_t size, index = 0;
    log_id own = log_number(world, SELF, SELF, &size), log = 0;
    for (size_t i = 0; i < world->stated_count; i++) {
        const struct stated *s = &world->stated[i];
        struct buf out;
        if (!s->acknowledged)
            trouble(world, "document %zu was never acknowledged", i);
        if (s->owner == SELF && (store->ops->entry_find(store, &s->id, &log, &index) != 0 || log != own ||
                                 index != s->index || index >= size))
            trouble(world, "acknowledged statement %zu is lost or moved", i);
        buf_init(&out, DOCUMENT_BYTES_MAX);
        if (store->ops->document_get(store, &s->hash, &out) != 0 || !span_eq(buf_view(&out), buf_view(&s->document)))
            trouble(world, "document %zu is lost", i);
        buf_free(&out);
    }
    for (unsigned owner = 0; owner < MEMBERS; owner++)
        for (unsigned other = 0; other < MEMBERS; other++) {
            uint64_t here, there;
            (void)log_number(world, SELF, owner, &here);
            (void)log_number(world, other, owner, &there);
            if (here != there)
                trouble(world, "%s holds %llu entries of %s, alpha %llu", names[other], (unsigned long long)there,
                        names[owner], (unsigned long long)here);
        }
}

static void check_positions(struct world *world, unsigned owner, const struct position *list, size_t count)
{
    struct store_tiles tiles = {.store = world->members[SELF].store};
    struct tile_reader reader = store_tile_reader(&tiles);
    uint64_t size;
    struct hash root;
    tiles.log = log_number(world, SELF, owner, &size);
    for (size_t i = 0; i < count; i++)
        if (list[i].size > size || (list[i].size && tree_root(&reader, list[i].size, &root) != 0) ||
            (list[i].size && !hash_eq(&root, &list[i].root)))
            trouble(world, "a checkpoint of size %llu of %s's log was signed that the tree does not bear out",
                    (unsigned long long)list[i].size, names[owner]);
}

static uint64_t greatest(const struct position *list, size_t count)
{
    uint64_t most = 0;
    for (size_t i = 0; i < count; i++)
        most = list[i].size > most ? list[i].size : most;
    return most;
}

static uint64_t signer_size(struct world *world, enum key_role role, unsigned owner)
{
    struct signer *signer = world->members[SELF].signer;
    struct signer_position position = {0};
    const struct party *party = roster_party(&world->cast->roster, span_str(names[owner]));
    (void)signer->ops->position(signer, role, span_str(party->origin), &position);
    return position.size;
}

static void check_signer(struct world *world)
{
    uint64_t size, own = signer_size(world, KEY_LOG, SELF);
    (void)log_number(world, SELF, SELF, &size);
    if (own != size)
        trouble(world, "the signer stands at %llu, the log at %llu", (unsigned long long)own, (unsigned long long)size);
}

static int row_count(void *ctx, const struct journal_row *row)
{
    (void)row;
    ++*(size_t *)ctx;
    return 0;
}

/* Before any peer can help: what was acknowledged is on this disk, and the signer knows all that it has signed. */
static void check_at_once(struct world *world)
{
    struct store *store = world->members[SELF].store;
    uint64_t size, index = 0, mirrored, given = greatest(world->given, world->given_count);
    log_id own = log_number(world, SELF, SELF, &size), log = 0;
    for (size_t i = 0; i < world->stated_count; i++) {
        const struct stated *s = &world->stated[i];
        struct stored_document info;
        if (!s->acknowledged || s->owner != SELF)
            continue;
        if (store->ops->entry_find(store, &s->id, &log, &index) != 0 || log != own || index != s->index)
            trouble(world, "acknowledged statement %zu is not there when it starts again", i);
        if (store->ops->document_info(store, &s->hash, &info) != 0)
            trouble(world, "document %zu is not there when it starts again", i);
    }
    (void)log_number(world, SELF, BRAVO, &mirrored);
    if (mirrored < greatest(world->cosigned, world->cosigned_count) ||
        signer_size(world, KEY_MIRROR, BRAVO) < greatest(world->cosigned, world->cosigned_count))
        trouble(world, "it has forgotten what it cosigned of bravo's log");
    if (size < given || signer_size(world, KEY_LOG, SELF) < given)
        trouble(world, "it has forgotten its own checkpoint of size %llu", (unsigned long long)given);
    size_t inventories = 0, notices = 0;
    (void)store->ops->journal_scan(store, span_str("uploaded"), 0, row_count, &inventories);
    (void)store->ops->journal_scan(store, span_str("notice"), 0, row_count, &notices);
    if (inventories < (size_t)world->inventory_kept || notices < world->handed_count)
        trouble(world, "the journal is shorter when it starts again");
}

static int notice_visit(void *ctx, const struct journal_row *row)
{
    struct world *world = ctx;
    struct hash id;
    world->reads++; /* counts rows here */
    if (row->key.len != 32)
        return 0;
    memcpy(id.b, row->key.data, 32);
    for (size_t i = 0; i < world->handed_count; i++)
        if (hash_eq(&world->handed[i], &id))
            return 0;
    trouble(world, "a notice was never handed over");
    return 0;
}

static void check_notices(struct world *world)
{
    struct store *store = world->members[SELF].store;
    world->reads = 0;
    if (store->ops->journal_scan(store, span_str("notice"), 0, notice_visit, world) != 0 || !world->inventory_kept)
        trouble(world, "the journal is lost");
    if (world->first)
        world->baseline->notices = world->reads;
    if (world->reads < world->baseline->notices || !world->reads) /* what was stated twice has its notices twice */
        trouble(world, "%zu notices in the journal, %zu without a fault", world->reads, world->baseline->notices);
}

static int served_get(void *ctx, const char *path, struct buf *out, struct fault *fault)
{
    struct world *world = ctx;
    struct served served;
    char full[160];
    (void)snprintf(full, sizeof full, "/%s", path);
    node_serve(world->members[SELF].node, span_str(full), true, &served);
    buf_span(out, buf_view(&served.body));
    int status = served.status;
    buf_free(&served.body);
    return status == 200 ? out->error : fail(fault, E_NOTFOUND, "%s: status %d", path, status);
}

static const struct public_key *key_of(void *ctx, const struct hash *kid, struct span issuer, uint64_t index)
{
    const struct party *party = NULL;
    (void)index;
    return roster_statement_key(ctx, issuer, kid, &party, NULL) == 0 ? &party->card.keys[KEY_STATEMENT] : NULL;
}

static void check_audit(struct world *world)
{
    const struct party *self = roster_party(&world->cast->roster, span_str("alpha"));
    struct audit_source source = {.get = served_get, .ctx = world};
    struct audit_options options = {.log_key = &self->card.keys[KEY_LOG],
                                    .log_name = span_str(self->origin),
                                    .circle = &world->cast->roster.circle,
                                    .issuer = span_str(self->card.name),
                                    .key = key_of,
                                    .key_ctx = (void *)(uintptr_t)&world->cast->roster};
    struct audit_result result = {0};
    struct fault fault = {0};
    uint64_t size;
    (void)log_number(world, SELF, SELF, &size);
    int rc = audit_log(&source, &options, &result, &fault);
    if (rc || result.size != size)
        trouble(world, "the audit: %s: %s, %llu of %llu entries", error_text(rc)->id, fault.detail,
                (unsigned long long)result.size, (unsigned long long)size);
}

static void check_faces(struct world *world)
{
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct buf out;
        buf_init(&out, HTTP_BODY_MAX);
        node_status_json(world->members[i].node, world->now, &out);
        if (!field(buf_view(&out), "\"two_faces\":").len || field(buf_view(&out), "\"two_faces\":true").len)
            trouble(world, "%s has seen two faces", names[i]);
        buf_free(&out);
    }
}

static void check_file(struct world *world)
{
    char path[256];
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    (void)snprintf(path, sizeof path, "%s/state.db", world->folder);
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &q, NULL) != SQLITE_OK || sqlite3_step(q) != SQLITE_ROW ||
        strcmp((const char *)sqlite3_column_text(q, 0), "ok") != 0)
        trouble(world, "integrity_check: %s", q ? (const char *)sqlite3_column_text(q, 0) : sqlite3_errmsg(db));
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(db);
}

void world_play(struct world *world)
{
    struct fault fault = {0};
    world->now = INT64_C(1760000000000);
    world->random = 1;
    for (unsigned i = 0; i < MEMBERS; i++)
        world->members[i].state_fd = -1;
    for (unsigned i = BRAVO; i < MEMBERS; i++) {
        if (member_open(world, i, &fault) != 0)
            trouble(world, "%s does not open: %s", names[i], fault.detail);
        member_step(world, i, &(struct event){.kind = EVENT_START}, NULL);
    }
    script(world);
    interpose_stop();
    world->calm = true;
    if (world->trouble[0])
        return;
    member_close(world, SELF); /* a second life without faults */
    self_open(world);
    settle(world, 200000);
    if (!world->trouble[0]) {
        check_stated(world);
        check_positions(world, SELF, world->given, world->given_count);
        check_positions(world, BRAVO, world->cosigned, world->cosigned_count);
        check_signer(world);
        check_notices(world);
        check_audit(world);
        check_faces(world);
    }
    member_close(world, SELF);
    check_file(world);
}
