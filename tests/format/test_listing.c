/* Lists of sources: a table of what is read and refused; and that each crosses flat bytes whole. */
#include "format/listing.h"

#include "base/clock.h"
#include "format/flat.h"
#include "tests/test.h"

/* As lines: "kind title problems", then an item, a key or a row each. NULL: refused by `code`. */
struct list_case {
    const char *what, *text, *read;
    int code;
};

#define PROVIDER(rest)                                                                                                 \
    "{\"canonical_url\":\"https://v.example/provider-metadata.json\",\"metadata_version\":\"2.0\",\"role\":\"csaf_"    \
    "trusted_provider\",\"publisher\":{\"name\":\"Vendor\"}" rest "}"

static const struct list_case cases[] = {
    {"a provider with ROLIE feeds",
     PROVIDER(
         ",\"distributions\":[{\"directory_url\":\"https://v.example/d/\"},{\"rolie\":{\"feeds\":[{\"tlp_label\":"
         "\"WHITE\",\"url\":\"https://v.example/white.json\"},{\"tlp_label\":\"AMBER\",\"url\":\"https://v.example/"
         "amber.json\"}]}}],\"public_openpgp_keys\":[{\"fingerprint\":\"8f5f267907b2c4559db360db2294ba7d2b2298b1\","
         "\"url\":\"https://k.example/1\"},{\"url\":\"https://k.example/2\",\"fingerprint\":\"12\"},{}]"),
     "CSAF provider trusted \"Vendor\" 2 (rolie.feeds 1: its label wants a login, which a follower has not)\n"
     "rolie https://v.example/white.json\n"
     "key https://k.example/1 8F5F267907B2C4559DB360DB2294BA7D2B2298B1\nkey https://k.example/2 \n",
     0},
    {"a provider with a directory", PROVIDER(",\"distributions\":[{\"directory_url\":\"https://v.example/d/\"}]"),
     "CSAF provider trusted \"Vendor\" 0\ndirectory https://v.example/d/\n", 0},
    {"a provider that distributes nothing", PROVIDER(""), "CSAF provider trusted \"Vendor\" 0\n", 0},
    {"distributions that are none", PROVIDER(",\"distributions\":{}"), NULL, E_TYPE},
    {"an aggregator",
     "{\"aggregator\":{\"name\":\"All\"},\"csaf_providers\":[{\"metadata\":{\"url\":\"https://a.example/m.json\"},"
     "\"mirrors\":[\"https://m.example/a.json\"]},{\"metadata\":{}}],\"csaf_publishers\":[{\"metadata\":{\"url\":"
     "\"https://p.example/\"},\"mirrors\":[\"https://m.example/p.json\"]}]}",
     "CSAF aggregator \"All\" 1 (csaf_providers 1: it has no url)\nprovider https://a.example/m.json mirror "
     "https://m.example/a.json\nprovider https://m.example/p.json\n",
     0},
    {"an aggregator of a wrong type", "{\"aggregator\":{},\"csaf_providers\":1}", NULL, E_TYPE},
    {"a ROLIE feed",
     "{\"feed\":{\"title\":\"White\",\"entry\":[{\"id\":\"a\",\"updated\":\"2024-05-06T07:08:09.123Z\",\"content\":{"
     "\"src\":"
     "\"https://v.example/a.json\"},\"link\":[{\"rel\":\"hash\",\"href\":\"https://v.example/a.json.sha256\"},{\"rel\":"
     "\"hash\",\"href\":\"https://v.example/a.json.sha512\"},{\"rel\":\"signature\",\"href\":\"https://v.example/"
     "a.json.asc\"}]},{\"link\":[{\"rel\":\"self\",\"href\":\"https://v.example/b.json\"},{\"rel\":\"hash\",\"href\":"
     "\"https://v.example/b.json.sha256\"},1]},{\"id\":\"c\"}]}}",
     "ROLIE feed \"White\" 1 (feed.entry 2: it names no document)\ndocument https://v.example/a.json at "
     "2024-05-06T07:08:09Z hash https://v.example/a.json.sha512 signature https://v.example/a.json.asc\ndocument "
     "https://v.example/b.json hash https://v.example/b.json.sha256\n",
     0},
    {"an empty ROLIE feed", "{\"feed\":{}}", "ROLIE feed \"\" 0\n", 0},
    {"a ROLIE feed of a wrong type", "{\"feed\":{\"entry\":{}}}", NULL, E_TYPE},
    {"a feed that is none", "{\"feed\":1}", NULL, E_TYPE},
    {"changes.csv", "\"2024/a.json\",\"2024-01-02T03:04:05Z\"\r\n2023/b.json,2023-01-01T00:00:00+01:00\n\n\"c.json\"\n",
     "CSAF directory \"\" 1 (line 4: it has not the form of the others)\ndocument 2024/a.json at 2024-01-02T03:04:05Z\n"
     "document 2023/b.json at 2022-12-31T23:00:00Z\n",
     0},
    {"changes.csv with broken lines",
     "\"a.json,\"2024-01-02T03:04:05Z\"\nb.json,2024-01-02T03:04:05Z,c\n\"d.json\",\"2024-01-02T03:04:05Z", NULL,
     E_UNSUPPORTED},
    {"index.txt", "# all\n2024/a.json\n2023/b b.json\n2023/c.json",
     "CSAF directory without dates \"\" 1 (line 3: it has not the form of the others)\ndocument 2024/a.json\ndocument "
     "2023/c.json\n",
     0},
    {"modified_id.csv",
     "2024-08-15T00:05:00.123456Z,GO-2024-1\n2024-08-14T00:05:00Z,PyPI/PYSEC-1\n2024-08-14T00:05:00Z,a b\n",
     "OSV directory \"\" 1 (line 3: it has not the form of the others)\ndocument GO-2024-1.json at "
     "2024-08-15T00:05:00Z\n"
     "document PyPI/PYSEC-1.json at 2024-08-14T00:05:00Z\n",
     0},
    {"security.txt",
     "Contact: mailto:a@v.example\ncsaf: https://v.example/provider-metadata.json\nCSAF:http://v.example/x\n",
     "security.txt \"\" 0\nprovider https://v.example/provider-metadata.json\n", 0},
    {"security.txt without CSAF", "Contact: mailto:a@v.example\nExpires: 2030-01-01T00:00:00Z\n", NULL, E_UNSUPPORTED},
    {"known exploited vulnerabilities",
     "{\"title\":\"T\",\"catalogVersion\":\"2024.01.01\",\"count\":3,\"vulnerabilities\":[{\"cveID\":\"CVE-2021-"
     "44228\","
     "\"dateAdded\":\"2021-12-10\",\"dueDate\":\"2021-12-24\",\"knownRansomwareCampaignUse\":\"Known\"},{\"cveID\":"
     "\"CVE-2022-1\",\"dateAdded\":\"2022-01-01\",\"knownRansomwareCampaignUse\":\"Unknown\"},{\"cveID\":\"X-1\","
     "\"dateAdded\":"
     "\"2022-01-01\"},{\"cveID\":\"CVE-2022-2\",\"dateAdded\":\"01/02/2022\"}]}",
     "known exploited vulnerabilities \"2024.01.01\" 2 (vulnerabilities 2: cveID or dateAdded is missing)\nexploited "
     "CVE-2021-44228 2021-12-10T00:00:00Z due 2021-12-24T00:00:00Z ransomware\nexploited CVE-2022-1 "
     "2022-01-01T00:00:00Z\n",
     0},
    {"a catalogue of a wrong type", "{\"catalogVersion\":\"1\",\"vulnerabilities\":1}", NULL, E_TYPE},
    {"an advisory",
     "{\"id\":\"A-1\",\"modified\":\"2024-01-01T00:00:00Z\",\"affected\":[],\"schema_version\":\"1.6.0\"}",
     "advisory \"\" 0\n", 0},
    {"something else", "{\"a\":1}", NULL, E_UNSUPPORTED},
    {"a list", "[]", NULL, E_UNSUPPORTED},
    {"no JSON", "{\"feed\":", NULL, E_TRUNCATED},
    {"a page", "<html>\n<a href=\"a.json\">\n", NULL, E_UNSUPPORTED},
    {"nothing", "", NULL, E_UNSUPPORTED},
    {"other bytes", "PK\x03\x04\xff\xfe", NULL, E_UNSUPPORTED},
};

