/* One thread's descriptors, locks, mounts, attributes, splices and asynchronous reads. */
#include "parts.h"
#include <linux/aio_abi.h>
#include <linux/fiemap.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>

void prepare(void)
{
	signal(SIGIO, SIG_IGN);
}

/* fs/open.c, fs/stat.c, fs/fcntl.c, fs/file.c, fs/ioctl.c */
static void descriptors(void)
{
	struct stat st;
	struct statx sx;
	struct statfs fs;
	struct f_owner_ex owner = { F_OWNER_PID, getpid() };
	struct open_how how = { .flags = O_RDWR | O_CREAT, .mode = 0600 };
	uint64_t hint = 2;
	int fd, other, n = 1, first = open("/dev/null", O_RDWR);

	fd = syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how));
	how.flags = O_PATH | O_WRONLY;
	syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how));
	how.flags = O_RDONLY;
	how.mode = 7;
	syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how));
	syscall(SYS_openat2, AT_FDCWD, "file", &how, 3);
	creat("file", 0600);
	open("file", O_TMPFILE | O_RDONLY);
	open("file", O_DIRECTORY | O_CREAT, 0600);
	ftruncate(fd, 10000);
	ftruncate(fd, -1);
	ftruncate(first, 5);
	truncate("file", 500);
	truncate("missing", 500);
	truncate(".", 500);
	fallocate(fd, 0, 0, 4096);
	fallocate(fd, 0, -1, 4096);
	fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 4096);
	fallocate(first, 0, 0, 4096);
	chmod("file", 0640);
	fchmodat(AT_FDCWD, "file", 0600, 0);
	syscall(452, AT_FDCWD, "file", 0600, AT_SYMLINK_NOFOLLOW);
	fchmod(fd, 04755);
	chown("file", 1, 2);
	lchown("file", -1, 3);
	fchown(fd, 0, 0);
	chown("missing", 1, 2);
	access("file", 9);
	faccessat(AT_FDCWD, "file", W_OK, AT_EACCESS);
	seteuid(1000);
	access("file", W_OK);
	fchmod(fd, 0600);
	chown("file", 1, 2);
	seteuid(0);
	chdir("/run");
	fchdir(first);
	chdir(FOLDER);
	chroot("missing");
	stat("file", &st);
	lstat("missing", &st);
	fstat(fd, &st);
	fstat(999, &st);
	fstatat(AT_FDCWD, "file", &st, AT_SYMLINK_NOFOLLOW);
	fstatat(AT_FDCWD, "file", &st, 0x800000);
	statx(AT_FDCWD, "file", AT_STATX_FORCE_SYNC, STATX_ALL, &sx);
	statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &sx);
	statx(AT_FDCWD, "file", 0, 0x80000000, &sx);
	symlink("file", "link");
	readlink("link", data, 3);
	readlink("file", data, 30);
	readlink("link", data, 0);
	unlink("link");
	statfs("file", &fs);
	fstatfs(fd, &fs);
	syscall(SYS_ustat, st.st_dev, data);
	other = dup(fd);
	dup2(fd, other);
	dup2(fd, fd);
	dup3(fd, other, O_CLOEXEC);
	dup3(fd, fd, 0);
	dup3(fd, 100000000, 0);
	fcntl(fd, F_DUPFD, 700);
	fcntl(fd, F_DUPFD_CLOEXEC, 10000000);
	fcntl(fd, F_GETFD);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK);
	fcntl(fd, F_SETFL, O_DIRECT);
	fcntl(fd, F_SETFL, 0);
	fcntl(fd, F_SETOWN, -getpid());
	fcntl(fd, F_GETOWN);
	fcntl(fd, F_SETOWN, 999999);
	fcntl(fd, F_SETOWN_EX, &owner);
	fcntl(fd, F_GETOWN_EX, &owner);
	owner.type = 9;
	fcntl(fd, F_SETOWN_EX, &owner);
	fcntl(fd, F_SETSIG, 99);
	fcntl(fd, F_SETSIG, SIGIO);
	fcntl(fd, F_GETSIG);
	fcntl(fd, F_SET_RW_HINT, &hint);
	fcntl(fd, F_GET_RW_HINT, &hint);
	hint = 77;
	fcntl(fd, F_SET_RW_HINT, &hint);
	fcntl(fd, F_SETLEASE, F_RDLCK);
	fcntl(fd, F_GETLEASE);
	fcntl(first, F_NOTIFY, DN_MODIFY);
	fcntl(fd, 999, 0);
	fcntl(-1, F_GETFD);
	ioctl(fd, FIONBIO, &n);
	ioctl(fd, FIOASYNC, &n);
	ioctl(fd, FIOCLEX);
	ioctl(fd, FIONCLEX);
	ioctl(fd, FIOQSIZE, data);
	ioctl(fd, FIONREAD, &n);
	ioctl(fd, FIBMAP, &n);
	ioctl(fd, FIGETBSZ, &n);
	ioctl(fd, FICLONE, first);
	ioctl(fd, FIDEDUPERANGE, data);
	ioctl(fd, FS_IOC_FIEMAP, data);
	ioctl(fd, FS_IOC_GETFLAGS, &n);
	ioctl(fd, FS_IOC_FSGETXATTR, data);
	ioctl(fd, FIFREEZE, 0);
	ioctl(999, FIONREAD, &n);
	utimensat(AT_FDCWD, "file", (struct timespec[]){ { 5, UTIME_OMIT }, { 7, 8 } }, 0);
	utimensat(AT_FDCWD, "file", (struct timespec[]){ { 5, -5 }, { 7, 8 } }, 0);
	utimes("file", NULL);
	umask(022);
	syscall(SYS_close_range, first, ~0u, 4);
	syscall(SYS_close_range, first, ~0u, 8);
	syscall(SYS_close_range, first, ~0u, 0);
	syscall(SYS_vhangup);
	unlink("file");
}

