/* What a workload shares with its runner. Include first. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Calls are made for the code that they reach, errors included. */
#pragma GCC diagnostic ignored "-Wunused-result"
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wstringop-overread"

/* The working folder, on a tmpfs that only the workload uses. */
#define FOLDER "/run/gcov_twin"

/* For input and output of any kind. */
extern char data[1 << 16];

/* Ends the run with an error that names `what` and errno. */
void die(const char *what);

/* Opens and closes. */
void open_flags(const char *path, int flags);

/* The workload: called once before anything is counted, and steps that are, each several times. They leave nothing behind. */
void prepare(void);
extern void (*const steps[])(void);
extern const size_t step_count;
