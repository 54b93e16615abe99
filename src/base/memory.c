#include "base/memory.h"

#include <stddef.h>

static void (*on_exhausted)(void);

void memory_on_exhausted(void (*stop)(void))
{
    on_exhausted = stop;
}

void memory_exhausted(void)
{
    if (on_exhausted)
        on_exhausted();
}
