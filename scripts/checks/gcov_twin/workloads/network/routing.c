/* One thread's routing netlink, addresses, routes and virtual links. */
#include "parts.h"
#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/veth.h>
#include <net/if.h>
#include <net/route.h>

struct request request;
int netlink = -1;

void prepare(void)
{
}

void begin(int type, int flags, const void *body, size_t size)
{
	memset(&request, 0, sizeof(request));
	request.header.nlmsg_type = type;
	request.header.nlmsg_flags = NLM_F_REQUEST | flags;
	request.header.nlmsg_len = NLMSG_LENGTH(size);
	request.header.nlmsg_seq = 1;
	memcpy(NLMSG_DATA(&request.header), body, size);
}

struct rtattr *attribute(int type, const void *value, size_t size)
{
	struct rtattr *attribute = (void *)((char *)&request + NLMSG_ALIGN(request.header.nlmsg_len));

	attribute->rta_type = type;
	attribute->rta_len = RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attribute), value, size);
	request.header.nlmsg_len = NLMSG_ALIGN(request.header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
	return attribute;
}

static void word_attribute(int type, uint32_t value)
{
	attribute(type, &value, 4);
}

static void address_attribute(int type, const char *text)
{
	struct in_addr address;

	inet_aton(text, &address);
	attribute(type, &address, 4);
}

static void end_nested(struct rtattr *nested)
{
	nested->rta_len = (char *)&request + request.header.nlmsg_len - (char *)nested;
}

/* Sends the request and reads the whole answer. */
void ask(void)
{
	ssize_t size;

	send(netlink, &request, request.header.nlmsg_len, 0);
	while ((size = recv(netlink, data, sizeof(data), MSG_DONTWAIT)) > 0)
		;
}

static int link_index(const char *name)
{
	return if_nametoindex(name);
}

void change_link(const char *name, unsigned int flags)
{
	struct ifinfomsg info = { .ifi_index = link_index(name), .ifi_flags = flags, .ifi_change = IFF_UP };

	begin(RTM_NEWLINK, NLM_F_ACK, &info, sizeof(info));
	ask();
}

static void address(int type, const char *name, const char *text, int prefix, int flags)
{
	struct ifaddrmsg info = { .ifa_family = AF_INET, .ifa_prefixlen = prefix, .ifa_index = link_index(name) };

	begin(type, NLM_F_ACK | flags, &info, sizeof(info));
	address_attribute(IFA_LOCAL, text);
	address_attribute(IFA_ADDRESS, text);
	attribute(IFA_LABEL, name, strlen(name) + 1);
	ask();
}

