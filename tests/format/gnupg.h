/* Made by GnuPG; the secret keys are thrown away. */
#ifndef COMITY_TESTS_FORMAT_GNUPG_H
#define COMITY_TESTS_FORMAT_GNUPG_H

static const char openpgp_fingerprint_a[] = "ECC1280D727325B193D0898CA8576E0FC56F6631";
static const char openpgp_key_a[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
                                    "\n"
                                    "mDMEawbxzhYJKwYBBAHaRw8BAQdAilt3FXUgk5FQjwIpgdCUNUu5gyrdabBXOMCx\n"
                                    "Hitqbs20A2FAeIiQBBMWCAA4FiEE7MEoDXJzJbGT0ImMqFduD8VvZjEFAmsG8c4C\n"
                                    "GwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQqFduD8VvZjHobwD/a6NybQ0q\n"
                                    "XOtjbrxhnkHJJCsVcTVWEVQQs3WutXFHXeoA/jjR7h7WqRFZYUwFx94OiUFNBTWz\n"
                                    "H1Lpo+GzQRCWiwMJ\n"
                                    "=XW0l\n"
                                    "-----END PGP PUBLIC KEY BLOCK-----\n";
static const char openpgp_keys_both[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
                                        "\n"
                                        "mDMEawbxzhYJKwYBBAHaRw8BAQdAilt3FXUgk5FQjwIpgdCUNUu5gyrdabBXOMCx\n"
                                        "Hitqbs20A2FAeIiQBBMWCAA4FiEE7MEoDXJzJbGT0ImMqFduD8VvZjEFAmsG8c4C\n"
                                        "GwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQqFduD8VvZjHobwD/a6NybQ0q\n"
                                        "XOtjbrxhnkHJJCsVcTVWEVQQs3WutXFHXeoA/jjR7h7WqRFZYUwFx94OiUFNBTWz\n"
                                        "H1Lpo+GzQRCWiwMJmDMEawbyWRYJKwYBBAHaRw8BAQdArEjFi50RgyH+EAl0q3Hx\n"
                                        "mrIfxqV+EMCumgO6UT4BmI20A2JAeIiQBBMWCAA4FiEEpsM638LZx8v8I4ToXwrW\n"
                                        "oFgJpBEFAmsG8lkCGwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQXwrWoFgJ\n"
                                        "pBGhLwD/ViYIhMvuXituNUhsl29tW0h65HYpOPO3S1/ruzuVRzsA/3ZjXNZAgbVB\n"
                                        "daEY+08CuX/zeD/5mmgJhTVxmWJIgmAB\n"
                                        "=kytG\n"
                                        "-----END PGP PUBLIC KEY BLOCK-----\n";
static const char openpgp_signature_a[] = "-----BEGIN PGP SIGNATURE-----\n"
                                          "\n"
                                          "iHoEABYIACIWIQTswSgNcnMlsZPQiYyoV24PxW9mMQUCawbyWQQcYUB4AAoJEKhX\n"
                                          "bg/Fb2Yx67sBALFXYLwhfvjgFsR1g28Gu58LUK1xh3fAKhrVweXud3N4AQDmo58O\n"
                                          "ZWzt4AJ1azJSTK413rKagc/HnLY1WxS41ye7Ag==\n"
                                          "=X8iR\n"
                                          "-----END PGP SIGNATURE-----\n";
static const char openpgp_signature_b[] = "-----BEGIN PGP SIGNATURE-----\n"
                                          "\n"
                                          "iHoEABYIACIWIQSmwzrfwtnHy/wjhOhfCtagWAmkEQUCawbyWQQcYkB4AAoJEF8K\n"
                                          "1qBYCaQREHAA/j6PQv70mSqfqZIKy3vMrmBZ/giIyd5UoyzDSf2b6AT6AP4tctkH\n"
                                          "q/vh6fzc6g5rXOf+yVz6YHo5m64apcD2NoOLCw==\n"
                                          "=hz0B\n"
                                          "-----END PGP SIGNATURE-----\n";

#endif
