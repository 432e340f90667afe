/* One thread's epoll, timers, signals and file notification. */
#include "parts.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/times.h>

static void on_signal(int number)
{
	(void)number;
}

static void on_siginfo(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
}

/* Signals come until they are turned off: the first may come before the call that it is to interrupt. */
void interrupts(int on)
{
	long period = on ? 2000 : 0;

	setitimer(ITIMER_REAL, &(struct itimerval){ { 0, period }, { 0, period } }, NULL);
}

void prepare(void)
{
}

/* fs/eventpoll.c, fs/eventfd.c, fs/select.c */
static void polling(void)
{
	struct epoll_event event = { .events = EPOLLIN }, events[8];
	struct timespec soon = { 0, 1000000 };
	struct timeval short_time = { 0, 1000 };
	struct pollfd polled[3];
	uint64_t value = 3;
	sigset_t mask;
	fd_set set, errors;
	int first = open("/dev/null", O_RDONLY), ep, inner, e, p[2], chain[7];

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	epoll_create1(0x10);
	epoll_create(0);
	ep = epoll_create(5);
	inner = epoll_create1(EPOLL_CLOEXEC);
	e = eventfd(1, EFD_NONBLOCK);
	eventfd(0, 0x10);
	pipe(p);
	epoll_ctl(ep, EPOLL_CTL_ADD, e, &event);
	epoll_ctl(ep, EPOLL_CTL_ADD, e, &event);
	epoll_ctl(ep, EPOLL_CTL_ADD, ep, &event);
	epoll_ctl(ep, EPOLL_CTL_ADD, 99, &event);
	epoll_ctl(ep, 9, e, &event);
	epoll_ctl(ep, EPOLL_CTL_ADD, e, (void *)1);
	epoll_ctl(e, EPOLL_CTL_ADD, p[0], &event);
	epoll_ctl(ep, EPOLL_CTL_ADD, first, &event);
	epoll_wait(ep, events, 8, 0);
	epoll_wait(ep, events, 0, 0);
	epoll_wait(e, events, 1, 0);
	event.events = EPOLLIN | EPOLLET | EPOLLONESHOT;
	epoll_ctl(ep, EPOLL_CTL_MOD, e, &event);
	epoll_wait(ep, events, 8, 1);
	epoll_wait(ep, events, 8, 1);
	event.events = EPOLLIN | EPOLLEXCLUSIVE;
	epoll_ctl(ep, EPOLL_CTL_MOD, e, &event);
	epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &event);
	epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &event);
	event.events = EPOLLIN | EPOLLWAKEUP | EPOLLRDHUP;
	epoll_ctl(ep, EPOLL_CTL_ADD, inner, &event);
	epoll_ctl(inner, EPOLL_CTL_ADD, ep, &event);
	epoll_ctl(inner, EPOLL_CTL_ADD, p[0], &event);
	write(p[1], data, 10);
	epoll_wait(ep, events, 1, 10);
	epoll_wait(ep, events, 8, -1);
	epoll_pwait(ep, events, 8, 1, &mask);
	syscall(SYS_epoll_pwait2, ep, events, 8, &soon, &mask, 8);
	syscall(SYS_epoll_pwait2, ep, events, 8, &soon, &mask, 3);
	for (int i = 0; i < 7; i++)
		chain[i] = epoll_create1(0);
	event.events = EPOLLIN;
	for (int i = 0; i < 6; i++)
		epoll_ctl(chain[i], EPOLL_CTL_ADD, chain[i + 1], &event);
	epoll_ctl(chain[6], EPOLL_CTL_ADD, p[0], &event);
	epoll_ctl(ep, EPOLL_CTL_ADD, chain[3], &event);
	for (int i = 0; i < 7; i++)
		close(chain[i]);
	epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL);
	epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL);
	read(e, &value, 8);
	read(e, &value, 8);
	read(e, &value, 4);
	write(e, &value, 8);
	value = ~0ull;
	write(e, &value, 8);
	value = ~0ull - 1;
	write(e, &value, 8);
	write(e, &value, 2);
	polled[0] = (struct pollfd){ e, POLLIN | POLLOUT, 0 };
	polled[1] = (struct pollfd){ -1, POLLIN, 0 };
	polled[2] = (struct pollfd){ 999, POLLIN, 0 };
	poll(polled, 3, 10);
	ppoll(polled, 2, &soon, &mask);
	read(p[0], data, 100);
	polled[0] = (struct pollfd){ p[0], POLLIN, 0 };
	poll(polled, 1, 1);
	poll(polled, 1, 0);
	FD_ZERO(&set);
	FD_SET(p[0], &set);
	FD_SET(e, &set);
	errors = set;
	select(p[1], &set, NULL, &errors, &short_time);
	FD_SET(p[1], &set);
	select(p[1] + 1, NULL, &set, NULL, NULL);
	select(-1, &set, NULL, NULL, NULL);
	FD_ZERO(&set);
	FD_SET(500, &set);
	select(501, &set, NULL, NULL, &short_time);
	pselect(0, NULL, NULL, NULL, &soon, &mask);
	close(e);
	e = eventfd(5, EFD_SEMAPHORE | EFD_CLOEXEC);
	read(e, &value, 8);
	fcntl(e, F_GETFL);
	snprintf(data, 100, "/proc/self/fdinfo/%d", e);
	p[0] = dup(p[0]);
	fcntl(inner, F_DUPFD, 600);
	int info = open(data, O_RDONLY);
	read(info, data, 1000);
	close(info);
	snprintf(data, 100, "/proc/self/fdinfo/%d", ep);
	info = open(data, O_RDONLY);
	read(info, data, 1000);
	close(info);
	syscall(SYS_close_range, first, ~0u, 0);
}

