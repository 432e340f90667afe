/* Reads a file's first bytes through io_uring and prints them: read_by_ring FILE. */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint32_t *at(char *ring, uint32_t offset) {
	return (uint32_t *)(ring + offset);
}

int main(int argc, char **argv) {
	static char buffer[4096];
	struct io_uring_params params = { 0 };
	int file = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	if (file < 0) return perror("open"), 1;
	int ring = (int)syscall(SYS_io_uring_setup, 1, &params);
	if (ring < 0) return perror("io_uring_setup"), 1;

	/* Both queues are in one mapping (IORING_FEAT_SINGLE_MMAP). */
	size_t size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
	char *queues = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	struct io_uring_sqe *entry =
		mmap(NULL, sizeof *entry, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	if (queues == MAP_FAILED || entry == MAP_FAILED) return perror("mmap"), 1;

	*entry = (struct io_uring_sqe){
		.opcode = IORING_OP_READ,
		.fd = file,
		.addr = (uintptr_t)buffer,
		.len = sizeof buffer,
		.user_data = 7,
	};
	*at(queues, params.sq_off.array) = 0;
	__atomic_store_n(at(queues, params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1) return perror("enter"), 1;

	struct io_uring_cqe *done = (struct io_uring_cqe *)(queues + params.cq_off.cqes);
	if (done->user_data != 7 || done->res < 0) return fprintf(stderr, "result %d\n", done->res), 1;
	return fwrite(buffer, 1, (size_t)done->res, stdout) == (size_t)done->res ? 0 : 1;
}
