#include "tests/circle/subject.h"
#include "tests/test.h"

/* The table of the design, computed by hand. */
static const struct quorum table[] = {
    {0, 0, 0}, {1, 0, 1}, {2, 0, 2},  {3, 0, 2},  {4, 1, 3},  {5, 1, 4},  {6, 1, 4},   {7, 2, 5},
    {8, 2, 6}, {9, 2, 6}, {10, 3, 7}, {11, 3, 8}, {12, 3, 8}, {13, 4, 9}, {14, 4, 10}, {15, 4, 10},
};

static void arithmetic(void)
{
    struct roster roster = {0};
    struct party in = {.committee = true}, out = {0};
    test("m, f and k for every committee");
    for (unsigned m = 0; m <= COMMITTEE_MAX; m++) {
        roster.committee_count = m;
        struct quorum q = quorum_for(&roster, &out);
        CHECK_INT(q.m, table[m].m);
        CHECK_INT(q.f, table[m].f);
        CHECK_INT(q.k, table[m].k);
        roster.committee_count = m + 1;
        struct quorum w = quorum_for(&roster, &in); /* the writer does not count */
        CHECK(m == COMMITTEE_MAX || memcmp(&w, &table[m], sizeof w) == 0);
    }
    test("two quorums share a truthful mirror, and the truthful alone suffice");
    for (unsigned m = 1; m <= COMMITTEE_MAX; m++) {
        const struct quorum *q = &table[m];
        CHECK(2 * q->k > m + q->f);
        CHECK(m - q->f >= q->k);
    }
}

/* The least t, by trying every t. */
static bool met_slow(const struct roster *r, const struct party *writer, const struct cosigner *list, size_t count,
                     int64_t *instant)
{
    struct quorum q = quorum_for(r, writer);
    for (int64_t t = 0; t < 40; t++) {
        unsigned members = 0, jurisdictions = 0;
        for (size_t p = 0; p < r->count; p++) {
            bool signed_by = false, first = true;
            for (size_t i = 0; i < count; i++)
                signed_by = signed_by || (list[i].party == &r->parties[p] && list[i].timestamp <= t);
            if (!signed_by || !r->parties[p].committee || &r->parties[p] == writer)
                continue;
            members++;
            for (size_t o = 0; o < p && first; o++)
                for (size_t i = 0; i < count; i++)
                    if (list[i].party == &r->parties[o] && list[i].timestamp <= t && r->parties[o].committee &&
                        &r->parties[o] != writer &&
                        strcmp(r->parties[o].card.jurisdiction, r->parties[p].card.jurisdiction) == 0)
                        first = false;
            jurisdictions += first;
        }
        if (q.m && members >= q.k && jurisdictions >= r->jurisdictions_min) {
            *instant = t;
            return true;
        }
    }
    return false;
}

static uint64_t state = 20261125;
static unsigned dice(unsigned n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state % n);
}

static void instants(void)
{
    test("the instant is the least that satisfies the quorum (random against trying all)");
    printf("# seed %llu\n", (unsigned long long)state);
    for (int round = 0; round < 20000; round++) {
        struct party parties[18] = {0};
        struct roster r = {.parties = parties, .count = 1 + dice(18), .jurisdictions_min = dice(4)};
        for (size_t i = 0; i < r.count; i++) {
            parties[i].committee = r.committee_count < COMMITTEE_MAX && dice(4) != 0;
            r.committee_count += parties[i].committee;
            (void)snprintf(parties[i].card.jurisdiction, sizeof parties[i].card.jurisdiction, "X%u", dice(5));
        }
        struct cosigner list[40];
        size_t count = dice(40);
        for (size_t i = 0; i < count; i++)
            list[i] = (struct cosigner){.party = &parties[dice((unsigned)r.count)], .timestamp = dice(30)};
        const struct party *writer = dice(5) ? &parties[dice((unsigned)r.count)] : NULL;
        int64_t got = 0, want = 0;
        bool met = quorum_met(&r, writer, list, count, &got);
        CHECK(met == met_slow(&r, writer, list, count, &want));
        CHECK(!met || got == want);
    }
    test("case makes no other jurisdiction");
    struct party parties[3] = {{.committee = true}, {.committee = true}, {.committee = true}};
    struct roster r = {.parties = parties, .count = 3, .committee_count = 3};
    (void)snprintf(parties[0].card.jurisdiction, 64, "Xy");
    (void)snprintf(parties[1].card.jurisdiction, 64, "xY");
    (void)snprintf(parties[2].card.jurisdiction, 64, "Xyz");
    CHECK_INT(roster_jurisdictions(&r, NULL), 2);
    CHECK_INT(roster_jurisdictions(&r, &parties[2]), 1);
}

