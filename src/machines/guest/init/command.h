// SPDX-License-Identifier: MIT
/* The part of init.c that is the command: started, and its streams and signals passed on. */

struct command {
	pid_t pid;
	int status;
	bool ended;
	/* Read ends of its output and write end of its input; -1 when closed. With a terminal all are its master. */
	int out, err, in;
	bool terminal;
};

/* The path of a program, looked for as execvp() does; NULL where there is none. */
static const char *find_program(const char *name, char found[PATH_MAX])
{
	const char *path = getenv("PATH");

	if (strchr(name, '/'))
		return name;
	while (path && *path) {
		size_t length = strcspn(path, ":");

		snprintf(found, PATH_MAX, "%.*s/%s", (int)length, path, name);
		if (access(found, F_OK) == 0)
			return found;
		path += length + (path[length] == ':');
	}
	return NULL;
}

static void __attribute__((noreturn)) exec_command(const struct settings *settings, int in, int out, int err)
{
	char found[PATH_MAX];
	const char *program;
	sigset_t none;
	int error;

	setsid();
	if (settings->terminal)
		ioctl(in, TIOCSCTTY, 0);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	environ = settings->envp;
	program = find_program(settings->argv[0], found);
	if (program && cannot_run(program)) {
		dprintf(2, "kernelcov: Cannot run %s: %s\n", settings->argv[0], cannot_run(program));
		_exit(126);
	}
	execvp(settings->argv[0], settings->argv);
	error = errno;
	/* A folder of PATH that may not be searched gives the same error as a program that may not be run. */
	if (error == EACCES && !program)
		error = ENOENT;
	dprintf(2, "kernelcov: Cannot run %s: %s\n", settings->argv[0], strerror(error));
	_exit(error == ENOENT ? 127 : 126);
}

static void start_command(const struct settings *settings, struct command *command)
{
	int in[2], out[2], err[2];

	command->terminal = settings->terminal;
	if (settings->terminal) {
		int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
		const char *name;

		if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 || !(name = ptsname(master)))
			fail("Cannot open a terminal in the guest: %s", strerror(errno));
		ioctl(master, TIOCSWINSZ, &settings->window);
		in[0] = out[1] = err[1] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
		in[1] = out[0] = master;
		err[0] = -1;
	} else {
		if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 || pipe2(in, O_CLOEXEC) < 0)
			fail("Cannot make pipes in the guest: %s", strerror(errno));
		if (!settings->input) {
			close(in[0]);
			close(in[1]);
			in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
			in[1] = -1;
		}
		fcntl(err[0], F_SETFL, O_NONBLOCK);
	}
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	if (in[1] >= 0)
		fcntl(in[1], F_SETFL, O_NONBLOCK);

	command->pid = fork();
	if (command->pid < 0)
		fail("Cannot start a process in the guest: %s", strerror(errno));
	if (command->pid == 0)
		exec_command(settings, in[0], out[1], err[1]);
	close(in[0]);
	if (!settings->terminal) {
		close(out[1]);
		close(err[1]);
	}
	command->out = out[0];
	command->err = err[0];
	command->in = in[1];
}

/* Sends what can be read now. False at the end of the file. */
static bool relay_output(int fd, char type)
{
	static unsigned char frame[FRAME_HEADER + CHUNK];

	for (;;) {
		ssize_t size = read(fd, frame + FRAME_HEADER, CHUNK);

		if (size > 0)
			send_frame(type, frame, size);
		else if (size == 0 || (errno != EAGAIN && errno != EINTR))
			return false;
		else if (errno == EAGAIN)
			return true;
		if (size < CHUNK && size > 0)
			return true;
	}
}

/* The command's input: at most one frame's worth, as the host sends more only after FRAME_WANT. */
struct input {
	unsigned char *bytes;
	size_t size, done;
	bool end;
};

static void relay_input(struct command *command, struct input *input)
{
	while (input->done < input->size) {
		ssize_t size = write(command->in, input->bytes + input->done, input->size - input->done);

		if (size < 0 && errno == EAGAIN)
			return;
		if (size < 0 && errno != EINTR) {
			/* Nobody reads any more. */
			if (!command->terminal)
				close(command->in);
			command->in = -1;
			return;
		}
		if (size > 0)
			input->done += size;
	}
	if (!input->end) {
		if (input->size > 0)
			send_empty(FRAME_WANT);
	} else if (!command->terminal) {
		close(command->in);
		command->in = -1;
	}
	input->size = input->done = 0;
}

static void signal_command(struct command *command, int number)
{
	pid_t group;

	if (command->terminal && ioctl(command->in, TIOCGPGRP, &group) == 0 && group > 0)
		kill(-group, number);
	else
		kill(-command->pid, number);
}

static void take_frame(const unsigned char *frame, struct command *command, struct input *input)
{
	const unsigned char *payload = frame + FRAME_HEADER;
	uint32_t size = frame_size(frame);
	struct winsize window = { 0 };

	switch (frame[0]) {
	case FRAME_STDIN:
		input->bytes = realloc(input->bytes, size + 1);
		if (!input->bytes)
			power_off();
		memcpy(input->bytes, payload, size);
		input->size = size;
		input->done = 0;
		input->end = size == 0;
		if (command->in >= 0)
			relay_input(command, input);
		break;
	case FRAME_SIGNAL:
		if (size == 1)
			signal_command(command, payload[0]);
		break;
	case FRAME_WINDOW:
		if (size == 4 && command->terminal) {
			window.ws_row = payload[0] | payload[1] << 8;
			window.ws_col = payload[2] | payload[3] << 8;
			ioctl(command->in, TIOCSWINSZ, &window);
		}
		break;
	}
}

static void reap(struct command *command)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == command->pid) {
			command->status = status;
			command->ended = true;
		}
}

static void run(struct command *command, struct receiver *receiver, int children)
{
	struct input input = { 0 };

	while (!command->ended) {
		struct pollfd fds[] = {
			{ .fd = line, .events = POLLIN },
			{ .fd = children, .events = POLLIN },
			{ .fd = command->out, .events = POLLIN },
			{ .fd = command->err, .events = POLLIN },
			{ .fd = input.done < input.size ? command->in : -1, .events = POLLOUT },
		};
		struct signalfd_siginfo info;

		if (poll(fds, 5, -1) < 0 && errno != EINTR)
			fail("poll in the guest: %s", strerror(errno));
		if (fds[2].revents && !relay_output(command->out, FRAME_STDOUT)) {
			/* A terminal's master answers EIO while nobody has the other side open; others may open it. */
			if (!command->terminal)
				close(command->out);
			command->out = -1;
		}
		if (fds[3].revents && !relay_output(command->err, FRAME_STDERR)) {
			close(command->err);
			command->err = -1;
		}
		if (fds[4].revents)
			relay_input(command, &input);
		if (fds[0].revents) {
			receive(receiver);
			while (has_frame(receiver)) {
				take_frame(receiver->bytes, command, &input);
				drop_frame(receiver);
			}
		}
		if (fds[1].revents && read(children, &info, sizeof(info)) > 0)
			reap(command);
	}
	/* What the command wrote is in the pipes; what its orphans may yet write is not waited for. */
	if (command->out >= 0)
		while (relay_output(command->out, FRAME_STDOUT) && poll(&(struct pollfd){ .fd = command->out, .events = POLLIN }, 1, 0) > 0)
			;
	if (command->err >= 0)
		while (relay_output(command->err, FRAME_STDERR) && poll(&(struct pollfd){ .fd = command->err, .events = POLLIN }, 1, 0) > 0)
			;
}
