/* The supervisor's children. Each is forked from it, has a control socket to it, and gets from there the lines to the node (the node:
   to its helpers), again whenever the other end was started anew. */
#ifndef COMITY_SHELL_CHILDREN_H
#define COMITY_SHELL_CHILDREN_H

#include <sys/types.h>

#include "shell/config.h"
#include "signer/confine.h"
#include "signer/signer.h"
#include "signer/wire.h"

enum child { CHILD_SIGNER, CHILD_PARSER, CHILD_NET, CHILD_COMMANDS, CHILD_NODE, CHILDREN };

struct serve { /* what all of them inherit */
    const char *dir;
    struct config config;
    bool in_circle;
    struct roster roster; /* as the charter file has it; node_roster() is the one that counts */
    struct span charter;  /* the file's text, in the arena */
    struct arena arena;
    int lock_fd, public_fd, private_fd, metrics_fd; /* the folder's lock, the listening sockets; -1: none */
    uint64_t restarts;                              /* of the node */
};

/* Forks; in the child: dies with its parent, has this name, and a control socket. 0 there, the pid here, or -1. */
pid_t child_fork(const char *name, int death_signal, int *control);
/* The child's word to its supervisor: ready, or why not. */
void child_report(int control, int code, const struct fault *fault, const char *degraded);

/* Each runs in its own process, and never returns. */
_Noreturn void parser_run(const struct serve *serve, int control);
_Noreturn void net_run(const struct serve *serve, int control);
_Noreturn void commands_run(const struct serve *serve, int control);
_Noreturn void node_run(struct serve *serve, int control);

/* DIR/NAME */
void serve_path(const char *dir, const char *name, char out[static 4096]);
/* A file that the configuration names: from DIR, unless its name begins with a slash. */
void serve_file(const struct serve *serve, const char *name, char out[static 4096]);
/* The same, of which nobody but its owner may read or write: else E_CONFIG. `out` is initialised; the caller wipes it. */
int serve_secret(const struct serve *serve, const char *name, size_t max, struct buf *out, struct fault *fault);
int serve_read(const char *path, size_t max, struct buf *out, struct fault *fault);

#endif
