/* The test procedure, until the works exist: requests with a clock, replies and extensions, as a pure fold over what a node holds; and
   a roster change by a fixed rule: once alpha's statement of it stands at a node, that node goes by the second epoch's roster. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "crypto/sha256.h"
#include "sim/sim.h"

#define MEDIA_SIM "application/vnd.comity.sim+json"

enum { EXTENSION_HOURS = 12, ANSWERS_MAX = 8 };

static void act_submit(struct world *world, unsigned owner, enum act act, size_t request, unsigned hours)
{
    static const char *const names[] = {
        [ACT_REQUEST] = "request", [ACT_REPLY] = "reply", [ACT_EXTENSION] = "extension", [ACT_ROSTER] = "roster"};
    struct member *member = &world->members[owner];
    struct buf document;
    if (!member->node)
        return;
    struct stated *stated = stated_add(world);
    stated->owner = owner;
    stated->number = ++world->next_number;
    stated->act = act;
    stated->request = request;
    stated->hours = hours;
    buf_init(&document, 256);
    buf_printf(&document, "{\"sim\":\"%s\",\"number\":%u,\"hours\":%u}\n", names[act], stated->number, hours);
    sha256(buf_view(&document), &stated->document);
    struct submission submission = {.media = MEDIA_SIM, .label = LABEL_OPEN, .document = buf_view(&document)};
    (void)snprintf(submission.subject, sizeof submission.subject, "%s %u", names[act], stated->number);
    if (act == ACT_REPLY || act == ACT_EXTENSION)
        submission.answers[submission.answer_count++] = world->stated[request].id;
    struct event event = {
        .kind = EVENT_SUBMIT, .token = UINT64_MAX - 3, .submissions = &submission, .submission_count = 1};
    member_step(member, &event);
    buf_free(&document);
}

static unsigned addressee(const struct stated *request)
{
    return (request->owner + 1) % SIM_PARTIES;
}

static void reply_task(struct world *world, unsigned request)
{
    if (world->stated[request].acknowledged)
        act_submit(world, addressee(&world->stated[request]), ACT_REPLY, request, 0);
}

static void extension_task(struct world *world, unsigned request)
{
    if (world->stated[request].acknowledged)
        act_submit(world, world->stated[request].owner, ACT_EXTENSION, request, EXTENSION_HOURS);
}

static void request_task(struct world *world, unsigned owner)
{
    unsigned hours = 4 + (unsigned)world_random(world, 24), number = (unsigned)world->stated_count;
    act_submit(world, owner, ACT_REQUEST, 0, hours);
    if (world->stated_count == number)
        return;
    if (world_random(world, 4)) /* else it stays silent */
        task_at(world, world->now + (int64_t)world_random(world, 30 * HOUR_MS), reply_task, number);
    if (world_random(world, 2))
        task_at(world, world->now + (int64_t)world_random(world, 20 * HOUR_MS), extension_task, number);
}

static void roster_task(struct world *world, unsigned owner)
{
    if (!world->members[owner].node) {
        task_at(world, world->now + HOUR_MS, roster_task, owner);
        return;
    }
    act_submit(world, owner, ACT_ROSTER, 0, 0);
}

/* What a node says of a statement: the instant since which it stands, 0 if it does not. */
int64_t instant_told(struct member *member, const struct hash *id)
{
    static const char field[] = "\"standing_since\":\"";
    struct buf json;
    int64_t instant = 0;
    buf_init(&json, 1 << 16);
    enum sim_fault flip = member->flip; /* which waits for the node's own reads: nobody looks here but the checks */
    member_acts(member);
    member->flip = FAULT_NONE;
    node_statement_json(member->node, id, &json, NULL);
    member->flip = flip;
    const uint8_t *at = memmem(json.data, json.len, field, strlen(field));
    if (at && (size_t)(at - json.data) + strlen(field) + 20 <= json.len && at[strlen(field)] != '"')
        (void)time_parse(span_of(at + strlen(field), 20), &instant);
    buf_free(&json);
    return instant;
}

/* Each node goes over when the change stands there: for a while they differ. */
static void epoch_task(struct world *world, unsigned argument)
{
    (void)argument;
    for (size_t i = 0; i < world->stated_count; i++)
        for (unsigned n = 0; world->stated[i].act == ACT_ROSTER && world->stated[i].acknowledged && n < SIM_PARTIES;
             n++) {
            struct member *member = &world->members[n];
            if (member->epoch || !member->node || !instant_told(member, &world->stated[i].id))
                continue;
            fired(world, FAULT_ROSTER_CHANGE);
            member_acts(member);
            member_stop(member);
            member->epoch = 1;
            member_start(world, n);
        }
    if (!world->faults_over)
        task_at(world, world->now + HOUR_MS, epoch_task, 0);
}

