/* The one C++ file: simdjson finds the structure, and its walk is copied into our tree with what it does not check:
   duplicate names (after unescaping), NULs, lone surrogates, our depth, the grammar of numbers, trailing bytes. No
   exception leaves this file. */
#include <algorithm>
#include <cstring>
#include <new>
#include <simdjson.h>
#include <utility>
#include <vector>

extern "C" {
#include "base/limits.h"
#include "base/memory.h"
#include "format/json.h"
size_t utf8_unit(struct span text, uint32_t *code_point); /* base/text.h; its [static n] is no C++ */
}

using namespace simdjson;

namespace
{

const char *const too_much = "the document needs more memory than its allowance";
const size_t few_names = 12; /* up to here comparing all pairs beats sorting */

bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

const char *digits(const char *p, const char *end)
{
    while (is_digit(p, end))
        p++;
    return p;
}

int code_of(error_code error)
{
    switch (error) {
    case MEMALLOC:
        return E_NOMEM;
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

class reader
{
    const char *text; /* our padded copy: "[", the input, "]": so the root needs no rules of its own */
    size_t len;       /* of the input */
    struct arena *arena;
    struct fault *fault;
    std::vector<struct json> open;          /* the members read so far of all containers not yet closed */
    std::vector<const struct span *> names; /* scratch for sorting */
    ondemand::document document;

    size_t at(const char *p) const
    {
        return p > text ? std::min((size_t)(p - text - 1), len) : 0;
    }

    int bad(const char *p, int code, const char *what)
    {
        return fail(fault, code, "byte %zu: %s", at(p), what);
    }

    /* simdjson stopped: say where, and tell an input that ends too early from one that is wrong. */
    int stopped(error_code error)
    {
        const char *p = nullptr;
        if (document.current_location().get(p) || p > text + len)
            return fail(fault, E_TRUNCATED, "byte %zu: the input ends inside a value", len);
        return bad(p, code_of(error), error_message(error));
    }

    /* The root is read, and no "]" of ours follows. */
    int behind(error_code error)
    {
        const char *p = nullptr;
        if (document.current_location().get(p) || p > text + len)
            return stopped(error);
        return bad(p, E_TRAILING, "something follows the value");
    }

    int string(const char *start, bool escaped, std::string_view plain, struct span *out)
    {
        if (!escaped) {
            *out = span_of(plain.data(), plain.size());
            return 0;
        }
        if (memchr(plain.data(), 0, plain.size()))
            return bad(start, E_UTF8, "a string holds an escaped NUL");
        if (!validate_utf8(plain))
            return bad(start, E_UTF8, "a string holds a lone surrogate");
        *out = arena_copy(arena, span_of(plain.data(), plain.size()));
        return out->data || !plain.size() ? 0 : bad(start, E_NOMEM, too_much);
    }

    /* A string without escapes is used where it stands; `start` is behind its opening quote. */
    bool stands(const char *start, std::string_view *plain) const
    {
        const char *end = (const char *)memchr(start, '"', (size_t)(text + len + 1 - start));
        if (!end || memchr(start, '\\', (size_t)(end - start)))
            return false;
        *plain = std::string_view(start, (size_t)(end - start));
        return true;
    }

    int number(std::string_view token, struct json *out)
    {
        const char *p = token.data(), *end = p + token.size();
        bool negative = *p == '-';
        const char *first = p + negative, *last = digits(first, end);
        bool good = last > first && (*first != '0' || last == first + 1);
        p = last;
        if (p < end && *p == '.') {
            good = good && is_digit(p + 1, end);
            p = digits(p + 1, end);
        }
        if (p < end && (*p == 'e' || *p == 'E')) {
            p += 1 + (p + 1 < end && (p[1] == '+' || p[1] == '-'));
            good = good && is_digit(p, end);
            p = digits(p, end);
        }
        if (!good || p != end)
            return bad(token.data(), E_SYNTAX, "neither a value nor a number");
        out->type = JSON_NUMBER;
        out->text = span_of(token.data(), token.size());
        int64_t value = 0; /* counted downwards, since INT64_MIN has no positive */
        for (out->is_int = last == end; out->is_int && first < last; first++)
            out->is_int =
                !__builtin_mul_overflow(value, 10, &value) && !__builtin_sub_overflow(value, *first - '0', &value);
        out->is_int = out->is_int && (negative || value != INT64_MIN);
        out->number = !out->is_int ? 0 : negative ? value : -value;
        return 0;
    }

    int scalar(std::string_view token, struct json *out)
    {
        while (token.size() && is_space(token.back()))
            token.remove_suffix(1);
        if (token == "null" || token == "true" || token == "false") {
            out->type = token == "null" ? JSON_NULL : token == "true" ? JSON_TRUE : JSON_FALSE;
            return 0;
        }
        if (token.data() > text + len)
            return bad(token.data(), E_TRUNCATED, "the input ends where a value should be");
        return number(token, out);
    }

    int names_unique(const struct json *list, size_t count, const char *where)
    {
        const struct span *twice = nullptr;
        if (count <= few_names) {
            for (size_t i = 1; i < count; i++)
                for (size_t j = 0; j < i; j++)
                    twice = span_eq(list[i].key, list[j].key) ? &list[i].key : twice;
        } else {
            names.resize(count);
            for (size_t i = 0; i < count; i++)
                names[i] = &list[i].key;
            std::sort(names.begin(), names.end(),
                      [](const struct span *a, const struct span *b) { return span_compare(*a, *b) < 0; });
            for (size_t i = 1; i < count; i++)
                twice = span_eq(*names[i - 1], *names[i]) ? names[i] : twice;
        }
        return !twice ? 0
                      : fail(fault, E_DUPLICATE, "byte %zu: the name \"%.*s\" stands twice in one object", at(where),
                             (int)std::min<size_t>(twice->len, 100), (const char *)twice->data);
    }

    int push(const struct json &node, const char *where)
    {
        if (open.size() >= (arena->max - arena->used) / sizeof node)
            return bad(where, E_NOMEM, too_much);
        open.push_back(node);
        return 0;
    }

    /* Moves the members from `base` on out of the stack of open ones, side by side into the arena. */
    int close(struct json *out, enum json_type type, size_t base, const char *where)
    {
        size_t count = open.size() - base;
        struct json *list = count ? (struct json *)arena_array(arena, count, sizeof *list) : nullptr;
        if (count && !list)
            return bad(where, E_NOMEM, too_much);
        std::copy(open.begin() + (ptrdiff_t)base, open.end(), list);
        open.resize(base);
        out->type = type;
        out->count = (uint32_t)count;
        out->child = list;
        return type == JSON_OBJECT ? names_unique(list, count, where) : 0;
    }

    int object(ondemand::value from, struct json *out, const char *where, unsigned depth)
    {
        ondemand::object members;
        size_t base = open.size();
        if (error_code error = from.get_object().get(members))
            return stopped(error);
        for (auto item : members) {
            ondemand::field member;
            struct json node = {};
            std::string_view name;
            if (error_code error = std::move(item).get(member))
                return stopped(error);
            const char *start = member.key().raw();
            bool escaped = !stands(start, &name);
            if (escaped)
                if (error_code error = member.unescaped_key().get(name))
                    return bad(start, code_of(error), error_message(error));
            int rc = string(start, escaped, name, &node.key);
            rc = rc ? rc : value(member.value(), &node, depth + 1);
            rc = rc ? rc : push(node, start);
            if (rc)
                return rc;
        }
        return close(out, JSON_OBJECT, base, where);
    }

    int array(simdjson_result<ondemand::array> from, struct json *out, const char *where, unsigned depth)
    {
        ondemand::array items;
        size_t base = open.size();
        if (error_code error = std::move(from).get(items))
            return stopped(error);
        for (auto item : items) {
            ondemand::value next;
            struct json node = {};
            if (error_code error = std::move(item).get(next))
                return depth == 0 && !open.empty() ? behind(error) : stopped(error);
            int rc = value(next, &node, depth + 1);
            rc = rc ? rc : push(node, where);
            if (rc)
                return rc;
        }
        return close(out, JSON_ARRAY, base, where);
    }

    int value(ondemand::value from, struct json *out, unsigned depth)
    {
        std::string_view token = from.raw_json_token(), plain;
        char first = token.empty() ? 0 : token[0];
        if (depth > JSON_DEPTH_MAX && (first == '{' || first == '['))
            return fail(fault, E_LIMIT, "byte %zu: nested deeper than %d", at(token.data()), JSON_DEPTH_MAX);
        if (first == '{')
            return object(from, out, token.data(), depth);
        if (first == '[')
            return array(from.get_array(), out, token.data(), depth);
        if (first != '"')
            return scalar(token, out);
        out->type = JSON_STRING;
        bool escaped = !stands(token.data() + 1, &plain);
        /* Even where only its place is wanted, a string must be taken: left behind before a ':' simdjson skips it as a
         * name. */
        if (error_code error = escaped ? from.get_string().get(plain) : from.get_raw_json_string().error())
            return bad(token.data(), code_of(error), error_message(error));
        return string(token.data(), escaped, plain, &out->text);
    }

    /* What the first stage refuses has no place yet. */
    int refused(error_code error)
    {
        struct span rest = span_of(text + 1, len);
        uint32_t code_point;
        if (error == MEMALLOC)
            arena->exhausted = true;
        if (error == UNCLOSED_STRING)
            return fail(fault, E_TRUNCATED, "byte %zu: the input ends inside a string", len);
        for (size_t n; error == UTF8_ERROR && rest.len; rest = span_from(rest, n))
            if ((n = utf8_unit(rest, &code_point)) == 0)
                return bad((const char *)rest.data, E_UTF8, "no UTF-8");
        return fail(fault, code_of(error), "%s", error_message(error));
    }

  public:
    reader(const char *padded, size_t input_len, struct arena *to, struct fault *f)
        : text(padded), len(input_len), arena(to), fault(f)
    {
    }

    int run(ondemand::parser &parser, const struct json **out)
    {
        struct json around = {};
        size_t blank = 0;
        while (blank < len && is_space(text[1 + blank]))
            blank++;
        if (blank == len)
            return fail(fault, E_TRUNCATED, "byte %zu: the input is empty", len);
        if (error_code error =
                parser.iterate(padded_string_view(text, len + 2, len + 2 + SIMDJSON_PADDING)).get(document))
            return refused(error);
        int rc = array(document.get_array(), &around, text + 1, 0);
        if (rc)
            return rc;
        if (around.count == 0)
            return bad(text + 1, E_SYNTAX, "no value");
        if (around.count > 1 || document.current_location().error() != OUT_OF_BOUNDS)
            return bad(text + len, E_TRAILING, "something follows the value");
        *out = around.child;
        return 0;
    }
};

void memory_exhausted_or_throw()
{
    memory_exhausted();
    throw std::bad_alloc();
}

int parse(const struct json **out, struct span input, struct arena *arena, struct fault *fault)
{
    char *padded =
        (char *)arena_alloc(arena, input.len + 2 + SIMDJSON_PADDING); /* zeroed; the tree's strings point into it */
    if (!padded)
        return fail(fault, E_NOMEM, "%s", too_much);
    padded[0] = '[';
    memcpy(padded + 1, input.data, input.len);
    padded[1 + input.len] = ']';
    ondemand::parser parser(JSON_BYTES_MAX + 2);
    reader r(padded, input.len, arena, fault);
    return r.run(parser, out);
}

} // namespace

extern "C" int json_parse(const struct json **out, struct span text, size_t max_bytes, struct arena *arena,
                          struct fault *fault)
{
    if (text.len > JSON_BYTES_MAX || text.len > max_bytes)
        return fail(fault, E_LIMIT, "JSON of %zu bytes, at most %zu are allowed", text.len,
                    std::min(max_bytes, (size_t)JSON_BYTES_MAX));
    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        return fail(fault, E_SYNTAX, "byte 0: a byte order mark stands before the JSON");
    const void *nul = text.len ? memchr(text.data, 0, text.len) : nullptr;
    if (nul)
        return fail(fault, E_UTF8, "byte %zu: a NUL", (size_t)((const uint8_t *)nul - text.data));
    if (text.len == 0)
        return fail(fault, E_TRUNCATED, "byte 0: the input is empty");
    try { /* the handler is called before anything is thrown: where simdjson lets nothing through, a throw would abort */
        std::set_new_handler(memory_exhausted_or_throw);
        return parse(out, text, arena, fault);
    } catch (const std::bad_alloc &) {
        arena->exhausted = true;
        return fail(fault, E_NOMEM, "JSON of %zu bytes", text.len);
    } catch (...) {
        return fail(fault, E_SYNTAX, "the JSON cannot be read");
    }
}
