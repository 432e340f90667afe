/* One thread's worth of files on tmpfs, pipes, unix sockets and TCP over loopback. */
#include "../workload.h"
#include <arpa/inet.h>
#include <linux/openat2.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>

/* fs/namei.c */
static void names(void)
{
	struct stat st;
	struct open_how how = { .flags = O_RDONLY };
	char link[64], deep[400], longest[300];
	int at, fd;

	mkdir("d", 0755);
	mkdir("d", 0755);
	mkdir("d/e", 0700);
	mkdir("missing/e", 0700);
	open_flags("d/file", O_CREAT | O_RDWR | O_EXCL);
	open_flags("d/file", O_CREAT | O_RDWR | O_EXCL);
	open_flags("d/file", O_CREAT | O_RDWR | O_TRUNC);
	open_flags("d/file/", O_RDONLY);
	open_flags("d", O_RDONLY | O_DIRECTORY);
	open_flags("d/file", O_RDONLY | O_DIRECTORY);
	open_flags("d", O_RDWR);
	open_flags("d/missing", O_RDONLY);
	open_flags("d/file", O_PATH);
	open_flags("", O_RDONLY);
	symlink("file", "d/link");
	symlink("../d/e", "d/folder_link");
	symlink("loop", "d/loop");
	symlink(FOLDER "/d/file", "d/absolute");
	symlink("nowhere", "d/dangling");
	symlink("file", "d/link");
	/* Access times are only updated where the clock has ticked since. */
	usleep(50000);
	open_flags("d/link", O_RDONLY);
	open_flags("d/link", O_RDONLY | O_NOFOLLOW);
	open_flags("d/loop", O_RDONLY);
	open_flags("d/absolute", O_RDWR);
	open_flags("d/dangling", O_RDWR | O_CREAT);
	open_flags("d/folder_link/../file", O_RDONLY);
	open_flags("d/./e/.././//file", O_RDONLY);
	readlink("d/link", link, sizeof(link));
	readlink("d/file", link, sizeof(link));
	stat("d/folder_link/", &st);
	lstat("d/link", &st);
	stat("../../../../run/gcov_twin/d", &st);
	at = open("d", O_RDONLY | O_DIRECTORY);
	fstatat(at, "file", &st, 0);
	fstatat(at, "", &st, AT_EMPTY_PATH);
	how.resolve = RESOLVE_BENEATH;
	close(syscall(SYS_openat2, at, "file", &how, sizeof(how)));
	close(syscall(SYS_openat2, at, "../d/file", &how, sizeof(how)));
	close(syscall(SYS_openat2, at, "absolute", &how, sizeof(how)));
	how.resolve = RESOLVE_IN_ROOT;
	close(syscall(SYS_openat2, at, "/../file", &how, sizeof(how)));
	how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
	close(syscall(SYS_openat2, at, "link", &how, sizeof(how)));
	close(syscall(SYS_openat2, at, "e/..", &how, sizeof(how)));
	how.resolve = RESOLVE_CACHED;
	close(syscall(SYS_openat2, at, "file", &how, sizeof(how)));
	link[0] = 0;
	linkat(at, "file", at, "hard", 0);
	linkat(at, "file", at, "hard", 0);
	linkat(at, "link", at, "hard2", AT_SYMLINK_FOLLOW);
	linkat(at, "e", at, "hard3", 0);
	renameat(at, "hard", at, "hard4");
	renameat(at, "hard4", at, "hard2");
	renameat(at, "missing", at, "hard2");
	renameat(at, "e", at, "e/inside");
	renameat(at, "file", at, "e");
	syscall(SYS_renameat2, at, "file", at, "hard2", RENAME_EXCHANGE);
	syscall(SYS_renameat2, at, "file", at, "hard2", RENAME_NOREPLACE);
	syscall(SYS_renameat2, at, "file", at, "white", RENAME_WHITEOUT);
	rename("d/white", "d/file");
	rename("d/e", "moved");
	rename("moved", "d/e");
	mknod("d/fifo", S_IFIFO | 0600, 0);
	mknod("d/node", S_IFREG | 0600, 0);
	mknod("d/device", S_IFCHR | 0600, 0x103);
	mknod("d/socket", S_IFSOCK | 0600, 0);
	open_flags("d/device", O_RDWR);
	open_flags("d/fifo", O_RDWR | O_NONBLOCK);
	fd = open("d", O_TMPFILE | O_RDWR, 0600);
	if (fd >= 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		linkat(AT_FDCWD, link, at, "materialized", AT_SYMLINK_FOLLOW);
		open_flags(link, O_RDONLY);
		close(fd);
	}
	access("d/file", R_OK | W_OK);
	access("d/file", X_OK);
	faccessat(at, "link", R_OK, AT_SYMLINK_NOFOLLOW);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	open_flags(longest, O_RDONLY);
	for (size_t i = 0; i + 4 < sizeof(deep); i += 2)
		memcpy(deep + i, "./", 3);
	open_flags(deep, O_RDONLY);
	chdir("d");
	open_flags("file", O_RDWR | O_APPEND);
	chdir("..");
	unlink("d/e");
	rmdir("d/file");
	rmdir("d");
	rmdir("d/.");
	rmdir("d/..");
	unlink("d/missing");
	unlink("d/file/");
	close(at);
	const char *files[] = { "file", "link", "folder_link", "loop", "absolute", "dangling", "nowhere", "hard", "hard2", "hard3",
		"hard4", "white", "fifo", "node", "device", "socket", "materialized" };
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(deep, sizeof(deep), "d/%s", files[i]);
		unlink(deep);
	}
	rmdir("d/e");
	rmdir("d");
}

