#include "sim/sim.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/sha256.h"

enum message_kind { MESSAGE_REQUEST, MESSAGE_RESPONSE, MESSAGE_TASK };
struct message {
    int64_t at;
    uint64_t order; /* equal instants: first sent, first come */
    enum message_kind kind;
    unsigned from, to;
    uint32_t incarnation; /* of the client that asked */
    uint64_t token;
    char method[8], path[160];
    uint64_t range_from;
    size_t body_max;
    unsigned timeout_ms;
    int status;
    char header[96], content_type[128];
    struct buf body;
    task *run;
    unsigned argument;
};

static const struct {
    const char *name;
    enum party_role role;
    const char *jurisdiction;
} cast[SIM_PARTIES] = {
    {"alpha", ROLE_STATE, "AA"}, {"bravo", ROLE_STATE, "BB"},   {"charlie", ROLE_STATE, "CC"},
    {"delta", ROLE_STATE, "DD"}, {"vendor", ROLE_VENDOR, "EE"}, {"operator", ROLE_OPERATOR, "AA"},
};

/* Chance: splitmix64 */

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

uint64_t world_random(struct world *world, uint64_t below)
{
    return splitmix(&world->random) % below;
}

static uint64_t member_random(void *ctx)
{
    return splitmix(&((struct member *)ctx)->random);
}

void trouble(struct world *world, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (world->trouble.len < 2048)
        buf_printf(&world->trouble, "# %s\n", line);
}

/* Keys. They come from libsodium's random source, which is ours here: the same keys in every run. */

static uint64_t key_state = 0x636f6d697479;

static const char *source_name(void)
{
    return "sim";
}

static uint32_t source_u32(void)
{
    return (uint32_t)splitmix(&key_state);
}

static void source_fill(void *const out, const size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)splitmix(&key_state);
}

static struct randombytes_implementation source = {
    .implementation_name = source_name, .random = source_u32, .buf = source_fill};

