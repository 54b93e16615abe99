/* Where a call came from. Addresses within this program are turned to names by addr2line, all at once. */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/faults/driver.h"

enum { PLACES_MAX = 8192, NAME_FUNCTIONS = 3, LIBRARY_FRAMES = 4 };
static struct place {
    uintptr_t address; /* within the file */
    char *function;    /* NULL: not of src/ */
} places[PLACES_MAX];
static size_t place_count;

static uintptr_t base(void)
{
    Dl_info info;
    return dladdr((void *)(uintptr_t)&sites_resolve, &info) ? (uintptr_t)info.dli_fbase : 0;
}

/* 0 when the frame lies in a library. One back, for it is where the call returns to. */
static uintptr_t within(void *frame)
{
    Dl_info info;
    if (!dladdr(frame, &info) || (uintptr_t)info.dli_fbase != base())
        return 0;
    return (uintptr_t)frame - base() - 1;
}

static struct place *place_of(uintptr_t address)
{
    size_t low = 0, high = place_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (places[middle].address < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < place_count && places[low].address == address ? &places[low] : NULL;
}

static void place_add(uintptr_t address)
{
    size_t at = place_count;
    if (!address || place_of(address) || place_count == PLACES_MAX)
        return;
    while (at && places[at - 1].address > address)
        at--;
    memmove(&places[at + 1], &places[at], (place_count++ - at) * sizeof *places);
    places[at] = (struct place){.address = address};
}

void sites_resolve(const struct interposed_call *calls, size_t count)
{
    char self[4096], command[8192], list[] = "/tmp/comity-sites-XXXXXX", function[512], file[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    for (size_t i = 0; i < count; i++)
        for (unsigned f = 0; f < calls[i].depth; f++)
            place_add(within(calls[i].frames[f]));
    int fd = n > 0 ? mkstemp(list) : -1;
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!out)
        return;
    self[n] = 0;
    for (size_t i = 0; i < place_count; i++)
        (void)fprintf(out, "0x%" PRIxPTR "\n", places[i].address);
    (void)fclose(out);
    (void)snprintf(command, sizeof command, "addr2line -f -e '%s' < %s", self, list);
    FILE *in = popen(command, "r");
    for (size_t i = 0; in && i < place_count; i++) {
        if (!fgets(function, sizeof function, in) || !fgets(file, sizeof file, in))
            break;
        function[strcspn(function, ".\n")] = 0; /* "f.part.0" is f */
        places[i].function = strstr(file, "/src/") ? strdup(function) : NULL;
    }
    if (in)
        (void)pclose(in);
    (void)unlink(list);
}

/* The place in src/ that a frame lies in, or NULL. */
static const struct place *place_in(void *frame)
{
    uintptr_t address = within(frame);
    const struct place *place = address ? place_of(address) : NULL;
    return place && place->function ? place : NULL;
}

bool site_is_ours(const struct interposed_call *call)
{
    return call->depth && place_in(call->frames[0]);
}

uint64_t site_hash(const struct interposed_call *call)
{
    uint64_t hash = 14695981039346656037u + call->call;
    unsigned found = 0;
    for (unsigned f = 0; f < call->depth && found < NAME_FUNCTIONS; f++) {
        found += place_in(call->frames[f]) != NULL;
        if (f < LIBRARY_FRAMES || place_in(call->frames[f]))
            hash = (hash ^ (uintptr_t)call->frames[f]) * 1099511628211u;
    }
    return hash;
}

const char *site_name(const struct interposed_call *call)
{
    static char name[256];
    unsigned found = 0;
    size_t len = 0;
    name[0] = 0;
    for (unsigned f = 0; f < call->depth && found < NAME_FUNCTIONS; f++) {
        const struct place *place = place_in(call->frames[f]);
        if (!place)
            continue;
        len += (size_t)snprintf(name + len, sizeof name - len, "%s%s", found ? " < " : "", place->function);
        len = len < sizeof name ? len : sizeof name - 1;
        found++;
    }
    return name;
}
