/*
 * A file system in user space with one file, "greeting", without a library: fuse_server FOLDER mounts it, says so, and
 * serves until it is unmounted.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const char TEXT[] = "hello from user space\n";
enum { FILE_NODE = 2 };
static int device;

static void answer(const struct fuse_in_header *to, int error, const void *body, size_t size) {
	char message[8192];
	struct fuse_out_header head = { .len = (uint32_t)(sizeof head + size), .error = error, .unique = to->unique };
	memcpy(message, &head, sizeof head);
	if (size > 0) memcpy(message + sizeof head, body, size);
	if (write(device, message, head.len) < 0 && errno != ENOENT) perror("write");
}

static struct fuse_attr attributes(uint64_t node) {
	struct fuse_attr attributes = { .ino = node, .nlink = 1, .mode = S_IFDIR | 0755 };
	if (node == FILE_NODE) attributes.mode = S_IFREG | 0444, attributes.size = sizeof TEXT - 1;
	return attributes;
}

static void serve(const struct fuse_in_header *head, const void *body) {
	switch (head->opcode) {
	case FUSE_INIT: {
		struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096 };
		return answer(head, 0, &out, sizeof out);
	}
	case FUSE_LOOKUP: {
		struct fuse_entry_out out = { .nodeid = FILE_NODE, .attr = attributes(FILE_NODE) };
		if (strcmp(body, "greeting") != 0) return answer(head, -ENOENT, NULL, 0);
		return answer(head, 0, &out, sizeof out);
	}
	case FUSE_GETATTR: {
		struct fuse_attr_out out = { .attr = attributes(head->nodeid) };
		return answer(head, 0, &out, sizeof out);
	}
	case FUSE_OPEN: {
		struct fuse_open_out out = { .open_flags = FOPEN_DIRECT_IO };
		return answer(head, 0, &out, sizeof out);
	}
	case FUSE_READ: {
		const struct fuse_read_in *in = body;
		size_t size = in->offset >= sizeof TEXT - 1 ? 0 : sizeof TEXT - 1 - in->offset;
		return answer(head, 0, TEXT + in->offset, size < in->size ? size : in->size);
	}
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		return answer(head, 0, NULL, 0);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		return;
	default:
		return answer(head, -ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv) {
	static char message[FUSE_MIN_READ_BUFFER + 4096];
	char options[100];
	device = open("/dev/fuse", O_RDWR);
	if (argc != 2 || device < 0) return perror("/dev/fuse"), 1;
	snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (mount("greeting", argv[1], "fuse", MS_NOSUID | MS_NODEV, options) < 0) return perror("mount"), 1;
	puts("mounted");
	fflush(stdout);
	for (;;) {
		ssize_t size = read(device, message, sizeof message);
		if (size < 0 && errno == ENODEV) return 0; /* unmounted */
		if (size < 0 && errno != EINTR && errno != EAGAIN && errno != ENOENT) return perror("read"), 1;
		if (size > 0) serve((void *)message, message + sizeof(struct fuse_in_header));
	}
}