/* fs/read_write.c, fs/splice.c, fs/sync.c, fs/aio.c */
static void transfers(void)
{
	struct iovec iov[3] = { { data, 100 }, { data + 500, 0 }, { data + 1000, 2000 } };
	struct iocb block = { .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_buf = (uintptr_t)data, .aio_nbytes = 5000 }, poll_block, *list[1] = { &block };
	struct io_event events[4];
	struct timespec none = { 0, 0 };
	aio_context_t context = 0;
	off_t at = 100;
	int fd = open("file", O_CREAT | O_RDWR, 0600), other = open("other", O_CREAT | O_RDWR, 0600), p[2], q[2];

	write(fd, data, 30000);
	pwrite(fd, data, 10, -5);
	pread(fd, data, 100, 29950);
	pread(fd, data, 0, 0);
	read(fd, (void *)1, 100);
	write(fd, (void *)-4096, 100);
	read(999, data, 10);
	writev(fd, iov, 3);
	writev(fd, iov, 2000);
	writev(fd, (void *)1, 2);
	readv(fd, iov, 3);
	preadv(fd, iov, 3, 50);
	pwritev(fd, iov, 3, 50);
	preadv2(fd, iov, 3, -1, 0);
	preadv2(fd, iov, 3, 0, RWF_NOWAIT);
	pwritev2(fd, iov, 3, 0, RWF_APPEND | RWF_SYNC);
	pwritev2(fd, iov, 3, 0, 0x4000);
	iov[1].iov_len = -5;
	readv(fd, iov, 3);
	iov[1].iov_len = 0;
	for (int whence = 0; whence < 7; whence++)
		lseek(fd, 40, whence);
	lseek(fd, -400, SEEK_SET);
	sendfile(other, fd, NULL, 1000);
	sendfile(other, fd, &at, 10000);
	at = -4;
	sendfile(other, fd, &at, 10);
	sendfile(other, other, NULL, 10);
	at = 0;
	copy_file_range(fd, &at, other, NULL, 5000, 0);
	copy_file_range(fd, NULL, other, NULL, 5000, 7);
	copy_file_range(fd, &(off_t){ 0 }, fd, &(off_t){ 100 }, 500, 0);
	pipe(p);
	pipe(q);
	at = 0;
	splice(fd, &at, p[1], NULL, 9000, 0);
	tee(p[0], q[1], 4096, 0);
	tee(p[0], p[1], 4096, 0);
	splice(p[0], NULL, other, NULL, 5000, SPLICE_F_MOVE);
	splice(p[0], NULL, q[1], NULL, 3000, 0);
	splice(fd, NULL, other, NULL, 10, 0);
	splice(p[0], &at, q[1], NULL, 10, 0);
	splice(p[0], NULL, q[1], NULL, 10, 0x100);
	splice(p[0], NULL, q[1], NULL, 70000, SPLICE_F_NONBLOCK);
	vmsplice(p[1], iov, 3, 0);
	vmsplice(q[0], iov, 1, 0);
	vmsplice(p[1], iov, 3, 0x100);
	vmsplice(fd, iov, 3, 0);
	sendfile(p[1], fd, NULL, 2000);
	close(p[0]);
	close(p[1]);
	close(q[0]);
	close(q[1]);
	fsync(fd);
	fdatasync(fd);
	fsync(999);
	sync_file_range(fd, 0, 5000, SYNC_FILE_RANGE_WRITE);
	sync_file_range(fd, -1, 5000, 0);
	sync_file_range(fd, 0, 5000, 0x100);
	syncfs(fd);
	sync();
	posix_fadvise(fd, 0, 5000, POSIX_FADV_SEQUENTIAL);
	posix_fadvise(fd, 0, 5000, POSIX_FADV_RANDOM);
	posix_fadvise(fd, 0, 5000, POSIX_FADV_WILLNEED);
	posix_fadvise(fd, 0, 5000, 99);
	readahead(fd, 0, 5000);
	syscall(SYS_io_setup, 0, &context);
	if (syscall(SYS_io_setup, 8, &context) == 0) {
		block.aio_fildes = fd;
		syscall(SYS_io_submit, context, 1, list);
		block.aio_lio_opcode = IOCB_CMD_PREAD;
		syscall(SYS_io_submit, context, 1, list);
		block.aio_lio_opcode = IOCB_CMD_FSYNC;
		syscall(SYS_io_submit, context, 1, list);
		block.aio_lio_opcode = 77;
		syscall(SYS_io_submit, context, 1, list);
		block.aio_reserved2 = 1;
		syscall(SYS_io_submit, context, 1, list);
		pipe(p);
		poll_block = (struct iocb){ .aio_lio_opcode = IOCB_CMD_POLL, .aio_buf = POLLIN, .aio_fildes = p[0] };
		list[0] = &poll_block;
		syscall(SYS_io_submit, context, 1, list);
		syscall(SYS_io_cancel, context, &poll_block, events);
		syscall(SYS_io_submit, context, 1, list);
		write(p[1], data, 1);
		syscall(SYS_io_getevents, context, 1, 4, events, &none);
		syscall(SYS_io_pgetevents, context, 0, 4, events, &none, NULL);
		syscall(SYS_io_getevents, context, 5, 4, events, &none);
		syscall(SYS_io_submit, context, -1, list);
		close(p[0]);
		close(p[1]);
		syscall(SYS_io_destroy, context);
		syscall(SYS_io_destroy, context);
	}
	close(fd);
	close(other);
	unlink("file");
	unlink("other");
}