static void links(void)
{
	struct ifinfomsg info = { 0 };
	struct ndmsg neighbour = { .ndm_family = AF_INET, .ndm_state = NUD_PERMANENT };
	struct ifaddrmsg family = { 0 };
	struct rtattr *outer, *inner, *peer;
	char mac[6] = { 2, 1, 2, 3, 4, 5 };

	netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &info, sizeof(info));
	attribute(IFLA_IFNAME, "left", 5);
	word_attribute(IFLA_MTU, 1400);
	word_attribute(IFLA_TXQLEN, 100);
	outer = attribute(IFLA_LINKINFO, NULL, 0);
	attribute(IFLA_INFO_KIND, "veth", 4);
	inner = attribute(IFLA_INFO_DATA, NULL, 0);
	peer = attribute(VETH_INFO_PEER, &info, sizeof(info));
	attribute(IFLA_IFNAME, "right", 6);
	end_nested(peer);
	end_nested(inner);
	end_nested(outer);
	ask();
	ask();
	begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &info, sizeof(info));
	outer = attribute(IFLA_LINKINFO, NULL, 0);
	attribute(IFLA_INFO_KIND, "unknown", 7);
	end_nested(outer);
	ask();
	begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_ACK, &info, sizeof(info));
	attribute(IFLA_IFNAME, "bridge0", 8);
	outer = attribute(IFLA_LINKINFO, NULL, 0);
	attribute(IFLA_INFO_KIND, "bridge", 6);
	end_nested(outer);
	ask();
	change_link("left", IFF_UP);
	change_link("right", IFF_UP);
	info.ifi_index = link_index("left");
	begin(RTM_NEWLINK, NLM_F_ACK, &info, sizeof(info));
	attribute(IFLA_ADDRESS, mac, 6);
	attribute(IFLA_IFALIAS, "alias", 5);
	word_attribute(IFLA_MASTER, link_index("bridge0"));
	word_attribute(IFLA_GROUP, 3);
	word_attribute(IFLA_MTU, 9000);
	word_attribute(IFLA_PROMISCUITY, 1);
	ask();
	begin(RTM_NEWLINK, NLM_F_ACK, &info, sizeof(info));
	word_attribute(IFLA_MASTER, 0);
	ask();
	begin(RTM_SETLINK, NLM_F_ACK, &info, sizeof(info));
	word_attribute(IFLA_MTU, 10);
	ask();
	begin(RTM_NEWLINK, NLM_F_ACK, &info, sizeof(info));
	attribute(IFLA_IFNAME, "right", 6);
	ask();
	begin(RTM_NEWLINK, NLM_F_ACK, &info, sizeof(info));
	attribute(IFLA_ADDRESS, mac, 3);
	ask();
	begin(RTM_GETLINK, 0, &info, sizeof(info));
	word_attribute(IFLA_EXT_MASK, RTEXT_FILTER_VF);
	ask();
	begin(RTM_GETLINK, NLM_F_DUMP, &info, sizeof(info));
	ask();
	info.ifi_index = 9999;
	begin(RTM_GETLINK, 0, &info, sizeof(info));
	ask();
	begin(RTM_DELLINK, NLM_F_ACK, &info, sizeof(info));
	ask();
	begin(RTM_GETSTATS, NLM_F_DUMP, &(struct if_stats_msg){ .filter_mask = 1 }, sizeof(struct if_stats_msg));
	ask();
	begin(RTM_GETLINK, NLM_F_ACK, &info, 3);
	ask();
	neighbour.ndm_ifindex = link_index("right");
	begin(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_ACK, &neighbour, sizeof(neighbour));
	address_attribute(NDA_DST, "10.1.0.9");
	attribute(NDA_LLADDR, mac, 6);
	ask();
	begin(RTM_GETNEIGH, NLM_F_DUMP, &neighbour, sizeof(neighbour));
	ask();
	begin(RTM_DELNEIGH, NLM_F_ACK, &neighbour, sizeof(neighbour));
	address_attribute(NDA_DST, "10.1.0.9");
	ask();
	begin(RTM_DELNEIGH, NLM_F_ACK, &neighbour, sizeof(neighbour));
	ask();
	neighbour.ndm_family = AF_BRIDGE;
	begin(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_ACK, &neighbour, sizeof(neighbour));
	attribute(NDA_LLADDR, mac, 6);
	ask();
	begin(RTM_GETNEIGH, NLM_F_DUMP, &neighbour, sizeof(neighbour));
	ask();
	begin(RTM_DELNEIGH, NLM_F_ACK, &neighbour, sizeof(neighbour));
	attribute(NDA_LLADDR, mac, 6);
	ask();

	address(RTM_NEWADDR, "left", "10.1.0.1", 24, NLM_F_CREATE | NLM_F_EXCL);
	address(RTM_NEWADDR, "left", "10.1.0.1", 24, NLM_F_CREATE | NLM_F_EXCL);
	address(RTM_NEWADDR, "left", "10.1.0.1", 24, NLM_F_REPLACE);
	address(RTM_NEWADDR, "left", "10.1.0.2", 24, NLM_F_CREATE);
	address(RTM_NEWADDR, "right", "10.2.0.1", 16, NLM_F_CREATE);
	address(RTM_NEWADDR, "right", "10.2.0.1", 77, NLM_F_CREATE);
	address(RTM_NEWADDR, "none", "10.2.0.1", 16, NLM_F_CREATE);
	begin(RTM_GETADDR, NLM_F_DUMP, &family, sizeof(family));
	ask();
	family.ifa_family = AF_INET;
	begin(RTM_GETADDR, NLM_F_DUMP, &family, sizeof(family));
	ask();
	begin(RTM_GETNETCONF, NLM_F_DUMP, "\2", 1);
	ask();
	address(RTM_DELADDR, "left", "10.1.0.1", 24, 0);
	address(RTM_DELADDR, "left", "10.1.0.9", 24, 0);
	change_link("left", 0);
	change_link("left", IFF_UP);
	address(RTM_NEWADDR, "left", "10.1.0.1", 24, NLM_F_CREATE);
}

