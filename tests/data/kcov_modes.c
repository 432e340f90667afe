/*
 * Exercises the modes of the embedded kernel's KCOV and prints one line per fact, `name value`.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define KCOV_INIT_TRACE _IOR('c', 1, unsigned long)
#define KCOV_ENABLE _IO('c', 100)
#define KCOV_DISABLE _IO('c', 101)
#define KCOV_UNIQUE_ENABLE _IOW('c', 103, unsigned long)
#define KCOV_RESET_TRACE _IO('c', 104)

enum { WORDS = 1 << 16, BITMAP = 4096, BIG = 1 << 21 };

struct device {
	int fd;
	uint64_t *words;
};

static struct device open_device(unsigned long words)
{
	struct device device = { .fd = open("/sys/kernel/debug/kcov", O_RDWR) };

	if (device.fd < 0 || ioctl(device.fd, KCOV_INIT_TRACE, words)) {
		perror("kcov");
		exit(1);
	}
	device.words = mmap(NULL, words * 8, PROT_READ | PROT_WRITE, MAP_SHARED, device.fd, 0);
	if (device.words == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return device;
}

static void close_device(struct device device, unsigned long words)
{
	munmap(device.words, words * 8);
	close(device.fd);
}

/* 0, or the errno. */
static int try(int fd, unsigned long request, unsigned long argument)
{
	return ioctl(fd, request, argument) ? errno : 0;
}

