// SPDX-License-Identifier: MIT
/* The parts of src/machines/guest/init.c that are those of user-mode Linux: the line is its serial console. */

static void drain_line(void)
{
	if (line >= 0)
		tcdrain(line);
}

static void open_line(void)
{
	struct termios settings;

	/* /dev is still the host's: the guest's own device nodes are in a file system of their own. */
	if (mount("dev", "/dev", "devtmpfs", 0, NULL) < 0)
		power_off();
	line = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (line < 0 || tcgetattr(line, &settings) < 0)
		power_off();
	cfmakeraw(&settings);
	if (tcsetattr(line, TCSANOW, &settings) < 0)
		power_off();
}

/*
 * An overlay of the host's file system becomes the root. The old root is left with pivot_root(2), not chroot(2): a
 * process in a chroot may not make user namespaces.
 */
static void enter_overlay(void)
{
	/* /proc is a folder that every host has; what is mounted there disappears with the old root. */
	must_mount("overlay", "/proc", "tmpfs", 0, "size=90%,mode=0755");
	if (mkdir("/proc/upper", 0755) < 0 || mkdir("/proc/work", 0755) < 0 || mkdir("/proc/root", 0755) < 0)
		fail("Cannot make the overlay's folders in the guest: %s", strerror(errno));
	must_mount("overlay", "/proc/root", "overlay", 0, "lowerdir=/,upperdir=/proc/upper,workdir=/proc/work");
	must_mount("/dev", "/proc/root/dev", NULL, MS_MOVE, NULL);
	if (chdir("/proc/root") < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
	    chdir("/") < 0)
		fail("Cannot enter the overlay in the guest: %s", strerror(errno));
}

static void mount_writable(const char *folder, size_t index)
{
	must_mount("hostfs", folder, "hostfs", 0, folder);
}

/* Its kernels have none. */
static void mount_modules(const char *folder)
{
}

/* From here on nobody in the guest gets at more of the host's files than there are now. False where the kernel cannot. */
static bool seal(void)
{
	int fd = open("/sys/module/hostfs/parameters/sealed", O_WRONLY | O_CLOEXEC);
	bool sealed = fd >= 0 && write(fd, "1", 1) == 1;

	if (fd >= 0)
		close(fd);
	return sealed;
}

/* Why a program cannot be run: execvp() would have a shell read such a program as a script. */
static const char *cannot_run(const char *program)
{
	unsigned char head[5] = { 0 };
	int fd = open(program, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	if (read(fd, head, sizeof(head)) < 0)
		head[0] = 0;
	close(fd);
	/* EI_CLASS, ELFCLASS32. */
	if (memcmp(head, "\177ELF\1", sizeof(head)) != 0)
		return NULL;
	return "it is a program of 32 bits, and user-mode Linux on x86-64 runs those of 64 bits only";
}
