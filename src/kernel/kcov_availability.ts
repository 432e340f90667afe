import { KcovUnavailableError, type KcovUnavailableReason, SyscallError } from "../errors.ts";
import { errnoName } from "../sys/errno.ts";
import { tryReadBytes, tryReadText } from "../sys/files.ts";
import { loadLibc } from "../sys/load.ts";
import { nodeBuiltin } from "../sys/node_builtins.ts";
import { cString } from "../sys/native_strings.ts";
import { O_CLOEXEC, O_RDWR } from "../sys/system_calls.ts";
import { systemName, systemRelease, userId } from "../sys/runtime.ts";
import type { Libc } from "../sys/types.ts";
import { KCOV_PATH } from "../kcov/abi.ts";
import { borrowDevice, brokerSocket } from "../kcov/broker/borrow_device.ts";
import { hasCollectors } from "../kcov/collector.ts";
import { isRecorded } from "../kcov/recorder.ts";
import { TRIAL_WORDS, tryKcov } from "../kcov/try_kcov.ts";

/** What to do where this Linux kernel cannot record coverage. */
export const EMBEDDED_KERNEL_REMEDY: string = "kernelcov test --kernel embedded -- <command>";

/** Why a kernel that has the device may record nothing. */
export const NO_CALLBACKS: string =
  "The kernel has the coverage device but no coverage calls in its code: build it with CONFIG_KCOV_INSTRUMENT_ALL=y " +
  `and a compiler that has -fsanitize-coverage=trace-pc, or run ${EMBEDDED_KERNEL_REMEDY}`;

/**
 * One thing that coverage needs.
 *
 * @see `lib/Kconfig.debug` and `kernel/kcov.c` of Linux, and proc(5) for `/proc/config.gz` and `/proc/mounts`
 *
 * @example
 * ```ts
 * import { kcovAvailability, type KcovFinding } from "kernelcov";
 * const wrong: KcovFinding[] = kcovAvailability().findings.filter(({ ok }) => ok === false);
 * for (const { subject, found, change } of wrong) console.log(subject, found, change ?? "");
 * ```
 */
export interface KcovFinding {
  /** What was looked at, such as `debugfs`. */
  readonly subject: string;
  /** Whether it is as it must be; `undefined` where this process cannot tell. */
  readonly ok: boolean | undefined;
  /** What was found. */
  readonly found: string;
  /** What to change, where it is not as it must be. */
  readonly change?: string;
}

/**
 * Whether this process can record kernel coverage, and if not, why.
 *
 * @see <https://docs.kernel.org/dev-tools/kcov.html>
 *
 * @example
 * ```ts
 * import { kcovAvailability, type KcovAvailability } from "kernelcov";
 * const { available, reason }: KcovAvailability = kcovAvailability();
 * console.assert(available === (reason === undefined));
 * ```
 */
export interface KcovAvailability {
  /** Whether a system call was recorded. */
  readonly available: boolean;
  /** Why not; `undefined` where available. */
  readonly reason?: KcovUnavailableReason;
  /** One line: what is the matter and what to change. */
  readonly message: string;
  /** Everything that was looked at, in the order in which one depends on the other. */
  readonly findings: readonly KcovFinding[];
  /** Whether the kernel can store each PC once (`KCOV_UNIQUE_ENABLE`). */
  readonly uniqueMode: boolean;
  /** Whether the kernel has collectors (docs/collectors.md): `tree` scope then needs no tracer. */
  readonly collectors: boolean;
}

/** The machine that {@linkcode inspectHost} looks at; tests give another. */
export interface KcovHost {
  /** `linux`, `darwin` and so on. */
  readonly platform: string;
  /** `uname -r`. */
  readonly release: string;
  /** The effective user's id, where there are such. */
  readonly userId: number | undefined;
  /** Opens libc, or throws a {@linkcode KcovUnavailableError}. */
  openLibc(): Libc;
  /** Bytes of a file; `undefined` where it cannot be read. */
  readBytes(path: string): Uint8Array<ArrayBuffer> | undefined;
  /** Text of a file; `undefined` where it cannot be read. */
  readText(path: string): string | undefined;
  /** Whether the calling thread is recorded by this library already. */
  isRecorded(): boolean;
}

function thisHost(): KcovHost {
  return {
    platform: systemName(),
    release: systemName() === "linux" ? systemRelease() : "",
    userId: userId(),
    openLibc: loadLibc,
    readBytes: tryReadBytes,
    readText: tryReadText,
    isRecorded,
  };
}

/**
 * Finds out whether this process can record kernel coverage, by trying; and if not, why, from what the machine tells
 * about itself. Nothing is left open. Never throws because coverage is missing.
 *
 * @returns What was found.
 *
 * @see `KCOV_INIT_TRACE` and `KCOV_ENABLE` in `include/uapi/linux/kcov.h` of Linux, which it tries
 *
 * @example
 * ```ts
 * import { kcovAvailability } from "kernelcov";
 * const { available, message, findings } = kcovAvailability();
 * if (!available) console.log(message);
 * console.assert(findings[0].subject === "operating system");
 * ```
 */
