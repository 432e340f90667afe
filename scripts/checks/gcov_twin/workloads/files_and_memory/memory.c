/* One thread's mappings of memory, and what a process asks of itself. */
#include "parts.h"
#include <grp.h>
#include <linux/futex.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/utsname.h>

/* mm/ */
void memory(void)
{
	unsigned char resident[64];
	struct iovec iov = { data, 100 }, remote = { data + 5000, 100 };
	char *map, *other;
	int fd = open("file", O_CREAT | O_RDWR, 0600);

	write(fd, data, 60000);
	map = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mmap(NULL, 0, PROT_READ, MAP_PRIVATE, fd, 0);
	mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 999, 0);
	mmap(NULL, 4096, PROT_READ, 0, fd, 0);
	mmap((void *)1, 4096, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mmap(map, 4096, PROT_READ, MAP_FIXED_NOREPLACE | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mmap(map + 8192, 4096, PROT_READ, MAP_FIXED | MAP_SHARED, fd, 4096);
	mmap(NULL, 4096, PROT_WRITE, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0);
	memset(map + 65536, 1, 300000);
	mprotect(map + 65536, 8192, PROT_READ);
	mprotect(map + 65536, 4096, PROT_NONE);
	mprotect(map + 69632, 4096, PROT_READ | PROT_WRITE);
	mprotect(map + 65536, 8192, PROT_READ | PROT_WRITE);
	mprotect(map + 1, 8192, PROT_READ);
	mprotect(map, 8192, 0x800);
	mprotect((void *)0x1000, 8192, PROT_READ);
	for (int advice = 0; advice < 26; advice++)
		if (advice != MADV_HWPOISON)
			madvise(map + 131072, 65536, advice);
	madvise(map + 1, 100, MADV_DONTNEED);
	madvise((void *)0x1000, 4096, MADV_DONTNEED);
	mincore(map, 1 << 18, resident);
	mincore(map + 1, 1 << 18, resident);
	mlock(map, 65536);
	mlock2(map + 65536, 65536, 1);
	mlock2(map + 65536, 65536, 7);
	munlock(map + 4096, 8192);
	mlockall(MCL_CURRENT);
	mlockall(99);
	munlockall();
	msync(map, 1 << 16, MS_ASYNC);
	msync(map, 1 << 16, MS_SYNC | MS_INVALIDATE);
	msync(map + 1, 1 << 16, MS_SYNC);
	msync(map, 1 << 16, 99);
	other = mremap(map, 1 << 20, 1 << 19, 0);
	other = mremap(map, 1 << 19, 1 << 21, MREMAP_MAYMOVE);
	if (other != MAP_FAILED) {
		mremap(other, 1 << 16, 1 << 17, 0);
		mremap(other, 1 << 16, 1 << 16, MREMAP_MAYMOVE | MREMAP_FIXED, map + (1 << 24));
		mremap(other + 1, 1 << 16, 1 << 16, 0);
		mremap(other, 0, 0, 0);
		mremap(other, 4096, 4096, 99);
		munmap(map + (1 << 24), 1 << 16);
		munmap(other + 65536, 8192);
		munmap(other, 1 << 21);
	}
	munmap(map + 1, 100);
	munmap(map, 0);
	map = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	map[100] = 5;
	map[9000] += data[1];
	mprotect(map, 1 << 16, PROT_READ);
	munmap(map, 1 << 16);
	map = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	map[100] = 5;
	munmap(map, 1 << 16);
	map = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_NORESERVE | MAP_LOCKED, -1, 0);
	munmap(map, 1 << 16);
	map = sbrk(0);
	brk(map + 100000);
	map[50000] = 1;
	brk(map);
	syscall(SYS_process_vm_readv, getpid(), &iov, 1, &remote, 1, 0);
	syscall(SYS_process_vm_writev, getpid(), &iov, 1, &remote, 1, 0);
	syscall(SYS_process_vm_readv, 999999, &iov, 1, &remote, 1, 0);
	syscall(SYS_process_vm_readv, getpid(), &iov, 1, &remote, 1, 9);
	syscall(SYS_remap_file_pages, map, 4096, 0, 0, 0);
	syscall(SYS_membarrier, 0, 0, 0);
	close(fd);
	fd = open("/proc/self/smaps", O_RDONLY);
	while (read(fd, data, 4096) > 0)
		;
	close(fd);
	unlink("file");
}

