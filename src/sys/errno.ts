import { SyscallError } from "../errors.ts";
import { type Libc, MAP_FAILED } from "./types.ts";

/**
 * Names by number, as `include/uapi/asm-generic/errno-base.h` and `errno.h` define them for all but a few old architectures;
 * 41 and 58 are unused there.
 */
const ERRNO_NAMES = (
  "- EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY " +
  "EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK " +
  "EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP - ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT " +
  "EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT - EBFONT ENOSTR ENODATA ETIME " +
  "ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ " +
  "EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK " +
  "EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT " +
  "EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN " +
  "ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE " +
  "EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED " +
  "EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON"
).split(" ");

/** Kernel-internal numbers (`include/linux/errno.h`) that reach user space through KCOV and ptrace. */
const INTERNAL_NAMES: Partial<Record<number, string>> = {
  512: "ERESTARTSYS",
  513: "ERESTARTNOINTR",
  514: "ERESTARTNOHAND",
  515: "ENOIOCTLCMD",
  516: "ERESTART_RESTARTBLOCK",
  524: "ENOTSUPP",
};

/** The name of an errno value, such as `EACCES`; `E<number>` where C has none. */
export function errnoName(errno: number): string {
  const name = ERRNO_NAMES[errno] ?? INTERNAL_NAMES[errno];
  return name === undefined || name === "-" ? `E${errno}` : name;
}

/** What to change, for every errno or by name; `otherwise` answers for names that are not listed. */
export type Remedy = string | { readonly [errno: string]: string; readonly otherwise: string };

/** The error for `errno` in a call that failed: `Cannot <action>: <call>: <errno name>: <remedy>`. */
export function syscallError(
  call: string,
  errno: number,
  action: string,
  remedy: Remedy,
): SyscallError {
  const code = errnoName(errno);
  const change = typeof remedy === "string" ? remedy : remedy[code] ?? remedy.otherwise;
  return new SyscallError(call, errno, code, `Cannot ${action}: ${call}: ${code}: ${change}`);
}

/**
 * The result of a libc call that signals failure by -1 (or `MAP_FAILED`), when it did not fail. No other libc call may come
 * between.
 *
 * @param call Name of the function, with the request for `ioctl` and the like.
 * @param action What the caller wanted, to follow "Cannot".
 * @throws {SyscallError} Where the call failed.
 */
export function check<Result extends number | bigint>(
  libc: Pick<Libc, "errno">,
  call: string,
  result: Result,
  action: string,
  remedy: Remedy,
): Result {
  if (result !== -1 && result !== -1n && result !== MAP_FAILED) return result;
  throw syscallError(call, libc.errno(), action, remedy);
}
