/* The kinds of fault that a seed draws from. A set of seeds fails unless each has fired. */
#ifndef COMITY_SIM_FAULTS_H
#define COMITY_SIM_FAULTS_H

#define FAULT_LIST(X)                                                                                                  \
    X(LOSS, "message lost")                                                                                            \
    X(DUPLICATE, "message twice")                                                                                      \
    X(DELAY, "message minutes late")                                                                                   \
    X(REORDER, "message overtaken")                                                                                    \
    X(BIT_MESSAGE, "bit flipped in a message")                                                                         \
    X(LINK_CUT, "link cut in mid-message")                                                                             \
    X(PARTITION, "partition, both ways")                                                                               \
    X(PARTITION_ONE_WAY, "partition, one way")                                                                         \
    X(ASLEEP, "node switched off for hours")                                                                           \
    X(CRASH, "crash between two steps")                                                                                \
    X(CRASH_WRITE, "crash at a write, batch lost")                                                                     \
    X(CRASH_COMMIT, "crash at a commit, batch lost")                                                                   \
    X(CRASH_COMMITTED, "crash after a commit, nobody told")                                                            \
    X(SIGNER_CRASH, "signer dies before it saves")                                                                     \
    X(SIGNER_LOST, "signer's last write lost")                                                                         \
    X(SIGNER_TORN, "signer's last write torn")                                                                         \
    X(SIGNER_UNHEARD, "signature made, nobody told")                                                                   \
    X(DISK_FULL, "disk full for a while")                                                                              \
    X(DISK_IO, "input/output error")                                                                                   \
    X(BIT_ENTRY, "bit flipped in an entry read")                                                                       \
    X(BIT_DOCUMENT, "bit flipped in a document read")                                                                  \
    X(BIT_TILE, "bit flipped in a tile read")                                                                          \
    X(BIT_NOTE, "bit flipped in a note read")                                                                          \
    X(CLOCK_SKEW, "clock skewed by hours")                                                                             \
    X(CLOCK_FORWARD, "clock jumps forward")                                                                            \
    X(CLOCK_BACK, "clock jumps back")                                                                                  \
    X(RESTORED_STORE, "old store put back")                                                                            \
    X(RESTORED_SIGNER, "old signer state put back")                                                                    \
    X(RESTORED_BOTH, "old backup of both put back")                                                                    \
    X(ROSTER_CHANGE, "roster change under way")                                                                        \
    X(TWO_FACES, "two faces shown")                                                                                    \
    X(WITHHELD, "cosigned entries withheld")                                                                           \
    X(FORGED_PROOF, "proof forged")                                                                                    \
    X(FORGED_SIGNATURE, "checkpoint or cosignature forged")                                                            \
    X(FORGED_RECOVERY, "recovery answer invented")                                                                     \
    X(REPLAY, "old message replayed")                                                                                  \
    X(COSIGNATURE_LATE, "cosignature held back past a close")                                                          \
    X(FLOOD, "flood of junk")                                                                                          \
    X(OVERSIZE, "oversized message")                                                                                   \
    X(HIJACK, "signer asked for what it must refuse")

enum sim_fault {
    FAULT_NONE = -1,
#define FAULT_ID(id, text) FAULT_##id,
    FAULT_LIST(FAULT_ID)
#undef FAULT_ID
        FAULT_COUNT
};
extern const char *const fault_names[FAULT_COUNT];

struct world;
/* Draws what will go wrong in the `busy_ms` from now on. */
void faults_plan(struct world *world, long long busy_ms);
/* Everything works again. */
void faults_end(struct world *world);

#endif