/* fs/locks.c, fs/xattr.c */
static void locks(void)
{
	struct flock lock = { F_WRLCK, SEEK_SET, 10, 20, 0 };
	char value[300];
	int fd = open("file", O_CREAT | O_RDWR, 0600), other = open("file", O_RDWR);

	write(fd, data, 1000);
	fcntl(fd, F_SETLK, &lock);
	fcntl(fd, F_GETLK, &lock);
	for (int i = 0; i < 8; i++) {
		lock = (struct flock){ i & 1 ? F_RDLCK : F_WRLCK, i % 3, i * 7, 15, 0 };
		fcntl(fd, F_SETLK, &lock);
		lock.l_pid = 0;
		fcntl(i & 2 ? fd : other, F_OFD_SETLK, &lock);
		fcntl(other, F_OFD_GETLK, &lock);
	}
	lock = (struct flock){ F_UNLCK, SEEK_SET, 12, 5, 0 };
	fcntl(fd, F_SETLKW, &lock);
	lock.l_len = -30;
	fcntl(fd, F_SETLK, &lock);
	lock.l_start = -30;
	fcntl(fd, F_SETLK, &lock);
	lock.l_type = 99;
	fcntl(fd, F_SETLK, &lock);
	lock = (struct flock){ F_UNLCK, SEEK_SET, 0, 0, 0 };
	fcntl(fd, F_OFD_SETLKW, &lock);
	flock(fd, LOCK_SH);
	flock(other, LOCK_SH | LOCK_NB);
	flock(fd, LOCK_EX | LOCK_NB);
	flock(other, LOCK_UN);
	flock(fd, LOCK_EX);
	flock(other, LOCK_EX | LOCK_NB);
	flock(fd, 99);
	close(other);
	fcntl(fd, F_SETLEASE, F_WRLCK);
	fcntl(fd, F_GETLEASE);
	open_flags("file", O_RDONLY | O_NONBLOCK);
	fcntl(fd, F_SETLEASE, F_UNLCK);
	fcntl(fd, F_SETLEASE, F_UNLCK);
	other = open("/proc/locks", O_RDONLY);
	read(other, data, 1000);
	close(other);
	for (const char *const *name = (const char *const[]){ "user.a", "trusted.b", "security.c", "system.d", "bad", "", "user.", NULL }; *name; name++) {
		fsetxattr(fd, *name, "value", 5, 0);
		fsetxattr(fd, *name, "value", 5, XATTR_CREATE);
		fsetxattr(fd, *name, "value", 5, 77);
		setxattr("file", *name, data, 70000, 0);
		fgetxattr(fd, *name, value, sizeof(value));
		getxattr("file", *name, value, 2);
		lgetxattr("file", *name, NULL, 0);
		seteuid(1000);
		getxattr("file", *name, value, sizeof(value));
		setxattr("file", *name, value, 3, 0);
		seteuid(0);
	}
	flistxattr(fd, value, sizeof(value));
	listxattr("file", NULL, 0);
	llistxattr("missing", value, sizeof(value));
	fremovexattr(fd, "trusted.b");
	removexattr("file", "trusted.b");
	lremovexattr("file", "bad");
	close(fd);
	unlink("file");
}