static int keys_make_one(struct keys_pool *pool, unsigned i, const char *dir, struct fault *fault)
{
    static const char passphrase[] = "a passphrase of no worth";
    char path[4096];
    int rc = keys_create(dir, span_str(passphrase), pool->pub[i], pool->recovery[i], fault);
    if (rc == 0)
        rc = keyring_open(&pool->ring[i], dir, span_str(passphrase), fault);
    if (rc == 0 && (i == 0 || i == SIM_VENDOR))
        rc = keyring_open(&pool->second[i], dir, span_str(passphrase), fault);
    for (int role = 0; role < KEY_COUNT; role++) {
        (void)snprintf(path, sizeof path, "%s/keys/%s.key", dir, key_role_names[role]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof path, "%s/keys", dir);
    (void)rmdir(path);
    return rc;
}

int keys_pool_make(struct keys_pool *pool, struct fault *fault)
{
    char dir[] = "/tmp/comity-sim-XXXXXX";
    int rc = 0;
    *pool = (struct keys_pool){0};
    (void)randombytes_set_implementation(&source);
    if (sodium_init() < 0 || !mkdtemp(dir))
        return fail(fault, E_IO, "a temporary folder");
    for (unsigned i = 0; i < SIM_PARTIES && rc == 0; i++)
        rc = keys_make_one(pool, i, dir, fault);
    (void)rmdir(dir);
    return rc;
}

void keys_pool_free(struct keys_pool *pool)
{
    for (unsigned i = 0; i < SIM_PARTIES; i++) {
        keyring_free(pool->ring[i]);
        keyring_free(pool->second[i]);
    }
}

/* The queue of what is under way */

static bool earlier(const struct message *a, const struct message *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void heap_swap(struct world *world, size_t a, size_t b)
{
    struct message m = world->heap[a];
    world->heap[a] = world->heap[b];
    world->heap[b] = m;
}

static void message_push(struct world *world, struct message *m)
{
    if (world->heap_count == world->heap_cap) {
        world->heap_cap = world->heap_cap ? world->heap_cap * 2 : 256;
        world->heap = realloc(world->heap, world->heap_cap * sizeof *world->heap);
        if (!world->heap)
            abort();
    }
    size_t i = world->heap_count++;
    m->order = ++world->order;
    world->heap[i] = *m;
    for (; i && earlier(&world->heap[i], &world->heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap_swap(world, i, (i - 1) / 2);
}

static struct message message_pop(struct world *world)
{
    struct message top = world->heap[0];
    world->heap[0] = world->heap[--world->heap_count];
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t c = 2 * i + 1; c <= 2 * i + 2; c++)
            if (c < world->heap_count && earlier(&world->heap[c], &world->heap[least]))
                least = c;
        if (least == i)
            return top;
        heap_swap(world, i, least);
        i = least;
    }
}

void task_at(struct world *world, int64_t at, task *run, unsigned argument)
{
    struct message m = {.at = at, .kind = MESSAGE_TASK, .run = run, .argument = argument};
    message_push(world, &m);
}

static int64_t travel(struct world *world)
{
    const struct network *n = &world->network;
    return n->delay_ms + (n->jitter_ms ? (int64_t)world_random(world, (uint64_t)n->jitter_ms + 1) : 0);
}

static bool chance(struct world *world, unsigned permille)
{
    return !world->faults_over && permille && world_random(world, 1000) < permille;
}

static bool is_cut(const struct world *world, unsigned a, unsigned b, size_t len, size_t *at)
{
    size_t x = world->members[a].cut_bytes, y = world->members[b].cut_bytes;
    *at = x && (!y || x < y) ? x : y;
    return *at && len > *at;
}

static void copy_body(struct buf *to, const struct buf *from)
{
    buf_init(to, HTTP_BODY_MAX);
    buf_span(to, buf_view(from));
}

static void no_answer(struct world *world, const struct message *request, int64_t at)
{
    struct message m = {.at = at,
                        .kind = MESSAGE_RESPONSE,
                        .from = request->to,
                        .to = request->from,
                        .incarnation = request->incarnation,
                        .token = request->token};
    buf_init(&m.body, 0);
    message_push(world, &m);
}

/* An ACTION_SEND goes out: it may be lost, come twice, or break with the link. */
static void request_send(struct member *member, struct action *action)
{
    struct world *world = member->world;
    struct message m = {.kind = MESSAGE_REQUEST,
                        .from = member->number,
                        .incarnation = member->incarnation,
                        .token = action->token,
                        .range_from = action->range_from,
                        .body_max = action->body_max,
                        .timeout_ms = action->timeout_ms};
    size_t at;
    while (m.to < SIM_PARTIES && strcmp(world->members[m.to].name, action->peer->card.name) != 0)
        m.to++;
    (void)snprintf(m.method, sizeof m.method, "%s", action->method);
    (void)snprintf(m.path, sizeof m.path, "%s", action->path);
    m.body = action->body; /* taken over */
    buf_init(&action->body, 0);
    m.at = world->now + travel(world);
    world->messages++;
    world->bytes += m.body.len;
    if (chance(world, world->network.lost_permille)) {
        no_answer(world, &m, world->now + action->timeout_ms);
        buf_free(&m.body);
        return;
    }
    if (is_cut(world, m.from, m.to, m.body.len, &at)) {
        no_answer(world, &m, m.at);
        buf_free(&m.body);
        return;
    }
    if (chance(world, world->network.twice_permille)) {
        struct message twin = m;
        copy_body(&twin.body, &m.body);
        twin.at = world->now + travel(world) * 3;
        message_push(world, &twin);
    }
    message_push(world, &m);
}

static void response_send(struct world *world, const struct message *request, int status, const char *content_type,
                          const char *header, struct span body)
{
    struct message m = {.kind = MESSAGE_RESPONSE,
                        .from = request->to,
                        .to = request->from,
                        .incarnation = request->incarnation,
                        .token = request->token,
                        .status = status};
    size_t cut;
    if (!request->token)
        return;
    if (chance(world, world->network.lost_permille)) {
        no_answer(world, request, world->now + request->timeout_ms);
        return;
    }
    if (is_cut(world, request->from, request->to, body.len, &cut)) {
        m.status = status == 200 || status == 206 ? -1 : 0;
        body.len = m.status ? cut : 0;
    }
    if (body.len > request->body_max) {
        m.status = RESPONSE_TOO_LARGE;
        body.len = 0;
    }
    (void)snprintf(m.content_type, sizeof m.content_type, "%s", content_type ? content_type : "");
    (void)snprintf(m.header, sizeof m.header, "%s", header);
    buf_init(&m.body, HTTP_BODY_MAX);
    buf_span(&m.body, body);
    world->bytes += body.len;
    m.at = world->now + travel(world);
    message_push(world, &m);
}

void raw_request(struct world *world, unsigned from, unsigned to, const char *path, struct buf *body, int64_t at)
{
    struct message m = {.at = at, .kind = MESSAGE_REQUEST, .from = from, .to = to, .body = *body};
    (void)snprintf(m.method, sizeof m.method, "POST");
    (void)snprintf(m.path, sizeof m.path, "%s", path);
    message_push(world, &m);
}

/* Faults of disk and signer: the call works or not, and in either case the process is gone. */

static struct member
    *striking; /* the ops get no context of ours: one world runs at a time, one member steps at a time */

static bool strikes(enum disk_fault before, enum disk_fault after, bool *first)
{
    struct member *m = striking;
    if (!m || (m->fault != before && m->fault != after) || --m->fault_in)
        return false;
    *first = m->fault == before;
    m->crashed = true;
    return true;
}

static int faulty_commit(struct store *store)
{
    bool before = false, strike = strikes(DISK_BEFORE_COMMIT, DISK_AFTER_COMMIT, &before);
    int rc = strike && before ? 0 : striking->store_real->commit(store);
    return strike ? E_IO : rc;
}

static int faulty_checkpoint(struct signer *signer, uint64_t old_size, const struct hash *leaves, size_t count,
                             struct buf *note)
{
    bool before = false, strike = strikes(SIGN_BEFORE, SIGN_AFTER, &before);
    int rc = strike && before ? 0 : striking->signer_real->checkpoint(signer, old_size, leaves, count, note);
    return strike ? E_IO : rc;
}

static int faulty_cosign(struct signer *signer, enum key_role role, const struct sign_cosignature *request,
                         struct cosigned *out)
{
    bool before = false, strike = strikes(SIGN_BEFORE, SIGN_AFTER, &before);
    int rc = strike && before ? 0 : striking->signer_real->cosign(signer, role, request, out);
    return strike ? E_IO : rc;
}

static int64_t signer_clock(void *ctx)
{
    const struct member *member = ctx;
    return (member->world->now + member->skew_ms) / 1000;
}

/* Members */

static void start_task(struct world *world, unsigned number)
{
    member_start(world, number);
}

void member_start(struct world *world, unsigned number)
{
    static const char *const channels[] = {"command", NULL};
    struct member *member = &world->members[number];
    struct env env = {.store = member->store, .signer = member->signer, .random = member_random, .ctx = member};
    struct node_config config = {.roster = &world->roster, .party = span_str(member->name), .channels = channels};
    struct event event = {.kind = EVENT_START};
    struct fault fault = {0};
    if (member->node)
        return;
    member->incarnation++;
    striking = member;
    int rc = node_open(&member->node, &env, &config, &fault);
    if (rc) {
        trouble(world, "%s does not open: %s: %s", member->name, error_text(rc)->id, fault.detail);
        world->rc = rc;
        return;
    }
    member_step(member, &event);
}

void member_crash(struct world *world, unsigned number)
{
    struct member *member = &world->members[number];
    if (!member->node)
        return;
    node_close(member->node);
    member->node = NULL;
    store_memory_crash(member->store);
    member->fault = DISK_GOOD;
    member->crashed = false;
    member->crashes++;
    if (member->retired)
        return;
    task_at(world, world->now + 50 + (int64_t)world_random(world, world->faults_over ? 1000 : 20000), start_task,
            number);
}

static void delivered_task(struct world *world, unsigned argument);

struct handing { /* a notice on its way to the owner */
    unsigned member;
    uint32_t incarnation;
    struct hash id;
};
static struct handing handings[4096];
static unsigned handing_next;

static void notice_hand(struct member *member, const struct action *action)
{
    struct world *world = member->world;
    unsigned slot = handing_next++ % (sizeof handings / sizeof handings[0]);
    handings[slot] = (struct handing){.member = member->number, .incarnation = member->incarnation, .id = action->hash};
    if (!world->first_notice_at)
        world->first_notice_at = world->now;
    if (world->handed_count == world->handed_cap) {
        world->handed_cap = world->handed_cap ? world->handed_cap * 2 : 64;
        world->handed = realloc(world->handed, world->handed_cap * sizeof *world->handed);
        if (!world->handed)
            abort();
    }
    world->handed[world->handed_count++] = action->hash;
    task_at(world, world->now + 20, delivered_task, slot);
}

static void delivered_task(struct world *world, unsigned slot)
{
    const struct handing *h = &handings[slot];
    struct member *member = &world->members[h->member];
    struct event event = {.kind = EVENT_DELIVERED, .name = span_str("command"), .hash = h->id};
    if (member->node && member->incarnation == h->incarnation)
        member_step(member, &event);
}

static struct span json_field(struct span body, const char *name)
{
    const uint8_t *at = memmem(body.data, body.len, name, strlen(name));
    return at ? span_from(body, (size_t)(at - body.data) + strlen(name)) : span_of(NULL, 0);
}

/* 201: the owner was told that this is in the log. From here on it must never be lost. */
static void acknowledge(struct member *member, const struct action *action)
{
    struct world *world = member->world;
    struct span body = buf_view(&action->body), id = json_field(body, "\"id\":\""),
                document = json_field(body, "\"document\":\"");
    struct span index = json_field(body, "\"index\":");
    struct hash hash;
    if (action->status != 201 || document.len < 64 || id.len < 64 || !hash_parse(span_of(document.data, 64), &hash))
        return;
    for (size_t i = world->stated_count; i-- > 0;) {
        struct stated *s = &world->stated[i];
        if (s->owner != member->number || !hash_eq(&s->document, &hash))
            continue;
        s->acknowledged = hash_parse(span_of(id.data, 64), &s->id);
        s->index = 0;
        for (size_t d = 0; d < index.len && index.data[d] >= '0' && index.data[d] <= '9'; d++)
            s->index = s->index * 10 + (uint64_t)(index.data[d] - '0');
        return;
    }
}

static void actions_carry(struct member *member, struct actions *actions, const struct message *request)
{
    for (size_t i = 0; i < actions->count; i++) {
        struct action *action = &actions->list[i];
        if (action->kind == ACTION_SEND)
            request_send(member, action);
        else if (action->kind == ACTION_NOTICE)
            notice_hand(member, action);
        else if (request && action->token == request->order)
            response_send(member->world, request, action->status, action->content_type, action->header,
                          buf_view(&action->body));
        else
            acknowledge(member, action);
    }
}

static void step(struct member *member, const struct event *event, const struct message *request)
{
    struct world *world = member->world;
    struct actions actions = {0};
    world->steps++;
    striking = member;
    int rc = node_step(member->node, event, world->now + member->skew_ms, &actions);
    if (rc == E_TWO_FACES && world->deceived >= 0 && (int)member->number == world->liar) {
        member->retired = true;
    } else if (rc && !member->crashed) {
        trouble(world, "%s: step %d ended with %s at %lld ms", member->name, event->kind, error_text(rc)->id,
                (long long)(world->now - world->started));
        world->rc = rc;
    }
    if (rc == 0 && member->crashed)
        trouble(world, "%s: step %d ignored an error of its disk or signer", member->name, event->kind);
    if (rc == 0 && !member->crashed)
        actions_carry(member, &actions, request);
    actions_clear(&actions);
    if (rc || member->crashed) {
        if (request)
            no_answer(world, request, world->now + travel(world));
        member_crash(world, member->number);
        return;
    }
    if (node_wants_flush(member->node) && event->kind != EVENT_FLUSH)
        step(member, &(struct event){.kind = EVENT_FLUSH}, NULL);
}

void member_step(struct member *member, const struct event *event)
{
    if (member->node)
        step(member, event, NULL);
}

/* Arrivals */

static void get_arrives(struct member *member, const struct message *request)
{
    struct served served;
    node_serve(member->node, span_str(request->path), false, &served);
    struct span body = buf_view(&served.body);
    int status = served.status;
    if (status == 200 && request->range_from) {
        status = request->range_from < body.len ? 206 : 416;
        body = span_from(body, (size_t)request->range_from);
    }
    response_send(member->world, request, status, served.content_type, "", body);
    buf_free(&served.body);
}

static void write_arrives(struct member *member, const struct message *request)
{
    static const struct {
        const char *path;
        enum request_kind kind;
    } routes[] = {
        {"/mirror/add-checkpoint", REQ_MIRROR_ADD_CHECKPOINT},
        {"/mirror/add-entries", REQ_MIRROR_ADD_ENTRIES},
        {"/witness/add-checkpoint", REQ_WITNESS_ADD_CHECKPOINT},
        {"/announce", REQ_ANNOUNCE},
        {"/documents/", REQ_PUT_DOCUMENT},
    };
    struct event event = {.kind = EVENT_REQUEST, .token = request->order, .body = buf_view(&request->body)};
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!span_starts(span_str(request->path), routes[i].path))
            continue;
        event.request = routes[i].kind;
        if (event.request == REQ_PUT_DOCUMENT)
            (void)hash_parse(span_from(span_str(request->path), strlen(routes[i].path)), &event.hash);
        step(member, &event, request);
        return;
    }
}

