/*
 * collector_roles CASE: what is whose in a group, and what a switch takes along. Says "CASE: ..." and exits 0, or says
 * what is "not ok".
 */
#define _GNU_SOURCE
#include "collector.h"
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#define KCOV_TRACE_PC 0
#define KCOV_DISABLE _IO('c', 101)
#define PIPE "create_pipe_files"

/* A thread or process that calls work() when told to. */
struct worker {
	int go, done;
	pthread_t thread;
	pid_t pid;
};

static void *serve(void *self) {
	struct worker *w = self;
	uint64_t word;

	while (read(w->go, &word, 8) == 8 && word == 1) {
		work();
		word = 1;
		if (write(w->done, &word, 8) != 8) break;
	}
	return NULL;
}

/* A process's worker makes a process that calls work(). */
static void serve_by_child(struct worker *w) {
	uint64_t word;

	while (read(w->go, &word, 8) == 8) {
		pid_t pid = fork();
		if (pid == 0) {
			work();
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		if (write(w->done, &word, 8) != 8) break;
	}
}

static void tell(struct worker *w) {
	uint64_t word = 1;

	if (write(w->go, &word, 8) != 8 || read(w->done, &word, 8) != 8) die("eventfd");
}

static struct worker worker_new(void) { return (struct worker){ .go = eventfd(0, 0), .done = eventfd(0, 0) }; }

static void start_thread(struct worker *w) {
	*w = worker_new();
	if (pthread_create(&w->thread, NULL, serve, w)) die("pthread_create");
}

static void start_process(struct worker *w, int by_child) {
	*w = worker_new();
	w->pid = fork();
	if (w->pid) return;
	if (by_child) serve_by_child(w);
	else serve(w);
	_exit(0);
}

static void end_process(struct worker *w) {
	kill(w->pid, SIGKILL);
	waitpid(w->pid, NULL, 0);
}

static size_t pipes(const struct collector *c, int how) { return entries_of(c, PIPE, how, ANY_CALL); }

static void renew(const struct collector *c) { control(c, KCOV_COLLECT_SWITCH, SWITCH_OWN | SWITCH_RENEW); }

/* The points of one getppid(2), as KCOV traces them: sorted, each once. */
static int by_value(const void *a, const void *b) {
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static size_t sorted(uint64_t *list, size_t count) {
	size_t kept = 0;

	qsort(list, count, sizeof *list, by_value);
	for (size_t i = 0; i < count; i++)
		if (!kept || list[kept - 1] != list[i]) list[kept++] = list[i];
	return kept;
}

static size_t traced(uint64_t *list) {
	int fd = open("/sys/kernel/debug/kcov", O_RDWR);
	volatile uint64_t *area;
	size_t count;

	if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, 4096)) die("KCOV_INIT_TRACE");
	area = mmap(NULL, 4096 * 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (area == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC)) die("KCOV_ENABLE");
	area[0] = 0;
	getppid();
	count = area[0];
	for (size_t i = 0; i < count; i++) list[i] = area[1 + i];
	ioctl(fd, KCOV_DISABLE, 0);
	munmap((void *)area, 4096 * 8);
	close(fd);
	return sorted(list, count);
}

static size_t collected(const struct collector *c, uint64_t *list) {
	size_t count = c->area[COUNT];

	if (count > 4096) die("count");
	for (size_t i = 0; i < count; i++) list[i] = pc_of(c->area[HEADER + i]);
	return sorted(list, count);
}

/* A test boundary leaves nothing in either list: the test's has what the one call between ran. */
static void boundary(void) {
	static uint64_t expected[4096], got[4096];
	struct collector outside = collector_open(32768), test = collector_with(32768, COLLECTOR_KEEPS);
	int equal = 0;

	outside.area[PAUSED] = 1;
	control(&outside, KCOV_COLLECT, SCOPE_PROCESS);
	/* An interrupt may have a task do more in either. */
	for (int i = 0; i < 20; i++) {
		size_t expected_count, got_count;

		test.area[PAUSED] = 1;
		renew(&test);
		test.area[PAUSED] = 0;
		getppid();
		test.area[PAUSED] = 1;
		control(&outside, KCOV_COLLECT_SWITCH, SWITCH_OWN);
		check(test.area[PAUSED] == 1, "not kept by a renewal", "PAUSED");
		check(entries_of(&test, NULL, ANY, SYS_ioctl) == 0, "in the test's list", "the switch");
		check(entries_of(&outside, NULL, OWN, ANY_CALL) == 0, "in the list of outside", "the leader's");
		got_count = collected(&test, got);
		expected_count = traced(expected);
		check(got_count > 0 && expected_count > 0, "no points of", "getppid(2)");
		equal += got_count == expected_count && !memcmp(got, expected, got_count * sizeof *got);
	}
	check(equal > 10, "not the points of KCOV_TRACE_PC", "getppid(2)");
	printf("%d of 20 equal\n", equal);
}

