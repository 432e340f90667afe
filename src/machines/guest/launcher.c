// SPDX-License-Identifier: MIT
/*
 * Starts the kernel of a guest so that it can change nothing of the host but what lies in named folders, whatever
 * kernel it is:
 *
 *     launcher [-c CPU] [-d DEVICE] [-w FOLDER]... PROGRAM ARGUMENT...
 *     launcher --check
 *
 * -c keeps it on one processor; -d names a device that it may use, such as /dev/kvm; -w names a folder to write to, by a path without symbolic links, none inside another.
 * --check confines the launcher itself and prints what that consisted of, a word and a number a line.
 *
 * Three layers, each as far as the host has it: Landlock, for every user; for root a mount namespace in which all the
 * rest is read-only, which also stops what Landlock does not know (chmod, chown, utimes); and of root's capabilities
 * only those that files need. A host that has none of them is no error: `kernelcov doctor` tells.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of linux/landlock.h, which is older than some of this where the compiler's headers are. */
enum {
	LANDLOCK_CREATE_RULESET = 444,
	LANDLOCK_ADD_RULE = 445,
	LANDLOCK_RESTRICT_SELF = 446,

	LANDLOCK_VERSION = 1,
	LANDLOCK_PATH_BENEATH = 1,

	FS_WRITE_FILE = 1 << 1,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_CHAR = 1 << 6,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_MAKE_SOCK = 1 << 9,
	FS_MAKE_FIFO = 1 << 10,
	FS_MAKE_BLOCK = 1 << 11,
	FS_MAKE_SYM = 1 << 12,
	FS_REFER = 1 << 13,
	FS_TRUNCATE = 1 << 14,
	FS_IOCTL_DEV = 1 << 15,

	NET_BIND_TCP = 1 << 0,
	NET_CONNECT_TCP = 1 << 1,

	SCOPE_ABSTRACT_UNIX_SOCKET = 1 << 0,
	SCOPE_SIGNAL = 1 << 1,
};

struct landlock_rules {
	uint64_t fs, net, scoped;
};

