/* One thread's keys, programs and their maps, and rings of requests. */
#include "parts.h"
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>

static long keyctl(int operation, long a, long b, long c, long d)
{
	return syscall(SYS_keyctl, operation, a, b, c, d);
}

/* security/keys */
void keys(void)
{
	long key, ring, other;

	keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0);
	key = syscall(SYS_add_key, "user", "name", "payload", 7, KEY_SPEC_PROCESS_KEYRING);
	syscall(SYS_add_key, "user", "name", "new payload", 11, KEY_SPEC_PROCESS_KEYRING);
	syscall(SYS_add_key, "unknown", "name", "payload", 7, KEY_SPEC_PROCESS_KEYRING);
	syscall(SYS_add_key, ".hidden", "name", "payload", 7, KEY_SPEC_PROCESS_KEYRING);
	syscall(SYS_add_key, "user", "", "payload", 7, KEY_SPEC_PROCESS_KEYRING);
	syscall(SYS_add_key, "user", "large", data, 40000, KEY_SPEC_PROCESS_KEYRING);
	ring = syscall(SYS_add_key, "keyring", "ring", NULL, 0, KEY_SPEC_SESSION_KEYRING);
	other = syscall(SYS_add_key, "logon", "a:b", "secret", 6, ring);
	syscall(SYS_request_key, "user", "name", NULL, 0);
	syscall(SYS_request_key, "user", "absent", NULL, 0);
	keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1, 0, 0);
	keyctl(KEYCTL_GET_KEYRING_ID, -99, 1, 0, 0);
	keyctl(KEYCTL_DESCRIBE, key, (long)data, 100, 0);
	keyctl(KEYCTL_READ, key, (long)data, 100, 0);
	keyctl(KEYCTL_READ, key, (long)data, 2, 0);
	keyctl(KEYCTL_READ, ring, (long)data, 100, 0);
	keyctl(KEYCTL_READ, other, (long)data, 100, 0);
	keyctl(KEYCTL_UPDATE, key, (long)"x", 1, 0);
	keyctl(KEYCTL_UPDATE, ring, (long)"x", 1, 0);
	keyctl(KEYCTL_LINK, key, ring, 0, 0);
	keyctl(KEYCTL_LINK, ring, ring, 0, 0);
	keyctl(KEYCTL_SEARCH, ring, (long)"user", (long)"name", KEY_SPEC_SESSION_KEYRING);
	keyctl(KEYCTL_SEARCH, ring, (long)"user", (long)"absent", 0);
	keyctl(KEYCTL_MOVE, key, ring, KEY_SPEC_SESSION_KEYRING, 0);
	keyctl(KEYCTL_UNLINK, key, ring, 0, 0);
	keyctl(KEYCTL_SETPERM, key, 0x3f3f0000, 0, 0);
	keyctl(KEYCTL_SETPERM, key, 0xffffffff, 0, 0);
	keyctl(KEYCTL_CHOWN, key, 5, 6, 0);
	keyctl(KEYCTL_CHOWN, key, 0, 0, 0);
	keyctl(KEYCTL_SET_TIMEOUT, key, 100, 0, 0);
	keyctl(KEYCTL_SET_TIMEOUT, key, 0, 0, 0);
	keyctl(KEYCTL_SET_REQKEY_KEYRING, 3, 0, 0, 0);
	keyctl(KEYCTL_SET_REQKEY_KEYRING, 99, 0, 0, 0);
	keyctl(KEYCTL_GET_SECURITY, key, (long)data, 100, 0);
	keyctl(KEYCTL_GET_PERSISTENT, -1, KEY_SPEC_PROCESS_KEYRING, 0, 0);
	keyctl(KEYCTL_CAPABILITIES, (long)data, 10, 0, 0);
	keyctl(KEYCTL_INSTANTIATE, key, (long)"x", 1, 0);
	keyctl(KEYCTL_ASSUME_AUTHORITY, 0, 0, 0, 0);
	keyctl(KEYCTL_SESSION_TO_PARENT, 0, 0, 0, 0);
	for (int i = 0; i < 40; i++) {
		snprintf(data, 100, "key%d", i);
		syscall(SYS_add_key, "user", data, data, 5, ring);
	}
	for (int i = 0; i < 40; i += 3) {
		snprintf(data, 100, "key%d", i);
		keyctl(KEYCTL_UNLINK, keyctl(KEYCTL_SEARCH, ring, (long)"user", (long)data, 0), ring, 0, 0);
	}
	other = open("/proc/keys", O_RDONLY);
	read(other, data, 8000);
	close(other);
	keyctl(KEYCTL_REVOKE, key, 0, 0, 0);
	keyctl(KEYCTL_READ, key, (long)data, 100, 0);
	keyctl(KEYCTL_INVALIDATE, key, 0, 0, 0);
	keyctl(KEYCTL_CLEAR, ring, 0, 0, 0);
	keyctl(KEYCTL_CLEAR, 12345, 0, 0, 0);
	keyctl(99, 0, 0, 0, 0);
}

