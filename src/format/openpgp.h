/* Detached OpenPGP signatures (RFC 4880) of documents, by RNP: a library in one process, where GPGME starts programs, which the process that
   reads documents may not. Its own rules on weak hashes, expired and revoked keys hold. */
#ifndef COMITY_FORMAT_OPENPGP_H
#define COMITY_FORMAT_OPENPGP_H

#include "base/error.h"
#include "base/span.h"

enum { FINGERPRINT_BYTES = 65 /* upper-case hex of at most 32 bytes, and its NUL */ };
/* The fingerprint of the one public key in `key` (armored or binary). E_KEY: there is none, or more than one. */
int openpgp_key(struct span key, char fingerprint[static FINGERPRINT_BYTES], struct fault *fault);
/* 0 when `signature` is by that key, or a subkey of it, over exactly `document`: E_SIGNATURE, E_KEY. */
int openpgp_verify(struct span document, struct span signature, struct span key, struct fault *fault);
/* To be called before a process gives up asking the system for anything: the library learns of its machine then. */
void openpgp_prepare(void);

#endif
