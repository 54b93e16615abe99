/* The shell around the engine: processes, sockets, clocks and files. The engine (engine.h) decides; the shell only carries. */
#ifndef COMITY_NODE_SHELL_H
#define COMITY_NODE_SHELL_H

#include "base/error.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
extern const char *const log_level_names[LOG_DEBUG + 1];

/* Log lines go to standard error: "2026-11-25T04:52:55Z warn message". Lines above the level are dropped. */
void shell_log_level(enum log_level level);
void shell_log(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Runs the node of the folder `dir` in the foreground, until SIGTERM or SIGINT (0), or until it cannot start (the error): a supervisor,
   which restarts the node with back-off, the node, and its signer. Changes the working directory to `dir`. Prints
   "ready ADDRESS pid PID" (of the supervisor) on standard output each time the node listens. */
int comity_serve(const char *dir, struct fault *fault);

/* Exit codes of the node's process, for its supervisor. */
enum node_exit { NODE_STOPPED = 0, NODE_FAILED = 4, NODE_NO_START = 6 };

#endif
