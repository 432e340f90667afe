import { tryReadLink, tryReadText } from "../../sys/files.ts";
import { cString } from "../../sys/native_strings.ts";
import { O_CLOEXEC } from "../../sys/system_calls.ts";
import type { Libc } from "../../sys/types.ts";
import { insertAtStart } from "../tasks/program_start.ts";
import type { Ptrace } from "../tasks/ptrace.ts";
import { commandOf, findRunner, type RunnerProgram, uncoveredRunner } from "./runner_arguments.ts";
import type { TaskMemory } from "../tasks/task_memory.ts";
import { TaskStatusReader } from "../tasks/task_status.ts";

/** What a program that begins is to the preloader: a runner that got its preload, or something else. */
export type ProgramKind = "covered" | "other";

/**
 * Adds its preload to each test runner that a task begins, however it was started: by npm, a shell, make or another
 * program. Counts the test runners that no preload can cover.
 */
export class RunnerPreloader {
  readonly #libc: Libc;
  readonly #ptrace: Ptrace;
  readonly #status: TaskStatusReader;
  readonly #memory: TaskMemory;
  readonly #runners: readonly RunnerProgram[];
  readonly #environment: readonly string[];
  readonly #uncovered = new Map<string, number>();

  /** @param environment Variables, as `NAME=value`, that a covered runner needs: added where it has none of the name. */
  constructor(
    libc: Libc,
    ptrace: Ptrace,
    memory: TaskMemory,
    runners: readonly RunnerProgram[],
    environment: readonly string[],
  ) {
    this.#libc = libc;
    this.#ptrace = ptrace;
    this.#status = new TaskStatusReader(libc);
    this.#memory = memory;
    this.#runners = runners;
    this.#environment = environment;
  }

  /** One line that says which test runners' tests have no records; `undefined` where there were none. */
  get uncoveredLine(): string | undefined {
    if (this.#uncovered.size === 0) return undefined;
    const names = [...this.#uncovered].map(([name, times]) =>
      times === 1 ? name : `${name} (${times} times)`
    );
    return `kernelcov: Tests of ${names.join(", ")} have no records of their own: ` +
      `run them with ${
        this.#runners.map(commandOf).join(" or ")
      }, or record the whole command with kernelcov record`;
  }

  /**
   * Looks at the program that the task `tid`, stopped at its `execve`, is about to begin.
   *
   * @param inTest Whether it works for a test: what a runner runs is then in that test's record.
   */
  began(tid: number, inTest = false): ProgramKind {
    const program = tryReadLink(`/proc/${tid}/exe`);
    const line = program === undefined ? undefined : tryReadText(`/proc/${tid}/cmdline`);
    if (program === undefined || line === undefined) return "other";
    const [called, ...args] = line.split("\0").slice(0, -1);
    if (this.#runners.some(({ otherName }) => otherName && called?.endsWith(otherName))) {
      return "other";
    }
    const found = findRunner(this.#runners, program, args);
    if (found === null) {
      const name = uncoveredRunner(program, args) ?? uncoveredRunner(called ?? "", args);
      if (name !== null && !inTest) this.#count(name);
      return "other";
    }
    const { preload, preloadArguments } = found.program;
    // A runner that restarts itself passes its arguments on.
    if (args.includes(preloadArguments.at(-1)!)) return "covered";
    const name = commandOf(found.program);
    if (!this.#isReadable(tid, preload)) {
      this.#count(`${name} (it cannot read ${preload})`);
      return "other";
    }
    const insertion = {
      at: found.at + 1,
      args: preloadArguments,
      environment: this.#missingVariables(tid),
    };
    if (insertAtStart(this.#ptrace, this.#memory, tid, insertion)) return "covered";
    this.#count(`${name} (its arguments cannot be changed)`);
    return "other";
  }

  #missingVariables(tid: number): string[] {
    const has = tryReadText(`/proc/${tid}/environ`)?.split("\0") ?? [];
    return this.#environment.filter((variable) => {
      const name = variable.slice(0, variable.indexOf("=") + 1);
      return !has.some((other) => other.startsWith(name));
    });
  }

  /** Whether a task may read `path`, and sees it where it is here: a sandbox may show it other files. */
  #isReadable(tid: number, path: string): boolean {
    const status = this.#status.read(tid);
    if (status === null) return false;
    const libc = this.#libc;
    const { setfsuid, setfsgid } = this.#ptrace.architecture.systemCalls;
    // Both return the former id, of this thread alone.
    const group = libc.syscall(setfsgid, BigInt(status.fileGroup), 0n, 0n, 0n, 0n, 0n);
    const user = libc.syscall(setfsuid, BigInt(status.fileUser), 0n, 0n, 0n, 0n, 0n);
    const fd = libc.open(cString(`/proc/${tid}/root${path}`), O_CLOEXEC, 0);
    libc.syscall(setfsuid, user, 0n, 0n, 0n, 0n, 0n);
    libc.syscall(setfsgid, group, 0n, 0n, 0n, 0n, 0n);
    if (fd < 0) return false;
    libc.close(fd);
    return true;
  }

  #count(name: string): void {
    this.#uncovered.set(name, (this.#uncovered.get(name) ?? 0) + 1);
  }
}
