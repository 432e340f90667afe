/* What the two parts of this workload share. */
#include "../workload.h"

void mount_it(const char *options);
void attributes(void);
void controls(void);
