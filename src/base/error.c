#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

static const struct error_text texts[] = {
#define ERROR_TEXT(code, id, message, rule, remedy) {id, message, rule, remedy},
    ERROR_LIST(ERROR_TEXT)
#undef ERROR_TEXT
};

static const struct error_text text_unknown = {"unknown", "an unknown error",
                                               "every error has an entry in the catalogue", "report this"};

const struct error_text *error_text(int code)
{
    int index = code - E_BASE_ - 1;
    if (index < 0 || index >= (int)(sizeof texts / sizeof texts[0]))
        return &text_unknown;
    return &texts[index];
}

int fail(struct fault *fault, int code, const char *format, ...)
{
    if (!fault)
        return code;
    va_list args;
    va_start(args, format);
    fault->code = code;
    (void)vsnprintf(fault->detail, sizeof fault->detail, format, args);
    va_end(args);
    return code;
}

int fail_at(struct fault *fault, int code, const char *format, ...)
{
    if (!fault)
        return code;
    char inner[sizeof fault->where];
    memcpy(inner, fault->where, sizeof inner);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(fault->where, sizeof fault->where, format, args);
    va_end(args);
    if (inner[0] && n >= 0 && (size_t)n < sizeof fault->where)
        (void)snprintf(fault->where + n, sizeof fault->where - (size_t)n, ": %s", inner);
    fault->code = code;
    return code;
}

void fault_json(struct buf *out, const struct fault *fault, int code)
{
    const struct error_text *text = error_text(code);
    const char *const members[][2] = {
        {"id", text->id},         {"message", text->message},           {"rule", text->rule},
        {"remedy", text->remedy}, {"where", fault ? fault->where : ""}, {"detail", fault ? fault->detail : ""}};
    buf_text(out, "{\"error\":{");
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        buf_json(out, span_str(members[i][0]));
        buf_byte(out, ':');
        buf_json(out, span_str(members[i][1]));
        buf_byte(out, ',');
    }
    buf_printf(out, "\"code\":%d}}\n", code);
}
