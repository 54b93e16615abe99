/* Which signatures the simulator makes and accepts: see fake_sign.c. */
#ifndef COMITY_SIM_FAKE_SIGN_H
#define COMITY_SIM_FAKE_SIGN_H

#include "crypto/sign.h"

/* While true, libsodium signs and verifies. What was signed one way does not verify the other way. */
extern bool signatures_are_real;

#endif
