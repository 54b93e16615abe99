/* What json_parse is measured against. Apart from it, because jansson and our json.h use the same names. */
#ifndef COMITY_BENCH_JSON_H
#define COMITY_BENCH_JSON_H

#include "base/span.h"

#ifdef __cplusplus
extern "C" {
#endif
bool bench_simdjson(struct span text); /* the floor: simdjson alone, everything read, nothing kept or checked further */
bool bench_jansson(struct span text);  /* with duplicates refused */
#ifdef __cplusplus
}
#endif

#endif
