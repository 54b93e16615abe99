/* Components out of an SBOM (CycloneDX JSON 1.2 to 1.6) or a dpkg status file. A broken component is reported and counted, and kept
   as undecidable where it may hide a hit; it never stops the rest. */
#ifndef COMITY_FORMAT_INVENTORY_H
#define COMITY_FORMAT_INVENTORY_H

#include "format/json.h"

struct component {
    struct span ecosystem, name, version; /* as in struct affected_package; without a purl the ecosystem is empty */
    struct span source,
        source_version; /* Debian: the source package and its version, when they differ from the binary's */
    struct span purl;   /* as written, may be empty */
    struct span cpe;    /* as written, may be empty */
    struct span vendor, product,
        model;           /* who makes it, what they call it and its model number, in words; each may be empty */
    struct span path;    /* where: "components[12]" or "Package: xz-utils" */
    const char *problem; /* NULL, or why it cannot be matched ("no version", "purl does not parse") */
};
struct inventory {
    const char *format; /* "cyclonedx" or "dpkg" */
    size_t count, problem_count;
    const struct component *components;
};
/* The subject in metadata.component and all components, nested ones too; a purl wins over group and name. */
int inventory_read_cyclonedx(struct inventory *out, struct span json, struct arena *arena, struct fault *fault);
/* `distribution` gives the ecosystem: "Debian:12"; empty reads as "Debian". Only packages that are on the disk: all states but
   not-installed and config-files. */
int inventory_read_dpkg(struct inventory *out, struct span status, struct span distribution, struct arena *arena,
                        struct fault *fault);
/* Tells by content which of the two it is; E_UNSUPPORTED when neither. */
int inventory_read(struct inventory *out, struct span bytes, struct span distribution, struct arena *arena,
                   struct fault *fault);

#endif
