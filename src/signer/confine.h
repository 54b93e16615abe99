/* Confining a process to what its work needs, by seccomp and Landlock. What is open when it is called stays open. */
#ifndef COMITY_SIGNER_CONFINE_H
#define COMITY_SIGNER_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

/* Signer and parser: no file, no socket, no process; whatever else they try kills them. Net: sockets, threads of the resolver, and
   reading what names and certificates need. Node: its database and blobs, the sockets that it has, and no others. Scanner (a command
   that reads others' files): reading what it was given, nothing else. */
enum confined { CONFINED_SIGNER, CONFINED_PARSER, CONFINED_NET, CONFINED_NODE, CONFINED_SCANNER, CONFINED_COUNT };

/* Returns 0, or an error; `degraded` gets text when the kernel or a sanitizer build cannot give part of it. `folder`: the node's, for
   CONFINED_NODE; its database must be open already. */
int confine_self(enum confined which, const char *folder, char degraded[static 128]);
/* As CONFINED_SCANNER, with these paths readable, and what is below them. */
int confine_scanner(const char *const *paths, size_t count, char degraded[static 128]);
bool confine_sanitized(void); /* is this a sanitizer build, which runs without filters? */

/* What came of an attempt in a process of its own that was confined so. */
struct attempt {
    bool allowed; /* it is this process's work */
    bool worked;  /* the kernel let it happen */
    int signal;   /* that ended it, or 0 */
    int code;     /* else its errno */
    char degraded[128];
};
/* Forks, confines the child as `which`, and lets it try (PROBE_ in signer.h). 0, or an error of the trying itself. */
int confine_try(enum confined which, const char *folder, unsigned what, struct attempt *out);
const char *probe_name(unsigned what); /* "open a file" */
/* Attempts what is forbidden (PROBE_ in signer.h): 0 if it worked, or its errno; it may not return. */
int confine_probe(unsigned what);
/* Closes every descriptor but the standard streams and these (-1: none); sorts them. */
void descriptors_keep(int *keep, size_t count);
const char *confined_name(enum confined which); /* "signer" */

#endif
