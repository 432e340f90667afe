// SPDX-License-Identifier: MIT
/*
 * Process 1 of a guest: of the embedded kernel, and with VIRTUAL_MACHINE of a virtual machine, where it is /init of an
 * initramfs.
 *
 * It makes a machine of the host's file system (read-only below, an overlay in memory above, named folders writable),
 * runs one command in it and powers off. It talks to the host over a raw line, a serial one or a port of a virtio console,
 * in frames: one byte of type, the payload's length as four bytes, little-endian, the payload.
 * src/machines/guest/guest_protocol.ts is the other end.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Frames to the host. */
enum {
	FRAME_HELLO = 'H',   /* The guest is up: send FRAME_START. */
	FRAME_UNSEALED = 'U', /* This kernel lets the command mount more of the host's folders. */
	FRAME_READY = 'R',   /* The command is about to run. */
	FRAME_STDOUT = '1',
	FRAME_STDERR = '2',
	FRAME_WANT = 'W',    /* All standard input was taken: send more. */
	FRAME_EXIT = 'X',    /* The command's wait status, four bytes; the last frame. */
	FRAME_FAILED = 'F',  /* Why the command could not be run; the last frame. */
};

/* Frames from the host. */
enum {
	FRAME_START = 'S',   /* Settings, each a letter and a value, each ended by a NUL. */
	FRAME_STDIN = '0',   /* Bytes; none is the end of the input. */
	FRAME_SIGNAL = 'K',  /* One byte: the signal for the command's foreground process group. */
	FRAME_WINDOW = 'Z',  /* Rows and columns of the terminal, two bytes each. */
};

enum { FRAME_HEADER = 5, CHUNK = 65536 };

static int line = -1;

/* Waits until the host has what was written to the line. */
static void drain_line(void);

static void power_off(void)
{
	sync();
	drain_line();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

/* Without the line there is nobody left to run for. */
static void write_line(const void *data, size_t size)
{
	const char *bytes = data;

	while (size > 0) {
		ssize_t done = write(line, bytes, size);

		if (done < 0 && errno != EINTR)
			power_off();
		if (done > 0) {
			bytes += done;
			size -= done;
		}
	}
}

/* `frame` has room for the header before its payload: header and payload go in one write. */
static void send_frame(char type, unsigned char *frame, uint32_t size)
{
	frame[0] = type;
	for (int i = 0; i < 4; i++)
		frame[1 + i] = size >> 8 * i;
	write_line(frame, FRAME_HEADER + size);
}

static void send_empty(char type)
{
	unsigned char frame[FRAME_HEADER];

	send_frame(type, frame, 0);
}

static void __attribute__((format(printf, 1, 2), noreturn)) fail(const char *format, ...)
{
	unsigned char frame[FRAME_HEADER + 1024];
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf((char *)frame + FRAME_HEADER, 1024, format, args);
	va_end(args);
	send_frame(FRAME_FAILED, frame, size < 1024 ? size : 1023);
	power_off();
	__builtin_unreachable();
}

static void must_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
	if (mount(source, target, type, flags, data) < 0)
		fail("Cannot mount %s on %s in the guest: %s", type, target, strerror(errno));
}

/* What the kernel's configuration may lack. */
static void may_mount(const char *target, const char *type, unsigned long flags, const char *data)
{
	mkdir(target, 0755);
	mount(type, target, type, flags, data);
}

static void make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	mkdir(path, 0755);
}

/* What differs between machines. */
#ifdef VIRTUAL_MACHINE
#include "../vm/init_vm.h"
#else
#include "../uml/init_uml.h"
#endif

