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

#include "init/line.h"

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

#include "init/command.h"

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
