/* What sends packets. */
#ifndef CAUSES_OF_PACKETS_H
#define CAUSES_OF_PACKETS_H

#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <sys/socket.h>

static int fd1 = -1, fd2 = -1;
static struct sockaddr_in address;

static void run(const char *command) {
	if (system(command)) die(command);
}

static void loopback_up(void) {
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (ioctl(fd, SIOCSIFFLAGS, &lo)) die("lo");
	close(fd);
}

static int bound(int type) {
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, type, 0);

	address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (bind(fd, (void *)&address, size) || getsockname(fd, (void *)&address, &size)) die("bind");
	return fd;
}

static void send_one(void) {
	if (sendto(fd2, "x", 1, 0, (void *)&address, sizeof address) != 1) die("sendto");
}

static void udp_before(void) {
	loopback_up();
	fd1 = bound(SOCK_DGRAM);
	fd2 = socket(AF_INET, SOCK_DGRAM, 0);
}

static void tcp_before(void) {
	loopback_up();
	fd1 = bound(SOCK_STREAM);
	if (listen(fd1, 5)) die("listen");
}

static void tcp(void) {
	int fd = socket(AF_INET, SOCK_STREAM, 0), other;

	if (connect(fd, (void *)&address, sizeof address)) die("connect");
	if (write(fd, "x", 1) != 1) die("write");
	other = accept(fd1, NULL, NULL);
	close(fd);
	close(other);
}

/* To a port that nobody listens at. */
static void send_to(const char *host) {
	fd2 = socket(AF_INET, SOCK_DGRAM, 0);
	address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = inet_addr(host) };
}

/* In another network namespace: the answer comes back through the pair, too. */
static void veth_before(void) {
	run("ip link del kcva 2>/dev/null; ip netns del kcn 2>/dev/null;"
		"ip link add kcva type veth peer name kcvb && ip netns add kcn && ip link set kcvb netns kcn && "
		"ip link set kcva addrgenmode none && ip -n kcn link set kcvb addrgenmode none &&"
		"ip addr add 10.9.0.1/24 dev kcva && ip link set kcva up &&"
		"ip -n kcn addr add 10.9.0.2/24 dev kcvb && ip -n kcn link set kcvb up");
	send_to("10.9.0.2");
	/* Until the interfaces have done what they do when they come up: nothing for IPv6. */
	wait_ms(500);
}

/* Out of a bridge, in whose port the answer arrives. */
static void bridge_before(void) {
	run("ip link del kcbr 2>/dev/null; ip link del kcba 2>/dev/null; ip netns del kcm 2>/dev/null;"
		"ip link add kcbr type bridge && ip link add kcba type veth peer name kcbb && ip netns add kcm &&"
		"ip link set kcbb netns kcm && ip link set kcbr addrgenmode none && ip link set kcba addrgenmode none &&"
		"ip -n kcm link set kcbb addrgenmode none && ip link set kcba master kcbr && ip link set kcba up &&"
		"ip addr add 10.8.0.1/24 dev kcbr && ip link set kcbr up &&"
		"ip -n kcm addr add 10.8.0.2/24 dev kcbb && ip -n kcm link set kcbb up");
	send_to("10.8.0.2");
	wait_ms(500);
}

/* A packet that waits in its queue until a timer's end. */
static void qdisc_before(void) {
	static int made;

	send_to("10.6.0.2");
	if (made++) return;
	run("ip link del kcq 2>/dev/null; ip link add kcq type dummy && ip link set kcq addrgenmode none &&"
		"ip addr add 10.6.0.1/24 dev kcq && ip link set kcq up && tc qdisc add dev kcq root netem delay 200ms");
	wait_ms(500);
}

/* Nobody answers there. */
static void syn_before(void) {
	run("ip link del kcd 2>/dev/null; ip link add kcd type dummy && ip addr add 10.7.0.1/24 dev kcd && ip link set kcd up");
	address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = inet_addr("10.7.0.2") };
	fd1 = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	wait_ms(300);
}

static void syn(void) {
	if (connect(fd1, (void *)&address, sizeof address) == 0 || errno != EINPROGRESS) die("connect");
}

static struct sockaddr_vm here = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_LOCAL, .svm_port = 777 };

static void vsock_before(void) {
	fd1 = socket(AF_VSOCK, SOCK_STREAM, 0);
	fd2 = socket(AF_VSOCK, SOCK_STREAM, 0);
	if (bind(fd1, (void *)&here, sizeof here) || listen(fd1, 5)) die("vsock");
}

static void vsock(void) {
	if (connect(fd2, (void *)&here, sizeof here)) die("connect");
}

#endif
