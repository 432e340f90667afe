int pipe_poll(int);
int unix_listen(int backlog)
{
	if (backlog < 0)
		return -22;
	return pipe_poll(backlog);
}
int unix_never(int x)
{
	return pipe_poll(x + 1);
}
