/* A recorded notice, read back from its JSON (docs/formats.md, "Notice"), and the ids of what it goes out in. Pure. All foreign text is as
   it came: whoever shows it makes it visible. */
#ifndef COMITY_NOTIFY_NOTICE_H
#define COMITY_NOTIFY_NOTICE_H

#include "format/json.h"

enum notice_verdict { NOTICE_AFFECTED, NOTICE_UNDECIDED, NOTICE_CLEARED, NOTICE_VERDICTS };
extern const char *const notice_verdict_names[NOTICE_VERDICTS]; /* as in a notice: "no longer affected" */
extern const char *const notice_verdict_words[NOTICE_VERDICTS]; /* one word: "cleared" */

struct notice {
    struct span json; /* the whole */
    struct hash id;
    enum notice_verdict verdict;
    struct span recorded_at, inventory, sector, replaces, row, reason;
    struct span published_at, received_at; /* empty when not known */
    const struct json *cves;               /* ids in the CVE list, an array; may be NULL */
    bool critical, known_exploited, by_inventory /* an inventory that came, not an advisory, made it */;
    struct {
        struct span ecosystem, name, version, purl, path;
    } component;
    struct {
        struct span id, title, version, issuer, statement, document, state, standing_since;
        struct span source, url, seen_at; /* of a feed: "feed:NAME"; else empty */
        bool withdrawn;
    } advisory;
};
/* E_CORRUPT when it is none of ours. Spans point into the text and the arena. */
int notice_read(struct notice *out, struct span json, struct arena *arena);

/* It waits for no digest: the inventory is critical, or the flaw is known to be exploited. What is cleared is never urgent. */
bool notice_urgent(const struct notice *notice);

/* What goes out together: one revision of an advisory, one inventory, one verdict. */
void notice_group(const struct notice *notice, struct hash *group);
/* What stands together in a mail reader: one advisory, whatever its revision, and one inventory. */
void notice_thread(const struct notice *notice, struct hash *thread);

/* The id of a message with exactly these notices, in this order. `digest`: the text of the channel that it is a digest for; NULL: it is of
   `group`. E_NOMEM. */
int message_id(const struct hash *notices, size_t count, const struct hash *group, const char *digest, struct hash *id);

#endif
