/* Links, the queue of what is under way, and time. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/sim.h"

enum message_kind { MESSAGE_REQUEST, MESSAGE_RESPONSE, MESSAGE_TASK };
struct message {
    int64_t at;
    uint64_t order; /* equal instants: first sent, first come; names a request in its reply */
    enum message_kind kind;
    unsigned from, to;
    uint32_t incarnation; /* of the client that asked */
    uint64_t token;
    bool get, must_be_refused, recovery;
    char path[160];
    uint64_t range_from;
    size_t body_max;
    unsigned timeout_ms;
    int status;
    char header[96];
    const char *content_type; /* of a response: literals all */
    struct buf body;
    task *run;
    unsigned argument;
    size_t next_free;
};
struct slot {
    int64_t at;
    uint64_t order;
    size_t message;
};

uint64_t world_random(struct world *world, uint64_t below)
{
    uint64_t z = world->random += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % below;
}

/* The trace: every step, with what came and what it led to, in one number. */
static void trace(struct world *world, uint64_t value)
{
    world->trace = (world->trace ^ value) * 0x9e3779b97f4a7c15;
    world->trace ^= world->trace >> 29;
}

static void trace_bytes(struct world *world, struct span bytes)
{
    uint64_t word = 0;
    size_t at = 0;
    for (; at + 8 <= bytes.len; at += 8) {
        memcpy(&word, bytes.data + at, 8);
        trace(world, word);
    }
    word = bytes.len;
    if (bytes.len > at)
        memcpy(&word, bytes.data + at, bytes.len - at);
    trace(world, word);
}

/* The queue */