/* kernel/sys.c, kernel/futex, kernel/groups.c */
void process(void)
{
	struct rlimit limit;
	struct rusage usage;
	struct utsname name;
	struct tms times_used;
	struct sysinfo info;
	struct timespec soon = { 0, 1000000 };
	uid_t real, effective, saved;
	gid_t groups[8] = { 5, 3, 9 };
	int word = 1, other = 2;

	for (int resource = 0; resource < 18; resource++) {
		getrlimit(resource, &limit);
		if (resource < 16)
			setrlimit(resource, &limit);
	}
	limit = (struct rlimit){ 100, 50 };
	setrlimit(RLIMIT_NPROC, &limit);
	prlimit(999999, RLIMIT_NPROC, NULL, NULL);
	getrusage(RUSAGE_SELF, &usage);
	getrusage(RUSAGE_CHILDREN, &usage);
	getrusage(RUSAGE_THREAD, &usage);
	getrusage(77, &usage);
	uname(&name);
	sethostname("twin", 4);
	sethostname("twin", -4);
	setdomainname("twin", 4);
	times(&times_used);
	sysinfo(&info);
	getpriority(PRIO_PROCESS, 0);
	setpriority(PRIO_PROCESS, 0, 3);
	setpriority(PRIO_PROCESS, 0, 0);
	setpriority(PRIO_USER, 0, 0);
	getpriority(PRIO_PGRP, 0);
	getpriority(9, 0);
	for (int option = 1; option < 72; option++)
		if (option != PR_SET_NAME && option != PR_SET_SECCOMP && option != PR_SET_MM && option != PR_SET_SYSCALL_USER_DISPATCH &&
		    option != PR_SET_NO_NEW_PRIVS && option != PR_SET_KEEPCAPS && option != PR_CAPBSET_DROP && option != PR_SET_SECUREBITS &&
		    option != PR_SET_DUMPABLE)
			syscall(SYS_prctl, option, 0, 0, 0, 0);
	prctl(PR_SET_NAME, "name");
	prctl(PR_GET_NAME, data);
	getresuid(&real, &effective, &saved);
	setresuid(-1, 1000, -1);
	setresuid(-1, 0, -1);
	setreuid(0, 0);
	setresgid(-1, 5, -1);
	setresgid(-1, 0, -1);
	setregid(0, 0);
	setfsuid(7);
	setfsuid(0);
	setfsgid(7);
	setfsgid(0);
	getgroups(8, groups);
	setgroups(3, groups);
	getgroups(1, groups);
	setgroups(0, groups);
	setgroups(100000, groups);
	getpgid(0);
	getpgid(999999);
	getsid(0);
	setpgid(0, 0);
	setsid();
	getcwd(data, 3);
	syscall(SYS_getcpu, &word, &other, NULL);
	syscall(SYS_futex, &word, FUTEX_WAIT, 5, NULL, NULL, 0);
	word = 1;
	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, &soon, NULL, 0);
	syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
	syscall(SYS_futex, &word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0);
	syscall(SYS_futex, &word, FUTEX_WAKE_OP, 1, 1, &other, 0x1000000);
	syscall(SYS_futex, &word, FUTEX_REQUEUE, 1, 1, &other, 0);
	syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE, 1, 1, &other, 7);
	word = 0;
	syscall(SYS_futex, &word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	syscall(SYS_futex, &word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	syscall(SYS_futex, &word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	syscall(SYS_futex, &word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0);
	syscall(SYS_futex, &word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	syscall(SYS_futex, (char *)&word + 1, FUTEX_WAKE, 1, NULL, NULL, 0);
	syscall(SYS_futex, &word, 99, 1, NULL, NULL, 0);
	syscall(SYS_get_robust_list, 0, data, data + 8);
	syscall(SYS_set_robust_list, data, 3);
}
