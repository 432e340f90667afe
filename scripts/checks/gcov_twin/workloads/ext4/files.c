/* One thread's files, directories and errors, on a loop device. Needs e2fsprogs. */
#include "parts.h"
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#define IMAGE FOLDER "/image"
#define SMALL FOLDER "/small"
#define DEVICE "/run/loop0"
#define OTHER_DEVICE "/run/loop1"

/* ext4's own, from fs/ext4/ext4.h */
#define EXT4_IOC_MOVE_EXT _IOWR('f', 15, struct move_extent)

struct move_extent {
	uint32_t reserved, donor_fd;
	uint64_t orig_start, donor_start, len, moved_len;
};

static void run(char *const arguments[])
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		execv(arguments[0], arguments);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		die(arguments[0]);
}

static void attach(const char *device, const char *file, int minor)
{
	int loop, fd = open(file, O_RDWR);

	mknod(device, S_IFBLK | 0600, makedev(7, minor));
	loop = open(device, O_RDWR);
	if (fd < 0 || loop < 0 || ioctl(loop, LOOP_SET_FD, fd))
		die(device);
	close(fd);
	close(loop);
}

void prepare(void)
{
	int fd = open(IMAGE, O_CREAT | O_RDWR, 0600);

	if (fd < 0 || ftruncate(fd, 32 << 20) || close(fd))
		die(IMAGE);
	fd = open(SMALL, O_CREAT | O_RDWR, 0600);
	if (fd < 0 || ftruncate(fd, 2 << 20) || close(fd))
		die(SMALL);
	run((char *[]){ "/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-I", "256", "-O", "quota,project,inline_data",
			"-E", "root_owner=0:0", IMAGE, "24M", NULL });
	run((char *[]){ "/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-O", "^has_journal,^extent,^64bit", SMALL, NULL });
	attach(DEVICE, IMAGE, 0);
	attach(OTHER_DEVICE, SMALL, 1);
	mkdir("m", 0755);
}

void mount_it(const char *options)
{
	if (mount(DEVICE, "m", "ext4", 0, options))
		die(options);
}

static void mounting(void)
{
	static const char *const options[] = { "acl,user_xattr,data=ordered", "data=journal", "data=writeback,nobarrier",
		"nodelalloc,noauto_da_alloc,commit=7", "errors=remount-ro,stripe=16,inode_readahead_blks=8",
		"usrquota,grpquota,prjquota", "journal_checksum,journal_async_commit", "sb=1,minixdf,debug",
		"dioread_nolock,max_batch_time=9", "resuid=1,resgid=2,bsdgroups" };
	static const char *const wrong[] = { "commit=-1", "nonsense", "data=other", "inode_readahead_blks=7", "stripe=-2", "sb=9999999",
		"test_dummy_encryption", "journal_dev=1:1", "usrjquota=a", "jqfmt=vfsv9", "init_itable=x" };
	struct statfs fs;
	struct stat st;

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (mount(DEVICE, "m", "ext4", i & 1 ? MS_NOATIME : 0, options[i]))
			continue;
		statfs("m", &fs);
		stat("m/lost+found", &st);
		open_flags("m/f", O_CREAT | O_RDWR);
		sync();
		unlink("m/f");
		mount("none", "m", NULL, MS_REMOUNT, options[(i + 3) % 10]);
		mount("none", "m", NULL, MS_REMOUNT | MS_RDONLY, "");
		open_flags("m/g", O_CREAT | O_RDWR);
		mount("none", "m", NULL, MS_REMOUNT, "data=journal");
		mount("none", "m", NULL, MS_REMOUNT, "abort");
		umount("m");
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (mount(DEVICE, "m", "ext4", 0, wrong[i]) == 0)
			umount("m");
	if (mount(DEVICE, "m", "ext4", MS_RDONLY, "noload") == 0)
		umount("m");
	if (mount(OTHER_DEVICE, "m", "ext2", 0, "") == 0)
		umount("m");
	if (mount(OTHER_DEVICE, "m", "ext3", 0, "") == 0)
		umount("m");
}

