#include "node/metrics.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "node/state.h"

static const double commit_bounds[COMMIT_BUCKETS] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                     0.1,    0.25,  0.5,    1,     2.5,  5};

/* Why a request was refused, by the HTTP status of the answer. */
static const struct {
    int code;
    const char *reason;
} reasons[] = {
    {400, "malformed"}, {403, "forbidden"},    {404, "not-found"}, {405, "method"},
    {409, "conflict"},  {413, "too-large"},    {414, "target"},    {415, "encoding"},
    {422, "proof"},     {425, "not-standing"}, {429, "quota"},     {431, "headers"},
    {500, "failure"},   {501, "coding"},       {503, "busy"},      {505, "version"},
};

struct metrics {
    struct node *node;
    const struct shell_counters *counters;
    struct buf *out;
    const char *name; /* of the family that is being written */
};

static void value(const struct metrics *m, double number)
{
    if (number == (double)(int64_t)number)
        buf_printf(m->out, " %lld\n", (long long)number);
    else
        buf_printf(m->out, " %.9g\n", number);
}

static void label_value(struct buf *out, const char *text)
{
    buf_byte(out, '"');
    for (; *text; text++)
        if (*text == '\n')
            buf_text(out, "\\n");
        else {
            if (*text == '"' || *text == '\\')
                buf_byte(out, '\\');
            buf_byte(out, (uint8_t)*text);
        }
    buf_byte(out, '"');
}

/* One sample with up to two labels; a NULL label name is none. */
static void sample(const struct metrics *m, const char *suffix, const char *label, const char *text, const char *label2,
                   const char *text2, double number)
{
    buf_text(m->out, m->name);
    buf_text(m->out, suffix);
    if (label) {
        buf_printf(m->out, "{%s=", label);
        label_value(m->out, text);
        if (label2) {
            buf_printf(m->out, ",%s=", label2);
            label_value(m->out, text2);
        }
        buf_byte(m->out, '}');
    }
    value(m, number);
}

static void plain(const struct metrics *m, double number)
{
    sample(m, "", NULL, NULL, NULL, NULL, number);
}

static void build(const struct metrics *m)
{
    sample(m, "", "version", COMITY_RELEASE, NULL, NULL, 1);
}

static void recovering(const struct metrics *m)
{
    plain(m, m->node->recovering);
}

static void signer_ahead(const struct metrics *m)
{
    plain(m, (double)(m->node->ahead.size ? m->node->ahead.size - m->node->own->size : 0));
}

static void recovery_answers(const struct metrics *m)
{
    plain(m, m->node->recovering ? (double)m->node->recover_needed : 0);
}

/* A figure of every party's log that is held here, the own one included. */
static void each_log(const struct metrics *m, double (*figure)(const struct held_log *))
{
    for (size_t i = 0; i < m->node->log_count; i++)
        sample(m, "", "party", m->node->logs[i].party->card.name, NULL, NULL, figure(&m->node->logs[i]));
}

static double figure_size(const struct held_log *log)
{
    return (double)log->size;
}

static double figure_standing(const struct held_log *log)
{
    return (double)log->standing_size;
}

static double figure_faces(const struct held_log *log)
{
    return log->two_faces;
}

static void log_statements(const struct metrics *m)
{
    each_log(m, figure_size);
}

static void log_standing(const struct metrics *m)
{
    each_log(m, figure_standing);
}

static void log_faces(const struct metrics *m)
{
    each_log(m, figure_faces);
}

static void quota_used_each(const struct metrics *m, bool bytes)
{
    for (size_t i = 0; m->node->roster && m->node->self->committee && i < m->node->log_count; i++) {
        const struct held_log *log = &m->node->logs[i];
        struct quota_use use = quota_used(m->node, log);
        if (!log->own)
            sample(m, "", "party", log->party->card.name, NULL, NULL, (double)(bytes ? use.bytes : use.entries));
    }
}

static void quota_entries(const struct metrics *m)
{
    quota_used_each(m, false);
}

static void quota_bytes(const struct metrics *m)
{
    quota_used_each(m, true);
}

static void quota_entries_limit(const struct metrics *m)
{
    if (m->node->roster)
        plain(m, (double)m->node->roster->quota_entries_day);
}

static void quota_bytes_limit(const struct metrics *m)
{
    if (m->node->roster)
        plain(m, (double)m->node->roster->quota_bytes_day);
}

static void unwitnessed(const struct metrics *m)
{
    if (m->node->own)
        plain(m, (double)(m->node->own->size - m->node->own->standing_size));
}

