/* What the two parts of this workload share. */
#include "../workload.h"

void keys(void);
void programs(void);
void rings(void);
