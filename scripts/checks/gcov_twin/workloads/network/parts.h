/* What the two parts of this workload share. */
#include "../workload.h"
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

struct request {
	struct nlmsghdr header;
	char space[4096];
};

/* The request that is made, and the socket. */
extern struct request request;
extern int netlink;

void begin(int type, int flags, const void *body, size_t size);
struct rtattr *attribute(int type, const void *value, size_t size);
void ask(void);
void change_link(const char *name, unsigned int flags);
void udp(void);
void netlink_sockets(void);
void descriptors(void);
