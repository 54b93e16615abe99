#include "bench/bench_json.h"

#include <jansson.h>
#include <simdjson.h>

extern "C" bool bench_simdjson(struct span text)
{
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    return parser.parse((const char *)text.data, text.len).get(root) == simdjson::SUCCESS;
}

extern "C" bool bench_jansson(struct span text)
{
    json_t *root = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, nullptr);
    bool good = root != nullptr;
    json_decref(root);
    return good;
}
