/* A C2SP tlog-policy for whoever verifies with other software than ours. */
#include "base/text.h"
#include "circle/roster.h"

static void comments_write(struct buf *out, const struct roster *roster, const struct party *writer, struct quorum q)
{
    buf_text(out, "# circle ");
    text_show(out, span_str(roster->circle_name)); /* a name that ended the comment could add a line to the policy */
    buf_printf(out, ", epoch %u, log of %s: %u of %u mirrors; %u may lie or fail\n", roster->epoch, writer->card.name,
               q.k, q.m, q.f);
    if (roster->jurisdictions_min)
        buf_printf(out, "# necessary, not sufficient: the charter also wants %u jurisdictions among them\n",
                   roster->jurisdictions_min);
}

/* Witnesses go by their note key names: those hold a "/", so that none is called "none" or like the group. */
int policy_write(struct buf *out, const struct roster *roster, const struct party *writer)
{
    struct quorum q = quorum_for(roster, writer);
    struct buf group;
    if (!q.m)
        return E_QUORUM;
    buf_init(&group, COMMITTEE_MAX * (MIRROR_NAME_BYTES + 1) + 32);
    comments_write(out, roster, writer, q);
    buf_text(out, "log ");
    note_vkey_write(out, span_str(writer->origin), NOTE_ED25519, &writer->card.keys[KEY_LOG]);
    buf_printf(out, " %s\n", writer->card.url);
    buf_printf(&group, "group q %u", q.k);
    for (size_t i = 0; i < roster->count; i++) {
        const struct party *mirror = &roster->parties[i];
        char name[MIRROR_NAME_BYTES];
        if (!mirror->committee || mirror == writer)
            continue;
        mirror_name(name, mirror);
        buf_printf(out, "witness %s ", name);
        note_vkey_write(out, span_str(name), NOTE_COSIGNATURE, &mirror->card.keys[KEY_MIRROR]);
        buf_printf(out, " %s/mirror\n", mirror->card.url);
        buf_printf(&group, " %s", name);
    }
    buf_span(out, buf_view(&group));
    buf_text(out, "\nquorum q\n");
    int rc = group.error ? group.error : out->error;
    buf_free(&group);
    return rc;
}
