/* Members' requests. Two lines: Signature-Input and Signature; what is accepted has one spelling. An input that begins with a zero byte
   is a plan instead: a request signed by a real key, in which one thing may be wrong. */
#include "circle/member.h"
#include "tests/circle/subject.h"

#include "fuzz/fuzz.h"

static struct subject s;

static void lines(struct span rest)
{
    struct span line = plan_line(&rest);
    struct member_input input;
    struct signature signature;
    struct buf again;
    char authority[MEMBER_AUTHORITY_BYTES_MAX + 1];
    buf_init(&again, MEMBER_BASE_BYTES_MAX);
    if (member_input_parse(&input, line) == 0) {
        member_input_write(&again, input.created, &input.kid);
        same(&again, line);
    }
    buf_reset(&again);
    if (member_signature_parse(&signature, rest) == 0) {
        member_signature_write(&again, &signature);
        same(&again, rest);
    }
    buf_free(&again);
    must(member_authority(authority, rest) != 0 || !strpbrk(authority, "\n\" /@"));
}

struct asked {
    char host[MEMBER_AUTHORITY_BYTES_MAX + 1], path[MEMBER_PATH_BYTES + 1];
    struct buf input, signature;
};

static void ask(struct asked *a, size_t party, enum key_role role, int64_t created)
{
    struct buf base;
    struct signature signature;
    struct hash kid;
    (void)snprintf(a->path, sizeof a->path, "/documents/%064d", 7);
    must(member_authority(a->host, span_str(s.cards[0].url)) == 0);
    key_id(&s.cards[party].keys[role], &kid);
    buf_init(&a->input, 256);
    buf_init(&a->signature, 256);
    buf_init(&base, MEMBER_BASE_BYTES_MAX);
    member_input_write(&a->input, created, &kid);
    member_base_write(&base, span_str(a->host), span_str(a->path), span_from(buf_view(&a->input), strlen("comity=")));
    sign(s.secret[party][role], buf_view(&base), &signature);
    member_signature_write(&a->signature, &signature);
    buf_free(&base);
}

/* False when the byte was so before. */
static bool smudge(uint8_t *text, size_t len, struct span *plan)
{
    uint8_t at = plan_byte(plan), value = plan_byte(plan), *byte = &text[len ? at % len : 0];
    if (!len || *byte == value)
        return false;
    *byte = value;
    return true;
}

static void planned(struct span plan)
{
    static const enum key_role roles[] = {KEY_STATEMENT, KEY_STATEMENT, KEY_STATEMENT,
                                          KEY_LOG,       KEY_MIRROR,    KEY_WITNESS};
    const int64_t now = 1700000000;
    struct asked a = {.host = ""};
    const struct party *who = NULL;
    bool whole = true;
    enum key_role role = roles[plan_byte(&plan) % (sizeof roles / sizeof roles[0])];
    size_t party = plan_byte(&plan) % s.count;
    int64_t age = (int8_t)plan_byte(&plan) * 4;
    ask(&a, party, role, now - age);
    switch (plan_byte(&plan) % 6) {
    case 1:
        whole = !smudge(a.input.data, a.input.len, &plan);
        break;
    case 2:
        whole = !smudge(a.signature.data, a.signature.len, &plan);
        break;
    case 3:
        whole = !smudge((uint8_t *)a.path, strlen(a.path), &plan);
        break;
    case 4:
        a.host[0] = 'P'; /* as good: hosts have no case */
        break;
    case 5:
        a.host[plan_byte(&plan) % (strlen(a.host) + 1)] = 0;
        whole = span_is(span_str(a.host), "p00.example:8440");
        break;
    default:
        break;
    }
    struct member_request request = {.host = span_str(a.host),
                                     .own_url = span_str(s.cards[0].url),
                                     .path = span_str(a.path),
                                     .input = buf_view(&a.input),
                                     .signature = buf_view(&a.signature),
                                     .now = now};
    bool good = whole && role == KEY_STATEMENT && age <= MEMBER_SKEW_MAX && age >= -MEMBER_SKEW_MAX;
    must((member_verify(&s.roster, &request, &who) == 0) == good);
    must(!good || span_is(span_str(who->card.name), s.cards[party].name));
    buf_free(&a.input);
    buf_free(&a.signature);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size);
    must(s.count || (crypto_start() == 0 && subject_make(&s, 5, 4, 2, 2, 4) == 0));
    if (size && data[0] == 0)
        planned(span_from(bytes, 1));
    else
        lines(bytes);
    return 0;
}
