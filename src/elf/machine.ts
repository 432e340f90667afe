import { ARM64_CODE } from "./arm64_code.ts";
import type { CodeDecoder } from "./code_decoder.ts";
import * as elf from "./constants.ts";
import { RISCV64_CODE } from "./riscv64_code.ts";
import { X86_CODE } from "./x86_code.ts";

/** How a relocation of data changes the field at its place: by S + A, the symbol's address and the addend. */
export interface DataRelocation {
  /** `relative` sets S + A - P, where P is the place's own address; `ignore` leaves the field. */
  readonly action: "ignore" | "set" | "relative" | "add" | "subtract";
  /** Bits of the field, the low ones of its first byte where they are 6; `uleb128` keeps its length. */
  readonly field: 6 | 8 | 16 | 32 | 64 | "uleb128";
}

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

/** Registers and system calls as ptrace shows them. */
export interface Tracing {
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
  /** The system call instruction. The program counter points behind it when a call returns. */
  readonly instruction: Uint8Array;
  /** Whether `PTRACE_GETREGS` exists; else `PTRACE_GETREGSET` with `NT_PRSTATUS`. */
  readonly hasGetRegisters: boolean;
  /**
   * Whether the trap of a step over a system call has a code that says so. Elsewhere it looks like a signal of a user's,
   * which a tracer that yields is not told of (user_single_step_report() in linux/ptrace.h).
   */
  readonly marksSteps: boolean;
  readonly systemCalls: Readonly<Record<SystemCall, bigint>>;
}

/** All that differs between the architectures of kernels. */
export interface Machine {
  readonly name: MachineName;
  /** As `uname -m` has it. */
  readonly unameName: string;
  /** `e_machine` of the ELF header. */
  readonly elfNumber: number;
  readonly code: CodeDecoder;
  /** Relocations of data and debug information by type; code is read unrelocated. */
  readonly dataRelocations: Readonly<Record<number, DataRelocation>>;
  /** Whether a local symbol without a type is a mark of the assembler's that names nothing. */
  readonly isMark?: (name: string) => boolean;
  /** For the tracer; missing where it has not been tried. Threads can be recorded without. */
  readonly tracing?: Tracing;
}

/** Names of the architectures, as kernel developers have them. */
export type MachineName = "x86-64" | "arm64" | "riscv64";

const IGNORE: DataRelocation = { action: "ignore", field: 8 };
const SET_32: DataRelocation = { action: "set", field: 32 };
const SET_64: DataRelocation = { action: "set", field: 64 };
const RELATIVE_32: DataRelocation = { action: "relative", field: 32 };
const RELATIVE_64: DataRelocation = { action: "relative", field: 64 };

/** Registers: `struct user_regs_struct` of `arch/x86/include/asm/user_64.h`; numbers: `syscall_64.tbl`. */
const X86_64: Machine = {
  name: "x86-64",
  unameName: "x86_64",
  elfNumber: elf.EM_X86_64,
  code: X86_CODE,
  dataRelocations: {
    0: IGNORE,
    [elf.R_X86_64_64]: SET_64,
    [elf.R_X86_64_32]: SET_32,
    [elf.R_X86_64_32S]: SET_32,
    [elf.R_X86_64_PC32]: RELATIVE_32,
    [elf.R_X86_64_PC64]: RELATIVE_64,
  },
  tracing: {
    registerWords: 27,
    programCounter: 16, // rip
    stackPointer: 19, // rsp
    callNumber: 10, // rax
    arguments: [14, 13, 12, 7, 9, 8], // rdi rsi rdx r10 r8 r9
    result: 10, // rax
    restartNumber: 15, // orig_rax
    instruction: Uint8Array.of(0x0f, 0x05), // syscall
    hasGetRegisters: true,
    marksSteps: true,
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
  },
};

/** Registers: `struct user_pt_regs` of `arch/arm64/include/uapi/asm/ptrace.h`; numbers: `asm-generic/unistd.h`. */
const ARM64: Machine = {
  name: "arm64",
  unameName: "aarch64",
  elfNumber: elf.EM_AARCH64,
  code: ARM64_CODE,
  dataRelocations: {
    0: IGNORE,
    [elf.R_AARCH64_NONE]: IGNORE,
    [elf.R_AARCH64_ABS64]: SET_64,
    [elf.R_AARCH64_ABS32]: SET_32,
    [elf.R_AARCH64_PREL32]: RELATIVE_32,
    [elf.R_AARCH64_PREL64]: RELATIVE_64,
  },
  // $x and $d, also $x.N, tell code from data.
  isMark: (name) => name.startsWith(".L") || /^\$[dx](?:\.|$)/.test(name),
  tracing: {
    registerWords: 34, // x0 to x30, sp, pc, pstate
    programCounter: 32,
    stackPointer: 31,
    callNumber: 8, // x8
    arguments: [0, 1, 2, 3, 4, 5],
    result: 0, // x0
    restartNumber: -1,
    instruction: Uint8Array.of(0x01, 0x00, 0x00, 0xd4), // svc #0
    hasGetRegisters: false,
    marksSteps: false,
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
  },
};

/** Linkers for it delete code, so that differences of addresses in data are sums of relocations. */
const RISCV64: Machine = {
  name: "riscv64",
  unameName: "riscv64",
  elfNumber: elf.EM_RISCV,
  code: RISCV64_CODE,
  dataRelocations: {
    0: IGNORE,
    [elf.R_RISCV_32]: SET_32,
    [elf.R_RISCV_64]: SET_64,
    [elf.R_RISCV_ADD8]: { action: "add", field: 8 },
    [elf.R_RISCV_ADD16]: { action: "add", field: 16 },
    [elf.R_RISCV_ADD32]: { action: "add", field: 32 },
    [elf.R_RISCV_ADD64]: { action: "add", field: 64 },
    [elf.R_RISCV_SUB6]: { action: "subtract", field: 6 },
    [elf.R_RISCV_SUB8]: { action: "subtract", field: 8 },
    [elf.R_RISCV_SUB16]: { action: "subtract", field: 16 },
    [elf.R_RISCV_SUB32]: { action: "subtract", field: 32 },
    [elf.R_RISCV_SUB64]: { action: "subtract", field: 64 },
    [elf.R_RISCV_ALIGN]: IGNORE,
    [elf.R_RISCV_RELAX]: IGNORE,
    [elf.R_RISCV_SET6]: { action: "set", field: 6 },
    [elf.R_RISCV_SET8]: { action: "set", field: 8 },
    [elf.R_RISCV_SET16]: { action: "set", field: 16 },
    [elf.R_RISCV_SET32]: SET_32,
    [elf.R_RISCV_32_PCREL]: RELATIVE_32,
    [elf.R_RISCV_SET_ULEB128]: { action: "set", field: "uleb128" },
    [elf.R_RISCV_SUB_ULEB128]: { action: "subtract", field: "uleb128" },
  },
  // Local labels stay in the symbol table, for the linker; $x and $d tell code from data.
  isMark: (name) => name.startsWith(".L") || name.startsWith("$"),
};

/** The architectures whose kernels can be read: the one list. */
export const MACHINES: readonly Machine[] = [X86_64, ARM64, RISCV64];
