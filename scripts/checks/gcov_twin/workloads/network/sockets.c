/* One thread's UDP, netlink, and unix sockets that pass descriptors. */
#include "parts.h"
#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <net/if.h>
#include <netinet/udp.h>

/* From Linux 6.5 on; not in the C library of Debian 12. */
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

/* net/ipv4/udp.c, net/ipv4/ip_sockglue.c */
void udp(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } }, from;
	struct sockaddr unspecified = { .sa_family = AF_UNSPEC };
	socklen_t length = sizeof(address);
	struct iovec iov[2] = { { data, 10 }, { data + 10, 2000 } };
	char control[200];
	struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = iov, .msg_iovlen = 2, .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct ip_mreqn group = { .imr_multiaddr = { inet_addr("224.1.2.3") } };
	int one = 1, value, s = socket(AF_INET, SOCK_DGRAM, 0), c = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP);

	bind(s, (struct sockaddr *)&address, sizeof(address));
	bind(s, (struct sockaddr *)&address, sizeof(address));
	getsockname(s, (struct sockaddr *)&address, &length);
	setsockopt(s, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
	setsockopt(s, IPPROTO_IP, IP_RECVTTL, &one, sizeof(one));
	setsockopt(s, IPPROTO_IP, IP_RECVTOS, &one, sizeof(one));
	setsockopt(s, SOL_SOCKET, SO_TIMESTAMP, &one, sizeof(one));
	setsockopt(s, IPPROTO_UDP, UDP_CORK, &one, sizeof(one));
	value = 0;
	setsockopt(s, IPPROTO_UDP, UDP_CORK, &value, sizeof(value));
	setsockopt(c, IPPROTO_UDP, UDP_SEGMENT, &(int){ 100 }, sizeof(int));
	length = sizeof(value);
	getsockopt(c, IPPROTO_UDP, UDP_SEGMENT, &value, &length);
	getsockopt(c, IPPROTO_UDP, 77, &value, &length);
	setsockopt(c, IPPROTO_UDP, 77, &value, sizeof(value));
	sendto(c, data, 500, 0, (struct sockaddr *)&address, sizeof(address));
	setsockopt(c, IPPROTO_UDP, UDP_SEGMENT, &(int){ 0 }, sizeof(int));
	sendto(c, data, 50, 0, (struct sockaddr *)&address, 3);
	sendto(c, data, 50, 0, &unspecified, sizeof(unspecified));
	sendto(c, data, 50, 0, NULL, 0);
	sendto(c, data, sizeof(data), 0, (struct sockaddr *)&address, sizeof(address));
	sendto(c, data, 60000, 0, (struct sockaddr *)&address, sizeof(address));
	for (int i = 0; i < 8; i++)
		sendto(c, data, 100, i & 1 ? MSG_MORE : 0, (struct sockaddr *)&address, sizeof(address));
	connect(c, (struct sockaddr *)&address, sizeof(address));
	write(c, data, 20);
	send(c, data, 20, MSG_OOB);
	ioctl(s, FIONREAD, &value);
	ioctl(s, TIOCOUTQ, &value);
	ioctl(s, 0x8999, &value);
	recvmsg(s, &message, 0);
	recv(s, data, 10, MSG_PEEK);
	recv(s, data, 10, MSG_TRUNC);
	recvfrom(s, data, 100, 0, (struct sockaddr *)&from, &length);
	poll(&(struct pollfd){ s, POLLIN | POLLOUT, 0 }, 1, 0);
	while (recv(s, data, sizeof(data), MSG_DONTWAIT) >= 0)
		;
	recv(c, data, 10, 0);
	connect(c, &unspecified, sizeof(unspecified));
	address.sin_port = htons(9);
	connect(c, (struct sockaddr *)&address, sizeof(address));
	write(c, data, 1);
	write(c, data, 1);
	recv(c, data, 10, 0);
	setsockopt(c, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	write(c, data, 1);
	message.msg_controllen = sizeof(control);
	recvmsg(c, &message, MSG_ERRQUEUE);
	setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group));
	setsockopt(s, IPPROTO_IP, IP_DROP_MEMBERSHIP, &group, sizeof(group));
	setsockopt(s, IPPROTO_IP, IP_MULTICAST_LOOP, &one, sizeof(one));
	for (int option = 1; option < 25; option++) {
		length = sizeof(value);
		getsockopt(s, IPPROTO_IP, option, &value, &length);
		value = 5;
		setsockopt(s, IPPROTO_IP, option, &value, sizeof(value));
	}
	for (int option = 1; option < 60; option++) {
		length = sizeof(value);
		getsockopt(s, SOL_SOCKET, option, &value, &length);
		value = 1;
		if (option != SO_ATTACH_FILTER)
			setsockopt(s, SOL_SOCKET, option, &value, sizeof(value));
	}
	address.sin_addr.s_addr = inet_addr("10.1.0.1");
	sendto(s, data, 100, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof(address));
	address.sin_addr.s_addr = inet_addr("10.9.0.1");
	sendto(s, data, 100, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof(address));
	address.sin_addr.s_addr = inet_addr("10.1.0.99");
	sendto(c, data, 100, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof(address));
	address.sin_addr.s_addr = INADDR_BROADCAST;
	sendto(c, data, 100, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof(address));
	shutdown(c, SHUT_RDWR);
	close(s);
	close(c);
	s = open("/proc/net/udp", O_RDONLY);
	read(s, data, 4096);
	close(s);
}