/* mm/shmem.c */
static void shared_memory(void)
{
	struct statfs fs;
	char value[64];
	char *map;
	int fd = open("memory", O_CREAT | O_RDWR, 0644), sealed;

	if (fd < 0)
		die("memory");
	write(fd, data, 10000);
	pwrite(fd, data, 5000, 1 << 20);
	pread(fd, data, sizeof(data), 0);
	pread(fd, data, 4096, 1 << 19);
	pread(fd, data, 4096, 1 << 22);
	lseek(fd, 0, SEEK_HOLE);
	lseek(fd, 20000, SEEK_DATA);
	lseek(fd, 0, SEEK_END);
	lseek(fd, 0, SEEK_SET);
	fallocate(fd, 0, 1 << 21, 1 << 16);
	fallocate(fd, FALLOC_FL_KEEP_SIZE, 1 << 22, 8192);
	fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 9000);
	fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096);
	map = mmap(NULL, 1 << 18, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED) {
		map[100] = 1;
		map[70000] = 2;
		madvise(map, 1 << 18, MADV_WILLNEED);
		madvise(map, 8192, MADV_REMOVE);
		msync(map, 1 << 18, MS_SYNC);
		munmap(map, 1 << 18);
	}
	map = mmap(NULL, 1 << 14, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map != MAP_FAILED) {
		data[0] += map[5000];
		munmap(map, 1 << 14);
	}
	ftruncate(fd, 5000);
	ftruncate(fd, 1 << 20);
	ftruncate(fd, 0);
	fsetxattr(fd, "user.kind", "v", 1, 0);
	fsetxattr(fd, "trusted.kind", "value", 5, 0);
	fgetxattr(fd, "trusted.kind", value, sizeof(value));
	fgetxattr(fd, "trusted.missing", value, sizeof(value));
	flistxattr(fd, value, sizeof(value));
	fremovexattr(fd, "trusted.kind");
	fchmod(fd, 0600);
	fchown(fd, 1, 1);
	futimens(fd, NULL);
	fsync(fd);
	fstatfs(fd, &fs);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	sendfile(fd, fd, NULL, 100);
	splice(fd, NULL, fd, NULL, 10, 0);
	close(fd);
	unlink("memory");
	sealed = syscall(SYS_memfd_create, "sealed", 3u);
	if (sealed >= 0) {
		write(sealed, data, 5000);
		fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
		fcntl(sealed, F_GET_SEALS);
		write(sealed, data, 10);
		ftruncate(sealed, 0);
		ftruncate(sealed, 10000);
		fallocate(sealed, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
		map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, sealed, 0);
		if (map != MAP_FAILED)
			munmap(map, 4096);
		close(sealed);
	}
	map = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (map != MAP_FAILED) {
		map[9000] = 1;
		munmap(map, 1 << 16);
	}
	mkdir("other", 0755);
	if (mount("tmpfs", "other", "tmpfs", 0, "size=1m,nr_inodes=20,mode=700,uid=1") == 0) {
		fd = open("other/full", O_CREAT | O_RDWR, 0644);
		for (int i = 0; i < 20; i++)
			write(fd, data, sizeof(data));
		fallocate(fd, 0, 0, 1 << 21);
		close(fd);
		for (int i = 0; i < 20; i++) {
			snprintf(value, sizeof(value), "other/%d", i);
			open_flags(value, O_CREAT | O_RDWR);
		}
		mount("tmpfs", "other", "tmpfs", MS_REMOUNT, "size=2m");
		mount("tmpfs", "other", "tmpfs", MS_REMOUNT, "size=bad");
		umount("other");
	}
	rmdir("other");
}

