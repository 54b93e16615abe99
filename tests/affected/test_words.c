/* Which texts of vendors, products and models fold to one key, and which do not. */
#include "affected/words.h"

#include <stdio.h>

#include "tests/test.h"

struct side {
    const char *vendor, *product, *models;
};

static void pairs(void)
{
    static const struct {
        struct side a, b;
        unsigned weight; /* 0: they do not meet */
    } rows[] = {
        /* companies, case, punctuation */
        {{"Siemens", "SIMATIC S7-1500", ""}, {"Siemens AG", "Simatic S7 1500", ""}, 120},
        {{"Acme", "CC-Link", ""}, {"ACME, Inc.", "CCLink", ""}, 120},
        {{"Acme GmbH & Co. KG", "Valve", ""}, {"acme", "VALVE", ""}, 120},
        {{"Acme S.p.A.", "Valve", ""}, {"Acme", "Valve", ""}, 120},
        {{"Acme A/S", "Valve", ""}, {"Acme Corporation", "Valve", ""}, 120},
        {{"Acme (formerly Volt)", "Valve", ""}, {"Acme", "Valve", ""}, 120},
        {{"Co.", "Valve", ""}, {"Co", "Valve", ""}, 120}, /* all of a name is not dropped */
        {{"Acme Electric", "Valve", ""}, {"Acme", "Valve", ""}, 0},
        {{"Acme", "Valve", ""}, {"Volt", "Valve", ""}, 0},
        {{"Acme", "Valve", ""}, {"Acme", "Pump", ""}, 0},
        {{"Acme", "Valve 7", ""}, {"Acme", "Valve 70", ""}, 0},
        /* the vendor's name once more */
        {{"Acme", "Acme Valve 7", ""}, {"Acme Ltd.", "Valve 7", ""}, 120},
        {{"", "Acme Valve 7", ""}, {"Acme", "Valve 7", ""}, 120},
        {{"Acme", "Acme", ""}, {"Acme", "Acme", ""}, 120},
        /* remarks and empty words */
        {{"Acme", "Valve 7 (all variants)", ""}, {"Acme", "Valve 7", ""}, 110},
        {{"Acme", "Valve 7 firmware", ""}, {"Acme", "Valve 7 family V5.X", ""}, 100},
        {{"Acme", "Firmware", ""}, {"Acme", "Firmware", ""}, 120},
        {{"Acme", "Valve V5", ""}, {"Acme", "Valve", ""}, 110},
        /* model numbers */
        {{"Siemens", "CPU 1511-1 PN (6ES7511-1AK00-0AB0)", ""}, {"Siemens", "Controller", "6ES7 511-1AK00-0AB0"}, 100},
        {{"Acme", "Valve AB-123456", ""}, {"Acme", "Armature AB-123456, brass", ""}, 80},
        {{"Acme", "Valve", "AB-1\nAB-22"}, {"Acme", "Armature", "AB22"}, 120},
        {{"Acme", "Valve", "AB-1\nAB-22"}, {"Volt", "Armature", "AB22"}, 0},
        {{"Acme", "Valve", "AB2"}, {"Acme", "Armature", "AB2"}, 0},           /* too short */
        {{"Acme", "Valve", "ABCDEFGH"}, {"Acme", "Armature", "ABCDEFGH"}, 0}, /* no digit */
        {{"Acme", "Valve", "AB-12??"}, {"Acme", "Armature", "AB-12??"}, 0},   /* left open */
        {{"Acme", "Valve S7-1500", ""}, {"Acme", "Armature S7-1500", ""}, 0}, /* too short for a word of a name */
        {{"", "Valve AB-123456", ""}, {"", "Armature AB-123456", ""}, 0},     /* nobody's */
        /* nothing */
        {{"Acme", "", ""}, {"Acme", "", ""}, 0},
        {{"", "", ""}, {"", "", ""}, 0},
        {{"Acme", "---", ""}, {"Acme", "???", ""}, 0},
    };
    test("texts that mean one product propose it, and others do not");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static struct keys a, b;
        enum way x, y;
        text_keys(span_str(rows[i].a.vendor), span_str(rows[i].a.product), span_str(rows[i].a.models), &a);
        text_keys(span_str(rows[i].b.vendor), span_str(rows[i].b.product), span_str(rows[i].b.models), &b);
        unsigned weight = keys_meet(&a, &b, &x, &y);
        if (weight != rows[i].weight)
            printf("# row %zu: %s\n", i, rows[i].a.product);
        CHECK_INT(weight, rows[i].weight);
        CHECK_INT(keys_meet(&b, &a, &x, &y), rows[i].weight);
    }
}

static void limits(void)
{
    static struct keys keys;
    static char many[20000];
    uint8_t key[KEY_BYTES_MAX];
    size_t n = 0;
    test("however much is written, keys are few and short");
    for (int i = 0; i < 1000; i++)
        n += (size_t)snprintf(many + n, sizeof many - n, "AB-%d34567\n", i);
    text_keys(span_str("Acme"), span_str(many), span_str(many), &keys);
    CHECK(keys.count <= KEYS_MAX && keys.used <= sizeof keys.bytes && keys.count > KEYS_MAX / 2);
    for (size_t i = 0; i < keys.count; i++)
        CHECK(keys.list[i].len <= KEY_BYTES_MAX && keys.list[i].len > 1 && keys.list[i].data[0] < ' ');
    CHECK_INT(product_key(span_str(many), span_str(many), key).len <= KEY_BYTES_MAX, 1);
}

static void names(void)
{
    static struct keys a, b;
    enum way x, y;
    test("CPE names find each other by vendor and product, however they are bound");
    cpe_keys(span_str("cpe:2.3:a:Acme:val\\!ve:1.0:*:*:*:*:*:*:*"), &a);
    cpe_keys(span_str("cpe:/a:acme:val%21ve"), &b);
    CHECK(a.count == 1 && keys_meet(&a, &b, &x, &y));
    cpe_keys(span_str("cpe:/a:acme:pump"), &b);
    CHECK(!keys_meet(&a, &b, &x, &y));
    static const char *const none[] = {"cpe:/a:acme",
                                       "cpe:2.3:a:acme:*:*:*:*:*:*:*:*:*",
                                       "cpe:2.3:a:acme:-:*:*:*:*:*:*:*:*",
                                       "cpe:2.3:a:acme:val?:*",
                                       "cpe:2.3:a:acme:\\",
                                       "no name",
                                       ""};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        cpe_keys(span_str(none[i]), &b);
        CHECK_INT(b.count, 0);
    }
}

int main(void)
{
    pairs();
    limits();
    names();
    return test_end();
}
