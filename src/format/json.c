#include "format/json.h"

const struct json *json_get(const struct json *object, const char *key)
{
    if (!object || object->type != JSON_OBJECT)
        return NULL;
    for (uint32_t i = 0; i < object->count; i++)
        if (span_is(object->child[i].key, key))
            return &object->child[i];
    return NULL;
}

const struct json *json_path(const struct json *root, const char *dotted)
{
    char key[64];
    while (root && *dotted) {
        size_t n = strcspn(dotted, ".");
        if (n >= sizeof key)
            return NULL;
        memcpy(key, dotted, n);
        key[n] = 0;
        root = json_get(root, key);
        dotted += n + (dotted[n] == '.');
    }
    return root;
}

struct span json_text(const struct json *object, const char *key)
{
    const struct json *value = json_get(object, key);
    return value && value->type == JSON_STRING ? value->text : span_of(NULL, 0);
}

bool json_int(const struct json *object, const char *key, int64_t *value)
{
    const struct json *member = json_get(object, key);
    if (!member || member->type != JSON_NUMBER || !member->is_int)
        return false;
    *value = member->number;
    return true;
}

static int need(const struct json *object, const char *key, enum json_type type, const struct json **value,
                struct fault *fault)
{
    *value = json_get(object, key);
    if (!*value)
        return fail(fault, E_MISSING, "\"%s\" is required", key);
    return (*value)->type == type ? 0 : fail(fault, E_TYPE, "\"%s\" has the wrong type", key);
}

int json_need_text(const struct json *object, const char *key, struct span *value, struct fault *fault)
{
    const struct json *member = NULL;
    int rc = need(object, key, JSON_STRING, &member, fault);
    if (rc == 0)
        *value = member->text;
    return rc;
}

int json_need_int(const struct json *object, const char *key, int64_t *value, struct fault *fault)
{
    const struct json *member = NULL;
    int rc = need(object, key, JSON_NUMBER, &member, fault);
    if (rc == 0 && !member->is_int)
        rc = fail(fault, E_TYPE, "\"%s\" must be an integer", key);
    if (rc == 0)
        *value = member->number;
    return rc;
}

int json_need_array(const struct json *object, const char *key, const struct json **value, struct fault *fault)
{
    return need(object, key, JSON_ARRAY, value, fault);
}

int json_only(const struct json *object, const char *const *allowed, struct fault *fault)
{
    for (uint32_t i = 0; object && object->type == JSON_OBJECT && i < object->count; i++) {
        bool known = false;
        for (size_t j = 0; allowed[j]; j++)
            known = known || span_is(object->child[i].key, allowed[j]);
        if (!known)
            return fail(fault, E_SYNTAX, "unknown member \"%.*s\"",
                        (int)(object->child[i].key.len < 60 ? object->child[i].key.len : 60),
                        (const char *)object->child[i].key.data);
    }
    return 0;
}

int json_need_format(const struct json *object, const char *format, struct fault *fault)
{
    struct span found;
    int rc = json_need_text(object, "comity", &found, fault);
    if (rc == 0 && !span_is(found, format))
        rc = fail(fault, E_UNSUPPORTED, "\"comity\" must be \"%s\"", format);
    return rc;
}
