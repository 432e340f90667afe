import { TEST_MARK } from "../../tracer/kernel_log_marks.ts";
import { crashReport } from "./crash_report.ts";

/** Characters of the kernel's messages that are kept: more than its own buffer holds. */
const KEPT = 1 << 18;
/** Characters of a message, at most. */
const LINE = 200;
/** An event is complete when no message has come for this time. */
const QUIET_MS = 300;

/** Reads a guest kernel's messages as they come and prints the problems in them: hung tasks at once, others at the end. */
export class KernelWatch {
  readonly #vmlinux: string;
  readonly #print: (text: string) => void;
  #text = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #telling: Promise<void> = Promise.resolve();

  /** @param vmlinux the kernel's image */
  constructor(vmlinux: string, print: (text: string) => void) {
    this.#vmlinux = vmlinux;
    this.#print = print;
  }

  /** Takes messages. */
  take(text: string): void {
    this.#text = (this.#text + text).slice(-KEPT);
    // Nobody may be there to end a guest that hangs, so this cannot wait for its end. A line may come in parts.
    const recent = this.#text.slice(-text.length - LINE);
    if (this.#timer === undefined && !/\bINFO: task .* blocked for/.test(recent)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#tell(false);
    }, QUIET_MS);
  }

  /** Prints what was not printed yet; the guest has ended, in a panic or not. */
  async finish(panicked: boolean): Promise<void> {
    this.close();
    this.#tell(panicked);
    await this.#telling;
  }

  /** Prints nothing more by itself. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tell(panicked: boolean): void {
    const text = this.#text;
    // Later events need to know, too, which test ran.
    this.#text = lastMark(text);
    this.#telling = this.#telling.then(async () => {
      try {
        this.#print(await crashReport(text, this.#vmlinux, panicked));
      } catch (error) {
        // The command's own end is reported all the same.
        const why = error instanceof Error ? error.message : String(error);
        this.#print(
          `kernelcov: Cannot show what the guest's kernel reported: ${why}: --dmesg shows it\n`,
        );
      }
    });
  }
}

/** The line that names the test that began last; empty where there is none. */
function lastMark(text: string): string {
  const at = text.lastIndexOf(TEST_MARK);
  if (at < 0) return "";
  const end = text.indexOf("\n", at);
  return `${text.slice(at, end < 0 ? text.length : end)}\n`;
}
