#include "cli/probe.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { PROBE_MS = 5000, PROBES_AT_ONCE = 32 };

struct call {
    struct probe *probe;
    char date[64];
    double sent;
    bool unchecked; /* a second look, at a certificate that was refused */
};

static double wall(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t body_drop(char *data, size_t size, size_t count, void *ctx)
{
    (void)data;
    (void)ctx;
    return size * count;
}

static size_t header_take(char *data, size_t size, size_t count, void *ctx)
{
    struct call *call = ctx;
    size_t len = size * count;
    if (len > 6 && len < sizeof call->date && strncasecmp(data, "Date: ", 6) == 0)
        (void)snprintf(call->date, sizeof call->date, "%.*s", (int)(len - 6), data + 6);
    return len;
}

static CURL *call_start(CURLM *multi, struct call *call)
{
    char url[512];
    CURL *curl = curl_easy_init();
    if (!curl)
        return NULL;
    (void)snprintf(url, sizeof url, "%s/checkpoint", call->probe->url);
    call->sent = wall();
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_PRIVATE, call);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, body_drop);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, header_take);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, call);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)PROBE_MS);
    if (call->unchecked) { /* only to read how long it lasts: nothing of the answer is used */
        (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (curl_multi_add_handle(multi, curl) != CURLM_OK) {
        curl_easy_cleanup(curl);
        return NULL;
    }
    return curl;
}

static void certificate_take(struct probe *probe, CURL *curl)
{
    struct curl_certinfo *info = NULL;
    if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &info) != CURLE_OK || !info || info->num_of_certs < 1)
        return;
    for (const struct curl_slist *line = info->certinfo[0]; line; line = line->next)
        if (strncmp(line->data, "Expire date:", 12) == 0) {
            probe->certificate_end = (int64_t)curl_getdate(line->data + 12, NULL);
            probe->has_certificate = probe->certificate_end > 0;
        }
}

/* True when the certificate is to be looked at once more, without believing it. */
static bool call_done(struct call *call, CURL *curl, CURLcode result)
{
    struct probe *probe = call->probe;
    certificate_take(probe, curl);
    if (call->unchecked)
        return false;
    double now = wall();
    time_t there = call->date[0] ? curl_getdate(call->date, NULL) : -1;
    probe->answered = result == CURLE_OK;
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &probe->status);
    (void)snprintf(probe->error, sizeof probe->error, "%s", curl_easy_strerror(result));
    probe->has_time = probe->answered && there != -1;
    /* Cut to the second there: half a second more is the middle of what it can have been. */
    probe->ahead_s = probe->has_time ? (double)there + 0.5 - (call->sent + now) / 2 : 0;
    probe->trust_missing = result == CURLE_SSL_CACERT_BADFILE; /* every certificate is refused then */
    if (probe->trust_missing)
        (void)snprintf(probe->error, sizeof probe->error, "this machine has no list of authorities to trust");
    probe->certificate_refused = result == CURLE_PEER_FAILED_VERIFICATION || probe->trust_missing;
    return probe->certificate_refused;
}

/* How many calls have ended for good. */
static size_t results_take(CURLM *multi)
{
    size_t ended = 0;
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left))) {
        CURL *curl = message->easy_handle;
        struct call *call = NULL;
        (void)curl_easy_getinfo(curl, CURLINFO_PRIVATE, &call);
        bool again = message->msg == CURLMSG_DONE && call_done(call, curl, message->data.result);
        (void)curl_multi_remove_handle(multi, curl);
        curl_easy_cleanup(curl);
        call->unchecked = again;
        ended += !again || !call_start(multi, call);
    }
    return ended;
}

void probes_run(struct probe *probes, size_t count)
{
    CURLM *multi = curl_multi_init();
    struct call *calls = calloc(count ? count : 1, sizeof *calls);
    size_t open = 0;
    if (multi)
        (void)curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)PROBES_AT_ONCE);
    for (size_t i = 0; multi && calls && i < count; i++) {
        calls[i] = (struct call){.probe = &probes[i]};
        (void)snprintf(probes[i].error, sizeof probes[i].error, "it was not asked");
        open += call_start(multi, &calls[i]) != NULL;
    }
    while (open) {
        int running;
        (void)curl_multi_perform(multi, &running);
        open -= results_take(multi);
        if (open)
            (void)curl_multi_poll(multi, NULL, 0, 100, &running);
    }
    free(calls);
    if (multi)
        (void)curl_multi_cleanup(multi);
}