static void *lead(void *argument) {
	static struct worker other;
	struct collector c = collector_open(32768), *of = argument;

	start_thread(&other);
	control(&c, KCOV_COLLECT, SCOPE_PROCESS);
	work();
	check(pipes(&c, OWN) > 0 && !pipes(&c, THREAD) && !pipes(&c, MAIN), "not told apart", "the leader");
	tell(&other);
	check(pipes(&c, THREAD) > 0 && !pipes(&c, MAIN) && !pipes(&c, CHILD), "not told apart", "a thread made before");
	*of = c;
	return NULL;
}

/* The leader, the other threads and the first of its process, and other processes. */
static void roles(void) {
	struct worker later, child;
	struct collector c;
	pthread_t leader;

	if (pthread_create(&leader, NULL, lead, &c)) die("pthread_create");
	pthread_join(leader, NULL);
	check(pipes(&c, MAIN) == 0, "too early", "the main thread");
	work();
	check(pipes(&c, MAIN) > 0, "not told apart", "the main thread");
	check(pipes(&c, CHILD) == 0, "too early", "a process");
	start_process(&child, 0);
	tell(&child);
	check(pipes(&c, CHILD) > 0, "not told apart", "a process");
	renew(&c);
	start_thread(&later);
	tell(&later);
	check(pipes(&c, THREAD) > 0 && !pipes(&c, MAIN) && !pipes(&c, OWN), "not told apart", "a thread made later");
	check(c.area[TASKS] == 1, "not one task made", "TASKS");
	end_process(&child);
}

/* Only what the leader runs itself is left out, and what comes of it. */
static void paused(void) {
	struct collector c = collector_open(32768);
	struct worker thread, child;

	control(&c, KCOV_COLLECT, SCOPE_PROCESS);
	start_thread(&thread);
	start_process(&child, 0);
	c.area[PAUSED] = 1;
	renew(&c);
	work();
	close(open("/dev/shm/kernelcov-paused", O_CREAT | O_RDWR, 0600));
	check(c.area[COUNT] == 0 || (!pipes(&c, ANY) && !entries_of(&c, NULL, OWN, ANY_CALL)), "while paused", "the leader's");
	check(entries_of(&c, "__fput", ANY, ANY_CALL) == 0, "while paused", "the leader's task work");
	check(c.area[CARRIED] == 0, "while paused", "CARRIED");
	tell(&thread);
	tell(&child);
	check(pipes(&c, THREAD) > 0 && pipes(&c, CHILD) > 0, "not collected while the leader is paused", "the others'");
	c.area[PAUSED] = 0;
	work();
	check(pipes(&c, OWN) > 0, "not collected afterwards", "the leader's");
	unlink("/dev/shm/kernelcov-paused");
	end_process(&child);
}

