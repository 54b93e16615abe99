/* A leaving statement is the last that a signer signs for its log, whatever the node asks afterwards, crashes between included. */
#include "common.h"

static struct signer *signer_at(int fd)
{
    struct signer *signer = NULL;
    struct signer_config config = config_for(fd);
    CHECK_INT(signer_local_open(&signer, &config, NULL), 0);
    if (!signer)
        exit(1);
    return signer;
}

static int state_one(struct signer *signer, const char *media, struct hash *leaf)
{
    struct sign_statement request = statement_of(media, now);
    struct signed_statement made;
    now++; /* so that no two statements are equal */
    int rc = signer->ops->statements(signer, &request, 1, &made);
    if (rc == 0)
        tree_leaf(span_of(made.bytes, made.len), leaf);
    return rc;
}

static int append(struct signer *signer, uint64_t old_size, const struct hash *leaves, size_t count)
{
    struct buf note;
    buf_init(&note, NOTE_BYTES_MAX);
    int rc = signer->ops->checkpoint(signer, old_size, leaves, count, &note);
    buf_free(&note);
    return rc;
}

static void test_order(void)
{
    struct signer *signer = signer_at(-1);
    struct hash leaves[3], leave, other;
    struct sign_statement two[2] = {statement_of("application/osv+json", now), statement_of(MEDIA_LEAVE, now)};
    struct signed_statement made[2];
    test("the leaving statement is signed alone, and after it nothing but another try");
    CHECK_INT(signer->ops->statements(signer, two, 2, made), E_REFUSED);
    CHECK_INT(state_one(signer, "application/osv+json", &leaves[0]), 0);
    CHECK_INT(append(signer, 0, leaves, 1), 0);
    CHECK_INT(state_one(signer, "application/osv+json", &leaves[1]), 0); /* signed before, appended beside it */
    CHECK_INT(state_one(signer, MEDIA_LEAVE, &other), 0);
    CHECK_INT(state_one(signer, "application/osv+json", &leaves[2]), E_LEFT);
    CHECK_INT(state_one(signer, MEDIA_LEAVE, &leave), 0);
    test("in the tree it is the last leaf");
    leaves[2] = leaf_of(7);
    const struct hash behind[3] = {leaves[1], leave, leaves[2]};
    CHECK_INT(append(signer, 1, behind, 3), E_LEFT);
    CHECK_INT(append(signer, 1, behind, 2), 0);
    CHECK_INT(append(signer, 3, &leaves[2], 1), E_LEFT);
    CHECK_INT(append(signer, 3, &leave, 1), E_LEFT);
    test("afterwards it signs its last checkpoint again, but no statement, a leaving one included");
    CHECK_INT(append(signer, 3, NULL, 0), 0);
    CHECK_INT(state_one(signer, "application/osv+json", &other), E_LEFT);
    CHECK_INT(state_one(signer, MEDIA_LEAVE, &other), E_LEFT);
    signer->ops->close(signer);
}

static void test_restart(void)
{
    struct signer *signer = signer_at(state_fd(O_TRUNC));
    struct hash leaves[2], leave;
    test("a new start between signing, appending and the rest forgets nothing");
    CHECK_INT(state_one(signer, "application/osv+json", &leaves[0]), 0);
    CHECK_INT(append(signer, 0, leaves, 1), 0);
    CHECK_INT(state_one(signer, MEDIA_LEAVE, &leave), 0);
    signer->ops->close(signer);
    signer = signer_at(state_fd(0));
    CHECK_INT(state_one(signer, "application/osv+json", &leaves[1]), E_LEFT);
    CHECK_INT(append(signer, 1, &leave, 1), 0);
    signer->ops->close(signer);
    signer = signer_at(state_fd(0));
    leaves[1] = leaf_of(9);
    CHECK_INT(append(signer, 2, &leaves[1], 1), E_LEFT);
    CHECK_INT(state_one(signer, MEDIA_LEAVE, &leave), E_LEFT);
    CHECK_INT(append(signer, 2, NULL, 0), 0);
    signer->ops->close(signer);
}

static void test_closed(void)
{
    struct signer *signer = signer_at(-1);
    struct hash leaf = leaf_of(0), other;
    test("a signer that did not see it is told, and forgets it no more");
    CHECK_INT(signer->ops->close_log(signer, &leaf), E_STATE); /* there is no log yet */
    CHECK_INT(append(signer, 0, &leaf, 1), 0);
    CHECK_INT(signer->ops->close_log(signer, &leaf), 0);
    CHECK_INT(signer->ops->close_log(signer, &leaf), 0);
    CHECK_INT(state_one(signer, "application/osv+json", &other), E_LEFT);
    CHECK_INT(append(signer, 1, &leaf, 1), E_LEFT);
    CHECK_INT(append(signer, 1, NULL, 0), 0);
    test("what it cosigns as a mirror has nothing to do with it");
    struct sign_cosignature request = cosign_of(CIRCLE_PREFIX "bravo", 0, 5);
    struct cosigned cosigned;
    CHECK_INT(signer->ops->cosign(signer, KEY_MIRROR, &request, &cosigned), 0);
    signer->ops->close(signer);
}

int main(void)
{
    struct public_key pub[KEY_COUNT];
    uint8_t recovery[32];
    folder_make(pub, recovery);
    test_order();
    test_restart();
    test_closed();
    folder_drop();
    return test_end();
}