/* kernel/time, fs/timerfd.c */
static void timers(void)
{
	struct itimerspec quick = { .it_value = { 0, 2000000 }, .it_interval = { 0, 1000000 } }, old, none = { 0 },
			  wrong = { .it_value = { 0, 2000000000 } };
	struct itimerval interval = { { 0, 1000 }, { 0, 1000 } }, nothing = { 0 }, before;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct timespec now, soon = { 0, 1000000 }, bad = { 0, -1 };
	struct timeval tv;
	uint64_t ticks;
	timer_t timer;
	int fd;

	signal(SIGALRM, on_signal);
	signal(SIGUSR1, on_signal);
	for (int clock = -3; clock < 14; clock++) {
		clock_gettime(clock, &now);
		clock_getres(clock, &now);
		syscall(SYS_clock_gettime, clock, &now);
	}
	clock_gettime(CLOCK_REALTIME, &now);
	syscall(SYS_clock_settime, CLOCK_MONOTONIC, &now);
	gettimeofday(&tv, NULL);
	syscall(SYS_gettimeofday, &tv, NULL);
	nanosleep(&soon, NULL);
	nanosleep(&bad, NULL);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &soon, NULL);
	clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &none.it_value, NULL);
	clock_gettime(CLOCK_BOOTTIME, &now);
	now.tv_nsec = (now.tv_nsec + 1000000) % 1000000000;
	clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &now, NULL);
	clock_nanosleep(77, 0, &soon, NULL);
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	timerfd_create(9, 0);
	timerfd_create(CLOCK_MONOTONIC, 0x4000000);
	timerfd_settime(fd, 0, &quick, &old);
	timerfd_settime(fd, 0, &wrong, &old);
	timerfd_settime(0, 0, &quick, &old);
	timerfd_settime(99, 0, &quick, &old);
	read(fd, &ticks, 8);
	read(fd, &ticks, 3);
	timerfd_gettime(fd, &old);
	fcntl(fd, F_SETFL, 0);
	read(fd, &ticks, 8);
	poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 10);
	timerfd_gettime(fd, &old);
	timerfd_settime(fd, 0, &none, &old);
	close(fd);
	fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	clock_gettime(CLOCK_REALTIME, &now);
	quick.it_value.tv_sec = now.tv_sec + 100;
	timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &quick, NULL);
	clock_settime(CLOCK_REALTIME, &now);
	read(fd, &ticks, 8);
	close(fd);
	fd = timerfd_create(CLOCK_BOOTTIME_ALARM, 0);
	if (fd >= 0)
		close(fd);
	quick.it_value.tv_sec = 0;
	setitimer(ITIMER_REAL, &interval, &before);
	nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
	getitimer(ITIMER_REAL, &before);
	setitimer(ITIMER_REAL, &nothing, NULL);
	setitimer(ITIMER_VIRTUAL, &nothing, &before);
	setitimer(ITIMER_PROF, &nothing, &before);
	getitimer(ITIMER_PROF, &before);
	getitimer(7, &before);
	interval.it_value.tv_usec = -4;
	setitimer(ITIMER_REAL, &interval, NULL);
	interval.it_value.tv_usec = 1000;
	alarm(5);
	alarm(0);
	for (int clock = 0; clock < 4; clock++) {
		if (syscall(SYS_timer_create, clock, clock == 1 ? NULL : &event, &timer))
			continue;
		syscall(SYS_timer_settime, timer, 0, &quick, &old);
		syscall(SYS_timer_gettime, timer, &old);
		if (clock < 2)
			nanosleep(&(struct timespec){ 0, 4000000 }, NULL);
		syscall(SYS_timer_getoverrun, timer);
		syscall(SYS_timer_settime, timer, TIMER_ABSTIME, &none, NULL);
		syscall(SYS_timer_delete, timer);
	}
	event.sigev_notify = SIGEV_NONE;
	if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) == 0) {
		syscall(SYS_timer_settime, timer, 0, &quick, NULL);
		syscall(SYS_timer_settime, timer, 0, &wrong, NULL);
		syscall(SYS_timer_gettime, timer, &old);
		syscall(SYS_timer_delete, timer);
	}
	event.sigev_notify = 99;
	syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer);
	event.sigev_notify = SIGEV_THREAD_ID;
	syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer);
	syscall(SYS_timer_create, 99, &event, &timer);
	syscall(SYS_timer_gettime, 12345, &old);
	syscall(SYS_timer_delete, 12345);
	times(NULL);
}