static void work(int rounds)
{
	char byte = 0;
	int fds[2];

	for (int i = 0; i < rounds; i++) {
		if (pipe(fds))
			exit(1);
		write(fds[1], &byte, 1);
		read(fds[0], &byte, 1);
		close(fds[0]);
		close(fds[1]);
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
			exit(1);
		write(fds[1], &byte, 1);
		read(fds[0], &byte, 1);
		close(fds[0]);
		close(fds[1]);
		close(open("/proc/self/stat", O_RDONLY));
		read(-1, NULL, 0);
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static size_t sort_unique(uint64_t *pcs, size_t count)
{
	size_t kept = 0;

	qsort(pcs, count, 8, by_value);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || pcs[i] != pcs[kept - 1])
			pcs[kept++] = pcs[i];
	return kept;
}

static size_t missing(const uint64_t *from, size_t froms, const uint64_t *in, size_t ins)
{
	size_t lacking = 0;

	for (size_t i = 0; i < froms; i++)
		lacking += !bsearch(&from[i], in, ins, 8, by_value);
	return lacking;
}

static void *reset_elsewhere(void *fd)
{
	printf("reset_other_thread %d\n", try(*(int *)fd, KCOV_RESET_TRACE, 0));
	return NULL;
}

static void refusals(void)
{
	struct device bare = { .fd = open("/sys/kernel/debug/kcov", O_RDWR) }, other;
	struct device device = open_device(WORDS);
	pthread_t thread;

	printf("unique_before_init %d\n", try(bare.fd, KCOV_UNIQUE_ENABLE, BITMAP));
	printf("reset_before_init %d\n", try(bare.fd, KCOV_RESET_TRACE, 0));
	printf("unique_no_bitmap %d\n", try(device.fd, KCOV_UNIQUE_ENABLE, 0));
	printf("unique_no_room %d\n", try(device.fd, KCOV_UNIQUE_ENABLE, WORDS - 1));
	printf("unique_huge %d\n", try(device.fd, KCOV_UNIQUE_ENABLE, -1ul));
	printf("reset_before_enable %d\n", try(device.fd, KCOV_RESET_TRACE, 0));
	printf("unique_least_room %d\n", try(device.fd, KCOV_UNIQUE_ENABLE, WORDS - 2));
	printf("unique_twice %d\n", try(device.fd, KCOV_UNIQUE_ENABLE, BITMAP));
	other = open_device(WORDS);
	printf("unique_second_device %d\n", try(other.fd, KCOV_UNIQUE_ENABLE, BITMAP));
	printf("reset_argument %d\n", try(device.fd, KCOV_RESET_TRACE, 1));
	printf("reset_other_device %d\n", try(other.fd, KCOV_RESET_TRACE, 0));
	pthread_create(&thread, NULL, reset_elsewhere, &device.fd);
	pthread_join(thread, NULL);
	printf("disable %d\n", try(device.fd, KCOV_DISABLE, 0));
	printf("reset_after_disable %d\n", try(device.fd, KCOV_RESET_TRACE, 0));
	printf("trace_pc_after %d\n", try(device.fd, KCOV_ENABLE, 0));
	printf("disable_again %d\n", try(device.fd, KCOV_DISABLE, 0));
	close_device(other, WORDS);
	close_device(device, WORDS);
	close(bare.fd);
}

/* Adds sorted, unique PCs to a set that is the same, and returns its new size. */
static size_t add(uint64_t *set, size_t size, const uint64_t *pcs, size_t count)
{
	memcpy(set + size, pcs, count * 8);
	return sort_unique(set, size + count);
}

/* Leaves in a sorted set what is also in another; returns its new size. */
static size_t keep(uint64_t *set, size_t size, const uint64_t *other, size_t count)
{
	size_t kept = 0, at = 0;

	for (size_t i = 0; i < size; i++) {
		while (at < count && other[at] < set[i])
			at++;
		if (at < count && other[at] == set[i])
			set[kept++] = set[i];
	}
	return kept;
}

/*
 * The two modes by turns. What each turn of one mode runs has to be in some turn of the other: the rest depends on the
 * clock, as a time stamp that is updated only when a tick came between two calls.
 */
static void same_set(void)
{
	static uint64_t traced_set[WORDS * 2], stored_set[WORDS * 2];
	static uint64_t always_traced[WORDS * 2], always_stored[WORDS * 2];
	struct device trace = open_device(BIG), unique = open_device(WORDS);
	uint64_t *pcs = unique.words + BITMAP + 1;
	size_t traced, stored, entries = 0, duplicates = 0, traced_size = 0, stored_size = 0;
	size_t always_traced_size = 0, always_stored_size = 0;

	for (int i = 0; i < 9; i++) {
		trace.words[0] = 0;
		if (ioctl(trace.fd, KCOV_ENABLE, 0))
			exit(1);
		work(150);
		traced = trace.words[0];
		ioctl(trace.fd, KCOV_DISABLE, 0);
		if (traced >= BIG - 1)
			exit(1);

		memset(unique.words, 0, (BITMAP + 1) * 8);
		if (ioctl(unique.fd, KCOV_UNIQUE_ENABLE, BITMAP))
			exit(1);
		work(150);
		stored = unique.words[BITMAP];
		ioctl(unique.fd, KCOV_DISABLE, 0);

		/* The first turn brings in what happens once. */
		if (i == 0)
			continue;
		entries += traced;
		traced = sort_unique(trace.words + 1, traced);
		traced_size = add(traced_set, traced_size, trace.words + 1, traced);
		duplicates += stored;
		stored = sort_unique(pcs, stored);
		duplicates -= stored;
		stored_size = add(stored_set, stored_size, pcs, stored);
		if (i == 1) {
			memcpy(always_traced, trace.words + 1, traced * 8);
			memcpy(always_stored, pcs, stored * 8);
			always_traced_size = traced;
			always_stored_size = stored;
		}
		always_traced_size = keep(always_traced, always_traced_size, trace.words + 1, traced);
		always_stored_size = keep(always_stored, always_stored_size, pcs, stored);
	}
	printf("entries %zu\n", entries);
	printf("duplicates %zu\n", duplicates);
	printf("traced %zu\n", traced_size);
	printf("stored %zu\n", stored_size);
	printf("always_traced %zu\n", always_traced_size);
	printf("always_stored %zu\n", always_stored_size);
	printf("only_traced %zu\n", missing(always_traced, always_traced_size, stored_set, stored_size));
	printf("only_stored %zu\n", missing(always_stored, always_stored_size, traced_set, traced_size));
	close_device(trace, BIG);
	close_device(unique, WORDS);
}

static void reset_forgets(void)
{
	struct device device = open_device(WORDS);
	size_t before, after, again;

	ioctl(device.fd, KCOV_UNIQUE_ENABLE, BITMAP);
	work(5);
	before = device.words[BITMAP];
	printf("reset %d\n", try(device.fd, KCOV_RESET_TRACE, 0));
	after = device.words[BITMAP];
	work(5);
	again = device.words[BITMAP];
	ioctl(device.fd, KCOV_DISABLE, 0);
	printf("before_reset %zu\nafter_reset %zu\nafter_work %zu\n", before, after, again);

	/* KCOV_RESET_TRACE works in the other modes too. */
	device.words[0] = 0;
	ioctl(device.fd, KCOV_ENABLE, 0);
	work(5);
	before = device.words[0];
	ioctl(device.fd, KCOV_RESET_TRACE, 0);
	after = device.words[0];
	ioctl(device.fd, KCOV_DISABLE, 0);
	printf("trace_before_reset %zu\ntrace_after_reset %zu\n", before, after);
	close_device(device, WORDS);
}

static void small_buffers(void)
{
	struct device device = open_device(WORDS);
	size_t stored, sorted;

	/* One word of bitmap holds 64 points: the others are stored every time. */
	ioctl(device.fd, KCOV_UNIQUE_ENABLE, 1);
	work(20);
	stored = device.words[1];
	ioctl(device.fd, KCOV_DISABLE, 0);
	sorted = sort_unique(device.words + 2, stored);
	printf("small_bitmap_stored %zu\nsmall_bitmap_unique %zu\n", stored, sorted);
	close_device(device, WORDS);

	/* Room for 100 PCs: the count stops there, and nothing is written past the end. */
	device = open_device(512);
	ioctl(device.fd, KCOV_UNIQUE_ENABLE, 411);
	work(20);
	printf("full_count %lu\n", (unsigned long)device.words[411]);
	ioctl(device.fd, KCOV_DISABLE, 0);
	close_device(device, 512);

	/* A count that user space made senseless must not make the kernel write elsewhere. */
	device = open_device(512);
	device.words[100] = -1ul;
	ioctl(device.fd, KCOV_UNIQUE_ENABLE, 100);
	work(1);
	ioctl(device.fd, KCOV_DISABLE, 0);
	printf("senseless_count_survived 1\n");
	close_device(device, 512);
}

/* Tracing ends with the task; the device can then be used again, in any mode. */
static void exit_ends(void)
{
	struct device device = open_device(WORDS);
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (ioctl(device.fd, KCOV_UNIQUE_ENABLE, BITMAP))
			_exit(1);
		work(1);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("child_status %d\n", status);
	printf("child_stored_some %d\n", device.words[BITMAP] > 100);
	printf("enable_after_exit %d\n", try(device.fd, KCOV_ENABLE, 0));
	ioctl(device.fd, KCOV_DISABLE, 0);
	close_device(device, WORDS);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	refusals();
	same_set();
	reset_forgets();
	small_buffers();
	exit_ends();
	return 0;
}
