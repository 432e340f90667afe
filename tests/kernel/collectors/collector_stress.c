/*
 * collector_stress CASE [COUNT]: what must neither hurt the kernel nor be lost in silence. Says "CASE: ..." and exits 0,
 * or says what is "not ok".
 */
#define _GNU_SOURCE
#include "collector.h"
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>

#define PIPE "create_pipe_files"

static uint64_t word = 1;

static void renew(const struct collector *c) { control(c, KCOV_COLLECT_SWITCH, SWITCH_OWN | SWITCH_RENEW); }

/* Waits until what is under way for the collector has run, but not for ever. */
static void settle(const struct collector *c) {
	for (int i = 0; i < 4000 && c->area[PENDING]; i++) wait_ms(10);
	check(c->area[PENDING] == 0, "still something pending", "PENDING");
}

static void complete(const struct collector *c, const char *name) {
	check(c->area[LOST] == 0, "points lost", name);
	check(c->area[DROPPED] == 0, "causes lost", name);
}

/* A victim: one thread switches to and fro, another one makes children that end before or after it is killed. */
static struct collector pair[2];

static void *make_children(void *unused) {
	for (;;) {
		pid_t pid = fork();
		if (pid == 0) {
			for (int i = 0; i < 5; i++) work();
			_exit(0);
		}
		work();
		if (pid > 0) waitpid(pid, NULL, 0);
	}
	return unused;
}

static void victim(unsigned flags) {
	pthread_t thread;

	setpgid(0, 0);
	for (int i = 0; i < 2; i++) pair[i] = collector_with(8192, flags);
	control(&pair[0], KCOV_COLLECT, SCOPE_TREE);
	pthread_create(&thread, NULL, make_children, NULL);
	for (unsigned i = 0;; i++) {
		const struct collector *to = &pair[i & 1], *from = &pair[~i & 1];
		control(to, KCOV_COLLECT_SWITCH, (i & 2 ? SWITCH_OWN : (unsigned long)from->fd) | (i & 4 ? SWITCH_RENEW : 0));
		if (i % 16 == 0) control(from, KCOV_COLLECT_STOP, 0);
		if (i % 16 == 1) control(to, KCOV_COLLECT, i & 32 ? SCOPE_PROCESS : SCOPE_TREE);
	}
}

/* Four victims at a time; the one that is killed next has run for some 1 to 12 ms. */
static void killed(int count) {
	struct collector mine = collector_open(32768);
	pid_t running[4] = { 0 };
	struct rlimit files = { 4096, 4096 };
	int more = 0;

	control(&mine, KCOV_COLLECT, SCOPE_THREAD);
	for (int i = 0; i < count + 4; i++) {
		pid_t *slot = &running[i % 4];

		if (*slot) {
			setpgid(*slot, *slot);
			kill(-*slot, SIGKILL);
			waitpid(*slot, NULL, 0);
			*slot = 0;
		}
		if (i < count) {
			*slot = fork();
			if (*slot == 0) victim(i & 1 ? COLLECTOR_KEEPS : 0);
			wait_ms(1 + i * 7 % 3);
		}
	}
	work();
	control(&mine, KCOV_COLLECT_STOP, 0);
	settle(&mine);
	complete(&mine, "of who killed");
	check(entries_of(&mine, PIPE, OWN, ANY_CALL) > 0, "not collected", PIPE);
	check(mine.area[TASKS] == (unsigned)count, "not as many as were made", "TASKS");

	/* All places of collectors are free again, but for those here. */
	setrlimit(RLIMIT_NOFILE, &files);
	wait_ms(200);
	while (more < 1023) {
		struct kcov_collector_arg none = { 0 };
		int fd = open("/sys/kernel/debug/kcov", O_RDWR);
		if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, 512) || ioctl(fd, KCOV_COLLECTOR_INIT, &none)) break;
		more++;
	}
	check(more == 1023, "collectors of the dead remain", strerror(errno));
}

