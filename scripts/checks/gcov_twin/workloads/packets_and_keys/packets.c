/* One thread's packet and raw sockets, filters, IPv6, TCP options, a tunnel and a bridge. */
#include "parts.h"
#include <arpa/inet.h>
#include <linux/if_bridge.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>

/* linux/icmp.h and netinet/ip_icmp.h exclude each other. */
#define ICMP_FILTER 1

void prepare(void)
{
	/* Duplicate address detection would go on while the steps run. */
	int fd = open("/proc/sys/net/ipv6/conf/default/accept_dad", O_WRONLY);

	write(fd, "0", 1);
	close(fd);
}

/* net/packet/af_packet.c, net/core/filter.c */
static void packets(void)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = if_nametoindex("lo"), .sll_halen = 6 };
	struct sock_filter instructions[] = { BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 1),
					      BPF_STMT(BPF_RET | BPF_K, 200), BPF_STMT(BPF_RET | BPF_K, 0) },
			   wrong[] = { BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12) };
	struct sock_fprog filter = { 4, instructions }, bad = { 1, wrong };
	struct packet_mreq membership = { .mr_ifindex = address.sll_ifindex, .mr_type = PACKET_MR_PROMISC };
	struct tpacket_req ring = { 4096 * 4, 4, 2048, 32 }, bad_ring = { 5, 4, 2048, 32 };
	struct tpacket_stats stats;
	socklen_t length = sizeof(stats);
	char *map;
	int one = 1, value, raw = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL)), dgram = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP));

	socket(AF_PACKET, SOCK_STREAM, 0);
	bind(raw, (struct sockaddr *)&address, 3);
	bind(raw, (struct sockaddr *)&address, sizeof(address));
	getsockname(raw, (struct sockaddr *)&address, &(socklen_t){ sizeof(address) });
	setsockopt(raw, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
	setsockopt(raw, SOL_SOCKET, SO_ATTACH_FILTER, &bad, sizeof(bad));
	getsockopt(raw, SOL_SOCKET, SO_GET_FILTER, data, &(socklen_t){ 10 });
	memset(data, 0xff, 12);
	data[12] = 8;
	data[13] = 0;
	send(raw, data, 100, 0);
	send(raw, data, 5, 0);
	send(raw, data, sizeof(data), 0);
	sendto(dgram, data, 60, 0, (struct sockaddr *)&address, sizeof(address));
	sendto(dgram, data, 60, 0, NULL, 0);
	address.sll_ifindex = 9999;
	sendto(dgram, data, 60, 0, (struct sockaddr *)&address, sizeof(address));
	bind(dgram, (struct sockaddr *)&address, sizeof(address));
	for (int i = 0; i < 4; i++)
		recvfrom(raw, data, i ? 2000 : 5, i & 1 ? MSG_TRUNC : 0, (struct sockaddr *)&address, &(socklen_t){ sizeof(address) });
	setsockopt(raw, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof(membership));
	setsockopt(raw, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof(membership));
	setsockopt(raw, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &membership, sizeof(membership));
	membership.mr_type = PACKET_MR_MULTICAST;
	membership.mr_alen = 6;
	setsockopt(raw, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof(membership));
	setsockopt(raw, SOL_SOCKET, SO_DETACH_FILTER, &one, sizeof(one));
	getsockopt(raw, SOL_PACKET, PACKET_STATISTICS, &stats, &length);
	for (int option = 3; option < 25; option++) {
		value = option == PACKET_VERSION ? TPACKET_V2 : 1;
		if (option != PACKET_RX_RING && option != PACKET_TX_RING && option != PACKET_FANOUT)
			setsockopt(raw, SOL_PACKET, option, &value, sizeof(value));
		length = sizeof(value);
		getsockopt(raw, SOL_PACKET, option, &value, &length);
	}
	setsockopt(raw, SOL_PACKET, PACKET_RX_RING, &bad_ring, sizeof(bad_ring));
	if (setsockopt(raw, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)) == 0) {
		map = mmap(NULL, 4096 * 16, PROT_READ | PROT_WRITE, MAP_SHARED, raw, 0);
		sendto(dgram, data, 60, 0, NULL, 0);
		send(raw, data, 100, 0);
		poll(&(struct pollfd){ raw, POLLIN | POLLOUT, 0 }, 1, 0);
		if (map != MAP_FAILED)
			munmap(map, 4096 * 16);
		memset(&ring, 0, sizeof(ring));
		setsockopt(raw, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring));
	}
	value = 5;
	setsockopt(raw, SOL_PACKET, PACKET_FANOUT, &value, sizeof(value));
	ioctl(raw, SIOCOUTQ, &value);
	ioctl(raw, SIOCINQ, &value);
	close(raw);
	close(dgram);
	raw = open("/proc/net/packet", O_RDONLY);
	read(raw, data, 4096);
	close(raw);
}

