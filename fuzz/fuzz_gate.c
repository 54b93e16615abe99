/* The head of a request as the HTTP library hands it over, and the routes behind the gate. What is let in can be read in one way only. */
#include "fuzz/fuzz.h"
#include "shell/gate.h"
#include "shell/routes.h"

static void let_in(const struct gate_head *head, const struct gate_verdict *v, uint64_t body_max)
{
    struct span path = gate_path(head->target);
    bool reads = span_is(head->method, "GET") || span_is(head->method, "HEAD");
    must(head->hosts <= 1 && head->lengths <= 1 && head->encodings <= 1 && !(head->lengths && head->encodings));
    must(reads || span_is(head->method, "POST") || span_is(head->method, "PUT"));
    must(!reads || !v->has_body);
    must(v->length == UINT64_MAX || v->length <= body_max);
    must(path.len > 0 && path.data[0] == '/' && !memchr(path.data, '%', path.len) &&
         !memmem(path.data, path.len, "//", 2));
    for (size_t i = 0; i < head->target.len; i++)
        must(head->target.data[i] > ' ' && head->target.data[i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT"}, *const versions[] = {"HTTP/1.1", "HTTP/1.0"};
    struct span plan = span_of(data, size);
    struct gate_head head = {0};
    uint8_t way = plan_byte(&plan);
    uint64_t body_max = plan_number(&plan, 4);
    head.hosts = plan_byte(&plan) % 3;
    head.lengths = plan_byte(&plan) % 3;
    head.encodings = plan_byte(&plan) % 3;
    head.headers = (unsigned)plan_number(&plan, 2);
    head.header_bytes = (size_t)plan_number(&plan, 3);
    head.empty = way & 1;
    head.method = way & 2 ? plan_piece(&plan) : span_str(methods[plan_byte(&plan) % 4]);
    head.version = way & 4 ? plan_piece(&plan) : span_str(versions[plan_byte(&plan) % 2]);
    head.length = head.lengths ? plan_piece(&plan) : span_of(NULL, 0);
    head.encoding = way & 8 ? plan_piece(&plan) : span_str("chunked");
    head.target = plan;
    head.bytes = head.method.len + head.target.len + head.version.len + 4 + head.header_bytes + 2 + (way >> 7);
    struct gate_verdict v = gate_check(&head, body_max);
    must((v.status == 0) == (v.text == NULL));
    if (v.status == 0)
        let_in(&head, &v, body_max);
    for (size_t i = 0; i < 4; i++) {
        const struct route_write *route = route_find(methods[i], gate_path(head.target));
        must(!route || route_body_max(methods[i], gate_path(head.target)) >= 1);
        (void)route_takes_gzip(methods[i], gate_path(head.target));
    }
    return 0;
}