static bool is_below(const char *path, const char *folder)
{
	size_t size = strlen(folder);

	return strncmp(path, folder, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

static void mount_machine(const char *cwd)
{
	must_mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	must_mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	must_mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	may_mount("/sys/fs/cgroup", "cgroup2", 0, NULL);
	may_mount("/sys/fs/bpf", "bpf", 0, NULL);
	may_mount("/dev/pts", "devpts", 0, "mode=0620,ptmxmode=0666,gid=5");
	may_mount("/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
	may_mount("/dev/mqueue", "mqueue", 0, NULL);
	symlink("/proc/self/fd", "/dev/fd");
	symlink("fd/0", "/dev/stdin");
	symlink("fd/1", "/dev/stdout");
	symlink("fd/2", "/dev/stderr");
	unlink("/dev/ptmx");
	symlink("pts/ptmx", "/dev/ptmx");
	/* The host's daemons do not run here, so neither should their sockets be seen. */
	if (!is_below(cwd, "/run") && !is_below(cwd, "/var/run"))
		may_mount("/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
}

/* Bringing the loopback device up gives it 127.0.0.1 and ::1. */
static void start_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0) {
		ioctl(fd, SIOCSIFFLAGS, &request);
		close(fd);
	}
}

struct settings {
	char **argv, **envp;
	size_t argc, envc;
	const char *cwd;
	bool terminal, input;
	struct winsize window;
};

static void *grow(void *array, size_t count)
{
	array = realloc(array, (count + 2) * sizeof(char *));
	if (!array)
		fail("The guest's memory is too small for the command's arguments: use a larger --memory");
	return array;
}

static void read_settings(char *text, size_t size, struct settings *settings)
{
	char **writable = NULL;
	size_t writables = 0;
	unsigned int rows, columns;
	bool own_kernel = false;
	const char *modules = NULL;

	for (char *at = text; at < text + size; at += strlen(at) + 1) {
		char *value = at + 1;

		switch (*at) {
		case 'A':
			settings->argv = grow(settings->argv, settings->argc);
			settings->argv[settings->argc++] = value;
			settings->argv[settings->argc] = NULL;
			break;
		case 'E':
			settings->envp = grow(settings->envp, settings->envc);
			settings->envp[settings->envc++] = value;
			settings->envp[settings->envc] = NULL;
			break;
		case 'W':
			writable = grow(writable, writables);
			writable[writables++] = value;
			break;
		case 'C':
			settings->cwd = value;
			break;
		case 'O':
			own_kernel = true;
			break;
		case 'M':
			modules = value;
			break;
		case 'H':
			sethostname(value, strlen(value));
			break;
		case 'I':
			settings->input = true;
			break;
		case 'T':
			settings->terminal = true;
			if (sscanf(value, "%u %u", &rows, &columns) == 2)
				settings->window = (struct winsize){ .ws_row = rows, .ws_col = columns };
			break;
		}
	}
	if (!settings->argc || !settings->cwd)
		fail("The host sent no command");

	mount_machine(settings->cwd);
	for (size_t i = 0; i < writables; i++) {
		make_folders(writable[i]);
		mount_writable(writable[i], i);
	}
	free(writable);
	if (modules)
		mount_modules(modules);
	if (!seal()) {
		if (!own_kernel)
			fail("The guest's kernel cannot be kept from the host's files: %s", strerror(errno));
		send_empty(FRAME_UNSEALED);
	}
}

struct command {
	pid_t pid;
	int status;
	bool ended;
	/* Read ends of its output and write end of its input; -1 when closed. With a terminal all are its master. */
	int out, err, in;
	bool terminal;
};

/* The path of a program, looked for as execvp() does; NULL where there is none. */
static const char *find_program(const char *name, char found[PATH_MAX])
{
	const char *path = getenv("PATH");

	if (strchr(name, '/'))
		return name;
	while (path && *path) {
		size_t length = strcspn(path, ":");

		snprintf(found, PATH_MAX, "%.*s/%s", (int)length, path, name);
		if (access(found, F_OK) == 0)
			return found;
		path += length + (path[length] == ':');
	}
	return NULL;
}

static void __attribute__((noreturn)) exec_command(const struct settings *settings, int in, int out, int err)
{
	char found[PATH_MAX];
	const char *program;
	sigset_t none;
	int error;

	setsid();
	if (settings->terminal)
		ioctl(in, TIOCSCTTY, 0);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	environ = settings->envp;
	program = find_program(settings->argv[0], found);
	if (program && cannot_run(program)) {
		dprintf(2, "kernelcov: Cannot run %s: %s\n", settings->argv[0], cannot_run(program));
		_exit(126);
	}
	execvp(settings->argv[0], settings->argv);
	error = errno;
	/* A folder of PATH that may not be searched gives the same error as a program that may not be run. */
	if (error == EACCES && !program)
		error = ENOENT;
	dprintf(2, "kernelcov: Cannot run %s: %s\n", settings->argv[0], strerror(error));
	_exit(error == ENOENT ? 127 : 126);
}

static void start_command(const struct settings *settings, struct command *command)
{
	int in[2], out[2], err[2];

	command->terminal = settings->terminal;
	if (settings->terminal) {
		int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
		const char *name;

		if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 || !(name = ptsname(master)))
			fail("Cannot open a terminal in the guest: %s", strerror(errno));
		ioctl(master, TIOCSWINSZ, &settings->window);
		in[0] = out[1] = err[1] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
		in[1] = out[0] = master;
		err[0] = -1;
	} else {
		if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 || pipe2(in, O_CLOEXEC) < 0)
			fail("Cannot make pipes in the guest: %s", strerror(errno));
		if (!settings->input) {
			close(in[0]);
			close(in[1]);
			in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
			in[1] = -1;
		}
		fcntl(err[0], F_SETFL, O_NONBLOCK);
	}
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	if (in[1] >= 0)
		fcntl(in[1], F_SETFL, O_NONBLOCK);

	command->pid = fork();
	if (command->pid < 0)
		fail("Cannot start a process in the guest: %s", strerror(errno));
	if (command->pid == 0)
		exec_command(settings, in[0], out[1], err[1]);
	close(in[0]);
	if (!settings->terminal) {
		close(out[1]);
		close(err[1]);
	}
	command->out = out[0];
	command->err = err[0];
	command->in = in[1];
}