/* net/ipv6 */
static void ipv6(void)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT }, from;
	struct {
		struct in6_addr address;
		uint32_t prefix;
		int index;
	} request = { { { { 0xfd, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 } } }, 64, if_nametoindex("lo") };
	struct ipv6_mreq group = { .ipv6mr_interface = request.index };
	struct icmp6_hdr echo = { .icmp6_type = ICMP6_ECHO_REQUEST };
	struct icmp6_filter filter;
	socklen_t length = sizeof(address);
	int one = 1, value, s = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0), c = socket(AF_INET6, SOCK_DGRAM, 0), t, l;

	ioctl(s, SIOCSIFADDR, &request);
	ioctl(s, SIOCSIFADDR, &request);
	bind(s, (struct sockaddr *)&address, sizeof(address));
	bind(s, (struct sockaddr *)&address, 5);
	getsockname(s, (struct sockaddr *)&address, &length);
	for (int option = 1; option < 80; option++) {
		length = sizeof(value);
		getsockopt(s, IPPROTO_IPV6, option, &value, &length);
		value = 1;
		if (option != IPV6_ADDRFORM)
			setsockopt(s, IPPROTO_IPV6, option, &value, sizeof(value));
	}
	inet_pton(AF_INET6, "ff02::77", &group.ipv6mr_multiaddr);
	setsockopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof(group));
	setsockopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof(group));
	setsockopt(s, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &group, sizeof(group));
	setsockopt(s, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &group, sizeof(group));
	sendto(c, data, 100, 0, (struct sockaddr *)&address, sizeof(address));
	sendto(c, data, 60000, 0, (struct sockaddr *)&address, sizeof(address));
	sendto(c, data, 100, MSG_MORE, (struct sockaddr *)&address, sizeof(address));
	sendto(c, data, 100, 0, (struct sockaddr *)&address, sizeof(address));
	sendto(c, data, 100, 0, NULL, 0);
	connect(c, (struct sockaddr *)&address, sizeof(address));
	getpeername(c, (struct sockaddr *)&from, &length);
	write(c, data, 10);
	while (recvfrom(s, data, 3000, 0, (struct sockaddr *)&from, &(socklen_t){ sizeof(from) }) >= 0)
		;
	address.sin6_port = htons(9);
	connect(c, (struct sockaddr *)&address, sizeof(address));
	write(c, data, 10);
	write(c, data, 10);
	inet_pton(AF_INET6, "2001:db8::1", &address.sin6_addr);
	sendto(s, data, 10, 0, (struct sockaddr *)&address, sizeof(address));
	address.sin6_addr = request.address;
	sendto(s, data, 10, 0, (struct sockaddr *)&address, sizeof(address));
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &address.sin6_addr);
	connect(c, (struct sockaddr *)&address, sizeof(address));
	write(c, data, 10);
	close(c);
	close(s);
	s = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	ICMP6_FILTER_SETBLOCKALL(&filter);
	setsockopt(s, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
	ICMP6_FILTER_SETPASSALL(&filter);
	setsockopt(s, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
	getsockopt(s, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, &(socklen_t){ sizeof(filter) });
	address.sin6_addr = (struct in6_addr)IN6ADDR_LOOPBACK_INIT;
	address.sin6_port = 0;
	bind(s, (struct sockaddr *)&address, sizeof(address));
	sendto(s, &echo, sizeof(echo), 0, (struct sockaddr *)&address, sizeof(address));
	recv(s, data, 1000, 0);
	recv(s, data, 3, MSG_TRUNC);
	close(s);
	l = socket(AF_INET6, SOCK_STREAM, 0);
	t = socket(AF_INET6, SOCK_STREAM, 0);
	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	bind(l, (struct sockaddr *)&address, sizeof(address));
	listen(l, 2);
	length = sizeof(address);
	getsockname(l, (struct sockaddr *)&address, &length);
	connect(t, (struct sockaddr *)&address, sizeof(address));
	s = accept(l, (struct sockaddr *)&from, &(socklen_t){ sizeof(from) });
	write(t, data, 3000);
	read(s, data, 3000);
	close(s);
	read(t, data, 10);
	close(t);
	close(l);
	s = socket(AF_INET6, SOCK_DGRAM, 0);
	ioctl(s, SIOCDIFADDR, &request);
	ioctl(s, SIOCDIFADDR, &request);
	close(s);
	for (const char *const *name = (const char *const[]){ "if_inet6", "ipv6_route", "igmp6", "udp6", "tcp6", "anycast6", NULL }; *name; name++) {
		snprintf(data, 100, "/proc/net/%s", *name);
		s = open(data, O_RDONLY);
		read(s, data, 4096);
		close(s);
	}
}

/* net/ipv4/tcp.c, net/ipv4/raw.c, net/ipv4/ping.c */
static void tcp_and_raw(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct icmphdr echo = { .type = ICMP_ECHO };
	struct linger linger = { 1, 0 };
	struct iovec iov[2] = { { data, 3000 }, { data, 100 } };
	socklen_t length = sizeof(address);
	int one = 1, value, l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0), s, p[2];

	recv(c, data, 10, 0);
	send(c, data, 10, MSG_NOSIGNAL);
	bind(l, (struct sockaddr *)&address, sizeof(address));
	listen(l, 2);
	getsockname(l, (struct sockaddr *)&address, &length);
	connect(c, (struct sockaddr *)&address, sizeof(address));
	connect(c, (struct sockaddr *)&address, sizeof(address));
	s = accept(l, NULL, NULL);
	for (int option = 1; option < 45; option++) {
		length = sizeof(value);
		getsockopt(c, IPPROTO_TCP, option, &value, &length);
		value = option == TCP_NODELAY ? 1 : value;
		if (option != TCP_REPAIR && option != TCP_ULP && option != TCP_USER_TIMEOUT && option != TCP_LINGER2)
			setsockopt(c, IPPROTO_TCP, option, &value, sizeof(value));
	}
	getsockopt(c, IPPROTO_TCP, TCP_INFO, data, &(socklen_t){ 200 });
	setsockopt(c, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	getsockopt(c, IPPROTO_TCP, TCP_CONGESTION, data, &(socklen_t){ 20 });
	writev(c, iov, 2);
	send(c, data, 100, MSG_MORE);
	send(c, data, 1, MSG_OOB);
	send(c, data, 20000, MSG_DONTWAIT);
	recv(s, data, 100, MSG_PEEK);
	recv(s, data, 1, MSG_OOB);
	recv(s, data, 2000, MSG_WAITALL);
	recv(s, data, 2000, MSG_TRUNC);
	ioctl(s, SIOCINQ, &value);
	ioctl(c, SIOCOUTQ, &value);
	ioctl(s, SIOCATMARK, &value);
	poll(&(struct pollfd){ s, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0 }, 1, 0);
	pipe(p);
	splice(s, NULL, p[1], NULL, 1000, SPLICE_F_NONBLOCK);
	splice(p[0], NULL, c, NULL, 500, SPLICE_F_NONBLOCK);
	close(p[0]);
	close(p[1]);
	while (recv(s, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	shutdown(c, SHUT_WR);
	recv(s, data, 10, 0);
	send(s, data, 10, 0);
	recv(c, data, 10, 0);
	setsockopt(s, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(s);
	recv(c, data, 10, 0);
	close(c);
	c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	sendto(c, data, 10, MSG_FASTOPEN, (struct sockaddr *)&address, sizeof(address));
	close(c);
	close(l);
	connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address));
	s = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP);
	address.sin_port = 0;
	sendto(s, &echo, sizeof(echo), 0, (struct sockaddr *)&address, sizeof(address));
	sendto(s, data, 70000, 0, (struct sockaddr *)&address, sizeof(address));
	recv(s, data, 1000, 0);
	setsockopt(s, SOL_RAW, ICMP_FILTER, &one, sizeof(one));
	getsockopt(s, SOL_RAW, ICMP_FILTER, &value, &length);
	setsockopt(s, IPPROTO_IP, IP_HDRINCL, &one, sizeof(one));
	sendto(s, data, 5, 0, (struct sockaddr *)&address, sizeof(address));
	memset(data, 0, 40);
	data[0] = 0x45;
	data[9] = IPPROTO_ICMP;
	sendto(s, data, 40, 0, (struct sockaddr *)&address, sizeof(address));
	bind(s, (struct sockaddr *)&address, sizeof(address));
	connect(s, (struct sockaddr *)&address, sizeof(address));
	write(s, data, 40);
	ioctl(s, SIOCINQ, &value);
	close(s);
	s = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY);
	write(s, "0 10", 4);
	close(s);
	s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_ICMP);
	sendto(s, &echo, sizeof(echo), 0, (struct sockaddr *)&address, sizeof(address));
	recv(s, data, 100, 0);
	echo.type = 99;
	sendto(s, &echo, sizeof(echo), 0, (struct sockaddr *)&address, sizeof(address));
	close(s);
}

