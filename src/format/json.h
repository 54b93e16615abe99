/* Strict JSON (RFC 8259) behind one small tree: duplicate keys, invalid UTF-8, NULs (raw or \u0000), depth over JSON_DEPTH_MAX,
   trailing bytes, a byte order mark and oversize are refused. Numbers keep their text and, if they are integers, their value.
   Text values are unescaped, valid UTF-8, and live in the arena (or in the input, which must outlive the tree). */
#ifndef COMITY_FORMAT_JSON_H
#define COMITY_FORMAT_JSON_H

#include "base/arena.h"
#include "base/error.h"
#include "base/span.h"

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_type type;
    bool is_int;     /* JSON_NUMBER: it is an integer within int64 */
    uint32_t count;  /* members or items */
    struct span key; /* this node's name, when it is a member */
    union {
        struct span text;         /* string; number: its text */
        const struct json *child; /* first item or member; siblings stand one after another: child[0..count-1] */
    };
    int64_t number;
};

/* On error the fault says at which byte and what. `max_bytes` further lowers JSON_BYTES_MAX. */
int json_parse(const struct json **out, struct span text, size_t max_bytes, struct arena *arena, struct fault *fault);

/* NULL when `object` is NULL, no object, or has no such member: so lookups can be chained. */
const struct json *json_get(const struct json *object, const char *key);
const struct json *json_path(const struct json *root, const char *dotted); /* "document.tracking.id" */
/* Member as text; empty span (data NULL) when it is absent or of another type. */
struct span json_text(const struct json *object, const char *key);
bool json_int(const struct json *object, const char *key, int64_t *value);
/* Required members: on failure E_MISSING or E_TYPE with the member's name in the fault. */
int json_need_text(const struct json *object, const char *key, struct span *value, struct fault *fault);
int json_need_int(const struct json *object, const char *key, int64_t *value, struct fault *fault);
int json_need_array(const struct json *object, const char *key, const struct json **value, struct fault *fault);
/* Member "comity" must be this: E_MISSING, E_TYPE, or E_UNSUPPORTED for another one. */
int json_need_format(const struct json *object, const char *format, struct fault *fault);
/* E_SYNTAX naming the first member that is not in the NULL-ended list. */
int json_only(const struct json *object, const char *const *allowed, struct fault *fault);

#endif
