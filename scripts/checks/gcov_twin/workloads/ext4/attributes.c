/* One thread's attributes, quota and controls. */
#include "parts.h"
#include <linux/fs.h>
#include <sys/quota.h>

/* ext4's own, from fs/ext4/ext4.h */
#define EXT4_IOC_GETVERSION _IOR('f', 3, long)
#define EXT4_IOC_SETVERSION _IOW('f', 4, long)
#define EXT4_IOC_GROUP_EXTEND _IOW('f', 7, unsigned long)
#define EXT4_IOC_MIGRATE _IO('f', 9)
#define EXT4_IOC_ALLOC_DA_BLKS _IO('f', 12)
#define EXT4_IOC_SWAP_BOOT _IO('f', 17)
#define EXT4_IOC_PRECACHE_EXTENTS _IO('f', 18)
#define EXT4_IOC_RESIZE_FS _IOW('f', 16, uint64_t)
#define EXT4_IOC_CLEAR_ES_CACHE _IO('f', 40)
#define EXT4_IOC_GETSTATE _IOW('f', 41, uint32_t)
#define EXT4_IOC_CHECKPOINT _IOW('f', 43, uint32_t)

void attributes(void)
{
	/* The form of system.posix_acl_access: a version, then tag, permissions and id. */
	struct {
		uint32_t version;
		struct {
			uint16_t tag, permissions;
			uint32_t id;
		} entries[5];
	} acl = { 2, { { 1, 7, -1 }, { 2, 5, 1000 }, { 4, 5, -1 }, { 0x10, 7, -1 }, { 0x20, 1, -1 } } };
	char name[64], value[5000];
	int fd;

	memset(value, 'v', sizeof(value));
	mount_it("acl,user_xattr");
	mkdir("m/d", 0755);
	open_flags("m/f", O_CREAT | O_RDWR);
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "user.name%d", i);
		setxattr("m/f", name, value, i * 37, 0);
	}
	setxattr("m/f", "user.name3", value, 40, XATTR_CREATE);
	setxattr("m/f", "user.name3", value, 40, XATTR_REPLACE);
	setxattr("m/f", "user.none", value, 40, XATTR_REPLACE);
	setxattr("m/f", "user.big", value, 700, 0);
	setxattr("m/f", "user.big", value, 5000, 0);
	setxattr("m/f", "trusted.t", value, 10, 0);
	setxattr("m/f", "security.s", value, 10, 0);
	setxattr("m/f", "other.s", value, 10, 0);
	listxattr("m/f", value, sizeof(value));
	listxattr("m/f", value, 10);
	getxattr("m/f", "user.name5", value, sizeof(value));
	getxattr("m/f", "user.name5", value, 3);
	getxattr("m/f", "user.name5", NULL, 0);
	getxattr("m/f", "user.missing", value, sizeof(value));
	getxattr("m/f", "security.s", value, sizeof(value));
	/* Blocks with the same attributes are shared. */
	for (int file = 0; file < 3; file++) {
		snprintf(name, sizeof(name), "m/same%d", file);
		open_flags(name, O_CREAT | O_RDWR);
		setxattr(name, "user.large", value, 400, 0);
	}
	setxattr("m/same1", "user.large", value, 401, 0);
	removexattr("m/f", "user.name4");
	removexattr("m/f", "user.name4");
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "user.name%d", i);
		removexattr("m/f", name);
	}
	setxattr("m/f", "system.posix_acl_access", &acl, sizeof(acl), 0);
	getxattr("m/f", "system.posix_acl_access", value, sizeof(value));
	chmod("m/f", 0640);
	setxattr("m/f", "system.posix_acl_default", &acl, sizeof(acl), 0);
	setxattr("m/d", "system.posix_acl_default", &acl, sizeof(acl), 0);
	getxattr("m/d", "system.posix_acl_default", value, sizeof(value));
	mkdir("m/d/e", 0777);
	open_flags("m/d/g", O_CREAT | O_RDWR);
	open_flags("m/d/g", O_RDWR);
	seteuid(1000);
	access("m/d/g", R_OK | W_OK);
	open_flags("m/d/g", O_RDWR);
	open_flags("m/f", O_RDWR);
	seteuid(0);
	acl.entries[1].tag = 0x77;
	setxattr("m/f", "system.posix_acl_access", &acl, sizeof(acl), 0);
	acl.version = 9;
	setxattr("m/f", "system.posix_acl_access", &acl, sizeof(acl), 0);
	removexattr("m/f", "system.posix_acl_access");
	removexattr("m/d", "system.posix_acl_default");
	removexattr("m/d", "system.posix_acl_default");
	fd = open("m/small", O_CREAT | O_RDWR, 0644);
	write(fd, data, 50);
	fsetxattr(fd, "user.pushes_data_out", value, 120, 0);
	write(fd, data, 50);
	close(fd);
	unlink("m/small");
	for (int file = 0; file < 3; file++) {
		snprintf(name, sizeof(name), "m/same%d", file);
		unlink(name);
	}
	unlink("m/d/g");
	rmdir("m/d/e");
	rmdir("m/d");
	unlink("m/f");
	umount("m");
}