/* How many different entries there are. */
static int by_entry(const void *a, const void *b) {
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static size_t different(const struct collector *c) {
	static uint64_t list[65536];
	size_t count = c->area[COUNT], kept = 0;

	memcpy(list, (void *)(c->area + HEADER), count * 8);
	qsort(list, count, 8, by_entry);
	for (size_t i = 0; i < count; i++) kept += list[i] && (!i || list[i] != list[i - 1]);
	return kept;
}

static void some_calls(void) {
	pid_t pid = fork();

	if (pid == 0) _exit(0);
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 20; i++) work();
}

/* What a small collector lacks of a large one's list is counted at least once a point. */
static void full(int rounds) {
	struct collector large = collector_open(65536), small = collector_open(512), outside = collector_open(32768);
	const size_t room = 512 - HEADER;
	size_t all, few;

	control(&outside, KCOV_COLLECT, SCOPE_THREAD);
	some_calls();
	for (int i = 0; i < rounds; i++) {
		renew(&large);
		some_calls();
		renew(&small);
		some_calls();
		control(&outside, KCOV_COLLECT_SWITCH, SWITCH_OWN);
		/* A child goes on, on another processor, after it was waited for. */
		settle(&large);
		settle(&small);
		wait_ms(50);
		all = different(&large);
		few = different(&small);
		complete(&large, "of a large collector");
		check(all == large.area[COUNT] && all > 2 * room, "an entry twice", "COUNT");
		check(small.area[COUNT] == room && few == room, "not as many entries as there is room", "COUNT");
		check(small.area[LOST] >= all - room, "lost in silence", "LOST");
	}
	/* User space may write what it likes: nothing else is harmed, and a renewal puts it right. */
	for (int i = 0; i < 6; i++) {
		memset((void *)small.area, i % 2 ? 0 : 0xff, small.words * 8);
		if (i % 3 == 0) for (size_t k = 0; k < small.words; k++) small.area[k] = k * 0x9e3779b97f4a7c15ull;
		control(&small, KCOV_COLLECT_SWITCH, SWITCH_OWN);
		some_calls();
		control(&outside, KCOV_COLLECT_SWITCH, SWITCH_OWN);
		small.area[PAUSED] = 0;
		renew(&small);
		control(&outside, KCOV_COLLECT_SWITCH, SWITCH_OWN);
		check(small.area[COUNT] > 0 && small.area[COUNT] < room && small.area[LOST] == 0, "not as new after a renewal", "COUNT");
	}
}

/*
 * The only descriptor and mapping go while eight processes collect and have timers under way. Their group then goes on
 * with another collector.
 */
static void closed(int rounds) {
	for (int i = 0; i < rounds; i++) {
		struct collector first = collector_open(8192), next = collector_open(8192);
		int half = eventfd(0, EFD_SEMAPHORE), again = eventfd(0, EFD_SEMAPHORE), done = eventfd(0, EFD_SEMAPHORE);
		uint64_t eight = 8;
		pid_t pids[8];

		control(&first, KCOV_COLLECT, SCOPE_PROCESS);
		for (int k = 0; k < 8; k++) {
			pids[k] = fork();
			if (pids[k]) continue;
			struct itimerspec soon = { .it_value.tv_nsec = 500000 * (1 + k), .it_interval.tv_nsec = 300000 };
			close(first.fd);
			close(next.fd);
			timerfd_settime(timerfd_create(CLOCK_MONOTONIC, 0), 0, &soon, NULL);
			write(half, &word, 8);
			for (int n = 0; n < 10; n++) work();
			read(again, &word, 8);
			work();
			write(done, &word, 8);
			_exit(0);
		}
		for (int k = 0; k < 8; k++) read(half, &word, 8);
		munmap((void *)first.area, first.words * 8);
		close(first.fd);
		work();
		check(next.area[COUNT] == 0, "before the switch", "COUNT");
		control(&next, KCOV_COLLECT_SWITCH, SWITCH_OWN);
		write(again, &eight, 8);
		for (int k = 0; k < 8; k++) read(done, &word, 8);
		check(entries_of(&next, PIPE, CHILD, ANY_CALL) > 0, "of a group whose collector was closed", PIPE);
		for (int k = 0; k < 8; k++) waitpid(pids[k], NULL, 0);
		control(&next, KCOV_COLLECT_LEAVE, 0);
		complete(&next, "of the second collector");
		munmap((void *)next.area, next.words * 8);
		close(next.fd);
		close(half);
		close(again);
		close(done);
	}
}

