/* A hijacked node: whatever is asked over the signer's own line, in whatever order, there is never a second tree of one log, nor a word
   that needs a person. */
#include <sys/socket.h>
#include <sys/wait.h>

#include "common.h"
#include "record/checkpoint.h"
#include "signer/wire.h"

enum { SIZES_MAX = 4096, ROUNDS = 1500 };
static struct public_key pub[KEY_COUNT];
static struct hash roots[2][SIZES_MAX]; /* what was signed: of the own log, and of another's as its mirror */
static bool seen[2][SIZES_MAX];
static uint64_t newest[2];
static uint64_t dice = 0x9e3779b97f4a7c15;

static unsigned roll(unsigned sides)
{
    dice = dice * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(dice >> 33) % sides;
}

/* One root a size, for ever; and, by the leaves that we know, each a prefix of the next (checked at the end). */
static void signed_note(int which, uint64_t size, const struct hash *root)
{
    CHECK(size < SIZES_MAX);
    if (size >= SIZES_MAX)
        return;
    CHECK(!seen[which][size] || hash_eq(&roots[which][size], root));
    CHECK(size >= newest[which]); /* it never goes back */
    roots[which][size] = *root;
    seen[which][size] = true;
    newest[which] = size;
}

/* Leaves that are honest, of another tree, or old ones again; at the right place, or a wrong one. */
static void ask_checkpoint(struct signer *signer)
{
    struct hash leaves[4];
    struct checkpoint checkpoint;
    struct note parsed;
    struct buf note;
    size_t count = roll(4);
    uint64_t at = roll(3) ? newest[0] : roll(40);
    buf_init(&note, NOTE_BYTES_MAX);
    for (size_t i = 0; i < count; i++)
        leaves[i] = leaf_of((unsigned)at + (unsigned)i + (roll(2) ? 0 : 100000 + roll(1000)));
    int rc = signer->ops->checkpoint(signer, at, leaves, count, &note);
    CHECK(rc == 0 || rc == E_BACKWARDS);
    if (rc == 0) {
        CHECK_INT(checkpoint_parse(&checkpoint, &parsed, buf_view(&note), NULL), 0);
        CHECK_INT(note_verify(&parsed, span_str(CIRCLE_PREFIX "alpha"), &pub[KEY_LOG]), 0);
        signed_note(0, checkpoint.size, &checkpoint.root);
    }
    buf_free(&note);
}

static void ask_cosign(struct signer *signer)
{
    struct sign_cosignature request = cosign_of(CIRCLE_PREFIX "beta", newest[1], newest[1] + roll(3));
    struct cosigned made;
    switch (roll(6)) {
    case 0:
        request.root.b[roll(32)] ^= 1;
        break;
    case 1:
        request.size = roll(50);
        break;
    case 2:
        if (request.proof_count)
            request.proof[roll(request.proof_count)].b[3] ^= 4;
        break;
    case 3:
        request.proof_count = roll(2) ? UINT32_MAX : roll(PROOF_HASHES_MAX + 2);
        break;
    default:
        break;
    }
    if (signer->ops->cosign(signer, KEY_MIRROR, &request, &made) == 0)
        signed_note(1, request.size, &request.root);
}

static void ask_move(struct signer *signer)
{
    struct hash leaf = leaf_of(roll(100000));
    struct signature signature;
    memset(&signature, roll(256), sizeof signature);
    (void)signer->ops->feed(signer, newest[0], &leaf, 1);
    CHECK(signer->ops->advance(signer, newest[0] + 1, &leaf, &signature) != 0);
}

static void one_tree(void)
{
    int pid, status;
    char degraded[128];
    struct signer_config config = config_for(-1);
    struct signer *signer = NULL;
    test("1,500 requests as they come: never two roots of one size, never back, in the own log and in another's");
    CHECK_INT(spawn_one(&signer, &config, &pid, degraded), 0);
    for (int i = 0; i < ROUNDS && signer; i++) {
        unsigned what = roll(8);
        (what < 4 ? ask_checkpoint : what < 7 ? ask_cosign : ask_move)(signer);
    }
    CHECK(newest[0] > 100 && newest[1] > 100);
    for (uint64_t size = 1; size < SIZES_MAX; size++) {
        struct hash root = root_of(size);
        CHECK(!seen[1][size] || hash_eq(&roots[1][size], &root)); /* of another's log: the honest tree alone */
    }
    signer->ops->close(signer);
    CHECK_INT(waitpid(pid, &status, 0), pid);
}

static void persons(void)
{
    static const char *const refused[] = {
        "application/vnd.comity.ballot+json",     "Application/VND.Comity.Ballot+JSON",
        "application/vnd.comity.ballot",          "application/vnd.comity.ballot+json;version=2",
        "application/vnd.comity.production+json", "application/vnd.comity.roster+json",
        "application/vnd.comity.emergency+json",  "application/vnd.comity.key-change+json"};
    int pid, status;
    char degraded[128];
    struct signer_config config = config_for(-1);
    struct signer *signer = NULL;
    test("what needs a person is refused by the signer itself");
    CHECK_INT(spawn_one(&signer, &config, &pid, degraded), 0);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0] && signer; i++) {
        struct sign_statement batch[2] = {statement_of("application/csaf+json", now), statement_of(refused[i], now)};
        struct signed_statement made[2] = {0};
        CHECK_INT(signer->ops->statements(signer, batch, 2, made), E_REFUSED);
        CHECK(made[0].len == 0); /* nor what came with it */
    }
    signer->ops->close(signer);
    CHECK_INT(waitpid(pid, &status, 0), pid);
}

/* A request of no known type, or of a size that is not its own: the signer ends and signs nothing. */
static void unknown(void)
{
    static const struct ask rows[] = {{.type = 0},
                                      {.type = ASK_TYPES},
                                      {.type = UINT32_MAX},
                                      {.type = ASK_STATEMENTS, .count = BATCH_STATEMENTS_MAX + 1},
                                      {.type = ASK_COSIGN, .count = 2},
                                      {.type = ASK_ADVANCE, .count = 7}};
    test("a request of no known shape: no answer, and the end of that signer");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct signer_config config = config_for(-1);
        struct signer_process process;
        char degraded[128], byte;
        int fd, status;
        CHECK_INT(signer_spawn(&process, &config, degraded, NULL), 0);
        CHECK_INT(signer_connect(&process, &fd), 0);
        CHECK(send_all(fd, &rows[i], sizeof rows[i]));
        CHECK(read(fd, &byte, 1) <= 0);
        CHECK_INT(waitpid(process.pid, &status, 0), process.pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        (void)close(fd);
        (void)close(process.control);
    }
}

int main(void)
{
    uint8_t recovery[32];
    folder_make(pub, recovery);
    one_tree();
    persons();
    unknown();
    folder_drop();
    return test_end();
}
