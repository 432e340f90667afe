/*
 * What the kernel's documents say of /sys/kernel/debug/kcov, held against the kernel: a case for each statement. Prints
 * "ok NAME", or what is not so.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KCOV_INIT_TRACE _IOR('c', 1, unsigned long)
#define KCOV_ENABLE _IO('c', 100)
#define KCOV_DISABLE _IO('c', 101)
#define KCOV_TRACE_PC 0
#define KCOV_TRACE_CMP 1
#define WORDS (64 << 10)

#define CHECK(condition)                                                                  \
	do {                                                                              \
		if (!(condition)) {                                                       \
			printf("line %d: %s (errno %d)\n", __LINE__, #condition, errno);  \
			exit(1);                                                          \
		}                                                                         \
	} while (0)

static int fd;
static uint64_t *area;

static void open_only(void)
{
	fd = open("/sys/kernel/debug/kcov", O_RDWR);
	CHECK(fd >= 0);
}

static uint64_t *map(int of, size_t words)
{
	return mmap(NULL, words * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, of, 0);
}

static void open_device(void)
{
	open_only();
	CHECK(ioctl(fd, KCOV_INIT_TRACE, WORDS) == 0);
	area = map(fd, WORDS);
	CHECK(area != MAP_FAILED);
}

static uint64_t count(void)
{
	return __atomic_load_n(&area[0], __ATOMIC_RELAXED);
}

static void reset(void)
{
	__atomic_store_n(&area[0], 0, __ATOMIC_RELAXED);
}

static void enable(void)
{
	CHECK(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC) == 0);
}

static void disable(void)
{
	CHECK(ioctl(fd, KCOV_DISABLE, 0) == 0);
}

/* The PCs of read(-1, NULL, 0), and how many there are. */
static uint64_t read_call(uint64_t *pcs, uint64_t room)
{
	enable();
	reset();
	syscall(SYS_read, -1, NULL, 0);
	uint64_t n = count();
	disable();
	CHECK(n > 0 && n < room);
	memcpy(pcs, area + 1, n * sizeof(*pcs));
	return n;
}

/* INIT_TRACE sets the device up; nothing is collected before it is enabled. */
static void init_collects_nothing(void)
{
	open_device();
	getppid();
	CHECK(count() == 0);
}

/* The buffer is there with mmap, and is zero. */
static void buffer_is_zero(void)
{
	open_device();
	for (size_t i = 0; i < WORDS; i++)
		CHECK(area[i] == 0);
}

/* A mapping is of the size that was asked for, in whole pages. */
static void mapping_has_the_size(void)
{
	open_only();
	CHECK(map(fd, WORDS) == MAP_FAILED && errno == EINVAL);
	CHECK(ioctl(fd, KCOV_INIT_TRACE, WORDS) == 0);
	CHECK(map(fd, WORDS / 2) == MAP_FAILED && errno == EINVAL);
	CHECK(map(fd, WORDS * 2) == MAP_FAILED && errno == EINVAL);
	CHECK(map(fd, WORDS) != MAP_FAILED);
	close(fd);
	open_only();
	CHECK(ioctl(fd, KCOV_INIT_TRACE, 1000) == 0);
	CHECK(map(fd, 1000) == MAP_FAILED && errno == EINVAL);
}

/* The first word counts the PCs, which follow it. */
static void first_word_counts(void)
{
	open_device();
	enable();
	reset();
	syscall(SYS_read, -1, NULL, 0);
	uint64_t n = count();
	CHECK(n > 0);
	for (uint64_t i = 1; i <= n; i++)
		CHECK(area[i] != 0);
	disable();
}

/* Enabling leaves some coverage of its own. */
static void enable_is_recorded(void)
{
	open_device();
	enable();
	CHECK(count() > 0);
	disable();
}

