// Ways out of a guest, or of the launcher, for which there is no program:
//
//     escape WAY ARGUMENT...
//
// prints what each system call of the way said, "ok" or its error's name.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static long say(const char *what, long result)
{
	printf("%s: %s\n", what, result < 0 ? strerrorname_np(errno) : "ok");
	fflush(stdout);
	return result;
}

/* fsopen TYPE PATH: a new mount by the new system calls. */
static void new_mount(const char *type, const char *path)
{
	int context = say("fsopen", syscall(SYS_fsopen, type, 0));

	syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "hostfs", path, 0);
	say("create", syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	say("fsmount", syscall(SYS_fsmount, context, 0, 0));
}

/* fspick PATH: an existing mount's options by the new system calls. */
static void pick(const char *path)
{
	int context = say("fspick", syscall(SYS_fspick, AT_FDCWD, path, 0));

	syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, "rw", NULL, 0);
	say("reconfigure", syscall(SYS_fsconfig, context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
}

/* clone PATH TARGET: a copy of the mount that a path is on, made writable and put elsewhere. */
static void clone_mount(const char *path, const char *target)
{
	struct mount_attr writable = { .attr_clr = MOUNT_ATTR_RDONLY };
	int tree = say("open_tree", syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE));

	say("mount_setattr", syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &writable, sizeof(writable)));
	say("move_mount", syscall(SYS_move_mount, tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH));
}

/* handle PATH: a file by its handle, which needs no path. */
static void by_handle(const char *path)
{
	struct { struct file_handle head; unsigned char bytes[128]; } handle = { .head.handle_bytes = 128 };
	int mount;

	say("name_to_handle_at", name_to_handle_at(AT_FDCWD, path, &handle.head, &mount, 0));
	say("open_by_handle_at", open_by_handle_at(AT_FDCWD, &handle.head, O_RDWR));
}

static socklen_t abstract(const char *name, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	strcpy(address->sun_path + 1, name);
	return offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name);
}

/* connect NAME: to a socket that has a name and no file. */
static void connect_abstract(const char *name)
{
	struct sockaddr_un address;
	socklen_t size = abstract(name, &address);

	say("connect", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, size));
}

/* listen NAME PROGRAM...: has such a socket while a program runs, and says whether anything connected. */
static int listen_abstract(const char *name, char **program)
{
	struct sockaddr_un address;
	socklen_t size = abstract(name, &address);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status;
	struct pollfd ready = { .fd = listener, .events = POLLIN };

	if (bind(listener, (void *)&address, size) < 0 || listen(listener, 1) < 0)
		return 1;
	if (fork() == 0) {
		execv(program[0], program);
		_exit(127);
	}
	wait(&status);
	printf("connections: %d\n", poll(&ready, 1, 0));
	return status != 0;
}

/* files FOLDER: each call that changes a file, for those that shells have no word for. */
static void change_files(const char *folder)
{
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	int fd;

	if (chdir(folder) < 0)
		exit(1);
	say("write", open("doc.txt", O_WRONLY));
	say("truncate", truncate("doc.txt", 0));
	fd = open("doc.txt", O_RDONLY);
	say("fchmod", fchmod(fd, 0777));
	say("chmod", chmod("doc.txt", 0777));
	say("chown", chown("doc.txt", getuid(), getgid()));
	say("utimensat", utimensat(AT_FDCWD, "doc.txt", times, 0));
	say("create", open("new", O_CREAT | O_WRONLY, 0600));
	say("tmpfile", open(".", O_TMPFILE | O_WRONLY, 0600));
	say("mkdir", mkdir("dir", 0700));
	say("symlink", symlink("doc.txt", "link"));
	say("link", link("doc.txt", "hard"));
	say("mkfifo", mkfifo("pipe", 0600));
	say("mknod", mknod("device", S_IFCHR | 0600, 259));
	say("rename", rename("doc.txt", "renamed"));
	say("unlink", unlink("doc.txt"));
}

int main(int argc, char **argv)
{
	const char *way = argc > 2 ? argv[1] : "";

	if (strcmp(way, "fsopen") == 0)
		new_mount(argv[2], argv[3]);
	else if (strcmp(way, "fspick") == 0)
		pick(argv[2]);
	else if (strcmp(way, "clone") == 0)
		clone_mount(argv[2], argv[3]);
	else if (strcmp(way, "handle") == 0)
		by_handle(argv[2]);
	else if (strcmp(way, "connect") == 0)
		connect_abstract(argv[2]);
	else if (strcmp(way, "listen") == 0)
		return listen_abstract(argv[2], argv + 3);
	else if (strcmp(way, "files") == 0)
		change_files(argv[2]);
	else
		return 2;
	return 0;
}
