#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "node/shell.h"

const char *const log_level_names[LOG_DEBUG + 1] = {"error", "warn", "info", "debug"};

static enum log_level log_most = LOG_INFO;

void shell_log_level(enum log_level level)
{
    log_most = level;
}

/* One write a line, so that lines of several processes do not mix; foreign text in them is made visible. */
void shell_log(enum log_level level, const char *format, ...)
{
    char message[1024], at[21];
    struct buf line;
    if (level > log_most)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    buf_init(&line, 8192);
    time_format((int64_t)time(NULL), at);
    buf_printf(&line, "%s %s ", at, log_level_names[level]);
    text_show(&line, span_str(message));
    buf_byte(&line, '\n');
    if (write(STDERR_FILENO, line.data, line.len) < 0)
        (void)0; /* nowhere else to tell it */
    buf_free(&line);
}