static void route(int type, int flags, const char *to, int prefix, const char *gateway, const char *device, int table, int metric)
{
	struct rtmsg info = { .rtm_family = AF_INET,
			      .rtm_dst_len = prefix,
			      .rtm_table = table,
			      .rtm_protocol = RTPROT_STATIC,
			      .rtm_scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
			      .rtm_type = RTN_UNICAST };

	if (type == RTM_DELROUTE)
		info.rtm_scope = RT_SCOPE_NOWHERE;
	begin(type, NLM_F_ACK | flags, &info, sizeof(info));
	address_attribute(RTA_DST, to);
	if (gateway)
		address_attribute(RTA_GATEWAY, gateway);
	if (device)
		word_attribute(RTA_OIF, link_index(device));
	if (metric)
		word_attribute(RTA_PRIORITY, metric);
	ask();
}

static void routes(void)
{
	struct rtmsg info = { .rtm_family = AF_INET, .rtm_dst_len = 32 };
	struct fib_rule_hdr rule = { .family = AF_INET, .table = 100, .action = FR_ACT_TO_TBL, .src_len = 16 };
	struct rtentry entry = { .rt_flags = RTF_UP | RTF_GATEWAY };
	struct sockaddr_in *to = (void *)&entry.rt_dst, *mask = (void *)&entry.rt_genmask, *via = (void *)&entry.rt_gateway;
	struct rtattr *nested;
	struct rtnexthop *hop;
	char text[32];
	int fd;

	route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, "10.5.0.0", 16, "10.1.0.7", NULL, RT_TABLE_MAIN, 0);
	route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, "10.5.0.0", 16, "10.1.0.7", NULL, RT_TABLE_MAIN, 0);
	route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, "10.5.0.0", 16, "10.1.0.8", NULL, RT_TABLE_MAIN, 0);
	route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, "10.5.0.0", 16, "10.1.0.9", NULL, RT_TABLE_MAIN, 5);
	route(RTM_NEWROUTE, NLM_F_CREATE, "10.6.0.0", 16, "99.1.0.7", NULL, RT_TABLE_MAIN, 0);
	route(RTM_NEWROUTE, NLM_F_CREATE, "10.7.0.1", 16, NULL, "left", RT_TABLE_MAIN, 0);
	route(RTM_NEWROUTE, NLM_F_CREATE, "10.7.0.0", 40, NULL, "left", RT_TABLE_MAIN, 0);
	for (int i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "10.%d.%d.0", 20 + i % 7, i * 5 & 255);
		route(RTM_NEWROUTE, NLM_F_CREATE, text, 24, NULL, i & 1 ? "left" : "right", 100, i % 3);
	}
	begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_ACK,
	      &(struct rtmsg){ .rtm_family = AF_INET, .rtm_dst_len = 16, .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST }, sizeof(info));
	address_attribute(RTA_DST, "10.8.0.0");
	nested = attribute(RTA_MULTIPATH, NULL, 0);
	for (int i = 0; i < 2; i++) {
		struct in_addr gateway;

		hop = (void *)((char *)&request + NLMSG_ALIGN(request.header.nlmsg_len));
		request.header.nlmsg_len += sizeof(*hop);
		inet_aton(i ? "10.2.0.7" : "10.1.0.7", &gateway);
		attribute(RTA_GATEWAY, &gateway, 4);
		hop->rtnh_len = sizeof(*hop) + RTA_LENGTH(4);
		hop->rtnh_hops = i;
	}
	end_nested(nested);
	ask();
	begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_ACK,
	      &(struct rtmsg){ .rtm_family = AF_INET, .rtm_dst_len = 24, .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_BLACKHOLE }, sizeof(info));
	address_attribute(RTA_DST, "10.9.0.0");
	nested = attribute(RTA_METRICS, NULL, 0);
	word_attribute(RTAX_MTU, 1300);
	word_attribute(RTAX_WINDOW, 9);
	end_nested(nested);
	ask();
	begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_ACK,
	      &(struct rtmsg){ .rtm_family = AF_INET, .rtm_dst_len = 24, .rtm_table = RT_TABLE_MAIN, .rtm_type = 77 }, sizeof(info));
	address_attribute(RTA_DST, "10.9.1.0");
	ask();
	for (const char *const *target = (const char *const[]){ "10.5.1.2", "10.8.3.3", "10.9.0.1", "127.0.0.1", "10.1.0.1", "224.0.0.5", "55.1.1.1",
		     "10.22.10.1", "255.255.255.255", NULL };
	     *target; target++) {
		begin(RTM_GETROUTE, 0, &info, sizeof(info));
		address_attribute(RTA_DST, *target);
		ask();
	}
	info.rtm_flags = RTM_F_FIB_MATCH;
	begin(RTM_GETROUTE, 0, &info, sizeof(info));
	address_attribute(RTA_DST, "10.5.1.2");
	word_attribute(RTA_OIF, link_index("left"));
	ask();
	info.rtm_flags = 0;
	info.rtm_dst_len = 0;
	begin(RTM_GETROUTE, NLM_F_DUMP, &info, sizeof(info));
	ask();
	begin(RTM_GETROUTE, NLM_F_DUMP, &info, sizeof(info));
	word_attribute(RTA_TABLE, 100);
	ask();
	begin(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &rule, sizeof(rule));
	address_attribute(FRA_SRC, "10.1.0.0");
	word_attribute(FRA_PRIORITY, 500);
	ask();
	ask();
	begin(RTM_NEWRULE, NLM_F_CREATE | NLM_F_ACK, &(struct fib_rule_hdr){ .family = AF_INET, .action = FR_ACT_TO_TBL, .table = 100 }, sizeof(rule));
	word_attribute(FRA_FWMARK, 5);
	attribute(FRA_IIFNAME, "lo", 3);
	ask();
	begin(RTM_GETRULE, NLM_F_DUMP, &rule, sizeof(rule));
	ask();
	begin(RTM_GETROUTE, 0, &(struct rtmsg){ .rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_src_len = 32 }, sizeof(info));
	address_attribute(RTA_DST, "10.22.10.1");
	address_attribute(RTA_SRC, "10.1.0.1");
	ask();
	begin(RTM_DELRULE, NLM_F_ACK, &rule, sizeof(rule));
	address_attribute(FRA_SRC, "10.1.0.0");
	ask();
	ask();
	begin(RTM_DELRULE, NLM_F_ACK, &(struct fib_rule_hdr){ .family = AF_INET }, sizeof(rule));
	word_attribute(FRA_FWMARK, 5);
	ask();
	fd = open("/proc/net/fib_trie", O_RDONLY);
	while (read(fd, data, 4096) > 0)
		;
	close(fd);
	fd = open("/proc/net/route", O_RDONLY);
	while (read(fd, data, 4096) > 0)
		;
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	*to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { inet_addr("10.77.0.0") } };
	*mask = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { inet_addr("255.255.0.0") } };
	*via = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { inet_addr("10.1.0.33") } };
	ioctl(fd, SIOCADDRT, &entry);
	ioctl(fd, SIOCDELRT, &entry);
	ioctl(fd, SIOCDELRT, &entry);
	mask->sin_addr.s_addr = inet_addr("255.0.255.0");
	ioctl(fd, SIOCADDRT, &entry);
	close(fd);
	for (int i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "10.%d.%d.0", 20 + i % 7, i * 5 & 255);
		route(RTM_DELROUTE, 0, text, 24, NULL, i & 1 ? "left" : "right", 100, i % 3);
	}
	route(RTM_DELROUTE, 0, "10.5.0.0", 16, NULL, NULL, RT_TABLE_MAIN, 0);
	route(RTM_DELROUTE, 0, "10.5.0.0", 16, NULL, NULL, RT_TABLE_MAIN, 0);
	route(RTM_DELROUTE, 0, "10.5.0.0", 16, NULL, NULL, RT_TABLE_MAIN, 0);
	route(RTM_DELROUTE, 0, "10.8.0.0", 16, NULL, NULL, RT_TABLE_MAIN, 0);
}