static void directories(void)
{
	char name[300], other[300];
	struct stat st;
	int fd;

	mount_it("acl");
	mkdir("m/d", 0755);
	mkdir("m/d", 0755);
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "m/d/a_rather_long_name_that_fills_its_block_soon_%d", i);
		open_flags(name, O_CREAT | O_RDWR);
	}
	fd = open("m/d", O_RDONLY | O_DIRECTORY);
	while (syscall(SYS_getdents64, fd, data, 3000) > 0)
		;
	lseek(fd, 0, SEEK_END);
	lseek(fd, 1000, SEEK_SET);
	syscall(SYS_getdents64, fd, data, sizeof(data));
	lseek(fd, 0, SEEK_SET);
	syscall(SYS_getdents64, fd, data, 30);
	lseek(fd, -5, SEEK_SET);
	fsync(fd);
	read(fd, data, 10);
	close(fd);
	for (int i = 0; i < 400; i += 2) {
		snprintf(name, sizeof(name), "m/d/a_rather_long_name_that_fills_its_block_soon_%d", i);
		snprintf(other, sizeof(other), "m/d/new_%d", i);
		if (i % 4)
			unlink(name);
		else
			rename(name, other);
	}
	stat("m/d/missing", &st);
	stat("m/d/new_4", &st);
	symlink("short", "m/d/fast");
	memset(name, 'x', 200);
	name[200] = 0;
	symlink(name, "m/d/slow");
	symlink(name, "m/d/slow");
	readlink("m/d/fast", other, sizeof(other));
	readlink("m/d/slow", other, sizeof(other));
	stat("m/d/slow", &st);
	link("m/d/new_8", "m/d/hard");
	link("m/d/new_8", "m/d/hard");
	link("m/d", "m/hard");
	mknod("m/d/fifo", S_IFIFO | 0600, 0);
	mknod("m/d/node", S_IFCHR | 0600, makedev(1, 3));
	mknod("m/d/big", S_IFBLK | 0600, makedev(1000, 70000));
	stat("m/d/node", &st);
	mkdir("m/d/sub", 0700);
	mkdir("m/d/sub/sub", 0700);
	rename("m/d/sub", "m/sub");
	rename("m/sub", "m/d/sub/sub");
	rename("m/d/hard", "m/d/new_8");
	rename("m/d/new_12", "m/d/new_8");
	mkdir("m/empty", 0755);
	rename("m/sub", "m/empty");
	syscall(SYS_renameat2, AT_FDCWD, "m/d/new_16", AT_FDCWD, "m/empty", RENAME_EXCHANGE);
	syscall(SYS_renameat2, AT_FDCWD, "m/d/new_20", AT_FDCWD, "m/d/new_24", RENAME_NOREPLACE);
	syscall(SYS_renameat2, AT_FDCWD, "m/d/new_20", AT_FDCWD, "m/d/white", RENAME_WHITEOUT);
	rmdir("m/d");
	rmdir("m/empty");
	unlink("m/empty");
	rmdir("m/d/new_16/sub");
	rmdir("m/d/new_16");
	unlink("m/d/missing");
	memset(name, 'y', 299);
	memcpy(name, "m/d/", 4);
	name[299] = 0;
	open_flags(name, O_CREAT | O_RDWR);
	fd = open("m/d", O_TMPFILE | O_RDWR, 0600);
	if (fd >= 0) {
		write(fd, data, 100);
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		linkat(AT_FDCWD, name, AT_FDCWD, "m/d/linked", AT_SYMLINK_FOLLOW);
		close(fd);
	}
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "m/d/a_rather_long_name_that_fills_its_block_soon_%d", i);
		unlink(name);
		snprintf(name, sizeof(name), "m/d/new_%d", i);
		unlink(name);
	}
	for (const char *const *file = (const char *const[]){ "fast", "slow", "hard", "fifo", "node", "big", "white", "linked", NULL }; *file;
	     file++) {
		snprintf(name, sizeof(name), "m/d/%s", *file);
		unlink(name);
	}
	rmdir("m/d");
	umount("m");
}