/* A process made in a test stays with it, one made before the tests and a thread go with the switch. */
static void kept(void) {
	struct collector outside = collector_open(32768), one = collector_with(32768, COLLECTOR_KEEPS);
	struct collector two = collector_with(32768, COLLECTOR_KEEPS);
	struct worker server, thread, child, parent;

	control(&outside, KCOV_COLLECT, SCOPE_PROCESS);
	start_process(&server, 0);
	check(outside.area[TASKS] == 1, "not one task of outside", "TASKS");
	renew(&one);
	start_process(&child, 0);
	start_process(&parent, 1);
	start_thread(&thread);
	check(one.area[TASKS] == 3, "not three tasks of the test", "TASKS");
	renew(&two);
	tell(&child);
	check(pipes(&one, CHILD) > 0 && !pipes(&two, ANY), "not with its test", "a process");
	tell(&thread);
	check(pipes(&two, THREAD) > 0 && !pipes(&one, THREAD), "not with the switch", "a thread");
	tell(&server);
	check(pipes(&two, CHILD) > 0, "not with the switch", "a process made before the tests");
	check(two.area[TASKS] == 0, "tasks of the second test", "TASKS");
	tell(&parent);
	check(one.area[TASKS] == 4 && two.area[TASKS] == 0, "not with its test", "a process of a process");
	/* Of one collector to another: those that are kept stay. */
	control(&outside, KCOV_COLLECT_SWITCH, one.fd | SWITCH_RENEW);
	control(&outside, KCOV_COLLECT_SWITCH, two.fd);
	tell(&child);
	check(!pipes(&outside, ANY), "gone with a switch", "a process");
	work();
	check(pipes(&outside, OWN) > 0, "not with a switch by descriptor", "the leader");
	/* Renewed, a test has nobody. */
	renew(&one);
	tell(&child);
	tell(&parent);
	check(!pipes(&one, CHILD) && !pipes(&outside, CHILD) && one.area[TASKS] == 0, "after a renewal", "a process");
	end_process(&server);
	end_process(&child);
	end_process(&parent);
}

/* A renewal takes a collector away from the groups of others. */
static void renewed(void) {
	struct collector c = collector_open(32768);
	int go = eventfd(0, 0), done = eventfd(0, 0);
	uint64_t word = 1;
	pid_t pid = fork();

	if (pid == 0) {
		control(&c, KCOV_COLLECT, SCOPE_THREAD);
		for (int i = 0; i < 3; i++) {
			if (i == 2) control(&c, KCOV_COLLECT_SWITCH, SWITCH_OWN);
			work();
			write(done, &word, 8);
			read(go, &word, 8);
		}
		_exit(0);
	}
	control(&c, KCOV_COLLECT, SCOPE_THREAD);
	for (int i = 0; i < 3; i++) {
		read(done, &word, 8);
		check(!pipes(&c, OWN) == (i == 1), i == 1 ? "after a renewal" : "not collected", "another group");
		if (i == 0) renew(&c);
		write(go, &word, 8);
	}
	waitpid(pid, NULL, 0);
}

/* Page faults of mappings of files that are private are those of code. */
static void faults(void) {
	struct collector c = collector_open(32768);
	int file = open("/dev/shm/kernelcov-faults", O_CREAT | O_RDWR, 0600);
	volatile char *code, *shared, *nothing;

	if (ftruncate(file, 8192)) die("ftruncate");
	code = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);
	shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 4096);
	nothing = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	control(&c, KCOV_COLLECT, SCOPE_THREAD);
	(void)*shared;
	check(entries_of(&c, "shmem_fault", OWN, CALL_PAGE_FAULT) > 0, "not a page fault", "a shared mapping");
	nothing[0] = 1;
	check(entries_of(&c, "folio_add_new_anon_rmap", OWN, CALL_PAGE_FAULT) > 0, "not a page fault", "memory");
	check(entries_of(&c, "shmem_fault", ANY, CALL_CODE_FAULT) + entries_of(&c, "folio_add_new_anon_rmap", ANY, CALL_CODE_FAULT) == 0,
		"a fault of code", "memory");
	renew(&c);
	(void)*code;
	check(entries_of(&c, "shmem_fault", OWN, CALL_CODE_FAULT) > 0, "not a fault of code", "a private mapping");
	check(entries_of(&c, "shmem_fault", OWN, CALL_PAGE_FAULT) == 0, "a page fault like others", "a private mapping");
	check(entries_of(&c, "lock_vma_under_rcu", OWN, CALL_CODE_FAULT) + entries_of(&c, "find_vma", OWN, CALL_CODE_FAULT) == 0,
		"before the mapping is known", "a fault of code");
	getppid();
	check(entries_of(&c, NULL, OWN, SYS_getppid) > 0, "not found after a fault of code", "getppid(2)");
	unlink("/dev/shm/kernelcov-faults");
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "boundary", boundary }, { "roles", roles }, { "paused", paused },
	{ "kept", kept }, { "renewed", renewed }, { "faults", faults },
};

int main(int argc, char **argv) {
	setvbuf(stdout, NULL, _IOLBF, 0);
	functions_load();
	for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++) {
		if (strcmp(cases[i].name, argv[1])) continue;
		cases[i].run();
		printf("%s: %d failures\n", argv[1], failures);
		return failures != 0;
	}
	return 2;
}