static void arrive(struct world *world, struct message *m)
{
    struct member *member = &world->members[m->to];
    if (m->kind == MESSAGE_TASK) {
        m->run(world, m->argument);
    } else if (m->kind == MESSAGE_REQUEST) {
        member->bytes_in += m->body.len;
        if (!member->node)
            no_answer(world, m, world->now + travel(world)); /* refused: nobody listens */
        else if (strcmp(m->method, "GET") == 0)
            get_arrives(member, m);
        else
            write_arrives(member, m);
    } else if (member->node && member->incarnation == m->incarnation) {
        struct event event = {.kind = EVENT_RESPONSE,
                              .token = m->token,
                              .body = buf_view(&m->body),
                              .status = m->status,
                              .content_type = span_str(m->content_type),
                              .header = span_str(m->header)};
        member->bytes_in += m->body.len;
        step(member, &event, NULL);
    }
    buf_free(&m->body);
}

/* Time passes: the next message, or the next instant at which a node wants to go on. */
void world_run(struct world *world, int64_t until_ms)
{
    while (!world->rc) {
        int64_t at = until_ms;
        struct member *due = NULL;
        for (unsigned i = 0; i < SIM_PARTIES; i++) {
            struct member *member = &world->members[i];
            int64_t wants = member->node ? node_due(member->node) - member->skew_ms : INT64_MAX;
            wants = wants > world->now ? wants : world->now;
            if (wants < at) {
                at = wants;
                due = member;
            }
        }
        if (world->heap_count && world->heap[0].at <= at && world->heap[0].at < until_ms) {
            struct message m = message_pop(world);
            world->now = m.at > world->now ? m.at : world->now;
            arrive(world, &m);
        } else if (due) {
            world->now = at;
            due->ticks++;
            step(due, &(struct event){.kind = EVENT_TICK}, NULL);
        } else {
            world->now = until_ms;
            return;
        }
    }
}

