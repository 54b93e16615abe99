#include "base/clock.h"

#include <stdio.h>
#include <time.h>

void time_format(int64_t seconds, char out[static 21])
{
    time_t t = (time_t)seconds;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099) {
        (void)snprintf(out, 21, "----------");
        return;
    }
    (void)snprintf(out, 21, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                   tm.tm_min, tm.tm_sec); /* strftime's %Y has no leading zeroes */
}

static bool digits(struct span text, size_t at, size_t count, int *value)
{
    if (at + count > text.len)
        return false;
    *value = 0;
    for (size_t i = at; i < at + count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *value = *value * 10 + (text.data[i] - '0');
    }
    return true;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar, after the year has been shifted to start in March. */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool offset_parse(struct span text, size_t at, int64_t *offset)
{
    int hours, minutes;
    if (at + 1 == text.len && (text.data[at] == 'Z' || text.data[at] == 'z')) {
        *offset = 0;
        return true;
    }
    if (at + 6 != text.len || (text.data[at] != '+' && text.data[at] != '-') || text.data[at + 3] != ':' ||
        !digits(text, at + 1, 2, &hours) || !digits(text, at + 4, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset = (hours * 3600 + minutes * 60) * (text.data[at] == '-' ? -1 : 1);
    return true;
}

bool time_parse(struct span text, int64_t *seconds)
{
    int year, month, day, hour, minute, second;
    if (text.len < 20 || text.data[4] != '-' || text.data[7] != '-' || text.data[13] != ':' || text.data[16] != ':' ||
        (text.data[10] != 'T' && text.data[10] != 't') || !digits(text, 0, 4, &year) || !digits(text, 5, 2, &month) ||
        !digits(text, 8, 2, &day) || !digits(text, 11, 2, &hour) || !digits(text, 14, 2, &minute) ||
        !digits(text, 17, 2, &second))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > month_days(year, month) || hour > 23 || minute > 59 || second > 60)
        return false;
    size_t at = 19;
    if (text.data[at] == '.') {
        size_t start = ++at;
        while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9')
            at++;
        if (at == start)
            return false;
    }
    int64_t offset;
    if (at >= text.len || !offset_parse(text, at, &offset))
        return false;
    *seconds =
        days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + (second == 60 ? 59 : second) - offset;
    return true;
}