static struct quorum own_quorum(const struct metrics *m)
{
    return m->node->roster ? quorum_for(m->node->roster, m->node->self) : (struct quorum){0};
}

static void quorum_mirrors(const struct metrics *m)
{
    plain(m, own_quorum(m).m);
}

static void quorum_needed(const struct metrics *m)
{
    plain(m, own_quorum(m).k);
}

static void quorum_margin(const struct metrics *m)
{
    struct quorum q = own_quorum(m);
    int answering = 0;
    for (size_t i = 0; i < m->node->peer_count; i++)
        answering += m->node->peers[i].is_mirror && !m->node->peers[i].missing_since_ms;
    if (q.m)
        plain(m, answering - (int)q.k);
}

static void peer_cosigned(const struct metrics *m)
{
    for (size_t i = 0; i < m->node->peer_count; i++)
        if (m->node->peers[i].is_mirror)
            sample(m, "", "party", m->node->peers[i].party->card.name, NULL, NULL, (double)m->node->peers[i].cosigned);
}

static void peer_missing(const struct metrics *m)
{
    for (size_t i = 0; i < m->node->peer_count; i++)
        sample(m, "", "party", m->node->peers[i].party->card.name, NULL, NULL,
               (double)m->node->peers[i].missing_since_ms / 1000);
}

static void entries_refused(const struct metrics *m)
{
    plain(m, (double)m->node->refused_entries);
}

static void bodies_unread(const struct metrics *m)
{
    plain(m, (double)m->node->bodies_unread);
}

static void inventories(const struct metrics *m)
{
    plain(m, (double)m->node->inventory_count);
}

static void inventory_components(const struct metrics *m)
{
    size_t sum = 0;
    for (size_t i = 0; i < m->node->inventory_count; i++)
        sum += m->node->inventories[i].components;
    plain(m, (double)sum);
}

static void deliveries_pending(const struct metrics *m)
{
    for (size_t i = 0; i < METRIC_CHANNELS_MAX; i++)
        if (m->counters->channels[i].name)
            sample(m, "", "channel", m->counters->channels[i].name, NULL, NULL,
                   (double)m->counters->channels[i].pending);
}

static void deliveries(const struct metrics *m)
{
    for (size_t i = 0; i < METRIC_CHANNELS_MAX; i++) {
        const char *name = m->counters->channels[i].name;
        if (!name)
            continue;
        sample(m, "", "channel", name, "result", "taken", (double)m->counters->channels[i].taken);
        sample(m, "", "channel", name, "result", "refused", (double)m->counters->channels[i].refused);
    }
}

static void http_answers(const struct metrics *m)
{
    static const char *const listeners[LISTENERS_] = {"public", "private", "metrics"};
    char text[8];
    for (int l = 0; l < LISTENERS_; l++)
        for (int code = 100; code < HTTP_CODES; code++)
            if (m->counters->answers[l][code]) {
                (void)snprintf(text, sizeof text, "%d", code);
                sample(m, "", "listener", listeners[l], "code", text, (double)m->counters->answers[l][code]);
            }
}

static void http_refused(const struct metrics *m)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        uint64_t sum = 0;
        for (int l = 0; l < LISTENERS_; l++)
            sum += m->counters->answers[l][reasons[i].code];
        sample(m, "", "reason", reasons[i].reason, NULL, NULL, (double)sum);
    }
}

static void http_connections(const struct metrics *m)
{
    plain(m, (double)m->counters->connections);
}

static void http_bytes(const struct metrics *m)
{
    plain(m, (double)m->counters->body_bytes);
}

static void commits(const struct metrics *m)
{
    char bound[24];
    uint64_t sum = 0;
    for (int i = 0; i < COMMIT_BUCKETS; i++) {
        sum += m->counters->commits[i];
        (void)snprintf(bound, sizeof bound, "%g", commit_bounds[i]);
        sample(m, "_bucket", "le", bound, NULL, NULL, (double)sum);
    }
    sum += m->counters->commits[COMMIT_BUCKETS];
    sample(m, "_bucket", "le", "+Inf", NULL, NULL, (double)sum);
    sample(m, "_sum", NULL, NULL, NULL, NULL, m->counters->commit_seconds);
    sample(m, "_count", NULL, NULL, NULL, NULL, (double)sum);
}

static void restarts(const struct metrics *m)
{
    plain(m, (double)m->counters->restarts);
}

static void process_cpu(const struct metrics *m)
{
    plain(m, m->counters->cpu_seconds);
}

static void process_memory(const struct metrics *m)
{
    plain(m, (double)m->counters->resident_bytes);
}