/* Sends what can be read now. False at the end of the file. */
static bool relay_output(int fd, char type)
{
	static unsigned char frame[FRAME_HEADER + CHUNK];

	for (;;) {
		ssize_t size = read(fd, frame + FRAME_HEADER, CHUNK);

		if (size > 0)
			send_frame(type, frame, size);
		else if (size == 0 || (errno != EAGAIN && errno != EINTR))
			return false;
		else if (errno == EAGAIN)
			return true;
		if (size < CHUNK && size > 0)
			return true;
	}
}

/* The command's input: at most one frame's worth, as the host sends more only after FRAME_WANT. */
struct input {
	unsigned char *bytes;
	size_t size, done;
	bool end;
};

static void relay_input(struct command *command, struct input *input)
{
	while (input->done < input->size) {
		ssize_t size = write(command->in, input->bytes + input->done, input->size - input->done);

		if (size < 0 && errno == EAGAIN)
			return;
		if (size < 0 && errno != EINTR) {
			/* Nobody reads any more. */
			if (!command->terminal)
				close(command->in);
			command->in = -1;
			return;
		}
		if (size > 0)
			input->done += size;
	}
	if (!input->end) {
		if (input->size > 0)
			send_empty(FRAME_WANT);
	} else if (!command->terminal) {
		close(command->in);
		command->in = -1;
	}
	input->size = input->done = 0;
}

static void signal_command(struct command *command, int number)
{
	pid_t group;

	if (command->terminal && ioctl(command->in, TIOCGPGRP, &group) == 0 && group > 0)
		kill(-group, number);
	else
		kill(-command->pid, number);
}

static uint32_t frame_size(const unsigned char *frame)
{
	return frame[1] | frame[2] << 8 | frame[3] << 16 | (uint32_t)frame[4] << 24;
}

/* Frames from the host as far as they have been received. */
struct receiver {
	unsigned char *bytes;
	size_t size, room;
};

/* Reads once. A lost line ends the guest. */
static void receive(struct receiver *receiver)
{
	ssize_t size;

	if (receiver->room - receiver->size < CHUNK) {
		receiver->room = receiver->size + 2 * CHUNK;
		receiver->bytes = realloc(receiver->bytes, receiver->room);
		if (!receiver->bytes)
			power_off();
	}
	size = read(line, receiver->bytes + receiver->size, receiver->room - receiver->size);
	if (size > 0)
		receiver->size += size;
	else if (size == 0 || errno != EINTR)
		power_off();
}

static bool has_frame(const struct receiver *receiver)
{
	return receiver->size >= FRAME_HEADER && receiver->size - FRAME_HEADER >= frame_size(receiver->bytes);
}

static void drop_frame(struct receiver *receiver)
{
	size_t size = FRAME_HEADER + frame_size(receiver->bytes);

	memmove(receiver->bytes, receiver->bytes + size, receiver->size - size);
	receiver->size -= size;
}

