#include "tests/faults/driver.h"
int pass_power(struct driver *driver) { (void)driver; return 1; }
