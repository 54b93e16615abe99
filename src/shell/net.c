#include "shell/net.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "shell/children.h"
#include "shell/log.h"

enum { WAIT_MS_MAX = 10000, MESSAGES_AT_ONCE = 64 };

static void node_lost(struct net *net)
{
    channel_close(&net->node);
    outgoing_drop_all(net);
    http_node_lost(net);
}

static void message_take(void *ctx, uint32_t kind, const void *fixed, struct buf *body)
{
    struct net *net = ctx;
    if (!message_good(kind, fixed))
        node_lost(net);
    else if (kind == MESSAGE_ANSWER)
        http_answer(net, fixed, body);
    else if (kind == MESSAGE_FETCH)
        outgoing_fetch(net, fixed);
    else if (kind == MESSAGE_MAIL)
        mail_send(net, fixed, body);
    else
        outgoing_send(net, fixed, body);
}

static void node_read(struct net *net)
{
    if (net->node.fd >= 0 &&
        (channel_write(&net->node) != 0 || channel_read(&net->node, message_take, net, MESSAGES_AT_ONCE) != 0))
        node_lost(net);
}

static void results_take(struct net *net)
{
    int left, running;
    CURLMsg *message;
    (void)curl_multi_perform(net->multi, &running);
    while ((message = curl_multi_info_read(net->multi, &left)))
        if (message->msg == CURLMSG_DONE)
            outgoing_done(net, message->easy_handle, message->data.result);
}

static int wait_ms(struct net *net)
{
    MHD_UNSIGNED_LONG_LONG http, least = WAIT_MS_MAX;
    if (net->resumed)
        return 0;
    if (MHD_get_timeout(net->public_daemon, &http) == MHD_YES && http < least)
        least = http;
    if (net->metrics_daemon && MHD_get_timeout(net->metrics_daemon, &http) == MHD_YES && http < least)
        least = http;
    return (int)least;
}

/* Connections that were resumed get their answers now; what comes in meanwhile may make more. */
static void serve_http(struct net *net)
{
    for (int round = 0; round < 8 && (round == 0 || net->resumed); round++) {
        net->resumed = false;
        (void)MHD_run(net->public_daemon);
        if (net->metrics_daemon)
            (void)MHD_run(net->metrics_daemon);
    }
}

static void tally_send(struct net *net)
{
    if (!net->tally_changed || net->node.fd < 0)
        return;
    net->tally.body_bytes = net->http_bytes;
    net->tally.connections = 0;
    for (const struct connection *c = net->connections; c; c = c->next)
        net->tally.connections++;
    channel_send(&net->node, MESSAGE_TALLY, &net->tally, sizeof net->tally, NULL);
    memset(&net->tally, 0, sizeof net->tally);
    net->tally_changed = false;
}

static int daemon_fd(struct MHD_Daemon *daemon)
{
    return daemon ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd : -1;
}

static void control_take(struct net *net, int control)
{
    uint8_t what;
    int fd = fd_receive(control, &what);
    if (fd < 0)
        _exit(0); /* no supervisor any more */
    node_lost(net);
    channel_open(&net->node, fd, net_takes, MESSAGE_KINDS);
}

static void loop(struct net *net, int control, int signals)
{
    for (;;) {
        int ready;
        struct curl_waitfd extra[5] = {
            {.fd = control, .events = CURL_WAIT_POLLIN},
            {.fd = signals, .events = CURL_WAIT_POLLIN},
            {.fd = daemon_fd(net->public_daemon), .events = CURL_WAIT_POLLIN},
        };
        unsigned count = 3;
        if (net->metrics_daemon)
            extra[count++] = (struct curl_waitfd){.fd = daemon_fd(net->metrics_daemon), .events = CURL_WAIT_POLLIN};
        if (net->node.fd >= 0)
            extra[count++] = (struct curl_waitfd){
                .fd = net->node.fd, .events = (short)(CURL_WAIT_POLLIN | (net->node.first ? CURL_WAIT_POLLOUT : 0))};
        (void)curl_multi_poll(net->multi, extra, count, wait_ms(net), &ready);
        if (extra[1].revents)
            return;
        if (extra[0].revents)
            control_take(net, control);
        node_read(net);
        serve_http(net);
        results_take(net);
        tally_send(net);
    }
}

static int signals_open(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigprocmask(SIG_SETMASK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Whoever waits hears that the node is away; what was answered already goes out. */
static void farewell(struct net *net)
{
    node_read(net);
    http_node_lost(net);
    serve_http(net);
    http_close(net);
}

void net_run(const struct serve *serve, int control)
{
    static struct net net;
    struct fault fault = {0};
    char degraded[128] = "";
    int signals = signals_open();
    descriptors_keep((int[]){control, serve->public_fd, serve->metrics_fd, serve->lock_fd, signals}, 5);
    channel_open(&net.node, -1, net_takes, MESSAGE_KINDS);
    int rc = signals >= 0 && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && (net.multi = curl_multi_init())
                 ? 0
                 : fail(&fault, E_STATE, "curl does not start");
    if (rc == 0 && (rc = http_open(&net, serve->public_fd, serve->metrics_fd)) != 0)
        (void)fail(&fault, rc, "the HTTP server does not start");
    rc = rc ? rc : mail_open(&net, serve, &fault);
    rc = rc ? rc : confine_self(CONFINED_NET, NULL, degraded);
    child_report(control, rc, &fault, degraded);
    loop(&net, control, signals);
    farewell(&net);
    _exit(0);
}
