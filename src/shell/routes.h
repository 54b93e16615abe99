/* The public requests that change something: net asks how much they may bring, the node what they mean. */
#ifndef COMITY_SHELL_ROUTES_H
#define COMITY_SHELL_ROUTES_H

#include "node/engine.h"

struct route_write {
    const char *method, *path;
    enum request_kind kind;
    size_t body_max;
    bool prefix, gzip; /* the path goes on; the body may come compressed */
};
const struct route_write *route_find(const char *method, struct span path); /* NULL: none */
size_t route_body_max(const char *method, struct span path);
bool route_takes_gzip(const char *method, struct span path);

#endif