/* The circle */

static int card_make(const struct keys_pool *keys, unsigned i, struct buf *note)
{
    struct card card = {.role = cast[i].role, .made_at = 1750000000};
    (void)snprintf(card.name, sizeof card.name, "%s", cast[i].name);
    (void)snprintf(card.jurisdiction, sizeof card.jurisdiction, "%s", cast[i].jurisdiction);
    (void)snprintf(card.url, sizeof card.url, "http://%s.example", cast[i].name);
    memcpy(card.keys, keys->pub[i], sizeof card.keys);
    card_sign(note, &card, keys->ring[i], keys->recovery[i]);
    return note->error;
}

static int circle_found(struct world *world, struct fault *fault)
{
    struct charter_party parties[SIM_PARTIES] = {0};
    struct charter_draft draft = {.name = span_str("a circle of the simulator"),
                                  .founded_at = 1750000000,
                                  .parties = parties,
                                  .count = SIM_PARTIES};
    struct buf notes[SIM_PARTIES], text;
    int rc = 0;
    memcpy(draft.nonce, &world->seed, sizeof world->seed);
    buf_init(&text, CHARTER_BYTES_MAX);
    for (unsigned i = 0; i < SIM_PARTIES; i++) {
        buf_init(&notes[i], CARD_BYTES_MAX);
        rc = rc ? rc : card_make(world->keys, i, &notes[i]);
        parties[i] = (struct charter_party){
            .card_note = buf_view(&notes[i]), .committee = i < SIM_STATES, .proof = {.letter = true, .call_backs = 2}};
    }
    charter_write(&text, &draft);
    rc = rc ? rc : charter_parse(&world->roster, arena_copy(&world->arena, buf_view(&text)), &world->arena, fault);
    for (unsigned i = 0; i < SIM_PARTIES; i++)
        buf_free(&notes[i]);
    buf_free(&text);
    return rc;
}

