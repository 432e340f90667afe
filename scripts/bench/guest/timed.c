// SPDX-License-Identifier: MIT
/*
 * Times work, on the host and in the guest alike, with as little around it as there can be.
 *
 *   timed run TURNS COMMAND…   wall milliseconds of each run of a command, after one run that is not counted
 *   timed spawn COUNT          microseconds of a fork, exec and wait of /bin/true
 *   timed getppid COUNT        microseconds of a system call that does nothing
 *   timed touch MIB            milliseconds until each page of so much new memory was written, in random order
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

/* The wall time of one run; ends the program where the command fails. */
static double run(char **command)
{
	double start = now();
	pid_t pid = vfork();
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		if (!getenv("TIMED_ERRORS"))
			dup2(null, 2);
		execvp(command[0], command);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	if (status != 0) {
		fprintf(stderr, "%s ended with status %d\n", command[0], status);
		exit(1);
	}
	return now() - start;
}

static void touch(size_t pages)
{
	unsigned int cycle = 1;
	char *memory = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int at = 1;
	double start = now();

	while (cycle < pages)
		cycle *= 2;
	/* A full cycle through all residues: each page once (Hull and Dobell: odd step, multiplier 1 modulo 4). */
	for (unsigned int i = 0; i < cycle; i++) {
		at = at * 1664525u + 1013904223u;
		if ((at & (cycle - 1)) < pages)
			memory[(size_t)(at & (cycle - 1)) * 4096] = 1;
	}
	printf("%.3f\n", now() - start);
}

int main(int argc, char **argv)
{
	int count;

	if (argc < 3)
		return 2;
	count = atoi(argv[2]);
	if (strcmp(argv[1], "run") == 0) {
		run(argv + 3);
		for (int i = 0; i < count; i++)
			printf("%.3f ", run(argv + 3));
		printf("\n");
	} else if (strcmp(argv[1], "spawn") == 0) {
		double start = now();

		for (int i = 0; i < count; i++) {
			pid_t pid = fork();

			if (pid == 0) {
				execl("/bin/true", "true", NULL);
				_exit(127);
			}
			waitpid(pid, NULL, 0);
		}
		printf("%.3f\n", (now() - start) * 1e3 / count);
	} else if (strcmp(argv[1], "getppid") == 0) {
		double start = now();

		for (int i = 0; i < count; i++)
			syscall(SYS_getppid);
		printf("%.3f\n", (now() - start) * 1e3 / count);
	} else if (strcmp(argv[1], "touch") == 0) {
		touch((size_t)count * 256);
	}
	return 0;
}