/* kernel/bpf/syscall.c and maps */
void programs(void)
{
	union bpf_attr attributes;
	struct bpf_insn instructions[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 }, { .code = BPF_JMP | BPF_EXIT } };
	uint32_t key = 1;
	uint64_t value = 7;
	int map, program, s[2];

	for (int type = 0; type < 33; type++) {
		memset(&attributes, 0, sizeof(attributes));
		attributes.map_type = type;
		attributes.key_size = 4;
		attributes.value_size = 8;
		attributes.max_entries = 4;
		map = syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes));
		if (map < 0)
			continue;
		for (key = 0; key < 6; key++) {
			memset(&attributes, 0, sizeof(attributes));
			attributes.map_fd = map;
			attributes.key = (uintptr_t)&key;
			attributes.value = (uintptr_t)&value;
			attributes.flags = key % 3;
			syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attributes, sizeof(attributes));
			attributes.flags = 0;
			syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attributes, sizeof(attributes));
			attributes.value = (uintptr_t)data;
			syscall(SYS_bpf, BPF_MAP_GET_NEXT_KEY, &attributes, sizeof(attributes));
		}
		key = 1;
		syscall(SYS_bpf, BPF_MAP_DELETE_ELEM, &attributes, sizeof(attributes));
		syscall(SYS_bpf, BPF_MAP_DELETE_ELEM, &attributes, sizeof(attributes));
		syscall(SYS_bpf, BPF_MAP_FREEZE, &attributes, sizeof(attributes));
		close(map);
	}
	memset(&attributes, 0, sizeof(attributes));
	attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attributes.insn_cnt = 2;
	attributes.insns = (uintptr_t)instructions;
	attributes.license = (uintptr_t)"GPL";
	program = syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes));
	instructions[0].code = 0xff;
	syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes));
	attributes.insn_cnt = 0;
	syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes));
	if (program >= 0) {
		socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
		setsockopt(s[1], SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program));
		write(s[0], data, 100);
		recv(s[1], data, 100, MSG_DONTWAIT);
		close(s[0]);
		close(s[1]);
		memset(&attributes, 0, sizeof(attributes));
		attributes.info.bpf_fd = program;
		attributes.info.info_len = 200;
		attributes.info.info = (uintptr_t)data;
		memset(data, 0, 200);
		syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attributes, sizeof(attributes));
		close(program);
	}
	syscall(SYS_bpf, 99, &attributes, sizeof(attributes));
	syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, 5000);
}

/* io_uring */
void rings(void)
{
	struct io_uring_params parameters = { .flags = IORING_SETUP_CLAMP };
	struct io_uring_sqe *entries;
	unsigned int *tail, *array;
	char *map;
	int p[2], file = open("file", O_CREAT | O_RDWR, 0600), ring = syscall(SYS_io_uring_setup, 16, &parameters);

	if (ring < 0)
		return;
	pipe(p);
	map = mmap(NULL, parameters.sq_off.array + parameters.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	entries = mmap(NULL, parameters.sq_entries * sizeof(*entries), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	if (map == MAP_FAILED || (void *)entries == MAP_FAILED)
		die("ring");
	tail = (void *)(map + parameters.sq_off.tail);
	array = (void *)(map + parameters.sq_off.array);
	for (int operation = 0; operation < 40; operation++) {
		struct io_uring_sqe *entry = &entries[operation % 16];

		/* Those that wait without an end, or in a thread of the kernel's, are left out. */
		if (operation == IORING_OP_EPOLL_CTL || operation == IORING_OP_POLL_ADD || operation == IORING_OP_RECV || operation == IORING_OP_RECVMSG)
			continue;
		memset(entry, 0, sizeof(*entry));
		entry->opcode = operation;
		entry->fd = operation == IORING_OP_TEE || operation == IORING_OP_SPLICE ? p[1] : file;
		entry->addr = (uintptr_t)data;
		entry->len = operation == IORING_OP_TIMEOUT ? 1 : 100;
		entry->user_data = operation;
		array[operation % 16] = operation % 16;
		__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
		syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0);
	}
	syscall(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	syscall(SYS_io_uring_enter, ring, 0, 0, 0x8000, NULL, 0);
	syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, (int[]){ file, -1 }, 2);
	syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_FILES, NULL, 0);
	syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &(struct iovec){ data, 4096 }, 1);
	syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, NULL, 0);
	syscall(SYS_io_uring_register, ring, IORING_REGISTER_PROBE, memset(data, 0, 4096), 50);
	syscall(SYS_io_uring_register, ring, 99, NULL, 0);
	syscall(SYS_io_uring_setup, 0, &parameters);
	munmap(map, parameters.sq_off.array + parameters.sq_entries * 4);
	munmap(entries, parameters.sq_entries * sizeof(*entries));
	close(ring);
	close(p[0]);
	close(p[1]);
	close(file);
	unlink("file");
}
