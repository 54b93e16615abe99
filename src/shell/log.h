/* The node's own log: one line a message on standard error, as key=value pairs, each kind of message under a stable id. */
#ifndef COMITY_SHELL_LOG_H
#define COMITY_SHELL_LOG_H

#include <stdbool.h>

#include "base/buf.h"

enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG, LEVELS_ };

/* code, stable id, level. Ids never change, so that an alarm can match them. */
#define LOG_LIST(X)                                                                                                    \
    X(LOG_SIGNER_LOST, "signer-lost", LEVEL_ERROR)     /* the signer has ended by itself */                            \
    X(LOG_COMMAND_LATE, "command-late", LEVEL_WARNING) /* the notify-command took more than a minute, and was ended */ \
    X(LOG_READY, "ready", LEVEL_INFO)                  /* the node serves */                                           \
    X(LOG_PROGRESS, "progress", LEVEL_INFO)            /* how far a long start is */                                   \
    X(LOG_STOPPED, "stopped", LEVEL_INFO)              /* it was asked to end, and has */                              \
    X(LOG_FATAL, "fatal", LEVEL_ERROR)                 /* the node cannot start, or must stop and recover */           \
    X(LOG_RESTARTED, "restarted", LEVEL_ERROR)         /* a process ended by itself; it is started again */            \
    X(LOG_UNCONFINED, "unconfined", LEVEL_WARNING)     /* the kernel lacks a means of confinement */                   \
    X(LOG_RECOVERING, "recovering", LEVEL_WARNING)     /* nothing is signed until the committee has answered */        \
    X(LOG_RUNNING, "running", LEVEL_INFO)              /* it signs */                                                  \
    X(LOG_PEER_MISSING, "peer-missing", LEVEL_WARNING) /* a party does not answer */                                   \
    X(LOG_PEER_BACK, "peer-back", LEVEL_INFO)          /* it answers again */                                          \
    X(LOG_QUORUM_LOST, "quorum-lost", LEVEL_ERROR)     /* nothing new stands: too many mirrors are missing */          \
    X(LOG_QUORUM_BACK, "quorum-back", LEVEL_INFO)      /* enough answer again */                                       \
    X(LOG_SIGNER_AHEAD, "signer-ahead", LEVEL_ERROR)   /* the own log takes no statement: see comity log ahead */      \
    X(LOG_SIGNER_LEVEL, "signer-level", LEVEL_INFO)    /* what was missing was found */                                \
    X(LOG_TWO_FACES, "two-faces", LEVEL_ERROR)         /* a log was proven to have signed two trees */                 \
    X(LOG_NOTICE_REFUSED, "notice-refused", LEVEL_WARNING)   /* a channel did not take a notice; tried again */        \
    X(LOG_REQUEST_UNSIGNED, "member-signature", LEVEL_DEBUG) /* a member's signed request counts for nothing */

enum log_id {
#define LOG_ID(code, id, level) code,
    LOG_LIST(LOG_ID)
#undef LOG_ID
        LOG_IDS_
};

/* "error", "warning", "info", "debug"; false on anything else. */
bool log_level_parse(struct span text, enum log_level *level);

/* Once, before the first message; children inherit it. Less grave messages than `least` are dropped. Under journald (JOURNAL_STREAM
   in the environment, systemd.exec(5)) lines begin with a priority, sd-daemon(3), and carry no time, which journald adds. */
void log_open(enum log_level least, const char *party);

void log_say(enum log_id id, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One line, as log_say writes it; for its test. at: seconds since 1970. */
void log_line(struct buf *out, enum log_id id, const char *party, bool journal, int64_t at, struct span message);

#endif
