/* A mutator that knows signed notes: it changes the text and has it signed again by the made-up parties of tests/circle/subject.h, so
   that the fuzzer gets past the signatures. Every third mutation is libFuzzer's own. */
#ifndef COMITY_FUZZ_MUTATE_NOTE_H
#define COMITY_FUZZ_MUTATE_NOTE_H

#include "fuzz/mutate_cbor.h"
#include "tests/circle/subject.h"

/* The text of a note in `room`, changed; NULL-free copy of at most `room_len` bytes. Returns its length, 0 when there is none. */
static inline size_t note_text_mutate(struct span bytes, uint8_t *room, size_t room_len)
{
    size_t end = 0;
    for (size_t i = 1; i + 1 < bytes.len; i++)
        if (bytes.data[i] == '\n' && bytes.data[i - 1] == '\n')
            end = i;
    if (!end || end > room_len)
        return 0;
    memcpy(room, bytes.data, end);
    return LLVMFuzzerMutate(room, end, room_len);
}

/* A subject whose keys the mutators know: the one that the corpora were made with. */
static inline struct subject *mutate_subject(void)
{
    static struct subject s;
    must(s.count || (crypto_start() == 0 && subject_make(&s, 5, 4, 2, 2, 4) == 0));
    return &s;
}

#endif
