/* Signed webhooks, after Standard Webhooks 1.0.0: HMAC-SHA256 over "ID.TIMESTAMP.BODY", in webhook-signature as "v1,BASE64". */
#ifndef COMITY_NOTIFY_WEBHOOK_H
#define COMITY_NOTIFY_WEBHOOK_H

#include "base/buf.h"
#include "base/error.h"

enum {
    WEBHOOK_SECRETS_BYTES_MAX = 1024 * 1024,
    WEBHOOK_KEY_BYTES_MIN = 24,
    WEBHOOK_KEY_BYTES_MAX = 64,
    WEBHOOK_SIGNATURE_BYTES = 47
};

/* A file of secrets: lines "URL whsec_BASE64" (24 to 64 bytes), # begins a comment line. Each URL stands once: whoever holds a secret can
   forge what goes to its URL, so no two share one. E_CONFIG with the line. */
int webhook_secrets_check(struct span text, struct fault *fault);
/* The signature for this URL; empty when the file has no secret for it. */
void webhook_sign(char out[static WEBHOOK_SIGNATURE_BYTES + 1], struct span secrets, const char *url, const char *id,
                  int64_t timestamp, struct span body);

#endif
