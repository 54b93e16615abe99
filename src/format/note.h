/* C2SP signed notes (c2sp.org/signed-note v1.0.0): text, blank line, signature lines. */
#ifndef COMITY_FORMAT_NOTE_H
#define COMITY_FORMAT_NOTE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/limits.h"
#include "crypto/sign.h"

enum note_type { NOTE_ED25519 = 0x01, NOTE_COSIGNATURE = 0x04 };

struct note_signature {
    struct span name;
    uint32_t id;      /* key id, big-endian on the wire */
    struct span line; /* the whole line with its newline, as it stands in the note */
    size_t len;       /* of bytes[], after the 4 bytes of id */
    uint8_t
        bytes[72]; /* Ed25519: 64; cosignature/v1: 8 of timestamp, 64. Longer ones are kept only as `line` (len 0) */
};

struct note {
    struct span text; /* with its final newline, without the blank line */
    size_t count;
    struct note_signature signatures[NOTE_SIGNATURES_MAX];
};

/* Canonical base64 as notes use it: never empty, ASCII only (libsodium's decoder reads any byte from 0x80 on as '/'). */
bool note_base64(struct span text, uint8_t *out, size_t out_max, size_t *out_len);

/* Spans point into `bytes`. Requires at least one signature line. */
int note_parse(struct note *note, struct span bytes, struct fault *fault);
/* Parses signature lines alone (an add-checkpoint response). */
int note_parse_signatures(struct note *note, struct span lines, struct fault *fault);

uint32_t note_key_id(struct span name, enum note_type type, const struct public_key *key);
/* vkey "<name>+<hex id>+<base64 type||key>": key must match name and id. `name` points into `vkey`. */
int note_vkey_parse(struct span vkey, struct span *name, enum note_type *type, struct public_key *key);
void note_vkey_write(struct buf *out, struct span name, enum note_type type, const struct public_key *key);

/* Type 0x01. 0 when a line by this name and id verifies; E_KEY when there is none; E_SIGNATURE when one is there and fails. */
int note_verify(const struct note *note, struct span name, const struct public_key *key);
/* Type 0x04, c2sp.org/tlog-cosignature v1 over note->text; the same answers, with the timestamp and the signature (may be NULL). */
int note_verify_cosignature(const struct note *note, struct span name, const struct public_key *key, int64_t *timestamp,
                            struct signature *signature);
/* The message that a cosignature/v1 signs: "cosignature/v1\ntime T\n" + text. */
void note_cosigned_message(struct buf *out, int64_t timestamp, struct span text);
/* The same check without a note: is `signature` a cosignature at `timestamp` over `text`? 0, E_SIGNATURE, E_NOMEM. */
int cosignature_verify(const struct public_key *key, int64_t timestamp, struct span text,
                       const struct signature *signature);

/* Signature lines: em dash, space, name, space, base64(id || signature), newline. */
void note_signature_write(struct buf *out, struct span name, const struct public_key *key,
                          const struct signature *signature);
void note_cosignature_write(struct buf *out, struct span name, const struct public_key *key, int64_t timestamp,
                            const struct signature *signature);

#endif
