/* Mail: one SMTP transaction a message (RFC 5321), by TLS from the first byte or by STARTTLS, which the server must offer. */
#include <sodium.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "node/engine.h"
#include "shell/net.h"

enum { CREDENTIALS_BYTES_MAX = 1024, CA_BYTES_MAX = 1024 * 1024, CONNECT_MS_MAX = 15000 };

/* Two lines; nothing of them may end an SMTP command. */
static int credentials_take(struct net *net, struct span text, struct fault *fault)
{
    char *const fields[] = {net->mail_user, net->mail_password};
    struct span line;
    for (size_t i = 0; i < 2; i++) {
        if (!span_line(&text, &line)) {
            line = text;
            text = span_of(NULL, 0);
        }
        if (line.len && line.data[line.len - 1] == '\r')
            line.len--;
        if (!line.len || line.len >= sizeof net->mail_user || !text_is_line(line))
            return fail(fault, E_CONFIG, "it has two lines: user, and password");
        memcpy(fields[i], line.data, line.len);
        fields[i][line.len] = 0;
    }
    return 0;
}

int mail_open(struct net *net, const struct serve *serve, struct fault *fault)
{
    const struct config *config = &serve->config;
    struct buf text = {0};
    int rc = 0;
    net->mail_server = config->mail_server;
    net->mail_from = config->mail_from;
    if (config->mail_credentials[0]) {
        rc = serve_secret(serve, config->mail_credentials, CREDENTIALS_BYTES_MAX, &text, fault);
        if (rc == 0 && (rc = credentials_take(net, buf_view(&text), fault)) != 0)
            (void)fail_at(fault, rc, "%s", config->mail_credentials);
        if (text.data)
            sodium_memzero(text.data, text.cap);
        buf_free(&text);
    }
    buf_init(&net->ca, CA_BYTES_MAX);
    if (rc == 0 && config->notify_ca[0]) {
        char path[4096];
        serve_file(serve, config->notify_ca, path);
        rc = serve_read(path, CA_BYTES_MAX, &net->ca, fault);
    }
    return rc;
}

void certificates_set(const struct net *net, CURL *curl)
{
    struct curl_blob blob = {.data = net->ca.data, .len = net->ca.len, .flags = CURL_BLOB_NOCOPY};
    if (net->ca.len)
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
}

static size_t body_give(char *to, size_t size, size_t count, void *ctx)
{
    struct outgoing *out = ctx;
    struct span rest = span_from(buf_view(&out->request), out->given);
    size_t n = rest.len < size * count ? rest.len : size * count;
    if (n)
        memcpy(to, rest.data, n);
    out->given += n;
    return n;
}

static size_t answer_drop(char *data, size_t size, size_t count, void *ctx)
{
    (void)data;
    (void)ctx;
    return size * count;
}

void mail_send(struct net *net, const struct mail_message *mail, struct buf *body)
{
    struct outgoing *out = outgoing_new(0);
    CURL *c = out->curl;
    out->mail = true;
    out->request = *body;
    buf_init(body, 0);
    out->send.token = mail->token;
    out->recipients = curl_slist_append(NULL, mail->to);
    if (!out->recipients) {
        memory_exhausted();
        abort();
    }
    (void)curl_easy_setopt(c, CURLOPT_URL, net->mail_server);
    (void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    (void)curl_easy_setopt(c, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)mail->timeout_ms);
    (void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS_MAX);
    (void)curl_easy_setopt(c, CURLOPT_MAIL_FROM, net->mail_from);
    (void)curl_easy_setopt(c, CURLOPT_MAIL_RCPT, out->recipients);
    (void)curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    (void)curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)out->request.len);
    (void)curl_easy_setopt(c, CURLOPT_READFUNCTION, body_give);
    (void)curl_easy_setopt(c, CURLOPT_READDATA, out);
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, answer_drop);
    if (net->mail_user[0]) {
        (void)curl_easy_setopt(c, CURLOPT_USERNAME, net->mail_user);
        (void)curl_easy_setopt(c, CURLOPT_PASSWORD, net->mail_password);
    }
    certificates_set(net, c);
    outgoing_start(net, out);
}
