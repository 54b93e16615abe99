/* What the service manager is told, sd_notify(3): a datagram to the socket that NOTIFY_SOCKET names; nothing without it. */
#ifndef COMITY_SHELL_NOTIFY_H
#define COMITY_SHELL_NOTIFY_H

#include <stdbool.h>

/* Opens the socket once, before the process confines itself; it is inherited. -1: there is none. */
int notify_open(void);
void notify_close(void);
/* `state` as in sd_notify(3): "READY=1", "STOPPING=1", "STATUS=...", lines. False when there is a socket and it took nothing. */
bool notify_manager(const char *state);

#endif
