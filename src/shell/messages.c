#include "shell/messages.h"

const char *const method_names[METHODS] = {"GET", "HEAD", "POST", "PUT"};

const struct message_shape node_takes_of_net[MESSAGE_KINDS] = {
    [MESSAGE_REQUEST] = {sizeof(struct request_message), HTTP_BODY_MAX},
    [MESSAGE_TALLY] = {sizeof(struct tally_message), 0},
    [MESSAGE_RESULT] = {sizeof(struct result_message), HTTP_BODY_MAX},
    [MESSAGE_FETCHED] = {sizeof(struct fetched_message), HTTP_BODY_MAX},
};
const struct message_shape net_takes[MESSAGE_KINDS] = {
    [MESSAGE_ANSWER] = {sizeof(struct answer_message), HTTP_BODY_MAX},
    [MESSAGE_SEND] = {sizeof(struct send_message), HTTP_BODY_MAX},
    [MESSAGE_FETCH] = {sizeof(struct fetch_message), 0},
    [MESSAGE_MAIL] = {sizeof(struct mail_message), HTTP_BODY_MAX},
};
const struct message_shape node_takes_of_commands[MESSAGE_KINDS] = {
    [MESSAGE_TAKEN] = {sizeof(struct taken_message), 0},
};
const struct message_shape commands_takes[MESSAGE_KINDS] = {
    [MESSAGE_NOTICE] = {sizeof(struct notice_message), HTTP_BODY_MAX},
};

#define TEXT(type, field) offsetof(struct type, field), sizeof(((struct type *)0)->field)
static const struct {
    uint32_t kind;
    size_t offset, size;
} texts[] = {
    {MESSAGE_REQUEST, TEXT(request_message, path)},
    {MESSAGE_REQUEST, TEXT(request_message, address)},
    {MESSAGE_REQUEST, TEXT(request_message, host)},
    {MESSAGE_REQUEST, TEXT(request_message, signature_input)},
    {MESSAGE_REQUEST, TEXT(request_message, signature)},
    {MESSAGE_REQUEST, TEXT(request_message, if_none_match)},
    {MESSAGE_REQUEST, TEXT(request_message, range)},
    {MESSAGE_RESULT, TEXT(result_message, content_type)},
    {MESSAGE_RESULT, TEXT(result_message, receipt)},
    {MESSAGE_ANSWER, TEXT(answer_message, content_type)},
    {MESSAGE_ANSWER, TEXT(answer_message, etag)},
    {MESSAGE_ANSWER, TEXT(answer_message, content_range)},
    {MESSAGE_ANSWER, TEXT(answer_message, location)},
    {MESSAGE_ANSWER, TEXT(answer_message, receipt)},
    {MESSAGE_SEND, TEXT(send_message, url)},
    {MESSAGE_SEND, TEXT(send_message, content_type)},
    {MESSAGE_SEND, TEXT(send_message, content_encoding)},
    {MESSAGE_SEND, TEXT(send_message, signature_input)},
    {MESSAGE_SEND, TEXT(send_message, signature)},
    {MESSAGE_SEND, TEXT(send_message, notice)},
    {MESSAGE_FETCH, TEXT(fetch_message, url)},
    {MESSAGE_FETCH, TEXT(fetch_message, etag)},
    {MESSAGE_FETCH, TEXT(fetch_message, since)},
    {MESSAGE_FETCHED, TEXT(fetched_message, etag)},
    {MESSAGE_FETCHED, TEXT(fetched_message, modified)},
    {MESSAGE_FETCHED, TEXT(fetched_message, location)},
    {MESSAGE_SEND, TEXT(send_message, webhook_signature)},
    {MESSAGE_MAIL, TEXT(mail_message, to)},
    {MESSAGE_NOTICE, TEXT(notice_message, id)},
};

bool message_good(uint32_t kind, const void *fixed)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].kind == kind && !memchr((const uint8_t *)fixed + texts[i].offset, 0, texts[i].size))
            return false;
    if (kind == MESSAGE_REQUEST)
        return ((const struct request_message *)fixed)->method < METHODS;
    return kind != MESSAGE_SEND || ((const struct send_message *)fixed)->method < METHODS;
}