/* drivers/net/tun.c, net/bridge */
static void links(void)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI, .ifr_name = "tap0" };
	unsigned long arguments[4] = { BRCTL_GET_BRIDGE_INFO, (unsigned long)data };
	int tap, s = socket(AF_INET, SOCK_DGRAM, 0), value;

	mknod("tun", S_IFCHR | 0600, 10 << 8 | 200);
	tap = open("tun", O_RDWR | O_NONBLOCK);
	read(tap, data, 100);
	ioctl(tap, TUNSETIFF, &request);
	ioctl(tap, TUNSETIFF, &request);
	ioctl(tap, TUNGETIFF, &request);
	ioctl(tap, TUNGETFEATURES, &value);
	ioctl(tap, TUNSETNOCSUM, 1);
	ioctl(tap, TUNSETPERSIST, 1);
	ioctl(tap, TUNSETPERSIST, 0);
	ioctl(tap, TUNSETOWNER, 5);
	ioctl(tap, TUNSETGROUP, 5);
	ioctl(tap, TUNSETOFFLOAD, TUN_F_CSUM);
	ioctl(tap, TUNGETSNDBUF, &value);
	ioctl(tap, TUNSETSNDBUF, &value);
	value = 12;
	ioctl(tap, TUNSETVNETHDRSZ, &value);
	ioctl(tap, TUNGETVNETHDRSZ, &value);
	ioctl(tap, 0x5499, &value);
	ioctl(tap, SIOCGIFHWADDR, &request);
	strcpy(request.ifr_name, "tap0");
	ioctl(s, SIOCBRADDBR, "br7");
	ioctl(s, SIOCBRADDBR, "br7");
	request.ifr_ifindex = if_nametoindex("tap0");
	strcpy(request.ifr_name, "br7");
	ioctl(s, SIOCBRADDIF, &request);
	ioctl(s, SIOCBRADDIF, &request);
	request.ifr_data = (void *)arguments;
	ioctl(s, SIOCDEVPRIVATE, &request);
	arguments[0] = BRCTL_GET_PORT_LIST;
	arguments[2] = 10;
	ioctl(s, SIOCDEVPRIVATE, &request);
	arguments[0] = BRCTL_SET_AGEING_TIME;
	arguments[1] = 3000;
	ioctl(s, SIOCDEVPRIVATE, &request);
	arguments[0] = BRCTL_SET_BRIDGE_STP_STATE;
	arguments[1] = 0;
	ioctl(s, SIOCDEVPRIVATE, &request);
	for (int up = 1; up >= 0; up--) {
		for (const char *const *name = (const char *const[]){ "tap0", "br7", NULL }; *name; name++) {
			strcpy(request.ifr_name, *name);
			request.ifr_flags = up ? IFF_UP : 0;
			ioctl(s, SIOCSIFFLAGS, &request);
		}
		memset(data, 0xff, 6);
		memset(data + 6, 2, 6);
		write(tap, data, 100);
		write(tap, data, 5);
		read(tap, data, 2000);
		read(tap, data, 20);
		poll(&(struct pollfd){ tap, POLLIN | POLLOUT, 0 }, 1, 0);
	}
	strcpy(request.ifr_name, "br7");
	request.ifr_ifindex = if_nametoindex("tap0");
	ioctl(s, SIOCBRDELIF, &request);
	ioctl(s, SIOCBRDELIF, &request);
	ioctl(s, SIOCBRDELBR, "br7");
	ioctl(s, SIOCBRDELBR, "br7");
	close(tap);
	close(s);
	unlink("tun");
}

void (*const steps[])(void) = { packets, ipv6, tcp_and_raw, links, keys, programs, rings };
const size_t step_count = sizeof(steps) / sizeof(*steps);
