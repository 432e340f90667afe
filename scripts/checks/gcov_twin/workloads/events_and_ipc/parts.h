/* What the two parts of this workload share. */
#include "../workload.h"

void interrupts(int on);
void system_v(void);
void posix_queues(void);
