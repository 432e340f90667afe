/*
 * The same calls twice: into a collector, which knows what made the kernel run each point, and as a trace of KCOV_TRACE_PC.
 * Writes the entries of both to the files that are named.
 */
#include "collector.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define WORDS (1 << 17)
#define ROUNDS 5

static void on_signal(int number)
{
	getppid();
}

static void files(const char *folder)
{
	char a[100], b[100], bytes[5000] = { 0 };
	int fd;

	snprintf(a, sizeof(a), "%s/a", folder);
	snprintf(b, sizeof(b), "%s/b", folder);
	fd = open(a, O_RDWR | O_CREAT, 0600);
	/* Into another tick of the clock, so that each write finds the file's times too old. */
	usleep(20000);
	write(fd, bytes, sizeof(bytes));
	pread(fd, bytes, sizeof(bytes), 0);
	ftruncate(fd, 10);
	fchmod(fd, 0644);
	close(fd);
	rename(a, b);
	unlink(b);
	mkdir(a, 0700);
	rmdir(a);
	mkfifo(a, 0600);
	unlink(a);
}

static void packets(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr *to = (struct sockaddr *)&address;
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char byte = 0;

	bind(fd, to, size);
	getsockname(fd, to, &size);
	sendto(fd, &byte, 1, 0, to, size);
	recv(fd, &byte, 1, 0);
	close(fd);
}

/* Faults of user mode, and within a call. */
static void faults(void)
{
	char *fresh = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int zero = open("/dev/zero", O_RDONLY);

	fresh[0] = 1;
	getppid();
	read(zero, fresh + 8192, 8192);
	close(zero);
	munmap(fresh, 1 << 20);
}

static void calls(const char *folder)
{
	struct stat found;

	stat("/no/such/file", &found);
	files(folder);
	packets();
	faults();
	kill(getpid(), SIGUSR1);
}

static void save(const char *path, volatile uint64_t *from, uint64_t count)
{
	FILE *file = fopen(path, "w");

	if (file == NULL || fwrite((void *)from, 8, count, file) != count || fclose(file) != 0) die(path);
}

int main(int argc, char **argv)
{
	struct collector c = collector_with(WORDS, 0);
	volatile uint64_t *trace;
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	signal(SIGUSR1, on_signal);
	if (ioctl(fd, KCOV_INIT_TRACE, WORDS)) die("kcov");
	trace = mmap(NULL, WORDS * 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memset((void *)c.area + HEADER * 8, 0, (WORDS - HEADER) * 8);
	memset((void *)trace, 0, WORDS * 8);
	/* What is run once alone is done first. */
	for (int round = 0; round < ROUNDS; round++) calls(argv[1]);
	control(&c, KCOV_COLLECT, SCOPE_THREAD);
	for (int round = 0; round < ROUNDS; round++) calls(argv[1]);
	control(&c, KCOV_COLLECT_STOP, 0);
	if (ioctl(fd, KCOV_ENABLE, 0)) die("enable");
	trace[0] = 0;
	for (int round = 0; round < ROUNDS; round++) calls(argv[1]);
	uint64_t traced = trace[0];
	ioctl(fd, _IO('c', 101), 0);
	if (c.area[LOST] != 0 || traced == WORDS - 1) die("there was no room");
	save(argv[2], c.area + HEADER, c.area[COUNT]);
	save(argv[3], trace + 1, traced);
	return 0;
}
