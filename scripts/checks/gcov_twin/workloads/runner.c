/*
 * Runs the steps of one workload under KCOV or under gcov. It is the guest's only process, its init, so that gcov counts
 * nobody else's system calls. Arguments come as the kernel's:
 *
 *   kcov OUT             records the thread's PCs and writes the distinct ones to OUT/pcs, one hexadecimal number a line
 *   collect OUT          the same of all that the workload causes, by a collector
 *   gcov OUT FILES       resets gcov's counters, runs, and copies the gcda files that FILES lists, one path a line, to OUT/0.gcda,
 *                        OUT/1.gcda, ...
 *
 * OUT/done tells that all went well, OUT/error what did not.
 */
#include "workload.h"
#include <net/if.h>
#include <sys/reboot.h>

#define KCOV_INIT_TRACE _IOR('c', 1, unsigned long)
#define KCOV_ENABLE _IO('c', 100)
#define KCOV_DISABLE _IO('c', 101)
struct kcov_collector_arg {
	uint32_t flags, reserved[3];
};
#define KCOV_COLLECTOR_INIT _IOW('c', 105, struct kcov_collector_arg)
#define KCOV_COLLECT _IO('c', 106)
#define KCOV_COLLECT_STOP _IO('c', 108)
#define SCOPE_TREE 2
/* Words of a collector's header, and of its entries the bits that are the PC (docs/collectors.md). */
enum { COUNT, LOST, PENDING, HEADER = 8 };
#define PC_BITS 48
/* For what is put off: word PENDING need not get 0, as a periodic timer never ends. */
#define LATE_MS 3000
#define WORDS (1UL << 24)
#define COLLECTOR_WORDS (1UL << 19)
#define SEEN (1UL << 18)
#define MOST_FILES 512
/* What depends on time, such as an access time that is updated or not, evens out. */
#define ROUNDS 3

char data[1 << 16];
static uint64_t seen[SEEN];

static const char *out;

static void leave(const char *name, const char *text)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", out, name);
	file = fopen(path, "w");
	if (file) {
		fputs(text, file);
		fclose(file);
	}
	reboot(RB_POWER_OFF);
}

void die(const char *what)
{
	char text[4096];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
	leave("error", text);
}

void open_flags(const char *path, int flags)
{
	int fd = open(path, flags, 0644);

	if (fd >= 0)
		close(fd);
}

static void remember(uint64_t pc)
{
	size_t slot = (pc >> 2) * 0x9e3779b97f4a7c15u >> (64 - 18);

	while (seen[slot] != pc && seen[slot])
		slot = (slot + 1) % SEEN;
	seen[slot] = pc;
}

