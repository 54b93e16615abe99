/* What a channel gets: one or more notices in one message, under an id that never changes. Pure: the same message always gives the same
   bytes. Foreign text is made visible wherever a person reads it, and no byte of it can end a header, a line or an element. */
#ifndef COMITY_NOTIFY_MESSAGE_H
#define COMITY_NOTIFY_MESSAGE_H

#include "base/buf.h"
#include "notify/notice.h"

struct message {
    struct hash id;
    int64_t made_at; /* seconds */
    const char *party;
    bool digest;
    size_t count;
    const struct notice *notices; /* those of one group stand together */
};
/* docs/formats.md, "Message". */
void message_json(const struct message *message, struct buf *out);

/* RFC 5322 with RFC 2047 in the subject and quoted-printable in the body; CRLF, lines of at most 76 characters. `from` and `to` are plain
   addresses (mail_address_plain). Message-ID is the id at the domain of `from`. */
void message_mail(const struct message *message, const char *from, const char *to, struct buf *out);

/* For their tests: one header with its CRLF, and a body. */
void mail_header(struct buf *out, const char *name, struct span text);
void mail_quoted_printable(struct buf *out, struct span text);

/* RFC 4287: a feed of notices, newest last as they are given. `updated`: of the newest, or of the feed itself. */
void atom_begin(struct buf *out, const char *party, int64_t updated);
void atom_entry(struct buf *out, const struct notice *notice);
void atom_end(struct buf *out);

#endif