static bool earlier(const struct slot *a, const struct slot *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void heap_swap(struct world *world, size_t a, size_t b)
{
    struct slot s = world->heap[a];
    world->heap[a] = world->heap[b];
    world->heap[b] = s;
}

static size_t pool_take(struct world *world)
{
    if (world->pool_free) {
        size_t index = world->pool_free - 1;
        world->pool_free = world->pool[index].next_free;
        return index;
    }
    if (world->pool_count == world->pool_cap) {
        world->pool_cap = world->pool_cap ? world->pool_cap * 2 : 256;
        world->pool = realloc(world->pool, world->pool_cap * sizeof *world->pool);
        if (!world->pool)
            abort();
    }
    return world->pool_count++;
}

static void message_push(struct world *world, struct message *m)
{
    if (world->heap_count == world->heap_cap) {
        world->heap_cap = world->heap_cap ? world->heap_cap * 2 : 256;
        world->heap = realloc(world->heap, world->heap_cap * sizeof *world->heap);
        if (!world->heap)
            abort();
    }
    size_t i = world->heap_count++, index = pool_take(world);
    m->order = ++world->order;
    world->pool[index] = *m;
    world->heap[i] = (struct slot){.at = m->at, .order = m->order, .message = index};
    for (; i && earlier(&world->heap[i], &world->heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap_swap(world, i, (i - 1) / 2);
}

static struct message message_pop(struct world *world)
{
    size_t index = world->heap[0].message;
    struct message top = world->pool[index];
    world->pool[index].next_free = world->pool_free;
    world->pool_free = index + 1;
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

void network_close(struct world *world)
{
    while (world->heap_count) {
        struct message m = message_pop(world);
        buf_free(&m.body);
    }
    free(world->heap);
    free(world->pool);
}

void task_at(struct world *world, int64_t at, task *run, unsigned argument)
{
    struct message m = {.at = at, .kind = MESSAGE_TASK, .run = run, .argument = argument};
    message_push(world, &m);
}

/* Links */

static bool chance(struct world *world, unsigned permille)
{
    return !world->faults_over && permille && world_random(world, 1000) < permille;
}

static int64_t travel(struct world *world)
{
    const struct network *n = &world->network;
    int64_t at = n->delay_ms + (n->jitter_ms ? (int64_t)world_random(world, (uint64_t)n->jitter_ms + 1) : 0);
    if (n->jitter_ms > n->delay_ms)
        fired(world, FAULT_REORDER);
    if (!chance(world, n->late_permille))
        return at;
    fired(world, FAULT_DELAY);
    return at + (int64_t)world_random(world, 20 * 60 * 1000);
}

static bool partitioned(struct world *world, unsigned from, unsigned to)
{
    return world->blocked_until[from][to] > world->now;
}

static bool is_cut(const struct world *world, unsigned a, unsigned b, size_t len, size_t *at)
{
    size_t x = world->members[a].cut_bytes, y = world->members[b].cut_bytes;
    *at = x && (!y || x < y) ? x : y;
    return *at && len > *at;
}

static void body_flip(struct world *world, struct buf *body)
{
    if (!body->len || !chance(world, world->network.flipped_permille))
        return;
    uint64_t bit = world_random(world, body->len * 8);
    body->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    fired(world, FAULT_BIT_MESSAGE);
}

static void no_answer(struct world *world, const struct message *request, int64_t at)
{
    struct message m = {.at = at,
                        .kind = MESSAGE_RESPONSE,
                        .from = request->to,
                        .to = request->from,
                        .incarnation = request->incarnation,
                        .token = request->token};
    if (request->token)
        message_push(world, &m);
}

static void request_keep(struct world *world, const struct message *m);

/* An ACTION_SEND goes out: it may be lost, late, damaged, come twice, or break with the link. */
static void request_send(struct member *member, struct action *action)
{
    struct world *world = member->world;
    struct message m = {.kind = MESSAGE_REQUEST,
                        .from = member->number,
                        .incarnation = member->incarnation,
                        .token = action->token,
                        .get = action->method[0] == 'G',
                        .range_from = action->range_from,
                        .body_max = action->body_max,
                        .timeout_ms = action->timeout_ms};
    size_t at;
    while (m.to < SIM_PARTIES && strcmp(sim_names[m.to], action->peer->card.name) != 0)
        m.to++;
    (void)snprintf(m.path, sizeof m.path, "%s", action->path);
    m.recovery = m.get && strncmp(m.path, "/recovery/", 10) == 0;
    m.body = action->body; /* taken over */
    action->body = (struct buf){0};
    m.at = world->now + travel(world);
    world->messages++;
    world->bytes += m.body.len;
    bool blocked = partitioned(world, m.from, m.to), lost = chance(world, world->network.lost_permille);
    if (blocked || lost) {
        fired(world, !blocked                           ? FAULT_LOSS
                     : partitioned(world, m.to, m.from) ? FAULT_PARTITION
                                                        : FAULT_PARTITION_ONE_WAY);
        no_answer(world, &m, world->now + action->timeout_ms);
        buf_free(&m.body);
        return;
    }
    if (is_cut(world, m.from, m.to, m.body.len, &at)) {
        fired(world, FAULT_LINK_CUT);
        no_answer(world, &m, m.at);
        buf_free(&m.body);
        return;
    }
    request_keep(world, &m);
    body_flip(world, &m.body);
    if (chance(world, world->network.twice_permille)) {
        struct message twin = m;
        buf_init(&twin.body, HTTP_BODY_MAX);
        buf_span(&twin.body, buf_view(&m.body));
        twin.at = world->now + travel(world) * 3;
        fired(world, FAULT_DUPLICATE);
        message_push(world, &twin);
    }
    if (m.at > world->now + action->timeout_ms) { /* it still arrives, long after the caller has given up */
        no_answer(world, &m, world->now + action->timeout_ms);
        m.token = 0;
    }
    message_push(world, &m);
}

static void response_send(struct world *world, const struct message *request, int status, const char *content_type,
                          const char *header, struct buf *body)
{
    struct message m = {.kind = MESSAGE_RESPONSE,
                        .from = request->to,
                        .to = request->from,
                        .incarnation = request->incarnation,
                        .token = request->token,
                        .recovery = request->recovery,
                        .content_type = content_type,
                        .status = status};
    size_t cut;
    memcpy(m.path, request->path, sizeof m.path);
    if (request->must_be_refused && status / 100 == 2)
        trouble(world, "bad input", "%s answers %d to a bad %s", sim_names[request->to], status, request->path);
    if (!request->token)
        return;
    bool blocked = partitioned(world, m.from, m.to);
    if (blocked || chance(world, world->network.lost_permille)) {
        fired(world, blocked ? FAULT_PARTITION_ONE_WAY : FAULT_LOSS);
        no_answer(world, request, world->now + request->timeout_ms);
        return;
    }
    m.body = *body; /* taken over */
    *body = (struct buf){0};
    if (is_cut(world, request->from, request->to, m.body.len, &cut)) {
        fired(world, FAULT_LINK_CUT);
        m.status = status == 200 || status == 206 ? -1 : 0;
        m.body.len = m.status ? cut : 0;
    }
    if (m.body.len > request->body_max) {
        m.status = RESPONSE_TOO_LARGE;
        m.body.len = 0;
    }
    (void)snprintf(m.header, sizeof m.header, "%s", header);
    body_flip(world, &m.body);
    world->bytes += m.body.len;
    m.at = world->now + travel(world);
    bool held_back =
        world->members[m.from].delays && strcmp(request->path, "/mirror/add-entries") == 0 && status == 200;
    if (held_back) /* dishonest: it has cosigned, and says nothing before the close */
        fired(world, FAULT_COSIGNATURE_LATE);
    if (!held_back && m.at <= world->now + request->timeout_ms) {
        message_push(world, &m);
        return;
    }
    no_answer(world, request, world->now + request->timeout_ms);
    buf_free(&m.body);
}

void raw_request(struct world *world, unsigned from, unsigned to, const char *method, const char *path,
                 struct buf *body, int64_t at, bool refused)
{
    struct message m = {.at = at,
                        .kind = MESSAGE_REQUEST,
                        .from = from,
                        .to = to,
                        .get = method[0] == 'G',
                        .must_be_refused = refused,
                        .body = *body};
    (void)snprintf(m.path, sizeof m.path, "%s", path);
    message_push(world, &m);
}

/* What the liar has overheard, to be sent again when nobody expects it. */
static void request_keep(struct world *world, const struct message *m)
{
    if (world->replay_left && !m->get && !world->faults_over && world_random(world, 20) == 0) {
        struct buf copy;
        buf_init(&copy, HTTP_BODY_MAX);
        buf_span(&copy, buf_view(&m->body));
        world->replay_left--;
        fired(world, FAULT_REPLAY);
        raw_request(world, m->from, m->to, "POST", m->path, &copy,
                    world->now + (int64_t)world_random(world, 20 * HOUR_MS), false);
    }
}

/* Steps */

static void actions_carry(struct member *member, struct actions *actions, const struct message *request)
{
    struct world *world = member->world;
    for (size_t i = 0; i < actions->count; i++) {
        struct action *action = &actions->list[i];
        trace(world, (uint64_t)action->kind << 32 | (uint64_t)action->status);
        trace_bytes(world, buf_view(&action->body));
        if (action->kind == ACTION_SEND)
            request_send(member, action);
        else if (action->kind == ACTION_NOTICE)
            notice_hand(member, action);
        else if (request && action->token == request->order)
            response_send(world, request, action->status, action->content_type, action->header, &action->body);
        else
            acknowledge(member, action);
    }
}

/* The engine's clock never goes back, as the shell sees to. */
static int64_t engine_clock(struct member *member)
{
    if (member->skew_ms > member->engine_ms)
        member->engine_ms = member->skew_ms;
    return member->world->now + member->engine_ms;
}

static void step(struct member *member, const struct event *event, const struct message *request)
{
    struct world *world = member->world;
    struct actions actions = {0};
    world->steps++;
    trace(world, (uint64_t)world->now << 8 | member->number << 4 | event->kind);
    trace_bytes(world, event->body);
    member_acts(member);
    int rc = node_step(member->node, event, engine_clock(member), &actions);
    bool found_out = rc == E_TWO_FACES && world->deceived >= 0 && (int)member->number == world->liar;
    if (found_out) {
        member->retired = true;
    } else if (rc && !member->crashed &&
               !(rc == E_CORRUPT && member->flipped)) { /* damage that was found ends the process */
        trouble(world, "process", "%s: step %d ended with %s at %" PRId64 " ms", member->name, event->kind,
                error_text(rc)->id, world->now - world->started);
        world->rc = rc;
    }
    if (rc == 0 && member->crashed)
        trouble(world, "process", "%s: step %d ignored an error of its disk or signer (strike %d)", member->name,
                event->kind, member->strike);
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

/* "Your log has a million entries, and you have cosigned as many": signed by nobody. */
static void recovery_invent(struct world *world, unsigned asker, struct buf *body)
{
    const struct party *party = roster_party(&world->rosters[0], span_str(sim_names[asker]));
    struct buf note;
    struct signature signature = {.b = {7}};
    struct hash root = {.b = {9}};
    buf_init(&note, NOTE_BYTES_MAX);
    checkpoint_write_text(&note, span_str(party->origin), 1000000, &root);
    buf_byte(&note, '\n');
    note_signature_write(&note, span_str(party->origin), &party->card.keys[KEY_LOG], &signature);
    buf_reset(body);
    buf_text(body, "{\"log\":");
    buf_json(body, buf_view(&note));
    buf_text(body, ",\"cosigned\":[");
    buf_json(body, buf_view(&note));
    buf_text(body, "]}\n");
    buf_free(&note);
    fired(world, FAULT_FORGED_RECOVERY);
}

static void get_arrives(struct member *member, const struct message *request)
{
    struct world *world = member->world;
    struct served served;
    member_acts(member);
    node_serve(member->node, span_str(request->path), false, &served);
    int status = served.status;
    if (member->withholds && strncmp(request->path, "/checkpoint", 11) != 0 && !request->recovery) {
        fired(world, FAULT_WITHHELD);
        status = 404;
        buf_reset(&served.body);
    }
    if (member->invents && request->recovery && status == 200)
        recovery_invent(world, request->from, &served.body);
    if (status == 200 && request->range_from) {
        status = request->range_from < served.body.len ? 206 : 416;
        size_t skip = status == 206 ? (size_t)request->range_from : served.body.len;
        if (skip)
            memmove(served.body.data, served.body.data + skip, served.body.len - skip);
        served.body.len -= skip;
    }
    response_send(world, request, status, served.content_type, "", &served.body);
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

static void message_tell(const struct world *world, const struct message *m)
{
    static const char *const kinds[] = {"asks", "answers", "task"};
    printf("# %12.3f s  %s %s %s  %s  %d  %zu bytes\n", (double)(world->now - world->started) / 1000,
           sim_names[m->from], kinds[m->kind], sim_names[m->to], m->path, m->status, m->body.len);
}

static void arrive(struct world *world, struct message *m)
{
    struct member *member = &world->members[m->to];
    if (world->tells)
        message_tell(world, m);
    if (m->kind == MESSAGE_TASK) {
        m->run(world, m->argument);
    } else if (m->kind == MESSAGE_REQUEST) {
        member->bytes_in += m->body.len;
        if (!member->node)
            no_answer(world, m, world->now + travel(world)); /* refused: nobody listens */
        else if (m->get)
            get_arrives(member, m);
        else
            write_arrives(member, m);
    } else if (member->node && member->incarnation == m->incarnation) {
        struct event event = {.kind = EVENT_RESPONSE,
                              .token = m->token,
                              .body = buf_view(&m->body),
                              .status = m->status,
                              .content_type = span_str(m->content_type ? m->content_type : ""),
                              .header = span_str(m->header)};
        member->bytes_in += m->body.len;
        member->recover_answers += m->recovery && m->status == 200;
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
            int64_t wants = member->node ? node_due(member->node) - member->engine_ms : INT64_MAX;
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
            world->now = until_ms > world->now ? until_ms : world->now;
            return;
        }
    }
}