export function kcovAvailability(): KcovAvailability {
  return inspectHost(thisHost());
}

/** {@linkcode kcovAvailability} of any machine. */
export function inspectHost(host: KcovHost): KcovAvailability {
  const findings: KcovFinding[] = [];
  function unavailable(reason: KcovUnavailableReason, message: string): KcovAvailability {
    return { available: false, reason, message, findings, uniqueMode: false, collectors: false };
  }
  if (host.platform !== "linux") {
    const change = "run the tests on Linux";
    findings.push({ subject: "operating system", ok: false, found: host.platform, change });
    return unavailable("not-linux", `This is ${host.platform}, not Linux: ${change}`);
  }
  findings.push({ subject: "operating system", ok: true, found: `Linux ${host.release}` });

  let libc: Libc;
  try {
    libc = host.openLibc();
  } catch (error) {
    if (!(error instanceof KcovUnavailableError)) throw error;
    findings.push({ subject: "libc", ok: false, found: error.message });
    return unavailable(error.reason, error.message);
  }
  findings.push({ subject: "libc", ok: true, found: "opened" });

  findings.push(configFinding(host), debugfsFinding(host));
  // A device that is lent is another's afterwards, so it cannot become a collector.
  let collectors = false;
  const fd = libc.open(cString(KCOV_PATH), O_RDWR | O_CLOEXEC, 0);
  if (fd === -1) {
    const code = errnoName(libc.errno());
    const broker = brokerFinding(libc);
    if (broker !== undefined) findings.push(broker);
    if (broker?.ok !== true) {
      const { reason, what, change } = refusal(host, code, findings);
      findings.push({ subject: KCOV_PATH, ok: false, found: `${code}: ${what}`, change });
      return unavailable(reason, broker === undefined ? `${what}: ${change}` : broker.found);
    }
  } else {
    collectors = hasCollectors(libc, fd);
    libc.close(fd);
    findings.push({ subject: KCOV_PATH, ok: true, found: "can be opened" });
  }
  if (!host.isRecorded()) return tried(libc, collectors, findings, unavailable);
  // Trying would end the recording of this thread where the kernel lets the recorder yield.
  const found = "this thread is being recorded by kernelcov";
  findings.push({ subject: TRIED, ok: true, found }, collectorFinding(collectors));
  return {
    available: true,
    message: `Kernel coverage works here: ${found}`,
    findings,
    uniqueMode: tryKcov(libc, false).uniqueMode,
    collectors,
  };
}

/** Whether a broker opens the device for this process; `undefined` where there is none. */
function brokerFinding(libc: Libc): KcovFinding | undefined {
  const subject = "broker";
  const device = borrowDevice(libc, { use: "thread", words: TRIAL_WORDS });
  if (device === undefined) return undefined;
  if (device instanceof SyscallError) return { subject, ok: false, found: device.message };
  libc.close(device.fd);
  libc.close(device.lease);
  return { subject, ok: true, found: `opens ${KCOV_PATH} for this user, at ${brokerSocket()}` };
}

const TRIED = "a recorded system call";

/** Records one system call, since a kernel can have the device and no callbacks in its code. */
function tried(
  libc: Libc,
  collectors: boolean,
  findings: KcovFinding[],
  unavailable: (reason: KcovUnavailableReason, message: string) => KcovAvailability,
): KcovAvailability {
  const subject = TRIED;
  try {
    const { points, uniqueMode } = tryKcov(libc, true);
    if (points === 0) {
      const change = NO_CALLBACKS.slice(NO_CALLBACKS.indexOf(": ") + 2);
      findings.push({ subject, ok: false, found: "no coverage point ran", change });
      return unavailable("no-callbacks", NO_CALLBACKS);
    }
    const found = `${points} coverage points ran`;
    findings.push({ subject, ok: true, found }, collectorFinding(collectors));
    const message = "Kernel coverage works here";
    return { available: true, message, findings, uniqueMode, collectors };
  } catch (error) {
    if (error instanceof KcovUnavailableError || error instanceof SyscallError) {
      findings.push({ subject, ok: false, found: error.message });
      const reason = error instanceof KcovUnavailableError ? error.reason : "busy";
      return unavailable(reason, error.message);
    }
    throw error;
  }
}

/** What records in `tree` scope. Both ways work: there is nothing to change. */
export function collectorFinding(collectors: boolean): KcovFinding {
  const found = collectors
    ? "the kernel has them: test and record use them"
    : "the kernel has none: test and record trace processes with ptrace";
  return { subject: "collectors", ok: true, found };
}

