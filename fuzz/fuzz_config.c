/* comity.conf: what is accepted has a party's name and a place to listen at, and every field ends where it should. */
#include "fuzz/fuzz.h"
#include "shell/config.h"

static void key_visit(void *ctx, const char *key, const char *form, const char *meaning)
{
    (void)ctx;
    must(key[0] && form[0] && meaning[0]);
}

/* Every channel has an address that can end nothing, and every route its channels; what is matched goes to one of them. */
static void routes_sound(const struct config *config)
{
    const struct notice notice = {.inventory = span_str("n-1"), .sector = span_str("energy"), .critical = true};
    uint32_t out[CHANNELS_OF_NOTICE_MAX];
    for (size_t i = 0; i < config->routes.channel_count; i++) {
        const char *address = channel_address(&config->routes.channels[i]);
        must(address[0] && text_is_line(span_str(address)) && !strchr(address, ','));
        must(digest_due(&config->routes.channels[i].digest, 1795593600) >= 1795593600);
    }
    for (size_t i = 0; i < config->routes.count; i++)
        must(config->routes.routes[i].name[0] && config->routes.routes[i].channel_count);
    for (size_t i = 0, n = routes_match(&config->routes, &notice, out); i < n; i++)
        must(out[i] < config->routes.channel_count);
    (void)config_runs_commands(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    struct fault fault = {0};
    int rc = config_parse(&config, span_of(data, size), &fault);
    must(rc == 0 || (rc == E_CONFIG && fault.code == rc && fault.detail[0]));
    if (rc)
        return 0;
    const struct {
        const char *text;
        size_t size;
    } fields[] = {
        {config.name, sizeof config.name},
        {config.listen, sizeof config.listen},
        {config.passphrase_file, sizeof config.passphrase_file},
        {config.notify_command, sizeof config.notify_command},
        {config.notify_webhook, sizeof config.notify_webhook},
        {config.log_level, sizeof config.log_level},
        {config.metrics_listen, sizeof config.metrics_listen},
        {config.mail_server, sizeof config.mail_server},
        {config.mail_from, sizeof config.mail_from},
        {config.mail_credentials, sizeof config.mail_credentials},
        {config.webhook_secrets, sizeof config.webhook_secrets},
        {config.notify_ca, sizeof config.notify_ca},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        must(memchr(fields[i].text, 0, fields[i].size) != NULL);
        sound(span_str(fields[i].text));
    }
    must(name_valid(span_str(config.name)) && config.listen[0] && !config.witness_logs[config.witness_count]);
    char host[CONFIG_HOST_BYTES];
    const char *port;
    must(config_address(config.listen, host, &port) == 0 && host[0] && port[0]);
    (void)config_log_level(&config);
    config_keys(key_visit, NULL);
    for (size_t i = 0; i < config.witness_count; i++)
        must(config.witness_logs[i] == config.witness_log[i] && config.witness_log[i][0]);
    routes_sound(&config);
    config_free(&config);
    return 0;
}
