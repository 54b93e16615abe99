/* What a source says that it has, in one shape for all formats:
     CSAF 2.0 section 7.1: provider-metadata.json, aggregator.json, ROLIE feeds (RFC 8322 as JSON), changes.csv, index.txt; CSAF lines of a
     security.txt (RFC 9116); OSV's modified_id.csv; the catalogue of known exploited vulnerabilities (KEV) as JSON; a single advisory.
   Which of them it is shows in its content. A row that cannot be read is counted, and the others go on. */
#ifndef COMITY_FORMAT_LISTING_H
#define COMITY_FORMAT_LISTING_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum listing_kind {
    LISTING_PROVIDER,
    LISTING_AGGREGATOR,
    LISTING_ROLIE,
    LISTING_CHANGES,
    LISTING_INDEX,
    LISTING_MODIFIED, /* modified_id.csv: an instant and an id a line */
    LISTING_SECURITY,
    LISTING_EXPLOITED,
    LISTING_DOCUMENT, /* an advisory itself */
    LISTING_ARCHIVE,  /* format/zip.h */
    LISTING_KINDS
};
extern const char *const listing_names[LISTING_KINDS];

enum listed_what {
    LISTED_DOCUMENT,
    LISTED_ROLIE,     /* a further list */
    LISTED_DIRECTORY, /* a folder with changes.csv and index.txt */
    LISTED_PROVIDER,  /* a provider-metadata.json */
    LISTED_WHATS
};
struct listed {
    enum listed_what what;
    struct span url;                     /* as written: whole, or relative to the list */
    struct span hash_url, signature_url; /* ROLIE; may be empty. Of hashes SHA-512 is preferred */
    struct span mirror;                  /* AGGREGATOR: the first copy; may be empty */
    int64_t updated;                     /* LISTED_NEVER: not said */
    uint64_t offset, packed, size;       /* ARCHIVE: of the local header; of the data */
    uint32_t crc;                        /* ARCHIVE: of the document */
};
#define LISTED_NEVER INT64_MIN
struct listed_key {               /* PROVIDER: an OpenPGP key that it names */
    struct span url, fingerprint; /* fingerprint: upper-case hex, may be empty */
};
struct exploited {      /* EXPLOITED */
    struct span id;     /* of the CVE list */
    int64_t added, due; /* midnight UTC; due: LISTED_NEVER when none is said */
    bool ransomware;    /* known to be used in ransomware campaigns */
};
struct listing {
    enum listing_kind kind;
    struct span title; /* publisher, feed title or catalogue version; may be empty */
    bool trusted;      /* PROVIDER: csaf_trusted_provider, whose documents all have hashes and signatures */
    size_t count, key_count, exploited_count, problem_count;
    const struct listed *items;
    const struct listed_key *keys;
    const struct exploited *exploited;
    struct span problem; /* the first row that could not be read, and why */
};
/* E_UNSUPPORTED: none of these; E_LIMIT, E_SYNTAX, E_MISSING, E_TYPE, E_NOMEM. Everything lives in the arena or in `bytes`. */
int listing_read(struct listing *out, struct span bytes, struct arena *arena, struct fault *fault);
/* The hash that a .sha256 or .sha512 file begins with (CSAF 2.0 section 7.1.18): its length, 32 or 64; 0 when it is none. */
size_t hash_file_read(struct span bytes, uint8_t out[static 64]);

#endif