void procedure_plan(struct world *world, int64_t busy_ms)
{
    for (unsigned n = 1 + (unsigned)world_random(world, 3); n; n--)
        task_at(world, world->now + (int64_t)world_random(world, (uint64_t)busy_ms), request_task,
                (unsigned)world_random(world, SIM_PARTIES));
    if (world->rosters[0].committee_count == world->rosters[1].committee_count)
        return;
    task_at(world, world->now + (int64_t)world_random(world, (uint64_t)busy_ms / 2), roster_task, 0);
    task_at(world, world->now + HOUR_MS, epoch_task, 0);
}

void procedure_end(struct world *world)
{
    epoch_task(world, 0);
}

/* The fold */

struct clocked {
    int64_t start, due, answered; /* 0: not yet */
    bool in_time;
    unsigned extensions;
};

struct answer {
    const struct stated *stated;
    int64_t instant;
};

static int answer_order(const void *a, const void *b)
{
    const struct answer *x = a, *y = b;
    if (x->instant != y->instant)
        return x->instant < y->instant ? -1 : 1;
    if (x->stated->owner != y->stated->owner)
        return x->stated->owner < y->stated->owner ? -1 : 1;
    return (x->stated->index > y->stated->index) - (x->stated->index < y->stated->index);
}

static struct clocked fold(struct world *world, struct member *member, size_t request)
{
    const struct stated *r = &world->stated[request];
    struct clocked out = {.start = instant_told(member, &r->id)};
    struct answer answers[ANSWERS_MAX];
    size_t count = 0;
    if (!out.start)
        return out;
    for (size_t i = request + 1; i < world->stated_count && count < ANSWERS_MAX; i++) {
        const struct stated *s = &world->stated[i];
        if ((s->act != ACT_REPLY && s->act != ACT_EXTENSION) || s->request != request || !s->acknowledged)
            continue;
        int64_t instant = instant_told(member, &s->id);
        if (instant)
            answers[count++] = (struct answer){.stated = s, .instant = instant > out.start ? instant : out.start};
    }
    qsort(answers, count, sizeof *answers, answer_order);
    out.due = out.start + (int64_t)r->hours * 3600;
    for (size_t i = 0; i < count; i++) {
        if (answers[i].stated->act == ACT_EXTENSION && answers[i].instant <= out.due) {
            out.due += EXTENSION_HOURS * 3600;
            out.extensions++;
        } else if (answers[i].stated->act == ACT_REPLY && !out.answered) {
            out.answered = answers[i].instant;
            out.in_time = answers[i].instant <= out.due;
        }
    }
    return out;
}

/* 4: on one node a start only becomes earlier, as more cosignatures are heard of, and a due instant becomes later only by an extension:
   not by silence, nor by a crash, nor by a mirror that keeps its word back. */
static void observe(struct world *world, struct member *member, size_t request)
{
    struct clocked now = fold(world, member, request);
    struct observed *o = &world->stated[request].observed[member->number];
    bool same = o->due && o->epoch == member->epoch && o->restores == member->restores;
    if (same && (!now.start || now.start > o->start))
        trouble(world, "4 deadlines", "at %s request %u of %s starts later than it did", member->name,
                world->stated[request].number, sim_names[world->stated[request].owner]);
    if (same && now.due > o->due && now.extensions <= o->extensions)
        trouble(world, "4 deadlines", "at %s the due instant of request %u of %s has moved without an extension",
                member->name, world->stated[request].number, sim_names[world->stated[request].owner]);
    if (same && o->in_time && now.due >= o->due && !now.in_time)
        trouble(world, "4 deadlines", "at %s the reply to request %u of %s was in time and is late", member->name,
                world->stated[request].number, sim_names[world->stated[request].owner]);
    *o = (struct observed){.start = now.start,
                           .due = now.due,
                           .in_time = now.in_time,
                           .extensions = now.extensions,
                           .epoch = member->epoch,
                           .restores = member->restores};
}

void procedure_watch(struct world *world, bool all)
{
    for (size_t i = 0; i < world->stated_count; i++)
        for (unsigned n = 0; n < SIM_PARTIES; n++) {
            const struct stated *s = &world->stated[i];
            if (s->act == ACT_REQUEST && s->acknowledged && !s->forgiven && world->members[n].node &&
                (int)s->owner != world->liar && (all || world_random(world, 6) == 0))
                observe(world, &world->members[n], i);
        }
}
