#include "shell/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"

enum { LINE_BYTES_MAX = 8192, MESSAGE_BYTES_MAX = 1024 };

static const struct {
    const char *id;
    enum log_level level;
} messages[LOG_IDS_] = {
#define LOG_ROW(code, id, level) {id, level},
    LOG_LIST(LOG_ROW)
#undef LOG_ROW
};

static const struct {
    const char *name;
    int priority; /* syslog(3) */
} levels[LEVELS_] = {{"error", 3}, {"warning", 4}, {"info", 6}, {"debug", 7}};

static struct {
    enum log_level least;
    char party[NAME_BYTES_MAX + 1];
    bool journal;
} logger = {.least = LEVEL_INFO};

bool log_level_parse(struct span text, enum log_level *level)
{
    for (int i = 0; i < LEVELS_; i++)
        if (span_is(text, levels[i].name)) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

void log_open(enum log_level least, const char *party)
{
    logger.least = least;
    (void)snprintf(logger.party, sizeof logger.party, "%s", party);
    logger.journal = getenv("JOURNAL_STREAM") != NULL;
}

void log_line(struct buf *out, enum log_id id, const char *party, bool journal, int64_t at, struct span message)
{
    char time[21];
    struct buf shown;
    time_format(at, time);
    buf_init(&shown, LINE_BYTES_MAX / 2);
    text_show(&shown, message);
    if (journal)
        buf_printf(out, "<%d>", levels[messages[id].level].priority);
    else
        buf_printf(out, "time=%s ", time);
    buf_printf(out, "level=%s id=%s party=%s message=", levels[messages[id].level].name, messages[id].id,
               party[0] ? party : "-");
    buf_json(out, buf_view(&shown));
    buf_byte(out, '\n');
    buf_free(&shown);
}

void log_say(enum log_id id, const char *format, ...)
{
    char message[MESSAGE_BYTES_MAX];
    struct buf line;
    va_list args;
    if (messages[id].level > logger.least)
        return;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    buf_init(&line, LINE_BYTES_MAX);
    log_line(&line, id, logger.party, logger.journal, (int64_t)time(NULL), span_str(message));
    (void)fwrite(line.data, 1, line.len, stderr); /* unbuffered: one write for each line */
    buf_free(&line);
}