static void instant_write(struct buf *out, const char *word, int64_t instant)
{
    char at[21];
    time_format(instant, at);
    if (instant != LISTED_NEVER)
        buf_printf(out, " %s%s", word, at);
}

static void text_write(struct buf *out, const char *word, struct span text)
{
    if (text.len) {
        buf_text(out, word);
        buf_span(out, text);
    }
}

static void listing_write(struct buf *out, const struct listing *l)
{
    static const char *const whats[LISTED_WHATS] = {"document", "rolie", "directory", "provider"};
    buf_printf(out, "%s%s \"%.*s\" %zu", listing_names[l->kind], l->trusted ? " trusted" : "", (int)l->title.len,
               (const char *)l->title.data, l->problem_count);
    if (l->problem.len)
        buf_printf(out, " (%.*s)", (int)l->problem.len, (const char *)l->problem.data);
    buf_byte(out, '\n');
    for (size_t i = 0; i < l->count; i++) {
        buf_text(out, whats[l->items[i].what]);
        text_write(out, " ", l->items[i].url);
        instant_write(out, "at ", l->items[i].updated);
        text_write(out, " hash ", l->items[i].hash_url);
        text_write(out, " signature ", l->items[i].signature_url);
        text_write(out, " mirror ", l->items[i].mirror);
        buf_byte(out, '\n');
    }
    for (size_t i = 0; i < l->key_count; i++) {
        text_write(out, "key ", l->keys[i].url);
        buf_byte(out, ' ');
        buf_span(out, l->keys[i].fingerprint);
        buf_byte(out, '\n');
    }
    for (size_t i = 0; i < l->exploited_count; i++) {
        text_write(out, "exploited ", l->exploited[i].id);
        instant_write(out, "", l->exploited[i].added);
        instant_write(out, "due ", l->exploited[i].due);
        buf_text(out, l->exploited[i].ransomware ? " ransomware\n" : "\n");
    }
}