/* fs/pipe.c */
static void pipes(void)
{
	int p[2], q[2], n;
	struct pollfd polled;
	struct iovec iov = { data, 5000 };

	pipe2(p, O_DIRECT << 8);
	if (pipe(p) || pipe2(q, O_NONBLOCK | O_CLOEXEC))
		die("pipe");
	write(p[1], data, 100);
	write(p[1], data, 200);
	ioctl(p[0], FIONREAD, &n);
	ioctl(p[0], FIONBIO, &n);
	ioctl(p[0], TIOCGWINSZ, &n);
	read(p[0], data, 150);
	read(p[0], data, 1000);
	read(q[0], data, 10);
	while (write(q[1], data, 9000) > 0)
		;
	write(q[1], data, 0);
	polled = (struct pollfd){ q[1], POLLOUT, 0 };
	poll(&polled, 1, 0);
	polled = (struct pollfd){ q[0], POLLIN, 0 };
	poll(&polled, 1, 0);
	fcntl(q[0], F_GETPIPE_SZ);
	fcntl(q[0], F_SETPIPE_SZ, 1 << 17);
	fcntl(q[0], F_SETPIPE_SZ, 1 << 30);
	fcntl(q[0], F_SETPIPE_SZ, 4096);
	tee(q[0], p[1], 4096, 0);
	splice(q[0], NULL, p[1], NULL, 8192, 0);
	vmsplice(p[1], &iov, 1, 0);
	read(p[0], data, sizeof(data));
	fcntl(q[0], F_SETFL, O_NONBLOCK | O_ASYNC);
	while (read(q[0], data, sizeof(data)) > 0)
		;
	fcntl(q[0], F_SETFL, O_NONBLOCK);
	close(p[1]);
	read(p[0], data, sizeof(data));
	read(p[0], data, sizeof(data));
	close(p[0]);
	close(q[0]);
	write(q[1], data, 10);
	polled = (struct pollfd){ q[1], POLLOUT, 0 };
	poll(&polled, 1, 0);
	close(q[1]);
	if (pipe2(p, O_DIRECT) == 0) {
		write(p[1], data, 10);
		write(p[1], data, 10);
		read(p[0], data, 5);
		read(p[0], data, 50);
		close(p[0]);
		close(p[1]);
	}
	mkfifo("fifo", 0600);
	open_flags("fifo", O_WRONLY | O_NONBLOCK);
	p[0] = open("fifo", O_RDONLY | O_NONBLOCK);
	p[1] = open("fifo", O_WRONLY);
	write(p[1], data, 10);
	read(p[0], data, 10);
	close(p[0]);
	close(p[1]);
	open_flags("fifo", O_RDWR);
	unlink("fifo");
}

