/* Making a party's keys: each call failing in turn, and the power lost afterwards. When it says that they are made, they open and are
   the same, on whatever the disk kept; when it fails it says so, and nothing has been signed by them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "signer/signer.h"
#include "tests/faults/driver.h"
#include "tests/test.h"

enum { CALLS_LISTED_MAX = 256 };
static const struct span passphrase = {(const uint8_t *)"correct horse", 13};

static int make(struct driver *driver, struct public_key pub[static KEY_COUNT])
{
    uint8_t recovery[32];
    interpose_enter();
    int rc = keys_create(driver->folder, passphrase, pub, recovery, NULL);
    interpose_leave();
    return rc;
}

static bool opens(struct driver *driver, const struct public_key pub[static KEY_COUNT])
{
    struct keyring *ring = NULL;
    if (keyring_open(&ring, driver->folder, passphrase, NULL) != 0)
        return false;
    bool same = true;
    for (int role = 0; role < KEY_COUNT; role++)
        same = same && (role == KEY_RECOVERY || memcmp(keyring_public(ring, (enum key_role)role), &pub[role], 32) == 0);
    keyring_free(ring);
    return same;
}

static void lose_power(struct driver *driver)
{
    struct public_key pub[KEY_COUNT];
    unsigned tried = 0;
    folder_empty(driver->folder);
    interpose_record(SIZE_MAX);
    CHECK_INT(make(driver, pub), 0);
    interpose_stop();
    struct trace trace = interpose_trace();
    CHECK(trace.count > 2 * (KEY_COUNT - 1));
    for (int loss = 0; loss < LOSS_COUNT; loss++)
        for (uint64_t seed = 1; seed <= 3; seed++) {
            image_make(driver->folder, trace, (enum loss)loss, seed);
            CHECK(opens(driver, pub));
            tried++;
        }
    printf("# keys: %u disks after a power loss\n", tried);
}

static void fail_each(struct driver *driver)
{
    static const struct {
        enum failing how;
        int error;
    } ways[] = {{FAIL_ERRNO, EIO}, {FAIL_ERRNO, ENOSPC}, {FAIL_ERRNO, EINTR}, {FAIL_SHORT, 0}};
    static struct interposed_call calls[CALLS_LISTED_MAX];
    struct public_key pub[KEY_COUNT];
    unsigned tried = 0, failed = 0;
    folder_empty(driver->folder);
    interpose_list(false, calls, CALLS_LISTED_MAX);
    CHECK_INT(make(driver, pub), 0);
    size_t count = interpose_count();
    CHECK(count > 2 * (KEY_COUNT - 1));
    for (size_t n = driver->seed % 2; n < count; n += driver->all ? 1 : 2) {
        size_t way = n / 2 % (sizeof ways / sizeof ways[0]);
        for (size_t w = driver->all ? 0 : way; w <= (driver->all ? sizeof ways / sizeof ways[0] - 1 : way); w++) {
            folder_empty(driver->folder);
            interpose_fail(false, n, ways[w].how, ways[w].error);
            int rc = make(driver, pub);
            interpose_stop();
            CHECK(rc == 0 ? opens(driver, pub) : rc == E_IO || rc == E_FULL);
            if (rc && (driver->all || failed % 4 == 0)) /* and the next try is not in its own way */
                CHECK(make(driver, pub) == 0 && opens(driver, pub));
            tried++;
            failed += rc != 0;
        }
    }
    printf("# keys: %u calls failed in turn, %u times no keys were made\n", tried, failed);
    CHECK(failed > 0);
}

int pass_keys(struct driver *driver)
{
    test("keys that were made open after a power loss");
    lose_power(driver);
    test("keys are made, or an error says that they are not");
    fail_each(driver);
    return test_end();
}
