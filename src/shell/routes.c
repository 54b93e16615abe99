#include "shell/routes.h"

static const struct route_write writes[] = {
    {"POST", "/mirror/add-checkpoint", REQ_MIRROR_ADD_CHECKPOINT, ADD_CHECKPOINT_BYTES_MAX, false, false},
    {"POST", "/mirror/add-entries", REQ_MIRROR_ADD_ENTRIES, HTTP_BODY_MAX, false, true},
    {"POST", "/witness/add-checkpoint", REQ_WITNESS_ADD_CHECKPOINT, ADD_CHECKPOINT_BYTES_MAX, false, false},
    {"POST", "/announce", REQ_ANNOUNCE, NOTE_BYTES_MAX, false, false},
    {"POST", "/key-change", REQ_KEY_CHANGE, STATEMENT_BYTES_MAX + KEY_CHANGE_BYTES_MAX, false, false},
    {"PUT", "/documents/", REQ_PUT_DOCUMENT, DOCUMENT_BYTES_MAX, true, false},
    {"PUT", "/hosted/", REQ_HOSTED, HTTP_BODY_MAX, true, true},
};

const struct route_write *route_find(const char *method, struct span path)
{
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        bool hit = writes[i].prefix ? span_starts(path, writes[i].path) : span_is(path, writes[i].path);
        if (hit && strcmp(method, writes[i].method) == 0)
            return &writes[i];
    }
    return NULL;
}

size_t route_body_max(const char *method, struct span path)
{
    const struct route_write *route = route_find(method, path);
    return route ? route->body_max : HTTP_DISCARD_MAX;
}

/* Only add-entries (C2SP tlog-mirror). */
bool route_takes_gzip(const char *method, struct span path)
{
    const struct route_write *route = route_find(method, path);
    return route && route->gzip;
}