/* net/socket.c over TCP */
static void tcp(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(address);
	struct iovec iov[2] = { { data, 10 }, { data + 10, 20 } };
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = 2 };
	struct mmsghdr many[2] = { { .msg_hdr = message }, { .msg_hdr = message } };
	struct timeval tv = { 1, 0 };
	struct epoll_event event = { .events = EPOLLIN };
	int one = 1, listener, client, server, ep, n;

	socket(AF_INET, SOCK_STREAM | 0x100, 0);
	socket(99, SOCK_STREAM, 0);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(listener, IPPROTO_TCP, 1, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 5))
		die("bind");
	bind(-1, (struct sockaddr *)&address, sizeof(address));
	getsockname(listener, (struct sockaddr *)&address, &length);
	client = socket(AF_INET, SOCK_STREAM, 0);
	fcntl(listener, F_SETFL, O_NONBLOCK);
	accept(listener, NULL, NULL);
	if (connect(client, (struct sockaddr *)&address, sizeof(address)))
		die("connect");
	length = sizeof(address);
	server = accept4(listener, (struct sockaddr *)&address, &length, SOCK_NONBLOCK);
	accept4(listener, NULL, NULL, 0x40000000);
	getpeername(client, (struct sockaddr *)&address, &length);
	setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	getsockopt(client, SOL_SOCKET, SO_ERROR, &n, &length);
	length = sizeof(n);
	getsockopt(client, IPPROTO_TCP, 1, &n, &length);
	send(client, data, 100, 0);
	write(client, data, 100);
	writev(client, iov, 2);
	sendto(client, data, 10, MSG_NOSIGNAL, NULL, 0);
	sendmsg(client, &message, 0);
	sendmmsg(client, many, 2, 0);
	recv(server, data, 10, MSG_PEEK);
	recv(server, data, 50, 0);
	read(server, data, 50);
	readv(server, iov, 2);
	length = sizeof(address);
	recvfrom(server, data, 10, 0, (struct sockaddr *)&address, &length);
	recvmsg(server, &message, 0);
	recvmmsg(server, many, 2, MSG_DONTWAIT, NULL);
	recv(server, data, sizeof(data), 0);
	recv(server, data, sizeof(data), MSG_DONTWAIT);
	ioctl(client, FIONREAD, &n);
	ioctl(client, FIONBIO, &n);
	ioctl(client, FIOGETOWN, &n);
	ioctl(client, SIOCATMARK, &n);
	ioctl(client, 0x8910, NULL);
	ep = epoll_create1(0);
	epoll_ctl(ep, EPOLL_CTL_ADD, server, &event);
	write(client, data, 10);
	epoll_wait(ep, &event, 1, 0);
	close(ep);
	fcntl(client, F_SETFL, O_ASYNC);
	fcntl(client, F_SETFL, 0);
	shutdown(client, SHUT_WR);
	shutdown(client, 7);
	read(server, data, sizeof(data));
	read(server, data, sizeof(data));
	close(server);
	close(client);
	close(listener);
	client = socket(AF_INET, SOCK_DGRAM, 0);
	bind(client, (struct sockaddr *)&(struct sockaddr_in){ .sin_family = AF_INET }, sizeof(address));
	length = sizeof(address);
	getsockname(client, (struct sockaddr *)&address, &length);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(client, SOL_SOCKET, SO_TIMESTAMP, &one, sizeof(one));
	sendto(client, data, 30, 0, (struct sockaddr *)&address, sizeof(address));
	recvmsg(client, &message, MSG_DONTWAIT);
	close(client);
}

static void pass_descriptor(int from, int to)
{
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { data, 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int fds[2] = { from, to };

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(header), fds, sizeof(fds));
	sendmsg(from, &message, 0);
	message.msg_controllen = sizeof(control);
	if (recvmsg(to, &message, MSG_CMSG_CLOEXEC) >= 0) {
		header = CMSG_FIRSTHDR(&message);
		if (header && header->cmsg_type == SCM_RIGHTS) {
			memcpy(fds, CMSG_DATA(header), sizeof(fds));
			close(fds[0]);
			close(fds[1]);
		}
	}
}

