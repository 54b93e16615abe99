/* The one C++ file: simdjson parses, and its tree is copied into ours with what it does not check: duplicate names (after unescaping),
   NULs, our depth, number form. No exception leaves this file. */
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>
#include <simdjson.h>
#include <vector>

extern "C" {
#include "base/limits.h"
#include "format/json.h"
}

using namespace simdjson;

namespace {

struct copier {
    struct arena *arena;
    struct fault *fault;

    int text(std::string_view from, struct span *out)
    {
        if (memchr(from.data(), 0, from.size()))
            return fail(fault, E_UTF8, "a string holds a NUL");
        *out = arena_copy(arena, span_of(from.data(), from.size()));
        return out->data ? 0 : fail(fault, E_NOMEM, "the document needs more than its allowance");
    }

    int number(dom::element e, struct json *out)
    {
        char form[40];
        out->type = JSON_NUMBER;
        if (e.is_int64()) {
            out->is_int = true;
            out->number = e.get_int64().value_unsafe();
            (void)snprintf(form, sizeof form, "%lld", (long long)out->number);
        } else if (e.is_uint64()) {
            (void)snprintf(form, sizeof form, "%llu", (unsigned long long)e.get_uint64().value_unsafe());
        } else {
            (void)snprintf(form, sizeof form, "%.17g", e.get_double().value_unsafe());
        }
        return text(form, &out->text);
    }

    int names_unique(const struct json *list, uint32_t count)
    {
        const auto less = [](const struct span *a, const struct span *b) { return span_compare(*a, *b) < 0; };
        std::vector<const struct span *> keys(count);
        for (uint32_t i = 0; i < count; i++)
            keys[i] = &list[i].key;
        std::sort(keys.begin(), keys.end(), less);
        for (uint32_t i = 1; i < count; i++)
            if (span_eq(*keys[i - 1], *keys[i]))
                return fail(fault, E_DUPLICATE, "the name \"%.*s\" stands twice in one object",
                            (int)std::min<size_t>(keys[i]->len, 100), (const char *)keys[i]->data);
        return 0;
    }

    struct json *list(size_t count)
    {
        return (struct json *)arena_array(arena, count ? count : 1, sizeof(struct json));
    }

    int object(dom::object from, struct json *out, unsigned depth)
    {
        size_t count = 0, i = 0;
        for (auto field : from) { /* size() saturates at 2^24: count ourselves */
            (void)field;
            count++;
        }
        struct json *children = list(count);
        if (!children)
            return fail(fault, E_NOMEM, "the document needs more than its allowance");
        out->type = JSON_OBJECT;
        out->count = (uint32_t)count;
        out->child = children;
        for (auto field : from) {
            int rc = text(field.key, &children[i].key);
            rc = rc ? rc : value(field.value, &children[i], depth + 1);
            if (rc)
                return rc;
            i++;
        }
        return count > 1 ? names_unique(children, out->count) : 0;
    }

    int array(dom::array from, struct json *out, unsigned depth)
    {
        size_t count = 0, i = 0;
        for (auto item : from) {
            (void)item;
            count++;
        }
        struct json *children = list(count);
        if (!children)
            return fail(fault, E_NOMEM, "the document needs more than its allowance");
        out->type = JSON_ARRAY;
        out->count = (uint32_t)count;
        out->child = children;
        for (auto item : from) {
            int rc = value(item, &children[i++], depth + 1);
            if (rc)
                return rc;
        }
        return 0;
    }

    int value(dom::element from, struct json *out, unsigned depth)
    {
        if (depth > JSON_DEPTH_MAX)
            return fail(fault, E_LIMIT, "nested deeper than %d", JSON_DEPTH_MAX);
        switch (from.type()) {
        case dom::element_type::OBJECT:
            return object(from.get_object().value_unsafe(), out, depth);
        case dom::element_type::ARRAY:
            return array(from.get_array().value_unsafe(), out, depth);
        case dom::element_type::STRING:
            out->type = JSON_STRING;
            return text(from.get_string().value_unsafe(), &out->text);
        case dom::element_type::BOOL:
            out->type = from.get_bool().value_unsafe() ? JSON_TRUE : JSON_FALSE;
            return 0;
        case dom::element_type::NULL_VALUE:
            out->type = JSON_NULL;
            return 0;
        default:
            return number(from, out);
        }
    }
};

int code_of(error_code error)
{
    switch (error) {
    case MEMALLOC:
        return E_NOMEM;
    case UTF8_ERROR:
        return E_UTF8;
    case DEPTH_ERROR:
    case CAPACITY:
        return E_LIMIT;
    case UNCLOSED_STRING:
    case EMPTY:
        return E_TRUNCATED;
    default:
        return E_SYNTAX;
    }
}

int parse(const struct json **out, struct span text, struct arena *arena, struct fault *fault)
{
    /* Small inputs are the common case and need a small parser; a large one is let go afterwards. */
    dom::parser parser(JSON_BYTES_MAX);
    if (parser.allocate(text.len ? text.len : 1, JSON_DEPTH_MAX + 2) != SUCCESS)
        return fail(fault, E_NOMEM, "JSON of %zu bytes", text.len);
    padded_string padded((const char *)text.data, text.len);
    if (!padded.data())
        return fail(fault, E_NOMEM, "JSON of %zu bytes", text.len);
    dom::element root;
    error_code error = parser.parse(padded).get(root);
    if (error)
        return fail(fault, code_of(error), "%s", error_message(error));
    struct json *top = (struct json *)arena_array(arena, 1, sizeof *top);
    if (!top)
        return fail(fault, E_NOMEM, "JSON of %zu bytes", text.len);
    copier copy{arena, fault};
    int rc = copy.value(root, top, 1);
    *out = top;
    return rc;
}

} // namespace

extern "C" int json_parse(const struct json **out, struct span text, size_t max_bytes, struct arena *arena, struct fault *fault)
{
    if (text.len > JSON_BYTES_MAX || text.len > max_bytes)
        return fail(fault, E_LIMIT, "JSON of %zu bytes, at most %zu are allowed", text.len,
                    max_bytes < JSON_BYTES_MAX ? max_bytes : (size_t)JSON_BYTES_MAX);
    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        return fail(fault, E_SYNTAX, "a byte order mark stands before the JSON");
    try {
        return parse(out, text, arena, fault);
    } catch (const std::bad_alloc &) {
        return fail(fault, E_NOMEM, "JSON of %zu bytes", text.len);
    } catch (...) {
        return fail(fault, E_SYNTAX, "the JSON cannot be read");
    }
}