/* A 0 in the first word, written by user space, begins anew. */
static void zero_begins_anew(void)
{
	uint64_t first[512], second[512];
	open_device();
	uint64_t n = read_call(first, 512), m = read_call(second, 512);
	/* A clock may run in one of them. */
	for (int tries = 0; tries < 100 && (n != m || memcmp(first, second, n * 8)); tries++)
		m = read_call(second, 512);
	CHECK(n == m && memcmp(first, second, n * 8) == 0);
}

/* Disabling leaves some more, and then nothing is collected. */
static void disable_is_recorded(void)
{
	open_device();
	enable();
	reset();
	CHECK(count() == 0);
	disable();
	uint64_t n = count();
	CHECK(n > 0);
	syscall(SYS_read, -1, NULL, 0);
	CHECK(count() == n);
}

/* What was collected can be read after the end. */
static void read_after_disable(void)
{
	open_device();
	enable();
	reset();
	syscall(SYS_read, -1, NULL, 0);
	uint64_t n = count(), first = area[1], last = area[n];
	disable();
	CHECK(area[1] == first && area[n] == last);
}

/* Calls are in the order in which they ran, every time that they did. */
static void order_is_kept(void)
{
	static uint64_t once[512];
	open_device();
	uint64_t n = read_call(once, 512);
	for (int tries = 0;; tries++) {
		CHECK(tries < 100);
		enable();
		reset();
		syscall(SYS_read, -1, NULL, 0);
		syscall(SYS_read, -1, NULL, 0);
		uint64_t m = count();
		disable();
		/* Whatever is between two calls is the same at the end of each. */
		if (m < 2 * n || memcmp(area + 1, once, n * 8) != 0)
			continue;
		int found = 0;
		for (uint64_t at = n; at + n <= m && !found; at++)
			found = memcmp(area + 1 + at, once, n * 8) == 0;
		if (found)
			return;
	}
}

static void *other_reads(void *unused)
{
	for (int i = 0; i < 1000; i++)
		syscall(SYS_read, -1, NULL, 0);
	return unused;
}

/* Only the thread that enabled it is collected. */
static void only_own_thread(void)
{
	uint64_t once[512];
	pthread_t thread;
	open_device();
	uint64_t n = read_call(once, 512);
	CHECK(pthread_create(&thread, NULL, other_reads, NULL) == 0);
	enable();
	reset();
	syscall(SYS_read, -1, NULL, 0);
	uint64_t m = count();
	disable();
	pthread_join(thread, NULL);
	/* A signal or a clock may add some, 1,000 calls would add more. */
	CHECK(m < 50 * n);
}

static void *enables_own(void *result)
{
	int own = open("/sys/kernel/debug/kcov", O_RDWR);
	CHECK(own >= 0 && ioctl(own, KCOV_INIT_TRACE, WORDS) == 0);
	uint64_t *words = map(own, WORDS);
	CHECK(ioctl(own, KCOV_ENABLE, KCOV_TRACE_PC) == 0);
	__atomic_store_n(&words[0], 0, __ATOMIC_RELAXED);
	syscall(SYS_read, -1, NULL, 0);
	*(uint64_t *)result = __atomic_load_n(&words[0], __ATOMIC_RELAXED);
	CHECK(ioctl(own, KCOV_DISABLE, 0) == 0);
	return NULL;
}

/* Threads that open it separately are collected independently. */
static void threads_are_independent(void)
{
	pthread_t thread;
	uint64_t others = 0;
	open_device();
	enable();
	reset();
	CHECK(pthread_create(&thread, NULL, enables_own, &others) == 0);
	pthread_join(thread, NULL);
	CHECK(others > 0 && count() > 0);
	disable();
}

static void *enables_shared(void *unused)
{
	enable();
	reset();
	syscall(SYS_read, -1, NULL, 0);
	CHECK(count() > 0);
	/* Ends without disabling. */
	return unused;
}

