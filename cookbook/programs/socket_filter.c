/*
 * Loads a BPF program, puts it on one of a pair of sockets and sends 100 bytes through: socket_filter BYTES says how many of
 * a packet the filter keeps. Prints how many arrived. With "wrong" the program reads a register that holds nothing, which
 * the verifier refuses; its log is printed.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_ATTACH_BPF
#define SO_ATTACH_BPF 50
#endif

int main(int argc, char **argv) {
	static char log[65536], buffer[200];
	int is_wrong = argc == 2 && strcmp(argv[1], "wrong") == 0;
	struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = argc == 2 ? atoi(argv[1]) : 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	/* r0 = r5, which nothing was put into. */
	if (is_wrong)
		program[0] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_0, .src_reg = BPF_REG_5 };
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (uintptr_t)program,
		.insn_cnt = 2,
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log,
		.log_size = sizeof log,
		.log_level = 1,
	};
	int filter = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
	if (filter < 0) return fprintf(stderr, "%s: %s\n", strerror(errno), log), 1;

	int pair[2];
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0) return perror("socketpair"), 1;
	if (setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_BPF, &filter, sizeof filter) < 0) return perror("attach"), 1;
	send(pair[0], buffer, 100, MSG_DONTWAIT);
	printf("%zd\n", recv(pair[1], buffer, sizeof buffer, MSG_DONTWAIT));
	return 0;
}
