/* Bodies of the C2SP write APIs: tlog-witness add-checkpoint, tlog-mirror add-entries, mirror-info, entry bundles. Bytes <-> structs. */
#ifndef COMITY_RECORD_WIRE_H
#define COMITY_RECORD_WIRE_H

#include "record/checkpoint.h"
#include "record/tree.h"

struct add_checkpoint {
    uint64_t old_size;
    size_t count;
    struct hash proof[PROOF_HASHES_MAX];
    struct span note_bytes;
    struct note note;
    struct checkpoint checkpoint;
};
int add_checkpoint_parse(struct add_checkpoint *out, struct span body, struct fault *fault);
void add_checkpoint_write(struct buf *out, uint64_t old_size, const struct hash *proof, size_t count,
                          struct span note_bytes);

struct add_entries {
    struct span origin;
    uint64_t upload_start, upload_end;
    struct span ticket;
    struct span packages; /* what follows; walk it with add_entries_package */
    unsigned package;     /* index of the next package */
};
struct entry_package {
    uint64_t start, end; /* log indices of the entries */
    size_t count;        /* end - start */
    struct span entries[TILE_WIDTH];
    size_t proof_count;
    struct hash proof[PROOF_HASHES_MAX];
};
int add_entries_parse(struct add_entries *out, struct span body, struct fault *fault);
/* 0: a package; E_NOTFOUND: the canonical sequence, or the body, ends cleanly here; E_TRUNCATED: bytes end mid-package;
   E_SYNTAX/E_LIMIT: malformed; E_TRAILING: bytes after the canonical sequence. */
int add_entries_package(struct add_entries *request, struct entry_package *out);
void add_entries_write_head(struct buf *out, struct span origin, uint64_t start, uint64_t end, struct span ticket);
void add_entries_write_package(struct buf *out, const struct entry_package *package);

struct mirror_info {
    uint64_t size, next_entry;
    struct span ticket; /* decoded into the arena */
};
int mirror_info_parse(struct mirror_info *out, struct span body, struct arena *arena);
void mirror_info_write(struct buf *out, uint64_t size, uint64_t next_entry, struct span ticket);

/* Entry bundles: uint16 length-prefixed entries. Fills up to `max` spans into `bytes`; E_TRUNCATED, E_LIMIT. */
int bundle_parse(struct span bytes, struct span *entries, size_t max, size_t *count);
void bundle_add(struct buf *out, struct span entry);

#endif