struct landlock_folder {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

enum { MOST_FOLDERS = 1000 };

/* What the guest may write to. */
static const char *folders[MOST_FOLDERS];
static size_t folder_count;

static const char *device;

static void __attribute__((format(printf, 1, 2), noreturn)) fail(const char *format, ...)
{
	va_list args;

	fputs("kernelcov: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(126);
}

/* The folder itself: what was a folder when it was named may be a link to another by now. */
static int open_folder(const char *path)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
	int fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	/* Not before Linux 5.6, and not in some containers. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		fail("The guest cannot be given %s: %s", path, strerror(errno));
	return fd;
}

/* A copy of the mounts that a folder is on, from there on. */
static int clone_tree(int folder)
{
	return syscall(SYS_open_tree, folder, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
}

/* Puts such a copy on top of a folder. */
static bool put_tree(int tree, int folder)
{
	return syscall(SYS_move_mount, tree, "", folder, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0;
}

/*
 * Makes all mounts read-only, in a namespace of this process's own, and puts the folders back on top as they were. False
 * where this process may not, or the host is older than Linux 5.12.
 */
static bool protect_mounts(void)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY }, probe = { 0 };
	int trees[MOST_FOLDERS];

	/* Asked first: nothing is to be left half done. */
	if (syscall(SYS_mount_setattr, -1, "", AT_EMPTY_PATH, &probe, sizeof(probe)) < 0 && errno == ENOSYS)
		return false;
	if (unshare(CLONE_NEWNS) < 0)
		return false;
	/* The host's own mounts stay as they are; a file system that the host unmounts is let go here, too. */
	if (syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return false;
	for (size_t i = 0; i < folder_count; i++) {
		int fd = open_folder(folders[i]);

		trees[i] = clone_tree(fd);
		/* Some containers allow all but this: better found out while everything is still writable. */
		if (trees[i] < 0 || (i == 0 && !put_tree(clone_tree(fd), fd)))
			return false;
		close(fd);
	}
	if (syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &read_only, sizeof(read_only)) < 0)
		return false;
	for (size_t i = 0; i < folder_count; i++) {
		int fd = open_folder(folders[i]);

		if (!put_tree(trees[i], fd))
			fail("%s cannot be made writable for the guest: %s", folders[i], strerror(errno));
		close(trees[i]);
		close(fd);
	}
	return true;
}

/* Keeps of root's capabilities those that the folders' files need. False where there were none to drop. */
static bool drop_capabilities(void)
{
	const uint64_t kept = 1 << CAP_CHOWN | 1 << CAP_DAC_OVERRIDE | 1 << CAP_FOWNER;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	bool had = false;

	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	had = (data[0].permitted & ~kept) != 0 || data[1].permitted != 0;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* The bounding set too: a program that root starts gets all of it. */
	for (int capability = 0; capability < 64; capability++)
		if (!(kept >> capability & 1))
			prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
	data[0].effective = data[0].permitted &= kept;
	data[1].effective = data[1].permitted = 0;
	data[0].inheritable = data[1].inheritable = 0;
	return syscall(SYS_capset, &header, data) == 0 && had;
}

static void allow(int rules, int fd, uint64_t rights)
{
	struct landlock_folder folder = { .allowed = rights, .fd = fd };

	if (syscall(LANDLOCK_ADD_RULE, rules, LANDLOCK_PATH_BENEATH, &folder, 0) < 0)
		fail("The guest cannot be confined: %s", strerror(errno));
	close(fd);
}

/* Returns the host's version of Landlock; 0 where it is not used. */
static int restrict_files(void)
{
	int version = syscall(LANDLOCK_CREATE_RULESET, NULL, 0, LANDLOCK_VERSION);
	struct landlock_rules handled = {
		.fs = FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_CHAR | FS_MAKE_DIR | FS_MAKE_REG |
		      FS_MAKE_SOCK | FS_MAKE_FIFO | FS_MAKE_BLOCK | FS_MAKE_SYM | FS_REFER,
	};
	int rules, file;

	/* The first version allows no rename from one folder to another, which programs need. */
	if (version < 2)
		return 0;
	if (version >= 3)
		handled.fs |= FS_TRUNCATE;
	if (version >= 4)
		handled.net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (version >= 5)
		handled.fs |= FS_IOCTL_DEV;
	if (version >= 6)
		handled.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
	/* An older host takes the structure, longer than its own, as what it does not know is zero. */
	rules = syscall(LANDLOCK_CREATE_RULESET, &handled, sizeof(handled), 0);
	if (rules < 0)
		fail("The guest cannot be confined: %s", strerror(errno));
	for (size_t i = 0; i < folder_count; i++)
		allow(rules, open_folder(folders[i]),
		      handled.fs & ~(uint64_t)(FS_MAKE_CHAR | FS_MAKE_BLOCK | FS_IOCTL_DEV));
	file = open("/dev/null", O_PATH | O_CLOEXEC);
	if (file >= 0)
		allow(rules, file, handled.fs & (FS_WRITE_FILE | FS_TRUNCATE));
	file = device ? open(device, O_PATH | O_CLOEXEC) : -1;
	if (file >= 0)
		allow(rules, file, handled.fs & (FS_WRITE_FILE | FS_IOCTL_DEV));
	if (syscall(LANDLOCK_RESTRICT_SELF, rules, 0) < 0)
		fail("The guest cannot be confined: %s", strerror(errno));
	close(rules);
	return version;
}

static void stay_on(const char *text)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(atoi(text), &set);
	/* It only saves time, and the processor may be gone. */
	sched_setaffinity(0, sizeof(set), &set);
}

int main(int argc, char **argv)
{
	const struct rlimit no_core = { 0 };
	bool check = argc == 2 && strcmp(argv[1], "--check") == 0;
	bool mounts, capabilities;
	int option, landlock;

	while (!check && (option = getopt(argc, argv, "+c:d:w:")) != -1) {
		if (option == 'c')
			stay_on(optarg);
		else if (option == 'd')
			device = optarg;
		else if (option != 'w')
			return 126;
		else if (folder_count == MOST_FOLDERS)
			fail("The guest cannot be given more than %d folders: name one that they are in", MOST_FOLDERS);
		else
			folders[folder_count++] = optarg;
	}
	if (!check && optind >= argc)
		fail("There is no program to start");
	/* Any folder will do to find out with. */
	if (check)
		folders[folder_count++] = "/dev";
	setrlimit(RLIMIT_CORE, &no_core);
	mounts = protect_mounts();
	capabilities = drop_capabilities();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		fail("The guest cannot be confined: %s", strerror(errno));
	landlock = restrict_files();
	if (check) {
		printf("landlock %d\nmounts %d\ncapabilities %d\n", landlock, mounts, capabilities);
		return 0;
	}
	execv(argv[optind], argv + optind);
	fail("%s cannot be started: %s", argv[optind], strerror(errno));
}
