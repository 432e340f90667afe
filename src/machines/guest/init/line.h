// SPDX-License-Identifier: MIT
/* The part of init.c that is the line to the host: frames, and what cannot go on without it. */

/* Frames to the host. */
enum {
	FRAME_HELLO = 'H',   /* The guest is up: send FRAME_START. */
	FRAME_UNSEALED = 'U', /* This kernel lets the command mount more of the host's folders. */
	FRAME_READY = 'R',   /* The command is about to run. */
	FRAME_STDOUT = '1',
	FRAME_STDERR = '2',
	FRAME_WANT = 'W',    /* All standard input was taken: send more. */
	FRAME_EXIT = 'X',    /* The command's wait status, four bytes; the last frame. */
	FRAME_FAILED = 'F',  /* Why the command could not be run; the last frame. */
};

/* Frames from the host. */
enum {
	FRAME_START = 'S',   /* Settings, each a letter and a value, each ended by a NUL. */
	FRAME_STDIN = '0',   /* Bytes; none is the end of the input. */
	FRAME_SIGNAL = 'K',  /* One byte: the signal for the command's foreground process group. */
	FRAME_WINDOW = 'Z',  /* Rows and columns of the terminal, two bytes each. */
};

enum { FRAME_HEADER = 5, CHUNK = 65536 };

static int line = -1;

/* Waits until the host has what was written to the line. */
static void drain_line(void);

static void power_off(void)
{
	sync();
	drain_line();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

/* Without the line there is nobody left to run for. */
static void write_line(const void *data, size_t size)
{
	const char *bytes = data;

	while (size > 0) {
		ssize_t done = write(line, bytes, size);

		if (done < 0 && errno != EINTR)
			power_off();
		if (done > 0) {
			bytes += done;
			size -= done;
		}
	}
}

/* `frame` has room for the header before its payload: header and payload go in one write. */
static void send_frame(char type, unsigned char *frame, uint32_t size)
{
	frame[0] = type;
	for (int i = 0; i < 4; i++)
		frame[1 + i] = size >> 8 * i;
	write_line(frame, FRAME_HEADER + size);
}

static void send_empty(char type)
{
	unsigned char frame[FRAME_HEADER];

	send_frame(type, frame, 0);
}

static void __attribute__((format(printf, 1, 2), noreturn)) fail(const char *format, ...)
{
	unsigned char frame[FRAME_HEADER + 1024];
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf((char *)frame + FRAME_HEADER, 1024, format, args);
	va_end(args);
	send_frame(FRAME_FAILED, frame, size < 1024 ? size : 1023);
	power_off();
	__builtin_unreachable();
}

static uint32_t frame_size(const unsigned char *frame)
{
	return frame[1] | frame[2] << 8 | frame[3] << 16 | (uint32_t)frame[4] << 24;
}

/* Frames from the host as far as they have been received. */
struct receiver {
	unsigned char *bytes;
	size_t size, room;
};

/* Reads once. A lost line ends the guest. */
static void receive(struct receiver *receiver)
{
	ssize_t size;

	if (receiver->room - receiver->size < CHUNK) {
		receiver->room = receiver->size + 2 * CHUNK;
		receiver->bytes = realloc(receiver->bytes, receiver->room);
		if (!receiver->bytes)
			power_off();
	}
	size = read(line, receiver->bytes + receiver->size, receiver->room - receiver->size);
	if (size > 0)
		receiver->size += size;
	else if (size == 0 || errno != EINTR)
		power_off();
}

static bool has_frame(const struct receiver *receiver)
{
	return receiver->size >= FRAME_HEADER && receiver->size - FRAME_HEADER >= frame_size(receiver->bytes);
}

static void drop_frame(struct receiver *receiver)
{
	size_t size = FRAME_HEADER + frame_size(receiver->bytes);

	memmove(receiver->bytes, receiver->bytes + size, receiver->size - size);
	receiver->size -= size;
}
