/* Where notices go: the `route` lines of comity.conf. Pure.

       route = NAME: inventory=web-*, sector=energy, verdict=affected, critical=yes, channel=mail:soc@agency.example, digest=06:30

   A notice goes by every route whose conditions it meets; if it meets those of none, by the route `default`, if there is one. Conditions
   are inventory (a name, or a beginning of names with * behind it), sector, verdict (affected, undecided, cleared) and critical (yes,
   no). A channel is mail:ADDRESS, webhook:URL or command:/PROGRAM WORD ...; none of them holds a comma. With digest=HH:MM (UTC) or
   digest-minutes=N a channel gets what is not urgent together. */
#ifndef COMITY_NOTIFY_ROUTE_H
#define COMITY_NOTIFY_ROUTE_H

#include "base/limits.h"
#include "notify/notice.h"

enum channel_kind { CHANNEL_COMMAND, CHANNEL_WEBHOOK, CHANNEL_MAIL, CHANNEL_KINDS };
extern const char *const channel_kind_names[CHANNEL_KINDS];

enum digest_kind { DIGEST_NONE, DIGEST_DAILY, DIGEST_INTERVAL };
struct digest {
    enum digest_kind kind;
    unsigned minutes; /* DAILY: of the day, UTC; INTERVAL: between two */
};
struct notify_channel {
    enum channel_kind kind;
    char name[32];                    /* in the journal: "mail:", and the first 16 hex digits of the text's SHA-256 */
    char text[CHANNEL_BYTES_MAX + 1]; /* as configured: "mail:soc@agency.example" */
    struct digest digest;
};
struct notify_route {
    char name[ROUTE_NAME_MAX + 1], inventory[INVENTORY_NAME_MAX + 2], sector[ROUTE_NAME_MAX + 1]; /* empty: any */
    bool prefix;           /* `inventory` is the beginning of names */
    int verdict, critical; /* -1: any */
    struct digest digest;
    size_t channel_count;
    uint32_t channels[ROUTE_CHANNELS_MAX]; /* in struct routes */
};
struct routes {
    size_t count, cap, channel_count, channel_cap;
    struct notify_route *routes;
    struct notify_channel *channels; /* each destination once */
};
const char *channel_address(const struct notify_channel *channel); /* what stands behind the colon */

/* Reads one line's value as the next route. Names are unique, `default` has no conditions, and a channel has one digest whatever route
   leads to it. E_CONFIG names the item that is wrong; E_NOMEM. A zeroed struct routes is empty. */
int routes_add(struct routes *routes, struct span value, struct fault *fault);
void routes_free(struct routes *routes);

/* The channels of a notice, each once, in the order of the file: their numbers into `out`. Returns how many there are. */
size_t routes_match(const struct routes *routes, const struct notice *notice,
                    uint32_t out[static CHANNELS_OF_NOTICE_MAX]);
bool route_matches(const struct notify_route *route, const struct notice *notice);

/* When a digest goes out whose oldest notice was recorded at `since` (seconds). */
int64_t digest_due(const struct digest *digest, int64_t since);

/* The common ground of addresses and URLs: "local@domain" in plain ASCII without blanks, quotes and angle brackets. */
bool mail_address_plain(const char *address);
bool url_plain(const char *url);
bool command_plain(const char *words);

#endif