static void contents(void)
{
	union {
		struct fiemap map;
		char space[sizeof(struct fiemap) + 20 * sizeof(struct fiemap_extent)];
	} extents = { .map = { .fm_length = ~0ull, .fm_extent_count = 20, .fm_flags = FIEMAP_FLAG_SYNC } };
	struct iovec iov[2] = { { data, 3000 }, { data, 5000 } };
	struct stat st;
	char *map;
	void *aligned;
	int fd, out;

	mount_it("");
	fd = open("m/file", O_CREAT | O_RDWR, 0644);
	write(fd, "tiny", 4);
	pread(fd, data, 100, 0);
	pwrite(fd, data, 100, 20);
	fsync(fd);
	write(fd, data, 300);
	write(fd, data, sizeof(data));
	pwritev(fd, iov, 2, 777);
	for (int i = 0; i < 40; i++)
		pwrite(fd, data, 1024, i * 5000 + (1 << 18));
	fdatasync(fd);
	pread(fd, data, sizeof(data), 1 << 17);
	preadv(fd, iov, 2, 900);
	ioctl(fd, FS_IOC_FIEMAP, &extents);
	extents.map.fm_flags = FIEMAP_FLAG_XATTR;
	ioctl(fd, FS_IOC_FIEMAP, &extents);
	extents.map.fm_flags = 1 << 30;
	ioctl(fd, FS_IOC_FIEMAP, &extents);
	for (off_t at = 0; at < 300000; at += 40000) {
		lseek(fd, at, SEEK_DATA);
		lseek(fd, at, SEEK_HOLE);
	}
	lseek(fd, 1ll << 50, SEEK_SET);
	lseek(fd, 0, SEEK_END);
	fallocate(fd, 0, 1 << 20, 1 << 19);
	fallocate(fd, FALLOC_FL_KEEP_SIZE, 1 << 21, 1 << 18);
	fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5000, 70000);
	fallocate(fd, FALLOC_FL_ZERO_RANGE, 3000, 20000);
	fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 1 << 20, 1 << 16);
	fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 4096, 8192);
	fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 1, 8192);
	fallocate(fd, FALLOC_FL_INSERT_RANGE, 8192, 4096);
	fallocate(fd, FALLOC_FL_INSERT_RANGE, 1ll << 40, 4096);
	fallocate(fd, 0x100, 0, 10);
	fallocate(fd, 0, 1ll << 60, 4096);
	pwrite(fd, data, 5000, (1 << 20) + 3000);
	sync_file_range(fd, 0, 1 << 20, 7);
	map = mmap(NULL, 1 << 18, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED) {
		map[9000] = 1;
		map[200000] = 2;
		data[0] += map[100000];
		msync(map, 1 << 18, MS_SYNC);
		munmap(map, 1 << 18);
	}
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	pread(fd, data, sizeof(data), 1 << 16);
	posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
	readahead(fd, 0, 1 << 18);
	ftruncate(fd, 100000);
	ftruncate(fd, 500);
	ftruncate(fd, 1 << 19);
	ftruncate(fd, 1ll << 45);
	fstat(fd, &st);
	out = open("m/copy", O_CREAT | O_RDWR | O_APPEND, 0644);
	lseek(fd, 0, SEEK_SET);
	sendfile(out, fd, NULL, 50000);
	syscall(SYS_copy_file_range, fd, NULL, out, NULL, 1000, 0);
	close(out);
	out = open("m/copy", O_RDWR);
	ioctl(out, FICLONE, fd);
	ioctl(fd, EXT4_IOC_MOVE_EXT, &(struct move_extent){ .donor_fd = out, .len = 16 });
	close(out);
	fchmod(fd, 0600);
	fchown(fd, 3, 4);
	futimens(fd, NULL);
	close(fd);
	if (posix_memalign(&aligned, 4096, 1 << 16) == 0) {
		memset(aligned, 3, 1 << 16);
		fd = open("m/direct", O_CREAT | O_RDWR | O_DIRECT, 0644);
		pwrite(fd, aligned, 1 << 14, 0);
		pwrite(fd, aligned, 1 << 14, 1 << 16);
		pwrite(fd, aligned, 4096, 4096);
		pwrite(fd, aligned, 100, 0);
		pread(fd, aligned, 1 << 15, 0);
		pread(fd, aligned, 1 << 15, 1 << 20);
		pread(fd, aligned, 10, 3);
		close(fd);
		fd = open("m/direct", O_RDWR | O_SYNC);
		pwrite(fd, aligned, 3000, 100);
		close(fd);
		free(aligned);
	}
	open_flags("m/copy", O_RDWR | O_TRUNC);
	truncate("m/direct", 10);
	unlink("m/file");
	unlink("m/copy");
	unlink("m/direct");
	fd = open("m/full", O_CREAT | O_RDWR, 0644);
	while (write(fd, data, sizeof(data)) == sizeof(data))
		;
	fsync(fd);
	fallocate(fd, 0, 0, 1 << 26);
	mkdir("m/nospace", 0755);
	close(fd);
	unlink("m/full");
	rmdir("m/nospace");
	umount("m");
}

/* Without extents and without a journal */
static void indirect_blocks(void)
{
	char name[64];
	int fd;

	if (mount(OTHER_DEVICE, "m", "ext4", 0, "nodelalloc"))
		die("without journal");
	fd = open("m/file", O_CREAT | O_RDWR, 0644);
	write(fd, data, sizeof(data));
	pwrite(fd, data, 2000, 300 << 10);
	pwrite(fd, data, 2000, 20 << 20);
	pwrite(fd, data, 2000, 200 << 20);
	pread(fd, data, 5000, 299 << 10);
	fsync(fd);
	fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10000, 300 << 10);
	fallocate(fd, 0, 0, 1 << 20);
	ftruncate(fd, 290 << 10);
	ftruncate(fd, 5000);
	close(fd);
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "m/d%d", i);
		mkdir(name, 0755);
	}
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "m/d%d", i);
		rmdir(name);
	}
	unlink("m/file");
	umount("m");
}

void (*const steps[])(void) = { mounting, directories, contents, attributes, controls, indirect_blocks };
const size_t step_count = sizeof(steps) / sizeof(*steps);