static int member_open(struct world *world, unsigned i, struct fault *fault)
{
    struct member *member = &world->members[i];
    *member = (struct member){.world = world, .number = i, .name = cast[i].name, .random = world->seed * 31 + i};
    member->skew_ms = (int64_t)world_random(world, 3001) - 1500;
    struct signer_config config = {.keys = world->keys->ring[i],
                                   .circle = world->roster.circle,
                                   .state_fd = -1,
                                   .clock = signer_clock,
                                   .clock_ctx = member};
    (void)snprintf(config.party, sizeof config.party, "%s", cast[i].name);
    int rc = store_memory_open(&member->store);
    if (rc == 0)
        rc = signer_local_open(&member->signer, &config, fault);
    if (rc)
        return rc;
    member->store_real = member->store->ops;
    member->store_ops = *member->store_real;
    member->store_ops.commit = faulty_commit;
    member->store->ops = &member->store_ops;
    member->signer_real = member->signer->ops;
    member->signer_ops = *member->signer_real;
    member->signer_ops.checkpoint = faulty_checkpoint;
    member->signer_ops.cosign = faulty_cosign;
    member->signer->ops = &member->signer_ops;
    return 0;
}

int world_open(struct world *world, const struct keys_pool *keys, uint64_t seed)
{
    struct fault fault = {0};
    *world = (struct world){.seed = seed, .random = seed * 7919 + 1, .keys = keys, .liar = -1, .deceived = -1};
    world->now = world->started = INT64_C(1760000000000);
    world->network = (struct network){.delay_ms = SIM_LINK_MS};
    buf_init(&world->trouble, 65536);
    arena_init(&world->arena, 64 << 20);
    int rc = circle_found(world, &fault);
    for (unsigned i = 0; i < SIM_PARTIES && rc == 0; i++)
        rc = member_open(world, i, &fault);
    if (rc)
        trouble(world, "the circle cannot be founded: %s: %s: %s", error_text(rc)->id, fault.where, fault.detail);
    world->rc = rc;
    return rc;
}

