/* Two lines, a base and a reference: what joins is a good URL, joins itself to itself, and has a host that equals itself. */
#include "base/limits.h"
#include "format/url.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size), base = plan_line(&rest);
    struct url url, made;
    struct buf out, again;
    buf_init(&out, 4096);
    buf_init(&again, 4096);
    if (url_parse(&url, base, NULL) == 0) {
        must(url.host.len && url.port && url_same_host(&url, &url));
        touch(url.path);
        (void)url_host_is_private(url.host);
        if (url_join(&out, base, rest, NULL) == 0) {
            must(url_parse(&made, buf_view(&out), NULL) == 0 && out.len <= FOLLOWED_URL_MAX);
            must(url_join(&again, base, buf_view(&out), NULL) == 0 && span_eq(buf_view(&out), buf_view(&again)));
            bool whole = span_starts(rest, "http://") || span_starts(rest, "https://");
            must(whole || url_same_host(&url, &made));
        }
    } else {
        must(url_join(&out, base, rest, NULL) != 0);
    }
    (void)address_is_private(span_of(data, size < 16 ? (size < 4 ? size : 4) : 16));
    buf_free(&out);
    buf_free(&again);
    return 0;
}
