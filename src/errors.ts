/**
 * Why the kernel's coverage device cannot be used here: `no-debugfs`, debugfs is not mounted; `not-built-in`, the kernel
 * lacks KCOV; `not-permitted`, the device is another user's; `locked-down`, Secure Boot forbids it; `no-callbacks`, the
 * kernel's code has no coverage calls; `busy`, another program records this thread; `no-image`, no `vmlinux` of the
 * kernel was found; `not-linux` and `no-libc`, this process cannot make the calls.
 *
 * @see `CONFIG_KCOV` in `lib/Kconfig.debug` of Linux, and <https://docs.kernel.org/dev-tools/kcov.html>
 *
 * @example
 * ```ts
 * import { kcovAvailability, type KcovUnavailableReason } from "kernelcov";
 * const mendable: KcovUnavailableReason[] = ["no-debugfs", "not-permitted"];
 * const { reason, message } = kcovAvailability();
 * if (reason !== undefined && mendable.includes(reason)) console.log(message);
 * ```
 */
export type KcovUnavailableReason =
  | "not-linux"
  | "no-libc"
  | "no-debugfs"
  | "not-built-in"
  | "not-permitted"
  | "locked-down"
  | "no-callbacks"
  | "busy"
  | "no-image";

/**
 * Kernel coverage is unavailable: the kernel, its settings or the caller's rights do not allow it.
 * The message says what to change.
 *
 * @see `kernel/kcov.c` of Linux, which makes the device, and <https://docs.kernel.org/dev-tools/kcov.html>
 *
 * @example
 * ```ts
 * import { KcovUnavailableError } from "kernelcov";
 * const error = new KcovUnavailableError("no-debugfs", "debugfs is not mounted: run mount -t debugfs none /sys/kernel/debug");
 * console.assert(error.reason === "no-debugfs");
 * ```
 */
export class KcovUnavailableError extends Error {
  /** Name of the class. */
  override readonly name = "KcovUnavailableError";
  /** Machine-readable form of the message. */
  readonly reason: KcovUnavailableReason;

  /**
   * Makes one.
   *
   * @param reason What the message says, for programs.
   * @param message What is the matter, and what to change.
   * @param options May hold the `cause`.
   */
  constructor(reason: KcovUnavailableReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * The kernel refused a system call.
 *
 * @see errno(3), and `include/uapi/asm-generic/errno-base.h` of Linux
 *
 * @example
 * ```ts
 * import { SyscallError } from "kernelcov";
 * const error = new SyscallError("open", 13, "EACCES", "Cannot open /sys/kernel/debug/kcov: EACCES: run as root");
 * console.assert(error.code === "EACCES");
 * ```
 */
export class SyscallError extends Error {
  /** Name of the class. */
  override readonly name = "SyscallError";
  /** Name of the libc function or system call. */
  readonly syscall: string;
  /** The errno value, a positive number. */
  readonly errno: number;
  /** Its name, such as `EACCES`, or `E<number>` where C has no name for it. */
  readonly code: string;

  /**
   * Makes one.
   *
   * @param syscall Name of the libc function or system call.
   * @param errno The errno value, a positive number.
   * @param code Its name.
   * @param message What was to be done, and what to change.
   * @param options May hold the `cause`.
   */
  constructor(
    syscall: string,
    errno: number,
    code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.syscall = syscall;
    this.errno = errno;
    this.code = code;
  }
}

/**
 * Where in a file a {@linkcode FormatError} was found.
 *
 * @see elf(5) for sections; those of debug information begin with `.debug_`
 *
 * @example
 * ```ts
 * import { FormatError, type FormatErrorPlace } from "kernelcov";
 * const place: FormatErrorPlace = { section: ".debug_line", offset: 0x40 };
 * console.assert(new FormatError("DWARF", "no such opcode", place).section === ".debug_line");
 * ```
 */
export interface FormatErrorPlace {
  /** Section name, such as `.debug_line`. */
  section?: string;
  /** Byte offset in the section, or in the file where no section is named. */
  offset?: number;
}

/**
 * Bytes or text are not in the format they should be: a damaged or truncated image, record or report.
 *
 * @see elf(5) and <https://dwarfstd.org> for images (`.debug_info`, `.debug_line`, `.debug_ranges`); docs/file-formats.md for
 * records
 *
 * @example
 * ```ts
 * import { FormatError } from "kernelcov";
 * const error = new FormatError("DWARF", "unit length 99 goes past the end", { section: ".debug_info", offset: 16 });
 * console.assert(error.message === "DWARF: .debug_info+0x10: unit length 99 goes past the end");
 * ```
 */
export class FormatError extends Error {
  /** Name of the class. */
  override readonly name = "FormatError";
  /** `ELF`, `DWARF`, `LCOV`, `record` and so on. */
  readonly format: string;
  /** Section name, where there is one. */
  readonly section: string | undefined;
  /** Byte offset in the section or file, where known. */
  readonly offset: number | undefined;

  /**
   * Makes one whose message begins with the format and the place.
   *
   * @param format `ELF`, `DWARF`, `record` and so on.
   * @param problem What is wrong.
   * @param place Section, byte offset, and the `cause`, as far as they are known.
   */
  constructor(format: string, problem: string, place: FormatErrorPlace & ErrorOptions = {}) {
    const { section, offset, cause } = place;
    const at = offset === undefined ? section : `${section ?? ""}+0x${offset.toString(16)}`;
    super(
      `${format}: ${at === undefined ? "" : `${at}: `}${problem}`,
      cause === undefined ? undefined : { cause },
    );
    this.format = format;
    this.section = section;
    this.offset = offset;
  }
}
