/*
 * Records one system call the way Documentation/dev-tools/kcov.rst describes, and prints its PCs.
 *
 * usage: kcov_read ROUNDS
 *
 * Each round records read(-1, NULL, 0) and prints one line: the raw PCs in hexadecimal, in the order of execution.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define KCOV_INIT_TRACE _IOR('c', 1, unsigned long)
#define KCOV_ENABLE _IO('c', 100)
#define KCOV_DISABLE _IO('c', 101)
#define KCOV_TRACE_PC 0
#define WORDS (64 << 10)

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/*
 * A thread that only waits. JavaScript runtimes have threads, and the kernel looks up descriptors another way where
 * threads share the table (__fget_light in fs/file.c), so the program has one as well.
 */
static void *wait_for_nothing(void *unused)
{
	for (;;)
		pause();
	return unused;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1;
	static unsigned long copy[WORDS];
	unsigned long *words;
	pthread_t thread;
	int fd = open("/sys/kernel/debug/kcov", O_RDWR);

	if (fd == -1)
		fail("open");
	if (pthread_create(&thread, NULL, wait_for_nothing, NULL))
		fail("pthread_create");
	if (ioctl(fd, KCOV_INIT_TRACE, WORDS))
		fail("KCOV_INIT_TRACE");
	words = mmap(NULL, WORDS * sizeof(*words), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (words == MAP_FAILED)
		fail("mmap");
	while (rounds-- > 0) {
		unsigned long count, index;

		if (ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
			fail("KCOV_ENABLE");
		__atomic_store_n(&words[0], 0, __ATOMIC_RELAXED);
		(void)!read(-1, NULL, 0);
		count = __atomic_load_n(&words[0], __ATOMIC_RELAXED);
		if (ioctl(fd, KCOV_DISABLE, 0))
			fail("KCOV_DISABLE");
		memcpy(copy, words + 1, count * sizeof(*words));
		for (index = 0; index < count; index++)
			printf("0x%lx%c", copy[index], index + 1 < count ? ' ' : '\n');
		if (count == 0)
			putchar('\n');
	}
	return 0;
}