/** Why the device could not be opened, and what to change. */
interface Refusal {
  readonly reason: KcovUnavailableReason;
  readonly what: string;
  readonly change: string;
}

/** The errno alone does not tell why, so what else was found decides. */
function refusal(host: KcovHost, code: string, findings: readonly KcovFinding[]): Refusal {
  const embedded = `run ${EMBEDDED_KERNEL_REMEDY}`;
  const because = (reason: KcovUnavailableReason, what: string, change?: string): Refusal => ({
    reason,
    what,
    change: change === undefined ? embedded : `${change}, or ${embedded}`,
  });
  const isWrong = (name: string) =>
    findings.find(({ subject, ok }) => subject === name && ok === false);
  if (isGvisor(host)) {
    const what = "This is gVisor's kernel, which does not record coverage";
    return because("not-built-in", what, "run outside gVisor");
  }
  const kernel = `The running kernel (${host.release})`;
  if (isWrong("CONFIG_KCOV")) return because("not-built-in", `${kernel} is built without KCOV`);
  const debugfs = isWrong("debugfs");
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return debugfs === undefined
        ? because(
          "not-built-in",
          `${kernel} has no ${KCOV_PATH}`,
          "use a kernel with CONFIG_KCOV=y",
        )
        : because("no-debugfs", "debugfs is not mounted", debugfs.change);
    case "EPERM":
      if (isLockedDown(host)) {
        const what = "Kernel lockdown forbids the coverage device, also to root";
        return because(
          "locked-down",
          what,
          "boot without lockdown (lockdown=none, Secure Boot off)",
        );
      }
      return because(
        "not-permitted",
        `${KCOV_PATH} may not be opened`,
        "allow it in the container's seccomp or security policy",
      );
    case "EACCES":
      return because(
        "not-permitted",
        `${KCOV_PATH} may not be opened by user ${host.userId ?? "?"}`,
        "run as root, or have root start kernelcov broker",
      );
    default:
      return because("not-permitted", `${KCOV_PATH} cannot be opened (${code})`);
  }
}

/** Says whether the running kernel's configuration has KCOV, from the places where distributions keep it. */
function configFinding(host: KcovHost): KcovFinding {
  const subject = "CONFIG_KCOV";
  const change = `use a kernel with CONFIG_KCOV=y, or run ${EMBEDDED_KERNEL_REMEDY}`;
  const places = [
    "/proc/config.gz",
    `/boot/config-${host.release}`,
    `/lib/modules/${host.release}/config`,
    `/usr/lib/modules/${host.release}/config`,
  ];
  for (const path of places) {
    const config = readConfig(host, path);
    if (config === undefined) continue;
    const set = /^CONFIG_KCOV=y$/m.test(config);
    const found = `${set ? "set" : "not set"} in ${path}`;
    return set ? { subject, ok: true, found } : { subject, ok: false, found, change };
  }
  return { subject, ok: undefined, found: "unknown: the kernel's configuration is not readable" };
}

function readConfig(host: KcovHost, path: string): string | undefined {
  if (!path.endsWith(".gz")) return host.readText(path);
  const bytes = host.readBytes(path);
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder().decode(nodeBuiltin("node:zlib").gunzipSync(bytes));
  } catch {
    return undefined; // not a gzip file: some sandboxes serve an empty one
  }
}

function debugfsFinding(host: KcovHost): KcovFinding {
  const subject = "debugfs";
  const known = host.readText("/proc/filesystems");
  if (known !== undefined && !/\bdebugfs$/m.test(known)) {
    const change = "use a kernel with CONFIG_DEBUG_FS=y, booted without debugfs=off";
    return { subject, ok: false, found: "the kernel does not have it", change };
  }
  const mounts = host.readText("/proc/mounts");
  if (mounts === undefined) return { subject, ok: undefined, found: "unknown: no /proc/mounts" };
  if (/^\S+ \/sys\/kernel\/debug debugfs /m.test(mounts)) {
    return { subject, ok: true, found: "mounted on /sys/kernel/debug" };
  }
  const change = "mount it as root: mount -t debugfs none /sys/kernel/debug";
  return { subject, ok: false, found: "not mounted on /sys/kernel/debug", change };
}

function isLockedDown(host: KcovHost): boolean {
  // The mode in force is in brackets: "none [integrity] confidentiality".
  const modes = host.readText("/sys/kernel/security/lockdown");
  return modes !== undefined && /\[(?!none)\w+\]/.test(modes);
}

function isGvisor(host: KcovHost): boolean {
  // gVisor reports a fixed build date of its own, and its boot messages name it where they may be read.
  const version = host.readText("/proc/version") ?? "";
  return /gvisor/i.test(version) || /#1 SMP Sun Jan 10 15:06:54 PST 2016/.test(version);
}