static void take_frame(const unsigned char *frame, struct command *command, struct input *input)
{
	const unsigned char *payload = frame + FRAME_HEADER;
	uint32_t size = frame_size(frame);
	struct winsize window = { 0 };

	switch (frame[0]) {
	case FRAME_STDIN:
		input->bytes = realloc(input->bytes, size + 1);
		if (!input->bytes)
			power_off();
		memcpy(input->bytes, payload, size);
		input->size = size;
		input->done = 0;
		input->end = size == 0;
		if (command->in >= 0)
			relay_input(command, input);
		break;
	case FRAME_SIGNAL:
		if (size == 1)
			signal_command(command, payload[0]);
		break;
	case FRAME_WINDOW:
		if (size == 4 && command->terminal) {
			window.ws_row = payload[0] | payload[1] << 8;
			window.ws_col = payload[2] | payload[3] << 8;
			ioctl(command->in, TIOCSWINSZ, &window);
		}
		break;
	}
}

static void reap(struct command *command)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == command->pid) {
			command->status = status;
			command->ended = true;
		}
}

static void run(struct command *command, struct receiver *receiver, int children)
{
	struct input input = { 0 };

	while (!command->ended) {
		struct pollfd fds[] = {
			{ .fd = line, .events = POLLIN },
			{ .fd = children, .events = POLLIN },
			{ .fd = command->out, .events = POLLIN },
			{ .fd = command->err, .events = POLLIN },
			{ .fd = input.done < input.size ? command->in : -1, .events = POLLOUT },
		};
		struct signalfd_siginfo info;

		if (poll(fds, 5, -1) < 0 && errno != EINTR)
			fail("poll in the guest: %s", strerror(errno));
		if (fds[2].revents && !relay_output(command->out, FRAME_STDOUT)) {
			/* A terminal's master answers EIO while nobody has the other side open; others may open it. */
			if (!command->terminal)
				close(command->out);
			command->out = -1;
		}
		if (fds[3].revents && !relay_output(command->err, FRAME_STDERR)) {
			close(command->err);
			command->err = -1;
		}
		if (fds[4].revents)
			relay_input(command, &input);
		if (fds[0].revents) {
			receive(receiver);
			while (has_frame(receiver)) {
				take_frame(receiver->bytes, command, &input);
				drop_frame(receiver);
			}
		}
		if (fds[1].revents && read(children, &info, sizeof(info)) > 0)
			reap(command);
	}
	/* What the command wrote is in the pipes; what its orphans may yet write is not waited for. */
	if (command->out >= 0)
		while (relay_output(command->out, FRAME_STDOUT) && poll(&(struct pollfd){ .fd = command->out, .events = POLLIN }, 1, 0) > 0)
			;
	if (command->err >= 0)
		while (relay_output(command->err, FRAME_STDERR) && poll(&(struct pollfd){ .fd = command->err, .events = POLLIN }, 1, 0) > 0)
			;
}

static void end_orphans(void)
{
	kill(-1, SIGKILL);
	/* A process in an uninterruptible wait must not hold the end up for ever. */
	for (int i = 0; i < 100 && waitpid(-1, NULL, WNOHANG) >= 0; i++)
		usleep(i < 10 ? 500 : 10000);
}

int main(void)
{
	struct settings settings = { 0 };
	struct command command = { 0 };
	struct receiver receiver = { 0 };
	const struct rlimit files = { .rlim_cur = 1024, .rlim_max = 1 << 20 };
	unsigned char frame[FRAME_HEADER + 4];
	sigset_t child;
	int children;
	char *text;

	open_line();
	send_empty(FRAME_HELLO);
	enter_overlay();
	start_loopback();
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	children = signalfd(-1, &child, SFD_CLOEXEC);

	while (!has_frame(&receiver))
		receive(&receiver);
	if (receiver.bytes[0] != FRAME_START)
		fail("The host sent no command");
	text = malloc(frame_size(receiver.bytes) + 1);
	if (!text)
		power_off();
	memcpy(text, receiver.bytes + FRAME_HEADER, frame_size(receiver.bytes));
	text[frame_size(receiver.bytes)] = '\0';
	read_settings(text, frame_size(receiver.bytes), &settings);
	drop_frame(&receiver);
	if (chdir(settings.cwd) < 0)
		fail("Cannot enter %s in the guest: %s", settings.cwd, strerror(errno));

	send_empty(FRAME_READY);
	start_command(&settings, &command);
	run(&command, &receiver, children);
	end_orphans();
	sync();
	for (int i = 0; i < 4; i++)
		frame[FRAME_HEADER + i] = command.status >> 8 * i;
	send_frame(FRAME_EXIT, frame, 4);
	power_off();
}
