/* What a process does with files, file systems and devices. An ext4 image lies on a loop device. */
#ifndef CAUSES_OF_FILES_H
#define CAUSES_OF_FILES_H

#include <linux/loop.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "causes_of_packets.h"

#define IMAGE "/dev/shm/kernelcov-cause.ext4"
#define MOUNTED "/dev/shm/kernelcov-cause"

static char device[32];

static void inotify_before(void) {
	fd1 = inotify_init();
	fd2 = inotify_add_watch(fd1, "/dev/shm", IN_CREATE);
}

static void inotify(void) {
	if (inotify_rm_watch(fd1, fd2)) die("inotify_rm_watch");
}

static void close_before(void) {
	fd1 = socket(AF_INET, SOCK_STREAM, 0);
	fd2 = open("/dev/shm/kernelcov-unlinked", O_CREAT | O_RDWR, 0600);
}

static void close_unlink(void) {
	close(fd1);
	close(fd2);
	unlink("/dev/shm/kernelcov-unlinked");
}

static void umount_before(void) {
	mkdir(MOUNTED, 0700);
	if (mount("none", MOUNTED, "tmpfs", 0, NULL)) die("mount");
	/* Its own inode and dentry go with it. */
	close(open(MOUNTED "/file", O_CREAT | O_RDWR, 0600));
}

static void umount_one(void) {
	if (umount2(MOUNTED, 0)) die("umount2");
}

/* A device whose node the thread of devtmpfs makes. */
static void devtmpfs(void) {
	int control_fd = open("/dev/loop-control", O_RDWR);

	if (ioctl(control_fd, LOOP_CTL_ADD, 900 + getpid() % 100) < 0) die("LOOP_CTL_ADD");
}

/* A machine without mkfs.ext4 has an image already. */
static void image_before(void) {
	const char *ready = getenv("CAUSE_IMAGE");
	struct loop_config config = { 0 };
	char command[200];
	int number, fd;

	umount2(MOUNTED, MNT_DETACH);
	mkdir(MOUNTED, 0700);
	/* No thread that goes on to write what mkfs.ext4 left out. */
	snprintf(command, sizeof command, ready ? "cat %s >" IMAGE : "truncate -s 16M " IMAGE
		" && mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 " IMAGE, ready);
	run(command);
	fd = open("/dev/loop-control", O_RDWR);
	number = ioctl(fd, LOOP_CTL_GET_FREE);
	if (number < 0) die("LOOP_CTL_GET_FREE");
	close(fd);
	snprintf(device, sizeof device, "/dev/loop%d", number);
	config.fd = open(IMAGE, O_RDWR);
	config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
	fd1 = open(device, O_RDWR);
	if (config.fd < 0 || ioctl(fd1, LOOP_CONFIGURE, &config)) die("LOOP_CONFIGURE");
	close(config.fd);
}

static int file_in_image(void) {
	static int files;
	char name[64];
	int fd;

	snprintf(name, sizeof name, MOUNTED "/file%d", files++);
	fd = open(name, O_CREAT | O_RDWR, 0600);
	if (fd < 0) die(name);
	return fd;
}

static void mount_one(void) {
	if (mount(device, MOUNTED, "ext4", 0, NULL)) die("mount");
}

static void ext4_before(void) {
	image_before();
	mount_one();
	fd2 = file_in_image();
	sync();
	wait_ms(300);
}

static void write_one(void) {
	static const char data[20000];

	if (write(fd2, data, sizeof data) != sizeof data) die("write");
}

static void write_and_sync(void) {
	write_one();
	if (fsync(fd2)) die("fsync");
}

static void mount_image(void) {
	mount_one();
	fd2 = file_in_image();
	write_and_sync();
}

/* Where no cache has it. */
static void read_block(void) {
	static char data[4096];

	if (pread(fd1, data, sizeof data, 12 << 20) != sizeof data) die("pread");
}

static void write_to(const char *path, const char *text) {
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0) die(path);
	close(fd);
}

/* Soon, but not at once. */
static void writeback_before(void) {
	write_to("/proc/sys/vm/dirty_writeback_centisecs", "50");
	write_to("/proc/sys/vm/dirty_expire_centisecs", "50");
	if (!device[0]) ext4_before();
	fd2 = file_in_image();
	fsync(fd2);
	wait_ms(100);
}

#endif
