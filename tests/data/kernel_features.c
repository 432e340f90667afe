/*
 * Uses each feature that src/build/recipe/config promises and prints one line for it: its name, and 0 or the errno.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <linux/loop.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/vm_sockets.h>
#include <mqueue.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void report(const char *name, long result)
{
	printf("%s %d\n", name, result < 0 ? errno : 0);
	fflush(stdout);
}

/* In a child: the caller's namespaces and limits stay as they are. */
static void report_unshare(const char *name, int flags)
{
	int status;

	if (fork() == 0)
		_exit(unshare(flags) < 0 ? errno : 0);
	wait(&status);
	printf("%s %d\n", name, WEXITSTATUS(status));
	fflush(stdout);
}

static long seccomp_filter(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static long trace_child(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		pause();
		_exit(0);
	}
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0)
		return -1;
	kill(pid, SIGKILL);
	return waitpid(pid, &status, 0);
}

static long vsock_loopback(void)
{
	struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_LOCAL, .svm_port = 99 };
	int server = socket(AF_VSOCK, SOCK_STREAM, 0), client = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (bind(server, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(server, 1) < 0)
		return -1;
	return connect(client, (struct sockaddr *)&address, sizeof(address));
}

static long tap(void)
{
	struct ifreq request = { .ifr_name = "tap9", .ifr_flags = IFF_TAP };

	return ioctl(open("/dev/net/tun", O_RDWR), TUNSETIFF, &request);
}

/* Makes a network device of a kind with the message that `ip link add type KIND` sends. */
static long link_of_kind(const char *kind)
{
	struct {
		struct nlmsghdr header;
		char body[256];
	} message = { 0 };
	struct { unsigned char family, pad; unsigned short type; int index; unsigned int flags, change; } info = { 0 };
	unsigned short size = sizeof(info), nested, length;
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	struct { struct nlmsghdr header; struct nlmsgerr error; } answer;

	memcpy(message.body, &info, sizeof(info));
	/* IFLA_LINKINFO (18) holds IFLA_INFO_KIND (1). */
	length = 4 + strlen(kind);
	nested = 4 + ((length + 3) & ~3);
	memcpy(message.body + size, (unsigned short[]){ nested, 18, length, 1 }, 8);
	memcpy(message.body + size + 8, kind, strlen(kind));
	message.header = (struct nlmsghdr){
		.nlmsg_len = sizeof(message.header) + size + nested,
		.nlmsg_type = 16 /* RTM_NEWLINK */,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
	};
	if (send(fd, &message, message.header.nlmsg_len, 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < 0)
		return -1;
	close(fd);
	errno = -answer.error.error;
	return answer.error.error;
}

int main(void)
{
	struct io_uring_params ring = { 0 };
	union bpf_attr map = { .map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 1 };
	struct iovec local = { &ring, 1 }, remote = { &ring, 1 };
	unsigned long aio = 0;
	sigset_t none;

	sigemptyset(&none);
	report("io_uring", syscall(SYS_io_uring_setup, 8, &ring));
	report("aio", syscall(SYS_io_setup, 1, &aio));
	report("epoll", epoll_create1(0));
	report("eventfd", eventfd(0, 0));
	report("timerfd", timerfd_create(CLOCK_MONOTONIC, 0));
	report("signalfd", signalfd(-1, &none, 0));
	report("memfd", memfd_create("a", 0));
	report("userfaultfd", syscall(SYS_userfaultfd, O_NONBLOCK));
	report("inotify", inotify_init());
	report("fanotify", fanotify_init(FAN_CLASS_NOTIF, 0));
	report("mqueue", mq_open("/q", O_CREAT | O_RDWR, 0600, NULL));
	report("sysv_ipc", shmget(1, 4096, IPC_CREAT | 0600));
	report("keys", syscall(SYS_add_key, "user", "a", "b", 1, -2));
	report("bpf", syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map)));
	report("kcmp", syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 0));
	report("membarrier", syscall(SYS_membarrier, 0, 0, 0));
	report("process_vm_readv", process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	report("pidfd", syscall(SYS_pidfd_open, getpid(), 0));
	report("ptrace", trace_child());
	report("seccomp", seccomp_filter());

	report_unshare("user_namespace", CLONE_NEWUSER);
	report_unshare("pid_namespace", CLONE_NEWPID);
	report_unshare("net_namespace", CLONE_NEWNET);
	report_unshare("ipc_namespace", CLONE_NEWIPC);
	report_unshare("uts_namespace", CLONE_NEWUTS);
	report_unshare("cgroup_namespace", CLONE_NEWCGROUP);
	report("cgroup", mkdir("/sys/fs/cgroup/test", 0755));
	report("cgroup_controllers", access("/sys/fs/cgroup/cpu.stat", R_OK));

	report("tmpfs", mount("t", "/mnt", "tmpfs", 0, NULL));
	mkdir("/mnt/l", 0755);
	mkdir("/mnt/u", 0755);
	mkdir("/mnt/w", 0755);
	mkdir("/mnt/o", 0755);
	report("overlay", mount("o", "/mnt/o", "overlay", 0, "lowerdir=/mnt/l,upperdir=/mnt/u,workdir=/mnt/w"));
	report("fuse", open("/dev/fuse", O_RDWR));
	report("loop", ioctl(open("/dev/loop-control", O_RDWR), LOOP_CTL_GET_FREE));
	report("pty", open("/dev/ptmx", O_RDWR));

	report("inet", socket(AF_INET, SOCK_STREAM, 0));
	report("inet6", socket(AF_INET6, SOCK_DGRAM, 0));
	report("unix", socket(AF_UNIX, SOCK_SEQPACKET, 0));
	report("packet", socket(AF_PACKET, SOCK_RAW, 0));
	report("netfilter", socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER));
	report("vsock", vsock_loopback());
	report("tap", tap());
	report("dummy", link_of_kind("dummy"));
	report("bridge", link_of_kind("bridge"));
	report("veth", link_of_kind("veth"));
	return 0;
}