void controls(void)
{
	static const unsigned int flags[] = { FS_APPEND_FL, FS_IMMUTABLE_FL, 0, FS_NOATIME_FL | FS_NODUMP_FL, FS_JOURNAL_DATA_FL, FS_EXTENT_FL,
		0x80000000, FS_SYNC_FL | FS_DIRSYNC_FL, FS_EXTENT_FL | FS_PROJINHERIT_FL, FS_CASEFOLD_FL, FS_VERITY_FL, FS_EXTENT_FL };
	struct fsxattr extended = { 0 };
	struct fstrim_range range = { 0, ~0ull, 0 };
	struct dqblk quota;
	uint64_t blocks = 26 << 10;
	unsigned int word;
	long number;
	char label[256] = "a label";
	int fd, folder;

	mount_it("usrquota,grpquota,prjquota");
	fd = open("m/f", O_CREAT | O_RDWR, 0644);
	write(fd, data, 20000);
	fsync(fd);
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		word = flags[i];
		ioctl(fd, FS_IOC_SETFLAGS, &word);
		ioctl(fd, FS_IOC_GETFLAGS, &word);
		pwrite(fd, data, 10, 0);
		open_flags("m/f", O_RDWR | O_APPEND);
	}
	ioctl(fd, FS_IOC_FSGETXATTR, &extended);
	extended.fsx_projid = 7;
	ioctl(fd, FS_IOC_FSSETXATTR, &extended);
	extended.fsx_xflags |= FS_XFLAG_RTINHERIT;
	ioctl(fd, FS_IOC_FSSETXATTR, &extended);
	ioctl(fd, EXT4_IOC_GETVERSION, &number);
	ioctl(fd, EXT4_IOC_SETVERSION, &number);
	ioctl(fd, EXT4_IOC_PRECACHE_EXTENTS);
	ioctl(fd, EXT4_IOC_GETSTATE, &word);
	ioctl(fd, EXT4_IOC_CLEAR_ES_CACHE);
	ioctl(fd, EXT4_IOC_ALLOC_DA_BLKS);
	ioctl(fd, EXT4_IOC_MIGRATE);
	word = 0;
	ioctl(fd, EXT4_IOC_CHECKPOINT, &word);
	word = 77;
	ioctl(fd, EXT4_IOC_CHECKPOINT, &word);
	ioctl(fd, FITRIM, &range);
	ioctl(fd, FS_IOC_GETFSLABEL, label);
	ioctl(fd, FS_IOC_SETFSLABEL, label);
	ioctl(fd, 0x6699, NULL);
	folder = open("m", O_RDONLY | O_DIRECTORY);
	ioctl(folder, EXT4_IOC_RESIZE_FS, &blocks);
	number = 25 << 10;
	ioctl(folder, EXT4_IOC_GROUP_EXTEND, &number);
	ioctl(folder, FS_IOC_GETFLAGS, &word);
	word |= FS_TOPDIR_FL;
	ioctl(folder, FS_IOC_SETFLAGS, &word);
	syscall(SYS_syncfs, folder);
	fchown(fd, 1000, 1000);
	syscall(SYS_quotactl_fd, folder, QCMD(Q_GETQUOTA, USRQUOTA), 1000, &quota);
	quota.dqb_bhardlimit = 40;
	quota.dqb_valid = QIF_BLIMITS;
	syscall(SYS_quotactl_fd, folder, QCMD(Q_SETQUOTA, USRQUOTA), 1000, &quota);
	lseek(fd, 0, SEEK_END);
	for (int i = 0; i < 4; i++)
		write(fd, data, sizeof(data));
	quota.dqb_bhardlimit = 0;
	syscall(SYS_quotactl_fd, folder, QCMD(Q_SETQUOTA, USRQUOTA), 1000, &quota);
	syscall(SYS_quotactl_fd, folder, QCMD(Q_SYNC, USRQUOTA), 0, NULL);
	close(folder);
	ftruncate(fd, 1000);
	close(fd);
	unlink("m/f");
	umount("m");
}