static void process_start(const struct metrics *m)
{
    plain(m, (double)m->counters->started_ms / 1000);
}

static const struct {
    const char *name, *type, *help;
    void (*write)(const struct metrics *m);
} families[] = {
    {"comity_build_info", "gauge", "The release that runs; always 1.", build},
    {"comity_recovering", "gauge", "1 while the node signs nothing because the committee has not answered yet.",
     recovering},
    {"comity_recovery_answers_needed", "gauge", "Answers of the committee that a recovering node waits for.",
     recovery_answers},
    {"comity_signer_ahead_statements", "gauge",
     "Own statements that the signer has signed and nobody holds; 0 when all is well.", signer_ahead},
    {"comity_log_statements", "gauge", "Statements of a party's log that are held here.", log_statements},
    {"comity_log_standing_statements", "gauge", "Of these, those under a checkpoint with a quorum.", log_standing},
    {"comity_log_two_faces", "gauge", "1 when the log was proven to have signed two inconsistent trees.", log_faces},
    {"comity_log_quota_entries", "gauge", "Statements taken of a log in this UTC day, as its mirror.", quota_entries},
    {"comity_log_quota_bytes", "gauge",
     "Bytes of statements and documents taken of a log in this UTC day, as its mirror.", quota_bytes},
    {"comity_quota_entries_limit", "gauge", "Statements that the charter allows a log and day; 0 for no limit.",
     quota_entries_limit},
    {"comity_quota_bytes_limit", "gauge", "Bytes that the charter allows a log and day; 0 for no limit.",
     quota_bytes_limit},
    {"comity_unwitnessed_statements", "gauge", "Own statements that no quorum holds yet.", unwitnessed},
    {"comity_quorum_mirrors", "gauge", "Mirrors of the own log.", quorum_mirrors},
    {"comity_quorum_needed", "gauge", "Of these, how many must cosign before a statement stands.", quorum_needed},
    {"comity_quorum_margin", "gauge", "Mirrors that answer, less those needed: below 0 nothing new stands.",
     quorum_margin},
    {"comity_peer_cosigned_statements", "gauge", "Size of the own log that a mirror has cosigned.", peer_cosigned},
    {"comity_peer_missing_since_timestamp_seconds", "gauge", "Since when a peer does not answer; 0 when it does.",
     peer_missing},
    {"comity_entries_refused_total", "counter", "Entries of others' logs that a rule refused.", entries_refused},
    {"comity_bodies_unread_total", "counter", "Bodies of peers that ended the process which reads them.",
     bodies_unread},
    {"comity_inventories", "gauge", "Inventories held.", inventories},
    {"comity_inventory_components", "gauge", "Components in all inventories.", inventory_components},
    {"comity_deliveries_pending", "gauge", "Notices that a channel has not taken yet.", deliveries_pending},
    {"comity_deliveries_total", "counter", "Attempts to hand a notice to a channel.", deliveries},
    {"comity_http_responses_total", "counter", "HTTP answers given.", http_answers},
    {"comity_http_refused_total", "counter", "HTTP requests refused, by reason.", http_refused},
    {"comity_http_connections", "gauge", "HTTP requests under way.", http_connections},
    {"comity_http_body_bytes", "gauge", "Bytes that all HTTP requests under way keep in memory.", http_bytes},
    {"comity_store_commit_seconds", "histogram", "Time that a durable commit took.", commits},
    {"comity_node_restarts_total", "counter", "Times that the supervisor has started the node again.", restarts},
    {"process_cpu_seconds_total", "counter", "Processor time of the node's process.", process_cpu},
    {"process_resident_memory_bytes", "gauge", "Resident memory of the node's process.", process_memory},
    {"process_start_time_seconds", "gauge", "When the node's process started.", process_start},
};

void node_metrics(struct node *node, const struct shell_counters *counters, struct buf *out)
{
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        const struct metrics m = {.node = node, .counters = counters, .out = out, .name = families[i].name};
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", families[i].name, families[i].help, families[i].name,
                   families[i].type);
        families[i].write(&m);
    }
}

void counters_commit(struct shell_counters *counters, double seconds)
{
    int i = 0;
    while (i < COMMIT_BUCKETS && seconds > commit_bounds[i])
        i++;
    counters->commits[i]++;
    counters->commit_seconds += seconds;
}

bool node_health(const struct node *node, const char **reason)
{
    *reason = node->ahead.size   ? "signer ahead: the own log takes no statement; see comity log ahead"
              : node->recovering ? "recovering: nothing is signed until the committee has answered"
                                 : "ok";
    return !node->recovering;
}
