/* The signer's rules: what it signs, in which words, and what it refuses. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/mutant.h"
#include "base/text.h"
#include "circle/member.h"
#include "signer/state.h"

struct local_signer {
    struct signer base;
    struct signer_config config;
    struct signer_state *state;
    struct frontier pending; /* of a move after a restore */
    char origin[ORIGIN_BYTES_MAX], circle_prefix[ORIGIN_BYTES_MAX];
    struct hash kid_statement, kid_mirror;
};

enum { CLOCK_SKEW_MAX = 86400 };

/* What needs a person's own signature is not among these requests: a hijacked node gets nothing by asking. */
static const char *const media_refused[] = {"application/vnd.comity.ballot", "application/vnd.comity.production",
                                            "application/vnd.comity.roster", "application/vnd.comity.emergency",
                                            "application/vnd.comity.key-change"};

static int request_check(const struct local_signer *s, const struct sign_statement *request)
{
    int64_t now = s->config.clock(s->config.clock_ctx);
    if (!memchr(request->media, 0, sizeof request->media) || !memchr(request->subject, 0, sizeof request->subject) ||
        request->answer_count > STATEMENT_ANSWERS_MAX)
        return E_LIMIT;
    for (size_t i = 0; i < sizeof media_refused / sizeof media_refused[0]; i++)
        if (strncasecmp(request->media, media_refused[i], strlen(media_refused[i])) == 0 && !MUTANT(SIGNER_BALLOT))
            return E_REFUSED;
    return request->issued_at > now + CLOCK_SKEW_MAX || request->issued_at < now - CLOCK_SKEW_MAX ? E_REFUSED : 0;
}

static int statement_sign(const struct local_signer *s, const struct sign_statement *request,
                          struct signed_statement *out)
{
    struct statement fields = {.document = request->document,
                               .kid = s->kid_statement,
                               .circle = s->config.circle,
                               .issuer = span_str(s->config.party),
                               .subject = span_str(request->subject),
                               .media = span_str(request->media),
                               .issued_at = request->issued_at,
                               .answer_count = request->answer_count};
    struct buf bytes;
    memcpy(fields.answers, request->answers, sizeof fields.answers);
    buf_init(&bytes, STATEMENT_BYTES_MAX);
    int rc = statement_compose(&bytes, &fields, keyring_secret(s->config.keys, KEY_STATEMENT));
    if (rc == 0) {
        out->len = (uint32_t)bytes.len;
        memcpy(out->bytes, bytes.data, bytes.len);
    }
    buf_free(&bytes);
    return rc;
}

static int op_statements(struct signer *signer, const struct sign_statement *requests, size_t count,
                         struct signed_statement *out)
{
    const struct local_signer *s = (const struct local_signer *)signer;
    struct span origin = span_str(s->origin);
    int rc = count > BATCH_STATEMENTS_MAX ? E_LIMIT : 0;
    for (size_t i = 0; i < count && rc == 0; i++) /* all or none */
        rc = request_check(s, &requests[i]);
    rc = rc ? rc : leave_asked(s->state, origin, requests, count);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = statement_sign(s, &requests[i], &out[i]);
    if (rc == 0 && count == 1 && strcmp(requests[0].media, MEDIA_LEAVE) == 0)
        rc = leave_signed(s->state, origin, &out[0]); /* remembered before anybody has it */
    return rc;
}

static int note_make(const struct local_signer *s, const struct signer_record *record, struct buf *note)
{
    struct signature signature;
    buf_reset(note);
    checkpoint_write_text(note, span_str(s->origin), record->size, &record->root);
    if (note->error)
        return note->error;
    sign(keyring_secret(s->config.keys, KEY_LOG), buf_view(note), &signature);
    buf_byte(note, '\n');
    note_signature_write(note, span_str(s->origin), keyring_public(s->config.keys, KEY_LOG), &signature);
    return note->error;
}

/* A copy of the own log's record, blank before its first entry. */
static void own_record(const struct local_signer *s, struct signer_record *out)
{
    const struct signer_record *record = state_find(s->state, KEY_LOG, span_str(s->origin));
    if (record)
        *out = *record;
    else
        state_blank(out, KEY_LOG, span_str(s->origin));
}

static int settle(struct local_signer *s)
{
    return start_settle(s->state, span_str(s->origin), s->config.clock(s->config.clock_ctx));
}