/* kernel/signal.c, fs/signalfd.c */
static void signals(void)
{
	struct sigaction action = { .sa_sigaction = on_siginfo, .sa_flags = SA_SIGINFO | SA_RESTART }, old;
	struct signalfd_siginfo info;
	static char alternate[16384];
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	struct timespec none = { 0, 0 }, soon = { 0, 2000000 };
	siginfo_t si = { 0 };
	sigset_t set, all;
	int fd, p[2];

	sigaction(SIGUSR1, &action, &old);
	sigaction(SIGRTMIN, &action, NULL);
	sigaction(SIGKILL, &action, NULL);
	sigaction(99, &action, NULL);
	sigaltstack(&stack, NULL);
	sigaltstack(NULL, &stack);
	stack.ss_size = 10;
	sigaltstack(&stack, NULL);
	stack.ss_flags = 77;
	sigaltstack(&stack, NULL);
	raise(SIGUSR1);
	action.sa_flags |= SA_ONSTACK | SA_NODEFER | SA_RESETHAND;
	sigaction(SIGUSR1, &action, NULL);
	kill(getpid(), SIGUSR1);
	action.sa_flags = SA_SIGINFO;
	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, &all);
	sigprocmask(77, &set, &all);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 3);
	raise(SIGUSR1);
	raise(SIGUSR1);
	for (int i = 0; i < 3; i++)
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i });
	sigpending(&all);
	sigtimedwait(&set, &si, &none);
	sigtimedwait(&set, &si, &none);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	signalfd(-1, &set, 0x10);
	signalfd(0, &set, 0);
	poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 0);
	read(fd, &info, sizeof(info));
	read(fd, data, 10 * sizeof(info));
	read(fd, &info, sizeof(info));
	read(fd, &info, 3);
	sigdelset(&set, SIGRTMIN);
	signalfd(fd, &set, 0);
	close(fd);
	sigtimedwait(&set, &si, &soon);
	sigtimedwait(&set, &si, &(struct timespec){ 0, -1 });
	interrupts(1);
	signal(SIGALRM, on_signal);
	sigemptyset(&all);
	sigsuspend(&all);
	interrupts(0);
	pipe(p);
	interrupts(1);
	action.sa_flags = SA_SIGINFO;
	sigaction(SIGALRM, &action, NULL);
	read(p[0], data, 10);
	interrupts(0);
	interrupts(1);
	pause();
	interrupts(0);
	interrupts(1);
	nanosleep(&(struct timespec){ 0, 20000000 }, &soon);
	interrupts(0);
	fcntl(p[0], F_SETOWN, getpid());
	fcntl(p[0], F_GETOWN);
	fcntl(p[0], F_SETSIG, SIGRTMIN);
	fcntl(p[0], F_SETFL, O_ASYNC | O_NONBLOCK);
	write(p[1], data, 10);
	close(p[0]);
	close(p[1]);
	kill(0, 0);
	kill(99999, SIGUSR1);
	kill(-99999, SIGUSR1);
	kill(getpid(), 99);
	kill(-1, 0);
	syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
	syscall(SYS_tgkill, getpid(), -1, SIGUSR1);
	syscall(SYS_tkill, getpid(), SIGUSR1);
	syscall(SYS_tkill, 99999, SIGUSR1);
	memset(&si, 0, sizeof(si));
	si.si_code = SI_QUEUE;
	syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &si);
	si.si_code = SI_USER;
	syscall(SYS_rt_sigqueueinfo, 99999, SIGUSR1, &si);
	syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR1, &si);
	fd = syscall(SYS_pidfd_open, getpid(), 0);
	syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0);
	syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 99);
	close(fd);
	signal(SIGUSR1, SIG_IGN);
	sigprocmask(SIG_SETMASK, &all, NULL);
	raise(SIGUSR1);
	signal(SIGCHLD, SIG_DFL);
	raise(SIGCHLD);
	raise(SIGWINCH);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGRTMIN, SIG_IGN);
	syscall(SYS_restart_syscall);
}