/* fs/namespace.c, fs/super.c, fs/fsopen.c */
static void mounts(void)
{
	struct mount_attr {
		uint64_t set, clear, propagation, fd;
	} attributes = { 8, 0, 0, 0 };
	int fs, mnt, tree;

	mkdir("a", 0755);
	mkdir("b", 0755);
	mount("none", "a", "tmpfs", MS_NOSUID, "size=1m");
	mount("none", "a", "unknown", 0, NULL);
	mount("none", "missing", "tmpfs", 0, NULL);
	mkdir("a/sub", 0755);
	mount("a", "b", NULL, MS_BIND, NULL);
	mount("none", "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV, NULL);
	mkdir("b/sub2", 0755);
	mount("none", "b", NULL, MS_SHARED, NULL);
	mount("none", "b", NULL, MS_PRIVATE, NULL);
	mount("none", "a", NULL, MS_SHARED, NULL);
	mount("a", "b", NULL, MS_BIND | MS_REC, NULL);
	mount("none", "b/sub", "tmpfs", 0, NULL);
	mount("none", "b", NULL, MS_SLAVE | MS_REC, NULL);
	mount("none", "b", NULL, MS_UNBINDABLE, NULL);
	mount("b", "a/sub", NULL, MS_BIND, NULL);
	mount("b", "a/sub", NULL, MS_MOVE, NULL);
	mount("none", "b", NULL, MS_SHARED | MS_SLAVE, NULL);
	mount("none", "a", NULL, MS_REMOUNT, "size=2m");
	umount2("a", MNT_EXPIRE);
	umount2("a", MNT_EXPIRE);
	umount2("a", 0x100);
	umount2("b/sub", MNT_DETACH);
	umount2("a/sub", 0);
	umount2("b", UMOUNT_NOFOLLOW);
	umount("b");
	umount("b");
	umount("b");
	umount("a");
	umount("missing");
	fs = syscall(SYS_fsopen, "tmpfs", 0);
	syscall(SYS_fsopen, "unknown", 0);
	syscall(SYS_fsconfig, fs, 1, "size", "1m", 0);
	syscall(SYS_fsconfig, fs, 1, "nonsense", "1m", 0);
	syscall(SYS_fsconfig, fs, 0, "flag", NULL, 0);
	syscall(SYS_fsconfig, fs, 99, NULL, NULL, 0);
	read(fs, data, 200);
	syscall(SYS_fsconfig, fs, 6, NULL, NULL, 0);
	mnt = syscall(SYS_fsmount, fs, 1, 2);
	syscall(SYS_move_mount, mnt, "", AT_FDCWD, "a", 4);
	syscall(SYS_move_mount, mnt, "", AT_FDCWD, "missing", 4);
	tree = syscall(SYS_open_tree, AT_FDCWD, "a", 1);
	syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes));
	attributes.set = 1ull << 50;
	syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes));
	close(tree);
	close(mnt);
	close(fs);
	fs = syscall(SYS_fspick, AT_FDCWD, "a", 0);
	syscall(SYS_fsconfig, fs, 7, NULL, NULL, 0);
	close(fs);
	fs = open("/proc/self/mountinfo", O_RDONLY);
	while (read(fs, data, 4096) > 0)
		;
	close(fs);
	umount("a");
	rmdir("a");
	rmdir("b");
}

void (*const steps[])(void) = { descriptors, transfers, locks, mounts, memory, process };
const size_t step_count = sizeof(steps) / sizeof(*steps);