/* net/ipv4/devinet.c, net/core/dev_ioctl.c */
static void interfaces(void)
{
	static const unsigned long gets[] = { SIOCGIFADDR, SIOCGIFNETMASK, SIOCGIFBRDADDR, SIOCGIFDSTADDR, SIOCGIFFLAGS, SIOCGIFMTU,
		SIOCGIFMETRIC, SIOCGIFHWADDR, SIOCGIFINDEX, SIOCGIFTXQLEN, SIOCGIFMAP };
	struct ifreq request = { .ifr_name = "right" };
	struct sockaddr_in *to = (void *)&request.ifr_addr;
	struct ifconf list = { .ifc_len = 2000, .ifc_buf = data };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	for (size_t i = 0; i < sizeof(gets) / sizeof(*gets); i++)
		ioctl(fd, gets[i], &request);
	*to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { inet_addr("10.3.0.1") } };
	ioctl(fd, SIOCSIFADDR, &request);
	to->sin_addr.s_addr = inet_addr("255.255.255.0");
	ioctl(fd, SIOCSIFNETMASK, &request);
	to->sin_addr.s_addr = inet_addr("255.0.255.0");
	ioctl(fd, SIOCSIFNETMASK, &request);
	to->sin_addr.s_addr = inet_addr("10.3.0.255");
	ioctl(fd, SIOCSIFBRDADDR, &request);
	to->sin_addr.s_addr = inet_addr("10.3.0.9");
	ioctl(fd, SIOCSIFDSTADDR, &request);
	request.ifr_flags = IFF_UP | IFF_ALLMULTI;
	ioctl(fd, SIOCSIFFLAGS, &request);
	request.ifr_mtu = 1300;
	ioctl(fd, SIOCSIFMTU, &request);
	strcpy(request.ifr_name, "right:1");
	*to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { inet_addr("10.3.0.77") } };
	ioctl(fd, SIOCSIFADDR, &request);
	ioctl(fd, SIOCGIFADDR, &request);
	request.ifr_flags = 0;
	ioctl(fd, SIOCSIFFLAGS, &request);
	strcpy(request.ifr_name, "absent");
	ioctl(fd, SIOCGIFADDR, &request);
	ioctl(fd, SIOCSIFADDR, &request);
	ioctl(fd, SIOCGIFCONF, &list);
	list.ifc_buf = NULL;
	ioctl(fd, SIOCGIFCONF, &list);
	close(fd);
}

static void removal(void)
{
	struct ifinfomsg info = { .ifi_index = link_index("left") };

	begin(RTM_DELLINK, NLM_F_ACK, &info, sizeof(info));
	ask();
	info.ifi_index = link_index("bridge0");
	begin(RTM_DELLINK, NLM_F_ACK, &info, sizeof(info));
	ask();
	close(netlink);
}

void (*const steps[])(void) = { links, routes, interfaces, udp, netlink_sockets, descriptors, removal };
const size_t step_count = sizeof(steps) / sizeof(*steps);
