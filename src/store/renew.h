/* After a sync that failed the system counts the bytes as written, shows them to whoever reads, and never writes them: no later sync
   does, and a new process cannot tell. So what a start builds on is written again first. */
#ifndef COMITY_STORE_RENEW_H
#define COMITY_STORE_RENEW_H

/* Writes a file's bytes over themselves, and syncs. The same bytes: wherever it is cut off, nothing has changed. 0, E_IO, E_FULL. */
int file_renew(int fd);

#endif