void world_close(struct world *world)
{
    for (unsigned i = 0; i < SIM_PARTIES; i++) {
        struct member *member = &world->members[i];
        node_close(member->node);
        if (member->store)
            member->store->ops->close(member->store);
        if (member->signer)
            member->signer->ops->close(member->signer);
    }
    while (world->heap_count) {
        struct message m = message_pop(world);
        buf_free(&m.body);
    }
    free(world->heap);
    free(world->stated);
    free(world->handed);
    buf_free(&world->trouble);
    buf_free(&world->deceived_note);
    arena_free(&world->arena);
}

/* The workload */

static const char *const components[] = {"glibc", "zlib", "xz-utils"};

static void advisory_write(struct buf *out, const struct world *world, unsigned owner, unsigned number, int affects)
{
    buf_printf(out,
               "{\"schema_version\":\"1.6.0\",\"id\":\"SIM-%llu-%s-%06u\",\"modified\":\"2025-06-01T00:00:00Z\","
               "\"affected\":[{\"package\":"
               "{\"ecosystem\":\"Debian:12\",\"name\":\"%s\"},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{"
               "\"introduced\":\"0\"},"
               "{\"fixed\":\"9:9\"}]}]}]}\n",
               (unsigned long long)world->seed, cast[owner].name, number,
               affects < 0 ? "not-there" : components[affects]);
}