/* fs/notify */
static void notification(void)
{
	struct fanotify_response response;
	int fd, w, w2, fan, n;

	inotify_init1(0x10);
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	mkdir("watched", 0755);
	w = inotify_add_watch(fd, "watched", IN_ALL_EVENTS);
	w2 = inotify_add_watch(fd, "watched", IN_OPEN | IN_MASK_ADD);
	inotify_add_watch(fd, "watched", IN_OPEN | IN_MASK_CREATE);
	inotify_add_watch(fd, "missing", IN_OPEN);
	inotify_add_watch(fd, "watched", 0);
	inotify_add_watch(0, "watched", IN_OPEN);
	inotify_add_watch(fd, "watched", IN_MASK_ADD | IN_MASK_CREATE | IN_OPEN);
	open_flags("watched/file", O_CREAT | O_RDWR);
	n = open("watched/file", O_RDWR);
	write(n, data, 10);
	read(n, data, 10);
	fchmod(n, 0600);
	close(n);
	rename("watched/file", "watched/other");
	rename("watched/other", "moved");
	link("moved", "watched/linked");
	poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 0);
	ioctl(fd, FIONREAD, &n);
	ioctl(fd, 0x1234, &n);
	read(fd, data, 10);
	read(fd, data, 100);
	read(fd, data, sizeof(data));
	read(fd, data, sizeof(data));
	inotify_add_watch(fd, "watched/linked", IN_ONESHOT | IN_ATTRIB | IN_DELETE_SELF);
	chmod("watched/linked", 0644);
	unlink("watched/linked");
	unlink("moved");
	snprintf(data, 100, "/proc/self/fdinfo/%d", fd);
	n = open(data, O_RDONLY);
	read(n, data, 1000);
	close(n);
	inotify_rm_watch(fd, w2);
	inotify_rm_watch(fd, w);
	inotify_rm_watch(0, w);
	inotify_add_watch(fd, "watched", IN_ONLYDIR | IN_DELETE_SELF);
	rmdir("watched");
	read(fd, data, sizeof(data));
	close(fd);
	mkdir("watched", 0755);
	fanotify_init(FAN_CLASS_NOTIF | 0x8000, 0);
	fan = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY);
	fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN | FAN_CLOSE | FAN_MODIFY | FAN_EVENT_ON_CHILD | FAN_ONDIR, AT_FDCWD, "watched");
	fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK, FAN_MODIFY, AT_FDCWD, "watched");
	fanotify_mark(fan, FAN_MARK_ADD, 1ull << 40, AT_FDCWD, "watched");
	fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, "watched");
	fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "missing");
	open_flags("watched/file", O_CREAT | O_RDWR);
	open_flags("watched/file", O_RDONLY);
	open_flags("watched", O_RDONLY | O_DIRECTORY);
	n = read(fan, data, 4096);
	for (struct fanotify_event_metadata *event = (void *)data; n > 0 && FAN_EVENT_OK(event, n); event = FAN_EVENT_NEXT(event, n)) {
		response = (struct fanotify_response){ event->fd, FAN_ALLOW };
		write(fan, &response, sizeof(response));
		if (event->fd >= 0)
			close(event->fd);
	}
	read(fan, data, 4096);
	read(fan, data, 3);
	ioctl(fan, FIONREAD, &n);
	fanotify_mark(fan, FAN_MARK_REMOVE, FAN_MODIFY, AT_FDCWD, "watched");
	fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN, AT_FDCWD, ".");
	fanotify_mark(fan, FAN_MARK_FLUSH, 0, AT_FDCWD, "watched");
	fanotify_mark(fan, FAN_MARK_FLUSH | FAN_MARK_MOUNT, 0, AT_FDCWD, "watched");
	close(fan);
	fan = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_REPORT_DIR_FID | FAN_REPORT_NAME | FAN_NONBLOCK, 0);
	fanotify_mark(fan, FAN_MARK_ADD, FAN_CREATE | FAN_DELETE | FAN_MOVED_FROM | FAN_MOVED_TO | FAN_ATTRIB, AT_FDCWD, "watched");
	open_flags("watched/b", O_CREAT | O_RDWR);
	rename("watched/b", "watched/c");
	unlink("watched/c");
	read(fan, data, 4096);
	close(fan);
	unlink("watched/file");
	rmdir("watched");
}

void (*const steps[])(void) = { polling, timers, signals, notification, system_v, posix_queues };
const size_t step_count = sizeof(steps) / sizeof(*steps);
