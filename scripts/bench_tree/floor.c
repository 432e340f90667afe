/*
 * What following a process tree costs at least: starts a command, has each of its threads and processes enable KCOV in
 * its deduplicating mode, and reads nothing. For x86-64.
 *
 *   floor COMMAND…
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define KCOV_INIT_TRACE _IOR('c', 1, unsigned long)
#define KCOV_UNIQUE_ENABLE _IOW('c', 103, unsigned long)
#define WORDS 32768
#define BITMAP_WORDS 4096
#define MOST_TASKS 32768

/* The device of each task, by id; those of ended tasks serve again. */
static int devices[MOST_TASKS];
static int spare[MOST_TASKS];
static int spares;
static char enrolled[MOST_TASKS];

static long call(pid_t tid, const struct user_regs_struct *saved, long number, long a, long b, long c) {
	struct user_regs_struct regs = *saved;
	int status;

	regs.rax = number;
	regs.rdi = a;
	regs.rsi = b;
	regs.rdx = c;
	regs.rip -= 2;
	regs.orig_rax = -1;
	ptrace(PTRACE_SETREGS, tid, 0, &regs);
	do {
		/* The SIGCONT that starts the command is dropped. */
		ptrace(PTRACE_SINGLESTEP, tid, 0, 0);
		/* Its process may end meanwhile. */
		if (waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status)) return -ESRCH;
	} while (WSTOPSIG(status) != SIGTRAP);
	ptrace(PTRACE_GETREGS, tid, 0, &regs);
	return regs.rax;
}

static void enrol(pid_t tid) {
	struct user_regs_struct saved;
	long pidfd, fd, result;

	ptrace(PTRACE_GETREGS, tid, 0, &saved);
	if (((ptrace(PTRACE_PEEKTEXT, tid, saved.rip - 2, 0)) & 0xffff) != 0x050f) exit(4);
	if (spares > 0) devices[tid] = spare[--spares];
	else {
		devices[tid] = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
		if (devices[tid] < 0 || ioctl(devices[tid], KCOV_INIT_TRACE, WORDS) < 0) exit(5);
	}
	pidfd = call(tid, &saved, SYS_pidfd_open, getpid(), 0, 0);
	fd = call(tid, &saved, SYS_pidfd_getfd, pidfd, devices[tid], 0);
	result = call(tid, &saved, SYS_ioctl, fd, KCOV_UNIQUE_ENABLE, BITMAP_WORDS);
	if (result == -ESRCH) return;
	if (result != 0) exit(6);
	/* Not the descriptors between, which are another thread's. */
	if (fd == pidfd + 1) call(tid, &saved, SYS_close_range, pidfd, fd, 0);
	else {
		call(tid, &saved, SYS_close, pidfd, 0, 0);
		call(tid, &saved, SYS_close, fd, 0, 0);
	}
	ptrace(PTRACE_SETREGS, tid, 0, &saved);
	enrolled[tid] = 1;
}

int main(int argc, char **argv) {
	const long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
	int status;
	pid_t root = fork();

	if (argc < 2 || root < 0) return 2;
	if (root == 0) {
		syscall(SYS_kill, getpid(), SIGSTOP);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	waitpid(root, &status, WUNTRACED);
	if (ptrace(PTRACE_SEIZE, root, 0, options) < 0) return 7;
	kill(root, SIGCONT);
	for (;;) {
		pid_t tid = waitpid(-1, &status, __WALL);
		int signal = WSTOPSIG(status);

		if (tid < 0) return 8;
		if (!WIFSTOPPED(status)) {
			if (enrolled[tid]) spare[spares++] = devices[tid];
			enrolled[tid] = 0;
			if (tid == root) return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
		} else if (status >> 16 == PTRACE_EVENT_STOP && signal != SIGTRAP)
			ptrace(PTRACE_LISTEN, tid, 0, 0);
		else if (status >> 16 == PTRACE_EVENT_STOP) {
			if (!enrolled[tid]) enrol(tid);
			ptrace(PTRACE_CONT, tid, 0, 0);
		} else
			ptrace(PTRACE_CONT, tid, 0, status >> 16 ? 0 : signal);
	}
}
