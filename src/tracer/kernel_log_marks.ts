import { cString } from "../sys/native_strings.ts";
import { O_CLOEXEC, O_WRONLY } from "../sys/system_calls.ts";
import type { LibcPart } from "../sys/types.ts";

const KMSG = "/dev/kmsg";
/** The kernel takes no more than about a thousand bytes as one message. */
const MOST_CHARACTERS = 250;

/** What stands before the name of a test in the kernel's log. */
export const TEST_MARK = "kernelcov: test: ";

/** Writes into the kernel's log which test begins, so that its messages are of one test or another. */
export class KernelLogMarks {
  readonly #libc: LibcPart<"open" | "write" | "close">;
  readonly #fd: number;
  readonly #encoder = new TextEncoder();

  constructor(libc: LibcPart<"open" | "write" | "close">) {
    this.#libc = libc;
    this.#fd = libc.open(cString(KMSG), O_WRONLY | O_CLOEXEC, 0);
  }

  /** A test begins. Where the log cannot be written to, nothing happens. */
  begin({ file, name }: { readonly file: string; readonly name: string }): void {
    if (this.#fd < 0) return;
    const label = file === "" ? name : `${file}: ${name}`;
    const bytes = this.#encoder.encode(markLine(label));
    this.#libc.write(this.#fd, bytes, BigInt(bytes.length));
  }

  /** No test begins any more. */
  close(): void {
    if (this.#fd >= 0) this.#libc.close(this.#fd);
  }
}

/** A message of level "info"; one line whatever the name holds. */
function markLine(label: string): string {
  const short = label.length > MOST_CHARACTERS ? `${label.slice(0, MOST_CHARACTERS)}…` : label;
  // deno-lint-ignore no-control-regex
  return `<6>${TEST_MARK}${short.replace(/[\x00-\x1f\x7f]/g, " ")}\n`;
}