/* Through flat bytes and back, it is the same; and every shorter piece of them is refused. */
static void flat_check(const struct listing *listing, struct arena *arena)
{
    struct buf flat, again;
    struct listing back;
    buf_init(&flat, 1 << 20);
    buf_init(&again, 1 << 20);
    flat_put_listing(&flat, listing);
    CHECK_INT(flat_get_listing(&back, buf_view(&flat), arena), 0);
    flat_put_listing(&again, &back);
    CHECK(span_eq(buf_view(&flat), buf_view(&again)));
    for (size_t i = 0; i < flat.len; i++)
        CHECK(flat_get_listing(&back, span_of(flat.data, i), arena) != 0);
    buf_byte(&flat, 0);
    CHECK_INT(flat_get_listing(&back, buf_view(&flat), arena), E_TRAILING);
    buf_free(&flat);
    buf_free(&again);
}

static void test_cases(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct list_case *c = &cases[i];
        struct arena arena;
        struct listing listing;
        struct fault fault = {0};
        struct buf out;
        test(c->what);
        arena_init(&arena, 1 << 24);
        buf_init(&out, 1 << 16);
        int rc = listing_read(&listing, span_str(c->text), &arena, &fault);
        CHECK_INT(rc, c->code);
        CHECK(rc == fault.code);
        if (rc == 0) {
            listing_write(&out, &listing);
            CHECK(c->read && span_is(buf_view(&out), c->read));
            if (!c->read || !span_is(buf_view(&out), c->read))
                printf("# got: %.*s", (int)out.len, (const char *)out.data);
            flat_check(&listing, &arena);
        }
        buf_free(&out);
        arena_free(&arena);
    }
}

static void test_hash_files(void)
{
    static const char hex[] = "ea6a209dba30a958a78d82309d6cdcc6929fcb81673b3dc4d6b16fac18b6ff38";
    char text[300];
    uint8_t hash[64];
    test("hash files");
    (void)snprintf(text, sizeof text, "%s  a.json\n", hex);
    CHECK_INT(hash_file_read(span_str(text), hash), 32);
    CHECK(hash[0] == 0xea && hash[31] == 0x38);
    CHECK_INT(hash_file_read(span_str(hex), hash), 32);
    (void)snprintf(text, sizeof text, "%s%s", hex, hex);
    CHECK_INT(hash_file_read(span_str(text), hash), 64);
    text[0] = 'E';
    CHECK_INT(hash_file_read(span_str(text), hash), 64);
    CHECK(hash[0] == 0xea && hash[32] == 0xea);
    (void)snprintf(text, sizeof text, "%s%s0", hex, hex);
    CHECK_INT(hash_file_read(span_str(text), hash), 0);
    (void)snprintf(text, sizeof text, "%sx", hex);
    CHECK_INT(hash_file_read(span_str(text), hash), 0);
    CHECK_INT(hash_file_read(span_str("d41d8cd98f00b204e9800998ecf8427e  a.json"), hash), 0);
    CHECK_INT(hash_file_read(span_str(""), hash), 0);
    CHECK_INT(hash_file_read(span_of(hex, 63), hash), 0);
}

static void test_flat(void)
{
    struct arena arena;
    struct listing listing;
    struct buf flat;
    test("flat bytes of a list that lie are refused");
    arena_init(&arena, 1 << 24);
    buf_init(&flat, 1 << 16);
    const struct listing empty = {.kind = LISTING_ROLIE};
    flat_put_listing(&flat, &empty);
    flat.data[0] = LISTING_KINDS;
    CHECK_INT(flat_get_listing(&listing, buf_view(&flat), &arena), E_TYPE);
    flat.data[0] = 0;
    flat.data[1] = 2;
    CHECK_INT(flat_get_listing(&listing, buf_view(&flat), &arena), E_TYPE);
    flat.data[1] = 0;
    flat.data[14] = 0xff; /* a count without its items */
    CHECK_INT(flat_get_listing(&listing, buf_view(&flat), &arena), E_LIMIT);
    buf_free(&flat);
    arena_free(&arena);
}

int main(void)
{
    test_cases();
    test_hash_files();
    test_flat();
    return test_end();
}
