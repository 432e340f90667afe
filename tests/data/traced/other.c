/* Compiled without coverage points; and what writes the trace. */
#include <stdint.h>
#include <stdio.h>

int called_directly(int);
int called_far(int);

__attribute__((noinline)) int nothing(int x)
{
	return x;
}

__attribute__((noinline)) int through(int (*callback)(int), int x)
{
	return callback(x) + nothing(x);
}

__attribute__((noinline)) int direct(int x)
{
	return called_directly(x) + called_directly(x + 1);
}

__attribute__((noinline)) static int nearer(int x)
{
	return called_far(x) + 1;
}

__attribute__((noinline)) int far(int x)
{
	return nearer(x) + nearer(-x);
}

/* Of the C library's functions no stack can be walked. */
void sort(int *values, int count, int (*compare)(const void *, const void *))
{
	for (int i = 1; i < count; i++) {
		for (int k = i; k > 0 && compare(&values[k - 1], &values[k]) > 0; k--) {
			int other = values[k];
			values[k] = values[k - 1];
			values[k - 1] = other;
		}
	}
}

static int on;
static void *last;

void trace_on(void)
{
	last = *(void **)__builtin_frame_address(0);
	on = 1;
}

void trace_off(void)
{
	on = 0;
}

/* A line for each point: the return address of the call, then those of the functions on the stack, innermost first. */
void __sanitizer_cov_trace_pc(void)
{
	void **frame = __builtin_frame_address(0);

	if (!on)
		return;
	on = 0;
	for (; (void *)frame < last; frame = frame[0])
		printf("%lx ", (unsigned long)frame[1]);
	printf("\n");
	on = 1;
}
