/* What an advisory says, in one shape for all formats: which packages, in which ranges, and how far it may be passed on.
   Readers: advisory_read_csaf (CSAF 2.0), advisory_read_osv (OSV schema 1.x) and advisory_read_cve (CVE Record Format 5). Everything lives in the arena or the input. */
#ifndef COMITY_FORMAT_ADVISORY_H
#define COMITY_FORMAT_ADVISORY_H

#include "format/json.h"

enum tlp { TLP_NONE, TLP_CLEAR, TLP_GREEN, TLP_AMBER, TLP_AMBER_STRICT, TLP_RED }; /* WHITE reads as CLEAR */

enum order { /* how versions of an ecosystem compare: format/version.h */
             ORDER_UNKNOWN,
             ORDER_DEBIAN,
             ORDER_SEMVER,
             ORDER_PUB,
             ORDER_RPM,
             ORDER_ALPINE,
             ORDER_PYPI,
             ORDER_MAVEN,
             ORDER_RUBYGEMS,
             ORDER_NUGET,
             ORDER_PACKAGIST,
             ORDER_NUMBERS, /* CRAN, Hackage: lists of numbers, a longer one is greater */
             ORDER_DOTTED,  /* Windows and firmware: numbers between dots, missing ones are 0 */
             ORDER_GENERIC, /* of unknown make: compared only where every reading would say the same */
             ORDER_COUNT
};

enum event_kind { EVENT_INTRODUCED, EVENT_FIXED, EVENT_LAST_AFFECTED, EVENT_LIMIT };
struct range_event {
    enum event_kind kind;
    struct span version; /* "0" = before all versions */
};
struct range {
    size_t count;
    const struct range_event *events; /* as written; not sorted */
};
/* By what a row and a component can meet, the better grade first. A lower grade never says that a component is safe where a better one
   cannot tell. */
enum lane {
    LANE_PURL, /* ecosystem and name, as a package URL has them */
    LANE_CPE,  /* a CPE name, by NISTIR 7696: vendors and products are words that somebody once chose */
    LANE_TEXT, /* vendor, product and model as people write them: proposes, decides nothing by itself */
    LANE_COUNT
};
/* What an advisory says of the versions that a row lists or whose ranges hold them. */
enum row_claim { CLAIM_AFFECTED, CLAIM_UNAFFECTED, CLAIM_UNKNOWN /* under investigation, for one */, CLAIM_COUNT };
/* Why a vendor says that a product is not affected: CSAF 2.0 section 3.2.3.5 (flags), the same words as in VEX. */
enum justification {
    JUSTIFICATION_NONE,
    COMPONENT_NOT_PRESENT,
    VULNERABLE_CODE_NOT_PRESENT,
    VULNERABLE_CODE_NOT_IN_EXECUTE_PATH,
    VULNERABLE_CODE_CANNOT_BE_CONTROLLED_BY_ADVERSARY,
    INLINE_MITIGATIONS_ALREADY_EXIST,
    JUSTIFICATION_COUNT
};
extern const char *const lane_names[LANE_COUNT];                   /* "purl", "cpe", "text" */
extern const char *const justification_names[JUSTIFICATION_COUNT]; /* as CSAF writes them; the first is empty */

struct affected_package {
    enum lane lane;
    struct span
        ecosystem; /* as OSV writes it: "Debian:12", "Go", "npm"; from a purl its type mapped ("deb/debian" -> "Debian"). Empty in other lanes */
    struct span
        name; /* the name within the ecosystem; for Debian the source package; LANE_CPE: "vendor:product"; LANE_TEXT: the product */
    struct span purl;                        /* as written, may be empty */
    struct span cpe, vendor, product, model; /* as written, each may be empty */
    struct span version_text; /* what stands for the versions where no range could be made of it: "< V3.1 (all)" */
    enum order order;
    enum row_claim claim;
    bool open; /* of versions that no list and no range here holds nothing is said; else these are not affected */
    enum justification justification; /* of what is not affected */
    struct span impact, remedy;       /* why not, and what to do, in the vendor's words; may be empty */
    size_t range_count, version_count;
    const struct range *ranges;
    const struct span *versions; /* exactly these are affected */
    size_t fixed_count;
    const struct span *fixed_versions; /* exactly these are not affected (CSAF fixed / known_not_affected) */
    struct span path;                  /* where in the document: "affected[3]" */
};
/* What is wrong with a part of the record. The rest of it counts all the same. */
struct record_problem {
    struct span path, text;
};
struct advisory {
    struct span id, title, publisher, version; /* version = tracking revision, may be empty (OSV) */
    struct span modified;                      /* RFC 3339 text */
    enum tlp tlp;
    bool withdrawn;
    bool
        contradictory; /* it says two things of one product, or goes in a circle: read all the same, but not to be published so */
    size_t alias_count, package_count, undecided_count, problem_count;
    const struct span *aliases; /* CVE ids and the like */
    const struct affected_package *packages;
    const struct span *undecided; /* products named without a package identity we can match: shown, never called safe */
    const struct record_problem *problems;
};

int advisory_read_csaf(struct advisory *out, struct span json, struct arena *arena, struct fault *fault);
int advisory_read_osv(struct advisory *out, struct span json, struct arena *arena, struct fault *fault);
int advisory_read_cve(struct advisory *out, struct span json, struct arena *arena, struct fault *fault);
/* The last is ours: none is registered for CVE records. */
#define MEDIA_CSAF "application/csaf+json"
#define MEDIA_OSV "application/osv+json"
#define MEDIA_CVE "application/vnd.comity.cve+json"
/* By media type; E_UNSUPPORTED for others. */
int advisory_read(struct advisory *out, struct span media, struct span json, struct arena *arena, struct fault *fault);
/* Which of two revisions of one advisory is the later: <0, 0, >0. By CSAF's tracking version (an integer or a SemVer version, CSAF 2.0
   section 3.1.11) where both have one that compares and differs, else by the instant of modification. */
int advisory_revision_order(struct span version_a, int64_t modified_a, struct span version_b, int64_t modified_b);
/* For the readers: the strings of an array; other items are passed over. */
int advisory_texts(const struct json *array, const struct span **out, size_t *count, struct arena *arena);
struct span cpe_named(struct span cpe, struct arena *arena); /* "vendor:product", or empty */
/* Guesses the media type from the top members; NULL when it is none of these. */
const char *advisory_media(const struct json *root);

#endif
