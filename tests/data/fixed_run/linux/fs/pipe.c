int pipe_poll(int);
static inline int pipe_full(int head, int tail)
{
	return head - tail >= 16;
}
int pipe_write(int count)
{
	if (count == 0)
		return 0;
	if (pipe_full(count, 1))
		return -1;
	return pipe_poll(count) + 1;
}
int pipe_read(int count)
{
	while (count > 3)
		count = pipe_poll(count - 1);
	return count * 2;
}
int pipe_poll(int mask)
{
	return mask & 7;
}
