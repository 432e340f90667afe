import { KcovUnavailableError } from "../../errors.ts";
import { machineName } from "../../sys/runtime.ts";

/** Names of the system calls that the tracer makes or has made. */
type SystemCall =
  | "close"
  | "close_range"
  | "exit_group"
  | "ioctl"
  | "pidfd_getfd"
  | "pidfd_open"
  | "ptrace"
  | "recvmsg"
  | "rt_tgsigqueueinfo"
  | "sendmsg"
  | "setfsgid"
  | "setfsuid"
  | "setitimer"
  | "socketpair"
  | "statx"
  | "prlimit64";

/** Registers and system calls of one architecture, as ptrace shows them. */
export interface Architecture {
  /** As `uname -m` has it. */
  readonly name: string;
  /** Size of the general registers: 64-bit words. */
  readonly registerWords: number;
  /** Places of registers in those words. */
  readonly programCounter: number;
  readonly stackPointer: number;
  /** Where the number goes before the instruction runs. */
  readonly callNumber: number;
  readonly arguments: readonly number[];
  readonly result: number;
  /**
   * Word that tells the kernel a system call is to be restarted unless it holds -1; -1 where that is a register
   * set of its own (`NT_ARM_SYSTEM_CALL`).
   */
  readonly restartNumber: number;
  /** The system call instruction. The program counter stands behind it when a call returns. */
  readonly instruction: Uint8Array;
  /** Whether `PTRACE_GETREGS` exists; else `PTRACE_GETREGSET` with `NT_PRSTATUS`. */
  readonly hasGetRegisters: boolean;
  readonly systemCalls: Readonly<Record<SystemCall, bigint>>;
}

/** `struct user_regs_struct` of `arch/x86/include/asm/user_64.h`; numbers of `syscall_64.tbl`. */
export const X86_64: Architecture = {
  name: "x86_64",
  registerWords: 27,
  programCounter: 16, // rip
  stackPointer: 19, // rsp
  callNumber: 10, // rax
  arguments: [14, 13, 12, 7, 9, 8], // rdi rsi rdx r10 r8 r9
  result: 10, // rax
  restartNumber: 15, // orig_rax
  instruction: Uint8Array.of(0x0f, 0x05), // syscall
  hasGetRegisters: true,
  systemCalls: {
    close: 3n,
    close_range: 436n,
    exit_group: 231n,
    ioctl: 16n,
    pidfd_getfd: 438n,
    pidfd_open: 434n,
    ptrace: 101n,
    recvmsg: 47n,
    rt_tgsigqueueinfo: 297n,
    sendmsg: 46n,
    setfsgid: 123n,
    setfsuid: 122n,
    setitimer: 38n,
    socketpair: 53n,
    statx: 332n,
    prlimit64: 302n,
  },
};

/** `struct user_pt_regs` of `arch/arm64/include/uapi/asm/ptrace.h`; numbers of `asm-generic/unistd.h`. */
export const ARM64: Architecture = {
  name: "aarch64",
  registerWords: 34, // x0 to x30, sp, pc, pstate
  programCounter: 32,
  stackPointer: 31,
  callNumber: 8, // x8
  arguments: [0, 1, 2, 3, 4, 5],
  result: 0, // x0
  restartNumber: -1,
  instruction: Uint8Array.of(0x01, 0x00, 0x00, 0xd4), // svc #0
  hasGetRegisters: false,
  systemCalls: {
    close: 57n,
    close_range: 436n,
    exit_group: 94n,
    ioctl: 29n,
    pidfd_getfd: 438n,
    pidfd_open: 434n,
    ptrace: 117n,
    recvmsg: 212n,
    rt_tgsigqueueinfo: 240n,
    sendmsg: 211n,
    setfsgid: 152n,
    setfsuid: 151n,
    setitimer: 103n,
    socketpair: 199n,
    statx: 291n,
    prlimit64: 261n,
  },
};

/**
 * The table of the running processor.
 *
 * @throws {KcovUnavailableError} For an architecture that has no table.
 */
export function currentArchitecture(): Architecture {
  const machine = machineName();
  const found = [X86_64, ARM64].find(({ name }) => name === machine);
  if (found !== undefined) return found;
  throw new KcovUnavailableError(
    "not-built-in",
    `Cannot trace processes on ${machine}: run on x86-64 or arm64, or use --scope thread`,
  );
}

const NO_RESTART = 0xffff_ffff_ffff_ffffn;

/** `registers` changed so that the task makes `number(...values)` with the instruction at `instructionAddress`. */
export function setSystemCall(
  architecture: Architecture,
  registers: BigUint64Array,
  instructionAddress: bigint,
  number: bigint,
  values: readonly bigint[],
): void {
  registers[architecture.callNumber] = number;
  registers[architecture.programCounter] = instructionAddress;
  // Without this the kernel could take the saved call for an interrupted one and restart it.
  if (architecture.restartNumber >= 0) registers[architecture.restartNumber] = NO_RESTART;
  for (const [index, register] of architecture.arguments.entries()) {
    registers[register] = BigInt.asUintN(64, values[index] ?? 0n);
  }
}