/* Saved before it is signed: after a crash it can only be ahead of what others have seen, never behind. */
static int op_checkpoint(struct signer *signer, uint64_t old_size, const struct hash *leaves, size_t count,
                         struct buf *note)
{
    struct local_signer *s = (struct local_signer *)signer;
    struct signer_record record;
    int rc = 0;
    if (count > BATCH_STATEMENTS_MAX)
        return E_LIMIT;
    own_record(s, &record);
    if (record.size != old_size)
        return E_BACKWARDS;
    if (count) {
        for (size_t i = 0; i < count; i++)
            frontier_append(&record.frontier, &leaves[i]);
        record.size = record.frontier.size;
        frontier_root(&record.frontier, &record.root);
        record.timestamp = s->config.clock(s->config.clock_ctx);
        rc = leave_append(s->state, span_str(s->origin), old_size, leaves, count);
        rc = rc ? rc : state_save(s->state, &record);
        s->pending = (struct frontier){0}; /* what was fed went on from another tree */
    }
    rc = rc ? rc : settle(s);
    return rc ? rc : note_make(s, &record, note);
}

static int op_feed(struct signer *signer, uint64_t from, const struct hash *leaves, size_t count)
{
    struct local_signer *s = (struct local_signer *)signer;
    struct signer_record record;
    if (count > FEED_LEAVES_MAX)
        return E_LIMIT;
    own_record(s, &record);
    if (from == record.size)
        s->pending = record.frontier;
    if (from != s->pending.size)
        return E_BACKWARDS;
    for (size_t i = 0; i < count; i++)
        frontier_append(&s->pending, &leaves[i]);
    return 0;
}

static int op_advance(struct signer *signer, uint64_t size, const struct hash *root, const struct signature *signature)
{
    struct local_signer *s = (struct local_signer *)signer;
    struct signer_record record;
    struct buf text;
    own_record(s, &record);
    if (s->pending.size < record.size)
        return E_BACKWARDS;
    record.frontier = s->pending;
    record.size = record.frontier.size;
    frontier_root(&record.frontier, &record.root);
    buf_init(&text, 1024);
    checkpoint_write_text(&text, span_str(s->origin), size, root);
    bool ours = !text.error && sign_verify(keyring_public(s->config.keys, KEY_LOG), buf_view(&text), signature);
    buf_free(&text);
    if (!ours)
        return E_SIGNATURE;
    if (record.size != size || !hash_eq(&record.root, root))
        return E_PROOF;
    record.timestamp = s->config.clock(s->config.clock_ctx);
    return state_save(s->state, &record);
}

/* A newline in an origin would let the node compose a checkpoint of its own inside the text that is signed. */
static bool origin_valid(const char origin[static ORIGIN_BYTES_MAX])
{
    const char *end = memchr(origin, 0, ORIGIN_BYTES_MAX);
    struct span text = span_of(origin, end ? (size_t)(end - origin) : 0);
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    return text.len && utf8_valid(text);
}

static int consistency_check(const struct signer_record *record, const struct sign_cosignature *request)
{
    struct hash empty;
    tree_empty(&empty);
    if (request->proof_count > PROOF_HASHES_MAX || request->size > INT64_MAX)
        return E_LIMIT;
    if (request->size < record->size)
        return MUTANT(SIGNER_SMALLER) ? 0 : E_BACKWARDS;
    if (request->size == 0)
        return hash_eq(&request->root, &empty) && !request->proof_count ? 0 : E_PROOF;
    if (request->size == record->size && !hash_eq(&request->root, &record->root))
        return MUTANT(SIGNER_SECOND_ROOT) ? 0 : E_TWO_FACES;
    return tree_verify_consistency(record->size, &record->root, request->size, &request->root, request->proof,
                                   request->proof_count);
}

static int cosigned_make(const struct local_signer *s, enum key_role role, const struct signer_record *record,
                         struct cosigned *out)
{
    struct buf text, message, header;
    char name[ORIGIN_BYTES_MAX + 8];
    const struct secret_key *secret = keyring_secret(s->config.keys, role);
    buf_init(&text, 1024);
    buf_init(&message, 4096);
    buf_init(&header, 4096);
    out->timestamp = record->timestamp;
    checkpoint_write_text(&text, span_str(record->origin), record->size, &record->root);
    note_cosigned_message(&message, record->timestamp, buf_view(&text));
    sign(secret, buf_view(&message), &out->signature);
    memset(&out->cose, 0, sizeof out->cose);
    if (role == KEY_MIRROR) {
        (void)snprintf(name, sizeof name, "%s/mirror", s->origin);
        cose_receipt_protected(&header, &s->kid_mirror, span_str(name), span_str(record->origin), record->size);
        buf_reset(&message);
        cose_to_be_signed(&message, buf_view(&header), span_hash(&record->root));
        sign(secret, buf_view(&message), &out->cose);
    }
    int rc = text.error ? text.error : message.error ? message.error : header.error;
    buf_free(&text);
    buf_free(&message);
    buf_free(&header);
    return rc;
}

