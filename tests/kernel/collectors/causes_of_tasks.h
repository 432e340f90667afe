/* What a process does with timers, its children, terminals and io_uring. */
#ifndef CAUSES_OF_TASKS_H
#define CAUSES_OF_TASKS_H

#include <linux/io_uring.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>

static void nothing(void) {}

/* The first request of a new ring, to be filled in. */
static struct io_uring_sqe *submit(int ring, const struct io_uring_params *p) {
	char *queue = mmap(NULL, p->sq_off.array + 64, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);

	*(uint32_t *)(queue + p->sq_off.array) = 0;
	*(volatile uint32_t *)(queue + p->sq_off.tail) = 1;
	return mmap(NULL, 4 * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
}

static void uring_before(void) {
	fd2 = open("/dev/shm/kernelcov-data", O_CREAT | O_RDWR | O_TRUNC, 0600);
	for (int i = 0; i < 100; i++)
		if (write(fd2, "0123456789abcdef", 16) != 16) die("write");
}

static void uring(void) {
	static char buffer[512];
	struct io_uring_params p = { 0 };
	int fd = syscall(SYS_io_uring_setup, 4, &p);
	struct io_uring_sqe *entry = submit(fd, &p);

	*entry = (struct io_uring_sqe){
		.opcode = IORING_OP_READ, .flags = IOSQE_ASYNC, .fd = fd2, .addr = (uintptr_t)buffer, .len = sizeof buffer,
	};
	if (syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1) die("io_uring_enter");
}

static void timerfd_before(void) {
	struct epoll_event event = { .events = EPOLLIN };
	struct io_uring_params p = { 0 };
	int ring = syscall(SYS_io_uring_setup, 4, &p);

	fd1 = timerfd_create(CLOCK_MONOTONIC, 0);
	fd2 = epoll_create1(0);
	if (epoll_ctl(fd2, EPOLL_CTL_ADD, fd1, &event)) die("epoll_ctl");
	/* And a poll by io_uring, whose wake-up is a function of its own. */
	struct io_uring_sqe *entry = submit(ring, &p);
	*entry = (struct io_uring_sqe){ .opcode = IORING_OP_POLL_ADD, .fd = fd1, .poll32_events = POLLIN };
	if (syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0) != 1) die("io_uring_enter");
}

static void timerfd(void) {
	struct itimerspec spec = { .it_value.tv_nsec = 200000000 };
	if (timerfd_settime(fd1, 0, &spec, NULL)) die("timerfd_settime");
}

static volatile sig_atomic_t signalled;

static void on_signal(int number) {
	signalled = number;
}

static void itimer_before(void) {
	signalled = 0;
	signal(SIGALRM, on_signal);
	signal(SIGPROF, on_signal);
}

static void itimer(void) {
	struct itimerval value = { .it_value.tv_usec = 200000 };
	if (setitimer(ITIMER_REAL, &value, NULL)) die("setitimer");
}

/* Timers of the processor time need some. */
static void burn(void) {
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do clock_gettime(CLOCK_MONOTONIC, &now);
	while (!signalled && now.tv_sec - start.tv_sec < 20);
	if (!signalled) die("no signal");
}

static void profiler(void) {
	struct itimerval value = { .it_value.tv_usec = 100000 };
	if (setitimer(ITIMER_PROF, &value, NULL)) die("setitimer");
}

static timer_t timer;

static void cputimer_before(void) {
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGPROF };

	itimer_before();
	if (timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer)) die("timer_create");
}

static void cputimer(void) {
	struct itimerspec spec = { .it_value.tv_nsec = 100000000 };
	if (timer_settime(timer, 0, &spec, NULL)) die("timer_settime");
}

static void end_of_a_child(void) {
	pid_t pid = fork();

	if (pid == 0) _exit(0);
	waitpid(pid, NULL, 0);
}

static void netns(void) {
	pid_t pid = fork();

	if (pid == 0) _exit(unshare(CLONE_NEWNET) != 0);
	waitpid(pid, NULL, 0);
}

static void pty_before(void) {
	if (openpty(&fd1, &fd2, NULL, NULL, NULL)) die("openpty");
}

static void pty(void) {
	if (write(fd1, "hello\n", 6) != 6) die("write");
}

static void kunit_before(void) {
	fd1 = open("/sys/kernel/debug/kunit/list-kunit-test/run", O_WRONLY);
	if (fd1 < 0) die("the kernel has no list-kunit-test");
}

static void kunit(void) {
	if (write(fd1, "1", 1) != 1) die("write");
}

#endif
