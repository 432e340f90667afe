// SPDX-License-Identifier: MIT
/*
 * The parts of src/machines/guest/init.c that are those of a virtual machine: it is /init of an initramfs, the line is a
 * port of a virtio console, and the host's folders come over 9p.
 */
#include <elf.h>

/* linux/module.h */
#ifndef MODULE_INIT_COMPRESSED_FILE
#define MODULE_INIT_COMPRESSED_FILE 4
#endif

#ifdef __aarch64__
#define OWN_MACHINE EM_AARCH64
#else
#define OWN_MACHINE EM_X86_64
#endif

/* What is still on its way would be lost: the host ends the machine when it has the last frame. */
static void drain_line(void)
{
	if (line >= 0)
		poll(&(struct pollfd){ .fd = line, .events = 0 }, 1, 20000);
}

/* What a kernel lacks, on its console: there is no line yet. The host looks for it. */
static void __attribute__((noreturn)) lacks(const char *options)
{
	int console = open("/dev/console", O_WRONLY | O_NOCTTY);

	dprintf(console, "kernelcov: this kernel lacks %s\n", options);
	usleep(200000);
	power_off();
	__builtin_unreachable();
}

/* The port of the virtio console that the host has named so; -1 where there is none (yet). */
static int open_port(void)
{
	const char *folder = "/sys/class/virtio-ports";
	DIR *ports = opendir(folder);
	struct dirent *entry;
	char path[PATH_MAX], name[32] = { 0 };
	int found = -1;

	while (ports && found < 0 && (entry = readdir(ports))) {
		int fd;

		snprintf(path, sizeof(path), "%s/%s/name", folder, entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (read(fd, name, sizeof(name) - 1) > 0 && strncmp(name, "kernelcov", 9) == 0) {
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
			found = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
		}
		close(fd);
	}
	if (ports)
		closedir(ports);
	return found;
}

/* Loads what this kernel has as modules and a machine needs to start, in the order of their names. */
static void load_modules(void)
{
	struct dirent **names;
	int count = scandir("/modules", &names, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		size_t length = strlen(names[i]->d_name);
		bool packed = length < 3 || strcmp(names[i]->d_name + length - 3, ".ko") != 0;
		char path[PATH_MAX];
		int fd;

		snprintf(path, sizeof(path), "/modules/%s", names[i]->d_name);
		fd = names[i]->d_name[0] == '.' ? -1 : open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		/* What is missing then is named when it is used. */
		syscall(SYS_finit_module, fd, "", packed ? MODULE_INIT_COMPRESSED_FILE : 0);
		close(fd);
	}
}

static void open_line(void)
{
	load_modules();
	if (mount("sysfs", "/sys", "sysfs", 0, NULL) < 0)
		lacks("CONFIG_SYSFS=y");
	if (mount("dev", "/dev", "devtmpfs", 0, NULL) < 0 && errno != EBUSY)
		lacks("CONFIG_DEVTMPFS=y");
	/* Drivers may still be looking for their devices. */
	for (int i = 0; line < 0 && i < 1000; i++) {
		line = open_port();
		if (line < 0)
			usleep(10000);
	}
	if (line < 0)
		lacks("CONFIG_VIRTIO_CONSOLE=y, or CONFIG_VIRTIO_PCI=y");
}

static void mount_host(const char *tag, const char *target, const char *cache)
{
	char options[128];

	snprintf(options, sizeof(options), "trans=virtio,version=9p2000.L,msize=262144,cache=%s", cache);
	if (mount(tag, target, "9p", 0, options) == 0)
		return;
	if (errno == ENODEV)
		fail("This kernel lacks CONFIG_9P_FS=y: kernelcov kernel config --vm prints what it needs");
	/* EINVAL: there is no such transport. */
	if (errno == EINVAL || errno == ENOENT || errno == EPROTONOSUPPORT)
		fail("This kernel lacks CONFIG_NET_9P_VIRTIO=y: kernelcov kernel config --vm prints what it needs");
	fail("Cannot mount the host's files on %s in the guest: %s", target, strerror(errno));
}

/* The initramfs cannot be left with pivot_root(2): the new root is put on top of it. */
static void enter_overlay(void)
{
	const char *lower = "lowerdir=/overlay/host,upperdir=/overlay/upper,workdir=/overlay/work";

	must_mount("overlay", "/overlay", "tmpfs", 0, "size=90%,mode=0755");
	if (mkdir("/overlay/upper", 0755) < 0 || mkdir("/overlay/work", 0755) < 0 || mkdir("/overlay/root", 0755) < 0 ||
	    mkdir("/overlay/host", 0755) < 0 || mkdir("/overlay/programs", 0755) < 0)
		fail("Cannot make the overlay's folders in the guest: %s", strerror(errno));
	mount_host("host", "/overlay/host", "loose");
	/* Programs of this architecture hide the host's. The kernel hands what it does not know to process 1. */
	if (getenv("KERNELCOV_PROGRAMS")) {
		mount_host("programs", "/overlay/programs", "loose");
		lower = "lowerdir=/overlay/programs:/overlay/host,upperdir=/overlay/upper,workdir=/overlay/work";
	}
	if (mount("overlay", "/overlay/root", "overlay", 0, lower) < 0) {
		if (errno == ENODEV)
			fail("This kernel lacks CONFIG_OVERLAY_FS=y: kernelcov kernel config --vm prints what it needs");
		fail("Cannot mount the overlay in the guest: %s", strerror(errno));
	}
	umount2("/sys", MNT_DETACH);
	must_mount("/dev", "/overlay/root/dev", NULL, MS_MOVE, NULL);
	if (chdir("/overlay/root") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
		fail("Cannot enter the overlay in the guest: %s", strerror(errno));
}

static void mount_writable(const char *folder, size_t index)
{
	char tag[32];

	snprintf(tag, sizeof(tag), "write%zu", index);
	mount_host(tag, folder, "mmap");
}

/* The kernel's modules, which are a folder of the host's, where modprobe(8) looks for them. */
static void mount_modules(const char *folder)
{
	struct utsname name;
	char target[PATH_MAX];

	uname(&name);
	snprintf(target, sizeof(target), "/lib/modules/%s", name.release);
	make_folders(target);
	must_mount(folder, target, NULL, MS_BIND, NULL);
}

/* The host gives the machine the folders that it may write to, and no others. */
static bool seal(void)
{
	return true;
}

/* Why a program cannot be run: execvp() would have a shell read such a program as a script. */
static const char *cannot_run(const char *program)
{
	static char reason[160];
	struct utsname name;
	Elf64_Ehdr head = { 0 };
	int fd = open(program, O_RDONLY | O_CLOEXEC);
	ssize_t size;

	if (fd < 0)
		return NULL;
	size = read(fd, &head, sizeof(head));
	close(fd);
	/* Which programs of 32 bits run is up to the kernel. */
	if (size != sizeof(head) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
	    head.e_machine == OWN_MACHINE)
		return NULL;
	uname(&name);
	snprintf(reason, sizeof(reason), "it is a program for another processor than this machine's, which is %s", name.machine);
	return reason;
}