struct policy {
    char log[512], quorum[64], group[64];
    char witness[COMMITTEE_MAX][192];
    struct public_key keys[COMMITTEE_MAX];
    size_t witnesses, members, k;
    int bad;
};

/* Reads a policy back by the rules of c2sp.org/tlog-policy. */
static void policy_line(struct policy *p, char *line)
{
    char *save = NULL, *words[COMMITTEE_MAX + 4];
    size_t n = 0;
    if (line[0] == '#')
        return;
    for (char *word = strtok_r(line, " \t", &save); word && n < COMMITTEE_MAX + 4; word = strtok_r(NULL, " \t", &save))
        words[n++] = word;
    struct span name;
    enum note_type type = NOTE_ED25519;
    if (n >= 2 && strcmp(words[0], "log") == 0) {
        struct public_key key;
        p->bad += note_vkey_parse(span_str(words[1]), &name, &type, &key) != 0 || type != NOTE_ED25519;
        (void)snprintf(p->log, sizeof p->log, "%.*s", (int)name.len, (const char *)name.data);
    } else if (n >= 3 && strcmp(words[0], "witness") == 0 && p->witnesses < COMMITTEE_MAX) {
        p->bad +=
            note_vkey_parse(span_str(words[2]), &name, &type, &p->keys[p->witnesses]) != 0 || type != NOTE_COSIGNATURE;
        p->bad += !span_is(name, words[1]) || strcmp(words[1], "none") == 0;
        for (size_t i = 0; i < p->witnesses; i++)
            p->bad += memcmp(&p->keys[i], &p->keys[p->witnesses], 32) == 0 || strcmp(p->witness[i], words[1]) == 0;
        (void)snprintf(p->witness[p->witnesses++], 192, "%s", words[1]);
    } else if (n >= 4 && strcmp(words[0], "group") == 0 && !p->group[0]) {
        (void)snprintf(p->group, sizeof p->group, "%s", words[1]);
        p->k = (size_t)atoi(words[2]);
        p->members = n - 3;
        for (size_t i = 3; i < n; i++) {
            bool known = false;
            for (size_t j = 0; j < p->witnesses; j++)
                known = known || strcmp(p->witness[j], words[i]) == 0;
            p->bad += !known || strcmp(words[1], words[i]) == 0;
        }
    } else if (n == 2 && strcmp(words[0], "quorum") == 0 && !p->quorum[0]) {
        (void)snprintf(p->quorum, sizeof p->quorum, "%s", words[1]);
        p->bad += strcmp(p->group, words[1]) != 0;
    } else {
        p->bad++;
    }
}

static void policies(void)
{
    struct subject s;
    test("policies of every committee read back to m and k");
    for (size_t committee = 0; committee <= COMMITTEE_MAX; committee++)
        for (size_t writer = 0; writer < 2; writer++) {
            CHECK_INT(subject_make(&s, 16, committee, 5, committee > 6 ? 2 : 0, writer ? 15 : 0), 0);
            struct quorum q = quorum_for(&s.roster, s.writer);
            struct policy p = {0};
            struct buf out;
            buf_init(&out, 65536);
            CHECK_INT(policy_write(&out, &s.roster, s.writer), q.m ? 0 : E_QUORUM);
            buf_byte(&out, 0);
            CHECK((strstr((const char *)out.data, "necessary, not sufficient") != NULL) ==
                  (q.m && s.roster.jurisdictions_min));
            CHECK(q.m || out.len == 1);
            char *save = NULL;
            for (char *line = strtok_r((char *)out.data, "\n", &save); q.m && line; line = strtok_r(NULL, "\n", &save))
                policy_line(&p, line);
            CHECK_INT(p.bad, 0);
            CHECK_INT(p.witnesses, q.m);
            CHECK_INT(p.members, q.m);
            CHECK_INT(p.k, q.k);
            CHECK(!q.m || (p.quorum[0] && strcmp(p.log, s.writer->origin) == 0));
            buf_free(&out);
            subject_free(&s);
        }
}

int main(void)
{
    if (crypto_start() != 0)
        return 1;
    arithmetic();
    instants();
    policies();
    return test_end();
}