/* net/netlink/af_netlink.c */
void netlink_sockets(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 }, group = { .nl_family = AF_NETLINK, .nl_groups = 2 };
	socklen_t length = sizeof(address);
	struct genlmsghdr generic = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 };
	int one = 1, value, other;

	socket(AF_NETLINK, SOCK_RAW, 99);
	socket(AF_NETLINK, SOCK_STREAM, 0);
	other = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);
	bind(other, (struct sockaddr *)&address, sizeof(address));
	bind(other, (struct sockaddr *)&address, 3);
	getsockname(other, (struct sockaddr *)&address, &length);
	getpeername(other, (struct sockaddr *)&address, &length);
	for (int option = 1; option < 13; option++) {
		setsockopt(other, SOL_NETLINK, option, &one, sizeof(one));
		length = sizeof(value);
		getsockopt(other, SOL_NETLINK, option, &value, &length);
	}
	length = 100;
	getsockopt(other, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, data, &length);
	connect(other, (struct sockaddr *)&group, sizeof(group));
	send(other, data, 10, 0);
	address.nl_family = AF_UNSPEC;
	connect(other, (struct sockaddr *)&address, sizeof(address));
	begin(NLMSG_NOOP, 0, "", 0);
	ask();
	begin(RTM_GETLINK, NLM_F_ACK, "", 0);
	request.header.nlmsg_len = 5;
	send(netlink, &request, 20, 0);
	send(netlink, &request, 4, 0);
	begin(9999, NLM_F_ACK, "", 0);
	ask();
	change_link("left", 0);
	change_link("left", IFF_UP);
	recv(other, data, 100, MSG_PEEK | MSG_TRUNC);
	while (recv(other, data, sizeof(data), 0) > 0)
		;
	ioctl(other, FIONREAD, &value);
	close(other);
	other = netlink;
	netlink = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	begin(GENL_ID_CTRL, NLM_F_ACK, &generic, sizeof(generic));
	attribute(CTRL_ATTR_FAMILY_NAME, "nlctrl", 7);
	ask();
	begin(GENL_ID_CTRL, NLM_F_DUMP, &generic, sizeof(generic));
	ask();
	begin(GENL_ID_CTRL, NLM_F_ACK, &generic, sizeof(generic));
	attribute(CTRL_ATTR_FAMILY_NAME, "none", 5);
	ask();
	close(netlink);
	netlink = other;
	other = open("/proc/net/netlink", O_RDONLY);
	read(other, data, 4096);
	close(other);
}

/* net/unix */
void descriptors(void)
{
	union {
		char bytes[CMSG_SPACE(8 * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { data, 10 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *header;
	struct ucred who = { getpid(), 0, 0 };
	int s[2], t[2], one = 1, got;

	for (int round = 0; round < 8; round++) {
		if (socketpair(AF_UNIX, round & 1 ? SOCK_DGRAM : SOCK_STREAM, 0, s) || socketpair(AF_UNIX, SOCK_STREAM, 0, t))
			die("socketpair");
		setsockopt(s[1], SOL_SOCKET, round & 2 ? SO_PASSCRED : SO_PASSPIDFD, &one, sizeof(one));
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(2 * sizeof(int));
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = round == 5 ? 99 : SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(2 * sizeof(int));
		/* A socket that is sent over itself, one that is left in flight, and one that is not open. */
		memcpy(CMSG_DATA(header), (int[]){ round < 3 ? s[0] : t[0], round == 4 ? 999 : round == 6 ? netlink : s[1] }, 8);
		sendmsg(s[0], &message, MSG_DONTWAIT);
		if (round < 2) {
			close(s[0]);
			close(s[1]);
			close(t[0]);
			close(t[1]);
			continue;
		}
		message.msg_controllen = CMSG_SPACE(sizeof(who));
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_type = SCM_CREDENTIALS;
		header->cmsg_len = CMSG_LEN(sizeof(who));
		memcpy(CMSG_DATA(header), &who, sizeof(who));
		sendmsg(s[0], &message, MSG_DONTWAIT);
		message.msg_controllen = round == 3 ? CMSG_SPACE(4) : sizeof(control);
		got = recvmsg(s[1], &message, MSG_DONTWAIT | (round == 7 ? MSG_PEEK : 0));
		header = CMSG_FIRSTHDR(&message);
		for (; got >= 0 && header; header = CMSG_NXTHDR(&message, header)) {
			if (header->cmsg_type != SCM_RIGHTS)
				continue;
			for (size_t at = 0; CMSG_LEN(at + 4) <= header->cmsg_len; at += 4) {
				memcpy(&got, CMSG_DATA(header) + at, 4);
				close(got);
			}
		}
		message.msg_controllen = sizeof(control);
		recvmsg(s[1], &message, MSG_DONTWAIT);
		close(s[0]);
		close(s[1]);
		close(t[0]);
		close(t[1]);
	}
	s[0] = open("/proc/net/unix", O_RDONLY);
	read(s[0], data, 4096);
	close(s[0]);
}