static int op_cosign(struct signer *signer, enum key_role role, const struct sign_cosignature *request,
                     struct cosigned *out)
{
    struct local_signer *s = (struct local_signer *)signer;
    if ((role != KEY_MIRROR && role != KEY_WITNESS) || !origin_valid(request->origin))
        return E_SYNTAX;
    bool ours = strncmp(request->origin, s->circle_prefix, strlen(s->circle_prefix)) == 0;
    if (ours != (role == KEY_MIRROR) || strcmp(request->origin, s->origin) == 0)
        return E_REFUSED; /* a mirror's word is for the circle's logs, a witness's for others; none for the own log */
    const struct signer_record *old = state_find(s->state, role, span_str(request->origin));
    struct signer_record record;
    state_blank(&record, role, span_str(request->origin));
    record = old ? *old : record;
    int rc = consistency_check(&record, request);
    if (rc)
        return rc;
    int64_t now = s->config.clock(s->config.clock_ctx);
    record.size = request->size;
    record.root = request->root;
    record.timestamp = now > record.timestamp || MUTANT(SIGNER_CLOCK_BACK) ? now : record.timestamp;
    rc = state_save(s->state, &record);
    rc = rc || role != KEY_MIRROR ? rc : settle(s);
    return rc ? rc : cosigned_make(s, role, &record, out);
}

static int op_close_log(struct signer *signer, const struct hash *leaf)
{
    const struct local_signer *s = (const struct local_signer *)signer;
    return leave_close(s->state, span_str(s->origin), leaf);
}

static int op_position(struct signer *signer, enum key_role role, struct span origin, struct signer_position *out)
{
    const struct local_signer *s = (const struct local_signer *)signer;
    const struct signer_record *record = state_find(s->state, role, origin);
    if (!record)
        return E_NOTFOUND;
    *out = (struct signer_position){.size = record->size, .root = record->root};
    return 0;
}

static int op_http_sign(struct signer *signer, const char *method, const char *authority, const char *path,
                        struct buf *signature_input, struct buf *signature)
{
    const struct local_signer *s = (const struct local_signer *)signer;
    struct member_input input;
    struct signature made;
    struct buf base, value;
    int rc = member_request_check(span_str(method), span_str(authority), span_str(path));
    if (rc)
        return rc;
    buf_init(&base, MEMBER_BASE_BYTES_MAX);
    buf_init(&value, MEMBER_INPUT_BYTES_MAX);
    member_input_write(&value, s->config.clock(s->config.clock_ctx), &s->kid_statement);
    rc = value.error ? value.error
                     : member_input_parse(&input, buf_view(&value)); /* what we would not accept we do not say */
    if (rc == 0)
        member_base_write(&base, span_str(authority), span_str(path), input.params);
    rc = rc ? rc : base.error;
    if (rc == 0) {
        sign(keyring_secret(s->config.keys, KEY_STATEMENT), buf_view(&base), &made);
        buf_span(signature_input, buf_view(&value));
        member_signature_write(signature, &made);
        rc = signature_input->error ? signature_input->error : signature->error;
    }
    buf_free(&base);
    buf_free(&value);
    return rc;
}

static int op_storage_key(struct signer *signer, const struct hash *salt, struct storage_key *out)
{
    keyring_storage_key(((const struct local_signer *)signer)->config.keys, salt, out);
    return 0;
}

static void op_close(struct signer *signer)
{
    struct local_signer *s = (struct local_signer *)signer;
    if (!s)
        return;
    state_free(s->state);
    keyring_free(s->config.keys);
    free(s);
}

static const struct signer_ops local_ops = {
    .close = op_close,
    .statements = op_statements,
    .checkpoint = op_checkpoint,
    .feed = op_feed,
    .advance = op_advance,
    .cosign = op_cosign,
    .close_log = op_close_log,
    .position = op_position,
    .http_sign = op_http_sign,
    .storage_key = op_storage_key,
};

int signer_local_open(struct signer **out, const struct signer_config *config, struct fault *fault)
{
    struct local_signer *s = calloc(1, sizeof *s);
    int rc = s ? 0 : fail(fault, E_NOMEM, "signer");
    if (rc == 0 && (!memchr(config->party, 0, sizeof config->party) || !name_valid(span_str(config->party))))
        rc = fail(fault, E_SYNTAX, "the party's name");
    if (rc) {
        keyring_free(config->keys);
        free(s);
        return rc;
    }
    s->base.ops = &local_ops;
    s->config = *config;
    origin_write(s->origin, &config->circle, span_str(config->party));
    origin_write(s->circle_prefix, &config->circle, span_str(""));
    key_id(keyring_public(config->keys, KEY_STATEMENT), &s->kid_statement);
    key_id(keyring_public(config->keys, KEY_MIRROR), &s->kid_mirror);
    rc = state_open(&s->state, config->state_fd, config->party, &config->circle, fault);
    if (rc == 0 && (rc = start_note(s->state, span_str(s->origin), config->state_changed_at,
                                    config->clock(config->clock_ctx))) != 0)
        (void)fail(fault, rc, "signer.state: noting the start");
    if (rc) {
        op_close(&s->base);
        return rc;
    }
    *out = &s->base;
    return 0;
}
