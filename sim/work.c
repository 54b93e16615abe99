/* What the parties do all day: they publish, keep an inventory, and hand notices over. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "sim/sim.h"

static const char *const components[] = {"glibc", "zlib", "xz-utils"};

static void advisory_write(struct buf *out, const struct world *world, unsigned owner, unsigned number, int affects)
{
    buf_printf(out,
               "{\"schema_version\":\"1.6.0\",\"id\":\"SIM-%llu-%s-%06u\",\"modified\":\"2025-06-01T00:00:00Z\","
               "\"affected\":[{\"package\":"
               "{\"ecosystem\":\"Debian:12\",\"name\":\"%s\"},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{"
               "\"introduced\":\"0\"},"
               "{\"fixed\":\"9:9\"}]}]}]}\n",
               (unsigned long long)world->seed, sim_names[owner], number,
               affects < 0 ? "not-there" : components[affects]);
}

struct stated *stated_add(struct world *world)
{
    if (world->stated_count == world->stated_cap) {
        world->stated_cap = world->stated_cap ? world->stated_cap * 2 : 256;
        world->stated = realloc(world->stated, world->stated_cap * sizeof *world->stated);
        if (!world->stated)
            abort();
    }
    struct stated *stated = &world->stated[world->stated_count++];
    *stated = (struct stated){.affects = -1};
    return stated;
}

void publish(struct world *world, unsigned owner, unsigned count)
{
    struct member *member = &world->members[owner];
    struct submission *list = calloc(count + 1, sizeof *list);
    struct buf *documents = calloc(count, sizeof *documents);
    if (!list || !documents)
        abort();
    for (unsigned i = 0; i < count; i++) {
        struct stated *stated = stated_add(world);
        stated->owner = owner;
        stated->number = ++world->next_number;
        stated->affects = (int)(stated->number % 4) - 1;
        buf_init(&documents[i], 4096);
        advisory_write(&documents[i], world, owner, stated->number, stated->affects);
        list[i] = (struct submission){
            .media = "application/osv+json", .label = LABEL_OPEN, .document = buf_view(&documents[i])};
        (void)snprintf(list[i].subject, sizeof list[i].subject, "SIM-%llu-%s-%06u", (unsigned long long)world->seed,
                       sim_names[owner], stated->number);
        sha256(list[i].document, &stated->document);
    }
    bool again =
        world->next_number % 5 == 0; /* said twice in one breath: one statement at two places, the first counts */
    list[count] = list[0];
    struct event event = {
        .kind = EVENT_SUBMIT, .token = UINT64_MAX - 1, .submissions = list, .submission_count = count + again};
    member_step(member, &event);
    for (unsigned i = 0; i < count; i++)
        buf_free(&documents[i]);
    free(documents);
    free(list);
}

static struct span json_field(struct span body, const char *name)
{
    const uint8_t *at = memmem(body.data, body.len, name, strlen(name));
    return at ? span_from(body, (size_t)(at - body.data) + strlen(name)) : span_of(NULL, 0);
}

/* 201: the owner was told that this is in the log. */
void acknowledge(struct member *member, const struct action *action)
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
        if (s->owner != member->number || s->acknowledged || !hash_eq(&s->document, &hash))
            continue;
        s->acknowledged = hash_parse(span_of(id.data, 64), &s->id);
        s->index = 0;
        for (size_t d = 0; d < index.len && index.data[d] >= '0' && index.data[d] <= '9'; d++)
            s->index = s->index * 10 + (uint64_t)(index.data[d] - '0');
        return;
    }
}

struct handing { /* a notice on its way to the owner */
    unsigned member;
    uint32_t incarnation;
    struct hash id;
};
static struct handing handings[4096];
static unsigned handing_next;

static void handed_add(struct world *world, const struct hash *id)
{
    if (world->handed_count == world->handed_cap) {
        world->handed_cap = world->handed_cap ? world->handed_cap * 2 : 64;
        world->handed = realloc(world->handed, world->handed_cap * sizeof *world->handed);
        if (!world->handed)
            abort();
    }
    world->handed[world->handed_count++] = *id;
}

/* A crash in between, and the owner has not got it yet. */
static void delivered_task(struct world *world, unsigned slot)
{
    const struct handing *h = &handings[slot];
    struct member *member = &world->members[h->member];
    struct event event = {.kind = EVENT_DELIVERED, .name = span_str("command"), .hash = h->id};
    if (!member->node || member->incarnation != h->incarnation)
        return;
    if (member->number == SIM_OPERATOR)
        handed_add(world, &h->id);
    member_step(member, &event);
}

void notice_hand(struct member *member, const struct action *action)
{
    struct world *world = member->world;
    unsigned slot = handing_next++ % (sizeof handings / sizeof handings[0]);
    int64_t takes = world->poll_ms ? (int64_t)world_random(world, world->faults_over ? 1000 : 2 * HOUR_MS) : 20;
    handings[slot] = (struct handing){.member = member->number, .incarnation = member->incarnation, .id = action->hash};
    task_at(world, world->now + takes, delivered_task, slot);
    if (member->number == SIM_OPERATOR && !world->first_notice_at)
        world->first_notice_at = world->now;
}

void inventory_add(struct world *world, unsigned number)
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
    member_step(&world->members[number], &event);
}