static uint64_t *open_kcov(int *fd, size_t count)
{
	uint64_t *words;

	*fd = open("/sys/kernel/debug/kcov", O_RDWR);
	if (*fd < 0 || ioctl(*fd, KCOV_INIT_TRACE, count))
		die("kcov");
	words = mmap(NULL, count * 8, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (words == MAP_FAILED)
		die("mmap of kcov");
	return words;
}

static void write_seen(void)
{
	char path[4096];
	FILE *list;

	snprintf(path, sizeof(path), "%s/pcs", out);
	list = fopen(path, "w");
	if (!list)
		die(path);
	for (size_t i = 0; i < SEEN; i++)
		if (seen[i])
			fprintf(list, "0x%llx\n", (unsigned long long)seen[i]);
	if (fclose(list))
		die(path);
}

static void run_kcov(void)
{
	int fd;
	uint64_t *words = open_kcov(&fd, WORDS);

	memset(words, 0, WORDS * 8);
	for (size_t i = 0; i < ROUNDS * step_count; i++) {
		if (ioctl(fd, KCOV_ENABLE, 0))
			die("KCOV_ENABLE");
		__atomic_store_n(&words[0], 0, __ATOMIC_RELAXED);
		steps[i % step_count]();
		uint64_t count = __atomic_load_n(&words[0], __ATOMIC_RELAXED);
		if (ioctl(fd, KCOV_DISABLE, 0))
			die("KCOV_DISABLE");
		if (count >= WORDS - 1)
			leave("error", "the KCOV buffer is full: raise WORDS");
		for (uint64_t j = 1; j <= count; j++)
			remember(words[j]);
	}
	write_seen();
}

static void run_collect(void)
{
	struct kcov_collector_arg arg = { 0 };
	int fd;
	uint64_t *words = open_kcov(&fd, COLLECTOR_WORDS);

	if (ioctl(fd, KCOV_COLLECTOR_INIT, &arg) || ioctl(fd, KCOV_COLLECT, SCOPE_TREE))
		die("KCOV_COLLECT");
	for (size_t i = 0; i < ROUNDS * step_count; i++)
		steps[i % step_count]();
	if (ioctl(fd, KCOV_COLLECT_STOP, 0))
		die("KCOV_COLLECT_STOP");
	for (int ms = 0; ms < LATE_MS && __atomic_load_n(&words[PENDING], __ATOMIC_RELAXED); ms += 10)
		usleep(10000);
	if (words[LOST])
		leave("error", "the collector is full: raise COLLECTOR_WORDS");
	for (uint64_t i = 0; i < words[COUNT]; i++)
		if (words[HEADER + i])
			remember((uint64_t)((int64_t)(words[HEADER + i] << (64 - PC_BITS)) >> (64 - PC_BITS)));
	write_seen();
}

static int read_list(const char *list, char *files[], int most)
{
	static char text[1 << 16];
	FILE *file = fopen(list, "r");
	size_t size;
	int count = 0;

	if (!file)
		die(list);
	size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = 0;
	for (char *name = strtok(text, "\n"); name && count < most; name = strtok(NULL, "\n"))
		files[count++] = name;
	return count;
}

static void run_gcov(const char *list)
{
	static char *files[MOST_FILES];
	static int folders[MOST_FILES], fds[MOST_FILES];
	int count = read_list(list, files, MOST_FILES);
	int reset = open("/sys/kernel/debug/gcov/reset", O_WRONLY);

	if (reset < 0)
		die("gcov/reset");
	/* Walks over the mounts and folders that the steps do not touch are made before the counters are reset. */
	for (int i = 0; i < count; i++) {
		char *slash = strrchr(files[i], '/');

		*slash = 0;
		if ((folders[i] = open(files[i], O_RDONLY | O_DIRECTORY)) < 0)
			die(files[i]);
		files[i] = slash + 1;
		close(openat(folders[i], files[i], O_RDONLY));
	}
	if (write(reset, "1", 1) != 1)
		die("reset");
	for (size_t i = 0; i < ROUNDS * step_count; i++)
		steps[i % step_count]();
	/* Opening a file takes the snapshot of its counters: all of them first, so that copying does not count. */
	for (int i = 0; i < count; i++)
		if ((fds[i] = openat(folders[i], files[i], O_RDONLY)) < 0)
			die(files[i]);
	for (int i = 0; i < count; i++) {
		char path[4096];
		ssize_t n;
		int to;

		snprintf(path, sizeof(path), "%s/%d.gcda", out, i);
		to = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
		if (to < 0)
			die(path);
		while ((n = read(fds[i], data, sizeof(data))) > 0)
			if (write(to, data, n) != n)
				die(path);
		close(to);
	}
}

static void set_up(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (mount("proc", "/proc", "proc", 0, NULL) || mount("sys", "/sys", "sysfs", 0, NULL) ||
	    mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL) || mount("tmpfs", "/run", "tmpfs", 0, NULL))
		die("mount");
	if (ioctl(fd, SIOCSIFFLAGS, &lo))
		die("lo");
	close(fd);
	if (mkdir(FOLDER, 0755) || chdir(FOLDER))
		die(FOLDER);
	signal(SIGPIPE, SIG_IGN);
	memset(data, 1, sizeof(data));
	memset(seen, 0, sizeof(seen));
	prepare();
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 1;
	out = argv[2];
	set_up();
	if (strcmp(argv[1], "kcov") == 0)
		run_kcov();
	else if (strcmp(argv[1], "collect") == 0)
		run_collect();
	else
		run_gcov(argv[3]);
	leave("done", "");
	return 0;
}
