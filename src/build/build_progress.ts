import { availableParallelism } from "node:os";
import type { Writable } from "node:stream";

/** Files that a build of the pinned source and configuration compiles. Newer Debian releases differ by a few. */
export const EXPECTED_FILES = 1074;

/** Processor seconds that a build takes on an ordinary server core of the 2020s, unpacking included. */
const EXPECTED_CPU_SECONDS = 400;

/** `95` as `1:35`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** How long a build should take here, in words. */
export function estimateBuild(processors: number = availableParallelism()): string {
  const minutes = Math.max(1, Math.round(EXPECTED_CPU_SECONDS / processors / 60));
  const time = minutes === 1 ? "a minute" : `${minutes} minutes`;
  const cores = processors === 1 ? "one processor" : `${processors} processors`;
  return `about ${time} on ${cores}`;
}

/** `Unpacking the kernel's source, 0:05`. */
export function formatStage(stage: string, seconds: number): string {
  return `${stage}, ${formatDuration(seconds)}`;
}

/** What is known of a running build. */
export interface BuildState {
  readonly done: number;
  readonly expected: number;
  readonly seconds: number;
  /** Of these, seconds before the first file: unpacking and configuration. */
  readonly preparation: number;
  /** Files that were there before, when a build was resumed. */
  readonly resumed: number;
  /** All files are compiled. */
  readonly linking: boolean;
}

/** `Building the kernel: file 120 of 940, 0:35, about 3:10 left`. */
export function formatProgress(state: BuildState): string {
  const { done, expected, seconds } = state;
  const fresh = done - state.resumed;
  // A kernel with more options has more files: how many is not known.
  const of = done > expected ? "" : ` of ${expected}`;
  const line = `Building the kernel: file ${done}${of}, ${formatDuration(seconds)}`;
  if (state.linking) return `${line}, linking`;
  // The first files say little: they are small.
  if (fresh < 20 || done >= expected) return line;
  const perFile = (seconds - state.preparation) / fresh;
  return `${line}, about ${formatDuration((expected - done) * perFile)} left`;
}

/** Shows one line of progress: rewritten on a terminal, a line at times elsewhere. */
export class ProgressLine implements Disposable {
  readonly #stream: Writable & { isTTY?: boolean; columns?: number };
  readonly #quietMs: number;
  #shown = false;
  #last = -Infinity;

  constructor(stream: Writable & { isTTY?: boolean; columns?: number }, quietMs = 5000) {
    this.#stream = stream;
    this.#quietMs = quietMs;
  }

  /** Shows `text` in place of the last one, unless that was just now. `now` is in milliseconds. */
  update(text: string, now: number): void {
    const terminal = this.#stream.isTTY === true;
    if (now - this.#last < (terminal ? 100 : this.#quietMs)) return;
    this.#last = now;
    if (!terminal) {
      this.#stream.write(`${text}\n`);
      return;
    }
    this.#stream.write(`\r\x1b[K${text.slice(0, (this.#stream.columns ?? 80) - 1)}`);
    this.#shown = true;
  }

  /** Shows `text()` again each second until `work` is done. */
  async during<T>(text: () => string, work: Promise<T>): Promise<T> {
    const show = (): void => this.update(text(), performance.now());
    show();
    const timer = setInterval(show, 1000);
    try {
      return await work;
    } finally {
      clearInterval(timer);
      this.clear();
    }
  }

  /** Removes the line from the terminal. */
  clear(): void {
    if (this.#shown) this.#stream.write("\r\x1b[K");
    this.#shown = false;
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  /** A line that stays. */
  say(text: string): void {
    this.clear();
    this.#stream.write(`${text}\n`);
  }
}

/** Whether a line of kbuild's output stands for a compiled file of the kernel. */
export function isCompiledFile(line: string): boolean {
  return /^ {2}(CC|AS) /.test(line);
}

/** Whether a line of kbuild's output says that all files are compiled and put together. */
export function isLinkStep(line: string): boolean {
  return /^ {2}(AR|LD) +vmlinux/.test(line);
}

/** {@linkcode isCompiledFile}, of the output of `make V=1`, which shows commands. */
export function isCompileCommand(line: string): boolean {
  return / -c -o (?!scripts\/)\S+\.o \S+\.[cS]\b/.test(line);
}

/** {@linkcode isLinkStep}, of the output of `make V=1`. */
export function isLinkCommand(line: string): boolean {
  return / -o vmlinux\.o\b| rm -f vmlinux\.a\b/.test(line);
}

/** The lines of a build log that say why it failed: the compiler's, the linker's or make's own. */
export function errorLines(log: string, most = 12): string[] {
  const lines = log.split("\n");
  const errors = lines.filter((line) =>
    /\b(fatal )?error: |undefined reference|multiple definition|No space left|Killed|No such file or directory|Kconfig:\d+:/
      .test(line) && !/\[-W/.test(line)
  );
  const found = errors.length > 0 ? errors : lines.filter((line) => /\*\*\* /.test(line));
  return (found.length > 0 ? found : lines.filter((line) => line !== "").slice(-most)).slice(
    0,
    most,
  );
}