/* Each process makes two until all are made. */
static void grow(int count) {
	while (count > 0) {
		int below = (count - 1) / 2;
		pid_t pid = fork();

		if (pid < 0) die("fork");
		if (pid == 0) {
			work();
			grow(below);
			while (wait(NULL) > 0) ;
			_exit(0);
		}
		count -= 1 + below;
	}
}

/* Many processes, half of them in a second test: each list has its own, and counts them. */
static void many(int count) {
	struct collector tests[2] = { collector_with(32768, COLLECTOR_KEEPS), collector_with(32768, COLLECTOR_KEEPS) };
	struct collector outside = collector_open(32768);

	outside.area[PAUSED] = 1;
	control(&outside, KCOV_COLLECT, SCOPE_PROCESS);
	for (int i = 0; i < 2; i++) {
		renew(&tests[i]);
		grow(count / 2);
		control(&outside, KCOV_COLLECT_SWITCH, SWITCH_OWN);
	}
	while (wait(NULL) > 0) ;
	for (int i = 0; i < 2; i++) {
		settle(&tests[i]);
		complete(&tests[i], "of many processes");
		check(tests[i].area[TASKS] == (unsigned)(count / 2), "not as many as were made", "TASKS");
		check(entries_of(&tests[i], PIPE, CHILD, ANY_CALL) > 0, "not collected", PIPE);
		check(entries_of(&tests[i], "do_exit", CHILD, CALL_EXIT) > 0, "not collected", "do_exit");
		check(tests[i].area[CARRIED] >= (unsigned)(count / 2), "not carried", "the ends of tasks");
		printf("%zu points, %zu items carried\n", (size_t)tests[i].area[COUNT], (size_t)tests[i].area[CARRIED]);
	}
	check(outside.area[COUNT] == entries_of(&outside, NULL, BEHALF, ANY_CALL), "of a test's processes", "outside");
}

/* More timers than the kernel keeps causes of: each is either pending or counted as lost. */
static void crowded(int count) {
	const int each = 3000;
	struct collector c = collector_open(32768);
	struct itimerspec late = { .it_value.tv_sec = 1000 };
	struct rlimit files = { 4096, 4096 };
	int ready = eventfd(0, EFD_SEMAPHORE), go = eventfd(0, EFD_SEMAPHORE);
	uint64_t all = count / each;

	if (setrlimit(RLIMIT_NOFILE, &files)) die("setrlimit");
	control(&c, KCOV_COLLECT, SCOPE_THREAD);
	for (uint64_t i = 0; i < all; i++) {
		if (fork()) continue;
		for (int k = 0; k < each; k++)
			if (timerfd_settime(timerfd_create(CLOCK_MONOTONIC, 0), 0, &late, NULL)) die("timerfd_settime");
		write(ready, &word, 8);
		read(go, &word, 8);
		_exit(0);
	}
	for (uint64_t i = 0; i < all; i++) read(ready, &word, 8);
	check(c.area[PENDING] + c.area[DROPPED] >= all * each, "causes lost in silence", "of timers");
	printf("%zu pending, %zu lost\n", (size_t)c.area[PENDING], (size_t)c.area[DROPPED]);
	write(go, &all, 8);
	while (wait(NULL) > 0) ;
	settle(&c);
}

static const struct {
	const char *name;
	void (*run)(int count);
	int count;
} cases[] = {
	{ "killed", killed, 50 }, { "full", full, 3 }, { "closed", closed, 10 },
	{ "many", many, 200 }, { "crowded", crowded, 36000 },
};

int main(int argc, char **argv) {
	setvbuf(stdout, NULL, _IOLBF, 0);
	functions_load();
	for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++) {
		if (strcmp(cases[i].name, argv[1])) continue;
		cases[i].run(argc > 2 ? atoi(argv[2]) : cases[i].count);
		printf("%s: %d failures\n", argv[1], failures);
		return failures != 0;
	}
	return 2;
}
