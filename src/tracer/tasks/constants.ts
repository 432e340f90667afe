/** Numbers of `include/uapi/linux/ptrace.h`, the same on x86-64 and arm64 except where noted. */
export const PTRACE_PEEKTEXT = 1;
export const PTRACE_CONT = 7;
export const PTRACE_SINGLESTEP = 9;
/** x86-64 only; arm64 has `PTRACE_GETREGSET` alone. */
export const PTRACE_GETREGS = 12;
export const PTRACE_SETREGS = 13;
export const PTRACE_DETACH = 17;
export const PTRACE_SYSCALL = 24;
export const PTRACE_GETEVENTMSG = 0x4201;
export const PTRACE_GETSIGINFO = 0x4202;
export const PTRACE_SETSIGINFO = 0x4203;
export const PTRACE_GETREGSET = 0x4204;
export const PTRACE_SETREGSET = 0x4205;
export const PTRACE_SEIZE = 0x4206;
export const PTRACE_INTERRUPT = 0x4207;
export const PTRACE_LISTEN = 0x4208;
export const PTRACE_SETSIGMASK = 0x420b;

export const PTRACE_O_TRACESYSGOOD = 0x01;
export const PTRACE_O_TRACEFORK = 0x02;
export const PTRACE_O_TRACEVFORK = 0x04;
export const PTRACE_O_TRACECLONE = 0x08;
export const PTRACE_O_TRACEEXEC = 0x10;
/** Only of the embedded kernel: the tracer yields to others, and is told. */
export const PTRACE_O_YIELD = 0x1_0000;

export const PTRACE_EVENT_FORK = 1;
export const PTRACE_EVENT_VFORK = 2;
export const PTRACE_EVENT_CLONE = 3;
export const PTRACE_EVENT_EXEC = 4;
/**
 * Only of the embedded kernel. `PTRACE_GETEVENTMSG` tells the task that another tracer gets, or 0 where the stopped task
 * is about to record itself with KCOV.
 */
export const PTRACE_EVENT_YIELD = 16;
export const PTRACE_EVENT_STOP = 128;
/** What `PTRACE_GETEVENTMSG` returns at the system call stop after a call. */
export const PTRACE_EVENTMSG_SYSCALL_EXIT = 2;

/** `NT_PRSTATUS` and `NT_ARM_SYSTEM_CALL` of `include/uapi/linux/elf.h`. */
export const NT_PRSTATUS = 1;
export const NT_ARM_SYSTEM_CALL = 0x404;

export const SIGHUP = 1;
export const SIGINT = 2;
export const SIGQUIT = 3;
export const SIGTRAP = 5;
export const SIGKILL = 9;
export const SIGPIPE = 13;
export const SIGTERM = 15;
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGSTOP = 19;
export const SIGURG = 23;
export const SIGXFSZ = 25;
/** What `PTRACE_O_TRACESYSGOOD` makes of the SIGTRAP of a system call stop. */
export const SYSCALL_STOP = SIGTRAP | 0x80;

export const SIG_DFL = 0n;
export const SIG_IGN = 1n;

/** Wait for every kind of child, whatever its exit signal (`__WALL`). */
export const WAIT_ALL = 0x4000_0000;
export const WNOHANG = 1;
export const WUNTRACED = 2;

export const EPERM = 1;
export const ESRCH = 3;
export const EINTR = 4;
export const EIO = 5;
export const ECHILD = 10;
export const EFAULT = 14;
