import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MemorySource } from "../../src/base/byte_source.ts";
import { CallFrames } from "../../src/dwarf/call_frames.ts";
import { ElfFile } from "../../src/elf/elf_file.ts";
import { FormatError } from "../../src/errors.ts";

const RBP = 6, RSP = 7;

/** Functions with saved registers, several returns, a variable frame and an aligned one. */
const PROGRAM = `
#define APART __attribute__((noipa))
APART extern int other(int, void *);
APART int leaf(int x) { return x * 3; }
APART int saves(int a, int b) { int x = other(a, 0), y = other(b, 0); if (x > y) return other(x, &y) + y; return leaf(y) + x; }
APART int variable(int n) { char space[n]; other(n, space); return space[n / 2]; }
APART int aligned(int n) { int space[8] __attribute__((aligned(64))); other(n, space); return space[n & 7]; }
APART int framed(int n) __attribute__((optimize("no-omit-frame-pointer")));
int framed(int n) { int x; return other(n, &x) + x; }
int other(int x, void *p) { return p ? *(int *)p + x : x; }
void _start(void) { saves(1, 2); variable(3); aligned(4); framed(5); for (;;); }
`;

interface Row {
  readonly from: number;
  readonly cfa: string;
  readonly rbp: string;
}

/** The rows of \`readelf --debug-dump=frames-interp\`, and the ends of its functions. */
function judge(file: string): { rows: Row[]; ends: number[] } {
  const text = execFileSync("readelf", ["--wide", "--debug-dump=frames-interp", file], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const rows: Row[] = [], ends: number[] = [];
  let columns: string[] = [];
  for (const line of text.split("\n")) {
    const end = / FDE .* pc=[0-9a-f]+\.\.([0-9a-f]+)$/.exec(line)?.[1];
    if (end !== undefined) ends.push(parseInt(end, 16));
    const cells = line.trim().split(/\s+/);
    if (cells[0] === "LOC") columns = cells;
    else if (
      /^[0-9a-f]{16}$/.test(cells[0] ?? "") && !line.includes("FDE") && !line.includes("CIE")
    ) {
      const rbp = columns.indexOf("rbp");
      // What all functions have in common stands at no address.
      if (/^0+$/.test(cells[0]!)) continue;
      rows.push({ from: parseInt(cells[0]!, 16), cfa: cells[1]!, rbp: cells[rbp] ?? "u" });
    }
  }
  return { rows, ends };
}

function inFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-frames-"));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function compile(folder: string): { file: string; section: Uint8Array; address: number } {
  const file = join(folder, "program");
  execFileSync("gcc", ["-O2", "-nostdlib", "-static", "-x", "c", "-o", file, "-"], {
    input: PROGRAM,
  });
  const elf = new ElfFile(new MemorySource(Uint8Array.from(readFileSync(file))));
  const section = elf.section(".eh_frame")!;
  return { file, section: elf.bytes(section), address: section.address };
}

test("frames are as readelf has them, at each row and at the byte before the next", () => {
  inFolder((folder) => {
    const { file, section, address } = compile(folder);
    const frames = new CallFrames(section, address);
    const { rows, ends } = judge(file);
    assert.ok(rows.length > 20, `${rows.length} rows`);
    assert.ok(rows.some(({ cfa }) => cfa.startsWith("rbp")));
    rows.forEach(({ from, cfa, rbp }, index) => {
      const next = [rows[index + 1]?.from ?? Infinity, ...ends].filter((end) => end > from);
      for (const at of [from, Math.min(...next) - 1]) {
        const frame = frames.at(at)!;
        const register = { [RSP]: "rsp", [RBP]: "rbp" }[frame.register];
        if (cfa === "exp") assert.equal(frame.register, -1);
        else if (register !== undefined) assert.equal(`${register}+${frame.offset}`, cfa, `${at}`);
        else assert.match(cfa, /^r10\+0$/);
        const saved = frame.saved.get(RBP);
        if (rbp !== "exp") assert.equal(saved === undefined ? "u" : `c${saved}`, rbp, `${at}`);
      }
    });
    assert.equal(frames.at(Math.max(...ends)), undefined);
    assert.equal(frames.at(0), undefined);
  });
});

test("no damage to the section gives anything but frames or a FormatError", () => {
  inFolder((folder) => {
    const { file, section, address } = compile(folder);
    const { rows } = judge(file);
    for (let at = 0; at < section.length; at++) {
      for (const value of [0, 0x2f, 0x7f, 0xff]) {
        const damaged = section.slice();
        damaged[at] = value;
        try {
          const frames = new CallFrames(damaged, address);
          for (const { from } of rows) frames.at(from);
        } catch (error) {
          assert.ok(error instanceof FormatError, `${at}: ${error}`);
        }
      }
    }
    for (let end = 0; end < section.length; end += 3) {
      try {
        new CallFrames(section.subarray(0, end), address).at(rows[0]!.from);
      } catch (error) {
        assert.ok(error instanceof FormatError, `${end}: ${error}`);
      }
    }
  });
});
