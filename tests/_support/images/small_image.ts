import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { elfFileOf } from "../../../src/elf/elf_file.ts";
import { openRun } from "../../../src/record/run_writer.ts";
import type { TestRecord } from "../../../src/record/test_record.ts";
import { buildImageIndex } from "../../../src/symbolize/index/build_image_index.ts";
import type { ImageIndex } from "../../../src/symbolize/index/image_index.ts";

const SOURCES: Readonly<Record<string, string>> = {
  "Kconfig": "",
  "fs/pipe.c": `int pipe_poll(int);
static inline int pipe_full(int head, int tail)
{
	return head - tail >= 16;
}
int pipe_write(int count)
{
	if (count == 0)
		return 0;
	if (pipe_full(count, 1))
		return -1;
	return pipe_poll(count) + 1;
}
int pipe_read(int count)
{
	while (count > 3)
		count = pipe_poll(count - 1);
	return count * 2;
}
int pipe_poll(int mask)
{
	return mask & 7;
}
`,
  "net/unix/af_unix.c": `int pipe_poll(int);
int unix_listen(int backlog)
{
	if (backlog < 0)
		return -22;
	return pipe_poll(backlog);
}
int unix_never(int x)
{
	return pipe_poll(x + 1);
}
`,
  "kernel/kcov.c": `void __sanitizer_cov_trace_pc(void) { __asm__ volatile(""); }
int pipe_write(int); int pipe_read(int); int unix_listen(int); int unix_never(int);
void _start(void) { pipe_write(1); pipe_read(2); unix_listen(3); unix_never(4); }
`,
};

/** A tiny "kernel" with coverage points, compiled in a folder of its own with its sources beside it. */
export class SmallImage implements Disposable {
  readonly #parent: string = mkdtempSync(join(tmpdir(), "kernelcov-image-"));
  readonly folder: string = join(this.#parent, "linux");
  readonly path: string = join(this.folder, "vmlinux");
  readonly index: ImageIndex;

  /** @param more Sources beside the usual ones, by their paths from the folder. */
  constructor(more: Readonly<Record<string, string>> = {}) {
    const sources = { ...SOURCES, ...more };
    for (const [name, text] of Object.entries(sources)) {
      const path = join(this.folder, name);
      mkdirSync(join(path, ".."), { recursive: true });
      writeFileSync(path, text);
    }
    const common = ["-g", "-O1", "-ffreestanding", "-fno-pie", "-fcf-protection=none", "-c"];
    const objects: string[] = [];
    for (const name of Object.keys(sources).filter((name) => name.endsWith(".c"))) {
      const covered = name === "kernel/kcov.c" ? [] : ["-fsanitize-coverage=trace-pc"];
      const object = name.replace(/\.c$/, ".o");
      this.#gcc([...common, ...covered, name, "-o", object]);
      objects.push(object);
    }
    this.#gcc(["-nostdlib", "-static", "-no-pie", "-Wl,--build-id", ...objects, "-o", this.path]);
    this.index = buildImageIndex(elfFileOf(new Uint8Array(readFileSync(this.path))));
  }

  #gcc(args: readonly string[]): void {
    execFileSync("gcc", args, { cwd: this.folder, stdio: ["ignore", "ignore", "inherit"] });
  }

  /** The raw PCs of all points that lie in the compiled function `name`. */
  pcsOf(...names: readonly string[]): number[] {
    const { index } = this;
    return [...index.pointOffset.keys()].filter((point) => {
      const outermost = index.frameStart[point + 1]! - 1;
      return index.pointUnknown[point] === 0 &&
        names.includes(index.functionName[index.frameFunction[outermost]!]!);
    }).map((point) => index.base + index.pointOffset[point]! + index.callLength);
  }

  /** Writes records into a run folder of this image, which the run was told to be at `image`. */
  writeRun(name: string, records: readonly TestRecord[], image?: string): string {
    const directory = join(this.folder, name);
    using writer = openRun(directory, {
      image,
      kernel: { buildId: this.index.buildId, release: "6.12.0", machine: "x86_64" },
    });
    for (const record of records) writer.append(record);
    return directory;
  }

  /** A record of the given raw PCs, each hit once. */
  record(name: string, pcs: readonly number[], rest: Partial<TestRecord> = {}): TestRecord {
    const sorted = [...new Set(pcs)].sort((a, b) => a - b);
    return {
      name,
      file: "tests/pipe_test.ts",
      outcome: "passed",
      durationMs: 1,
      scope: "thread",
      pcs: Float64Array.from(sorted),
      hits: new Uint32Array(sorted.length).fill(1),
      truncated: false,
      shared: false,
      callingThreadOnly: false,
      ...rest,
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.#parent, { recursive: true, force: true });
  }
}
