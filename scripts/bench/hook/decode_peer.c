/* The peer of decodePcs: distinct PCs and their counts, by the same kind of open-addressing table. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct slot { uint64_t pc; uint64_t count; };

int main(int argc, char **argv)
{
	FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
	if (!file) return 1;
	fseek(file, 0, SEEK_END);
	size_t n = (size_t)ftell(file) / 8;
	rewind(file);
	uint64_t *words = malloc(n * 8);
	if (!words || fread(words, 8, n, file) != n) return 1;
	double best = 1e9;
	size_t distinct = 0;
	for (int round = 0; round < 7; round++) {
		struct timespec a, b;
		size_t mask = (1 << 16) - 1;
		struct slot *slots = calloc(mask + 1, sizeof *slots);
		clock_gettime(CLOCK_MONOTONIC, &a);
		distinct = 0;
		for (size_t i = 0; i < n; i++) {
			size_t at = (words[i] * 0x9e3779b97f4a7c15u) >> 48 & mask;
			while (slots[at].count && slots[at].pc != words[i]) at = (at + 1) & mask;
			if (slots[at].count++ == 0) {
				slots[at].pc = words[i];
				distinct++;
			}
		}
		clock_gettime(CLOCK_MONOTONIC, &b);
		double seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
		if (seconds < best) best = seconds;
		free(slots);
	}
	printf("%zu %zu %f\n", n, distinct, best);
	return 0;
}
