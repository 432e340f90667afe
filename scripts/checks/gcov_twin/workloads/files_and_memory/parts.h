/* What the two parts of this workload share. */
#include "../workload.h"

void memory(void);
void process(void);