/* net/unix/af_unix.c */
static void unix_sockets(void)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	struct sockaddr_un path = { .sun_family = AF_UNIX, .sun_path = FOLDER "/socket" }, other;
	struct ucred who;
	struct pollfd polled;
	socklen_t length;
	int s[2], listener, client, server, n, one = 1;

	for (int i = 0; i < 3; i++) {
		if (socketpair(AF_UNIX, types[i], 0, s))
			die("socketpair");
		setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one));
		write(s[0], data, 300);
		recv(s[1], data, 10, MSG_PEEK);
		read(s[1], data, 100);
		recv(s[1], data, 1000, MSG_DONTWAIT);
		recv(s[1], data, 1000, MSG_DONTWAIT);
		pass_descriptor(s[0], s[1]);
		polled = (struct pollfd){ s[0], POLLIN | POLLOUT, 0 };
		poll(&polled, 1, 0);
		ioctl(s[0], FIONREAD, &n);
		ioctl(s[0], TIOCOUTQ, &n);
		fcntl(s[0], F_SETFL, O_NONBLOCK);
		while (write(s[0], data, 20000) > 0)
			;
		while (recv(s[1], data, sizeof(data), MSG_DONTWAIT) > 0)
			;
		send(s[0], data, 10, MSG_OOB);
		recv(s[1], data, 10, MSG_OOB | MSG_DONTWAIT);
		shutdown(s[0], SHUT_WR);
		recv(s[1], data, 10, MSG_DONTWAIT);
		length = sizeof(who);
		getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &who, &length);
		close(s[0]);
		send(s[1], data, 10, MSG_NOSIGNAL | MSG_DONTWAIT);
		close(s[1]);

		listener = socket(AF_UNIX, types[i], 0);
		client = socket(AF_UNIX, types[i], 0);
		connect(client, (struct sockaddr *)&path, sizeof(path));
		bind(listener, (struct sockaddr *)&path, sizeof(path));
		bind(listener, (struct sockaddr *)&path, sizeof(path));
		bind(client, (struct sockaddr *)&path, sizeof(path));
		listen(listener, 2);
		bind(client, (struct sockaddr *)&path, sizeof(sa_family_t));
		connect(client, (struct sockaddr *)&path, sizeof(path));
		length = sizeof(other);
		getsockname(client, (struct sockaddr *)&other, &length);
		length = sizeof(other);
		getpeername(client, (struct sockaddr *)&other, &length);
		fcntl(listener, F_SETFL, O_NONBLOCK);
		length = sizeof(other);
		server = accept(listener, (struct sockaddr *)&other, &length);
		sendto(client, data, 10, MSG_DONTWAIT, (struct sockaddr *)&path, sizeof(path));
		length = sizeof(other);
		recvfrom(server >= 0 ? server : listener, data, 10, MSG_DONTWAIT, (struct sockaddr *)&other, &length);
		close(client);
		recv(server >= 0 ? server : listener, data, 10, MSG_DONTWAIT);
		if (server >= 0)
			close(server);
		close(listener);
		unlink(path.sun_path);
	}
	other = (struct sockaddr_un){ .sun_family = AF_UNIX, .sun_path = "\0abstract" };
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	bind(listener, (struct sockaddr *)&other, sizeof(sa_family_t) + 9);
	listen(listener, 1);
	client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	connect(client, (struct sockaddr *)&other, sizeof(sa_family_t) + 9);
	close(listener);
	close(client);
	socket(AF_UNIX, SOCK_STREAM, 77);
	socket(AF_UNIX, SOCK_PACKET, 0);
}

void prepare(void)
{
}

void (*const steps[])(void) = { names, shared_memory, pipes, tcp, unix_sockets };
const size_t step_count = sizeof(steps) / sizeof(*steps);