/* Where it is disabled, or its thread has ended, another thread can enable it. */
static void another_thread_can_enable(void)
{
	pthread_t thread;
	open_device();
	enable();
	disable();
	for (int i = 0; i < 3; i++) {
		CHECK(pthread_create(&thread, NULL, enables_shared, NULL) == 0);
		pthread_join(thread, NULL);
		/* Joining does not wait for the last of the thread. */
		for (int tries = 0; ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC) != 0; tries++) {
			CHECK(tries < 1000);
			usleep(1000);
		}
		disable();
	}
}

/* A parent opens and maps it, and children that are forked in a loop only enable it. */
static void fork_loop(void)
{
	open_device();
	for (int i = 0; i < 10; i++) {
		pid_t child = fork();
		if (child == 0) {
			enable();
			reset();
			syscall(SYS_read, -1, NULL, 0);
			_exit(count() > 0 ? 0 : 1);
		}
		int status = -1;
		CHECK(waitpid(child, &status, 0) == child && status == 0);
		/* The child's PCs are in the parent's mapping. */
		CHECK(count() > 0 && area[1] != 0);
		reset();
	}
}

/* A forked child is not collected by its parent's device, and cannot disable it. */
static void child_is_not_collected(void)
{
	open_device();
	enable();
	reset();
	pid_t child = fork();
	if (child == 0)
		_exit(ioctl(fd, KCOV_DISABLE, 0) == -1 && errno == EINVAL ? 0 : 1);
	int status = -1;
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	disable();
}

/* PCs and comparisons exclude each other. */
static void modes_exclude_each_other(void)
{
	open_device();
	enable();
	CHECK(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_CMP) == -1);
	disable();
	CHECK(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_CMP) == 0);
	CHECK(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC) == -1);
	disable();
	CHECK(ioctl(fd, KCOV_ENABLE, 2) == -1 && errno == EINVAL);
}

/* In the mode of comparisons the first word counts records of four words: type, two operands and PC. */
static void comparisons_are_records(void)
{
	open_device();
	CHECK(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_CMP) == 0);
	reset();
	/* An unknown signal number is compared with constants. */
	syscall(SYS_kill, 0, 0x1234567);
	uint64_t n = count();
	disable();
	CHECK(n > 0 && n <= (WORDS - 1) / 4);
	int found = 0;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t *record = area + 1 + i * 4;
		CHECK(record[0] < 8 && record[3] != 0);
		uint64_t size = 1 << ((record[0] & 6) >> 1);
		if (size < 8)
			CHECK(record[1] >> (8 * size) == 0 && record[2] >> (8 * size) == 0);
		found |= record[1] == 0x1234567 || record[2] == 0x1234567;
	}
	CHECK(found);
}

/* A buffer that is full keeps its count below its size, and drops what comes. */
static void full_buffer_drops(void)
{
	open_only();
	CHECK(ioctl(fd, KCOV_INIT_TRACE, 512) == 0);
	area = map(fd, 512);
	CHECK(area != MAP_FAILED);
	enable();
	reset();
	for (int i = 0; i < 1000; i++)
		syscall(SYS_read, -1, NULL, 0);
	CHECK(count() == 511);
	disable();
}

static const struct {
	const char *name;
	void (*run)(void);
} CASES[] = {
#define CASE(name) { #name, name }
	CASE(init_collects_nothing),	 CASE(buffer_is_zero),
	CASE(mapping_has_the_size),	 CASE(first_word_counts),
	CASE(enable_is_recorded),	 CASE(zero_begins_anew),
	CASE(disable_is_recorded),	 CASE(read_after_disable),
	CASE(order_is_kept),		 CASE(only_own_thread),
	CASE(threads_are_independent),	 CASE(another_thread_can_enable),
	CASE(fork_loop),		 CASE(child_is_not_collected),
	CASE(modes_exclude_each_other),	 CASE(comparisons_are_records),
	CASE(full_buffer_drops),
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		if (argc != 2 || strcmp(argv[1], CASES[i].name) != 0)
			continue;
		CASES[i].run();
		printf("ok %s\n", CASES[i].name);
		return 0;
	}
	printf("no such case\n");
	return 2;
}
