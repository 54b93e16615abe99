/* Planted bugs, which the simulator must catch: `comity-sim-mutants --mutants`. In any other build MUTANT() is the constant false, and
   the compiler leaves nothing of it. */
#ifndef COMITY_BASE_MUTANT_H
#define COMITY_BASE_MUTANT_H

#include <stdbool.h>

#define MUTANT_LIST(X)                                                                                                 \
    X(SIGNER_UNSAVED, "the signer signs without saving")                                                               \
    X(SIGNER_SMALLER, "the signer cosigns a smaller size")                                                             \
    X(SIGNER_SECOND_ROOT, "the signer cosigns a second root of one size")                                              \
    X(SIGNER_CLOCK_BACK, "the signer's times go back with its clock")                                                  \
    X(SIGNER_BALLOT, "the signer signs a ballot without its person")                                                   \
    X(MIRROR_NOT_DURABLE, "a mirror cosigns before the entries are durable")                                           \
    X(MIRROR_NO_DOCUMENT, "a mirror cosigns though a document is missing")                                             \
    X(OWN_NOT_DURABLE, "a checkpoint is signed before its entries are durable")                                        \
    X(QUORUM_LESS, "a quorum needs one cosignature less")                                                              \
    X(QUORUM_TWICE, "a mirror counts as often as it has cosigned")                                                     \
    X(RECOVERY_HASTY, "recovery goes on after one answer")                                                             \
    X(RECOVERY_NONE, "a node that starts signs at once")                                                               \
    X(LAST_UNCOVERED, "a checkpoint does not cover its last entry")                                                    \
    X(LATER_INDEX, "a statement counts wherever it stands")                                                            \
    X(COSIGNATURE_LATER, "a mirror's later cosignature replaces its earlier one")                                      \
    X(COSIGNATURE_UNCHECKED, "cosignatures are not verified")                                                          \
    X(NOTE_UNCHECKED, "the signature of a checkpoint is not verified")                                                 \
    X(PROOF_UNCHECKED, "consistency proofs are not checked")                                                           \
    X(FACES_UNSEEN, "two faces are not noticed")                                                                       \
    X(FACES_UNPROVEN, "two faces are stated without proof")                                                            \
    X(DOCUMENT_UNCHECKED, "a stored document is not checked against its hash")                                         \
    X(EARLY_DROPPED, "a document that came early is dropped")                                                          \
    X(RETRY_NEVER, "what failed is never tried again")                                                                 \
    X(NOTICE_TIME, "a notice's id depends on when it was recorded")                                                    \
    X(NOTICE_FORGOTTEN, "a notice that was under way at a crash is forgotten")

enum mutant {
    MUTANT_NONE,
#define MUTANT_ID(id, text) MUTANT_##id,
    MUTANT_LIST(MUTANT_ID)
#undef MUTANT_ID
        MUTANT_COUNT
};

#ifdef COMITY_MUTANTS
extern enum mutant mutant_now;
#define MUTANT(id) (mutant_now == MUTANT_##id)
#else
#define MUTANT(id) false
#endif

#endif
