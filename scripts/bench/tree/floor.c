/*
 * What following a process tree costs at least: starts a command, has each of its threads and processes enable KCOV in
 * its deduplicating mode, and reads no points. It reads each message of a preload, so that the tests run as they do
 * under kernelcov's supervisor, and answers that all is done (src/tracer/boundary/boundary_message.ts). For x86-64.
 *
 *   floor COMMAND…
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
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

#define BOUNDARY_MAGIC 0x6b636f76
#define ANSWER_BYTES 32
static const int ANSWER_DONE[2] = { 1, 0 };

/* The device of each task, by id; those of ended tasks serve again. */
static int devices[MOST_TASKS];
static int spare[MOST_TASKS];
static int spares;
static char enrolled[MOST_TASKS];
/* The memory of each task that has sent a message, or 0. */
static int memories[MOST_TASKS];

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

/* Answers a message of a test's thread; 0 where the signal is none. */
static int answer(pid_t tid) {
	static char message[4096];
	siginfo_t info;
	off_t address;

	if (ptrace(PTRACE_GETSIGINFO, tid, 0, &info) < 0 || info.si_errno != BOUNDARY_MAGIC) return 0;
	if (memories[tid] == 0) {
		char path[32];

		snprintf(path, sizeof path, "/proc/%d/mem", tid);
		memories[tid] = open(path, O_RDWR | O_CLOEXEC);
	}
	address = (off_t)info.si_value.sival_ptr;
	if (pread(memories[tid], message, sizeof message, address) != sizeof message) exit(9);
	if (pwrite(memories[tid], ANSWER_DONE, sizeof ANSWER_DONE, address + ANSWER_BYTES) < 0) exit(10);
	return 1;
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
			if (memories[tid] != 0) close(memories[tid]);
			memories[tid] = 0;
			if (tid == root) return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
		} else if (status >> 16 == PTRACE_EVENT_STOP && signal != SIGTRAP)
			ptrace(PTRACE_LISTEN, tid, 0, 0);
		else if (status >> 16 == PTRACE_EVENT_STOP) {
			if (!enrolled[tid]) enrol(tid);
			ptrace(PTRACE_CONT, tid, 0, 0);
		} else if (status >> 16 == 0 && signal == SIGURG && answer(tid))
			ptrace(PTRACE_CONT, tid, 0, 0);
		else
			ptrace(PTRACE_CONT, tid, 0, status >> 16 ? 0 : signal);
	}
}
