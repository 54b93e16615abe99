/* Components out of what describes a system: an SBOM (CycloneDX JSON 1.2 to 1.6, SPDX JSON 2.2 and 2.3), a package list (dpkg, rpm, apk) or
   a table of assets (CSV). A broken component is reported and counted, and kept as undecidable where it may hide a hit; it never stops the
   rest. What stands there twice counts once. */
#ifndef COMITY_FORMAT_INVENTORY_H
#define COMITY_FORMAT_INVENTORY_H

#include "format/json.h"

struct decided { /* a person's word on whether this is a product as advisories name it */
    struct span key;
    bool same;
};
struct component {
    struct span ecosystem, name, version; /* as in struct affected_package; without a purl the ecosystem may be empty */
    struct span source, source_version;   /* the source package and its version, when they differ from the binary's and
                                             advisories of the ecosystem name sources: Debian, Alpine, some of rpm's */
    struct span purl;                     /* as written, may be empty */
    struct span cpe;                      /* as written, may be empty */
    struct span vendor, product,
        model;        /* who makes it, what they call it and its model number, in words; each may be empty */
    struct span path; /* where: "components[12]", "Package: xz-utils", "row 7 (pump-house)" */
    size_t decided_count;
    const struct decided *decided; /* readers leave it empty */
    const char *problem; /* NULL, or why it cannot be matched ("it has no version", "its purl does not parse") */
};
struct inventory {
    const char *format; /* "cyclonedx", "spdx", "dpkg", "rpm", "apk" or "csv" */
    size_t count, problem_count;
    size_t twin_count;  /* left out, because another of the list says the same */
    const char *caveat; /* NULL, or what the whole list lacks, with the remedy */
    const struct component *components;
};
/* Tells by content what it is; E_UNSUPPORTED when nothing of the above. `about` is what its owner says of it, one line: "DISTRIBUTION",
   "DISTRIBUTION;COLUMNS" or ";COLUMNS". The distribution is the ecosystem of a package list, as OSV names it: "Debian:12", "AlmaLinux:9",
   "Alpine:v3.19"; a dpkg list without one is of "Debian", an apk list of "Alpine", an rpm list must have one. COLUMNS make what is no JSON a
   CSV, and say which column has what: "vendor=Maker,version=Firmware" (one CSV record of ROLE=HEADER; see inventory_read_csv). */
int inventory_read(struct inventory *out, struct span bytes, struct span about, struct arena *arena,
                   struct fault *fault);

/* The subject in metadata.component and all components, nested ones too; a purl wins over group and name. */
int inventory_read_cyclonedx(struct inventory *out, const struct json *root, struct arena *arena, struct fault *fault);
/* All packages; a purl wins over the name. Files are passed over. */
int inventory_read_spdx(struct inventory *out, const struct json *root, struct arena *arena, struct fault *fault);
/* Only packages that are on the disk: all states but not-installed and config-files. */
int inventory_read_dpkg(struct inventory *out, struct span status, struct span distribution, struct arena *arena,
                        struct fault *fault);
/* Lines of `rpm -qa`, as it prints by default (NAME-VERSION-RELEASE.ARCH: without epochs), or with
   --qf '%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\n'. Keys (gpg-pubkey) are no packages. */
int inventory_read_rpm(struct inventory *out, struct span list, struct span distribution, struct arena *arena,
                       struct fault *fault);
/* lib/apk/db/installed: P, V and o of each stanza. */
int inventory_read_apk(struct inventory *out, struct span database, struct span distribution, struct arena *arena,
                       struct fault *fault);
/* RFC 4180, with "," ";" or a tab between the fields, whichever finds most columns; the first record names them. Roles: purl, cpe,
   ecosystem, name, version, vendor, product, model, asset; a role that `columns` does not map is the column of its own name. */
int inventory_read_csv(struct inventory *out, struct span table, struct span columns, struct arena *arena,
                       struct fault *fault);

#endif