static void stated_add(struct world *world, const struct stated *stated)
{
    if (world->stated_count == world->stated_cap) {
        world->stated_cap = world->stated_cap ? world->stated_cap * 2 : 256;
        world->stated = realloc(world->stated, world->stated_cap * sizeof *world->stated);
        if (!world->stated)
            abort();
    }
    world->stated[world->stated_count++] = *stated;
}

void publish(struct world *world, unsigned owner, unsigned count)
{
    struct member *member = &world->members[owner];
    struct submission *list = calloc(count, sizeof *list);
    struct buf *documents = calloc(count, sizeof *documents);
    if (!list || !documents)
        abort();
    for (unsigned i = 0; i < count; i++) {
        struct stated stated = {.owner = owner, .number = ++world->next_number};
        stated.affects = (int)(stated.number % 4) - 1;
        buf_init(&documents[i], 4096);
        advisory_write(&documents[i], world, owner, stated.number, stated.affects);
        list[i] = (struct submission){
            .media = "application/osv+json", .label = LABEL_OPEN, .document = buf_view(&documents[i])};
        (void)snprintf(list[i].subject, sizeof list[i].subject, "SIM-%llu-%s-%06u", (unsigned long long)world->seed,
                       cast[owner].name, stated.number);
        sha256(list[i].document, &stated.document);
        stated_add(world, &stated);
    }
    struct event event = {
        .kind = EVENT_SUBMIT, .token = UINT64_MAX - 1, .submissions = list, .submission_count = count};
    member_step(member, &event);
    for (unsigned i = 0; i < count; i++)
        buf_free(&documents[i]);
    free(documents);
    free(list);
}

void inventory_add(struct world *world)
{
    static const char sbom[] = "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\"components\":["
                               "{\"type\":\"library\",\"name\":\"libc6\",\"version\":\"2.36-9\",\"purl\":\"pkg:deb/"
                               "debian/libc6@2.36-9?distro=debian-12&upstream=glibc\"},"
                               "{\"type\":\"library\",\"name\":\"zlib1g\",\"version\":\"1:1.3-3\",\"purl\":\"pkg:deb/"
                               "debian/zlib1g@1:1.3-3?distro=debian-12&upstream=zlib\"},"
                               "{\"type\":\"library\",\"name\":\"liblzma5\",\"version\":\"5.6.0-0.2\",\"purl\":\"pkg:"
                               "deb/debian/liblzma5@5.6.0-0.2?distro=debian-12&upstream=xz-utils\"}]}";
    struct event event = {
        .kind = EVENT_INVENTORY, .token = UINT64_MAX - 2, .name = span_str("gateway"), .body = span_str(sbom)};
    member_step(&world->members[SIM_OPERATOR], &event);
}

uint64_t member_log_size(struct member *member, unsigned owner, log_id *id)
{
    const struct party *party = roster_party(&member->world->roster, span_str(cast[owner].name));
    uint64_t size = 0;
    if (!party || member->store->ops->log_open(member->store, span_str(party->origin), false, id) != 0)
        return 0;
    return member->store->ops->log_size(member->store, *id, &size) == 0 ? size : 0;
}
