/* Was signer.state put back by hand? The file's change time cannot be set: whoever copies an older file into the folder, by whatever
   means, makes it now. So a file that was changed well after the latest time that stands in it was written by somebody else, and may be
   older than what was signed. Every start and every signature writes its time. A disk or machine that is turned back as a whole is not
   seen so (docs/reliability.md).
   What is remembered is one more record, under the recovery role and the own log's origin: timestamp = the last start; size = 1 from when
   such a change was seen until something is signed, which the node asks for only when it has heard everybody. */
#include "signer/state.h"

enum { LATE_SECONDS = 10 /* from taking the time to writing it, on a slow machine */ };

static int start_save(struct signer_state *state, struct span origin, bool put_back, int64_t now)
{
    struct signer_record record;
    state_blank(&record, KEY_RECOVERY, origin);
    record.size = put_back;
    record.timestamp = now;
    return state_save(state, &record);
}

int start_note(struct signer_state *state, struct span origin, int64_t changed_at, int64_t now)
{
    const struct signer_record *last = state_find(state, KEY_RECOVERY, origin);
    bool put_back = last && (last->size || changed_at > state_latest(state) + LATE_SECONDS);
    return start_save(state, origin, put_back, now);
}

int start_settle(struct signer_state *state, struct span origin, int64_t now)
{
    const struct signer_record *last = state_find(state, KEY_RECOVERY, origin);
    return last && last->size ? start_save(state, origin, false, now) : 0;
}
