import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { KcovUnavailableError } from "../../src/errors.ts";
import { findKernelImage } from "../../src/kernel/image/find_kernel_image.ts";
import type { ImageIndex } from "../../src/symbolize/index/image_index.ts";
import { loadImageIndexSync } from "../../src/symbolize/index/load_index.ts";
import { OpenImage } from "../../src/kernel/image/open_image.ts";
import { SmallImage } from "../_support/images/small_image.ts";

const image = new SmallImage();
after(() => image[Symbol.dispose]());
const { buildId } = image.index;

function objcopy(...args: readonly string[]): void {
  execFileSync("objcopy", args, { stdio: ["ignore", "ignore", "inherit"] });
}

let folders = 0;

function folder(): string {
  const path = join(image.folder, `case-${++folders}`);
  mkdirSync(path);
  return path;
}

/** What reports are made of. */
function linesOf(index: ImageIndex): unknown {
  const { files, lineFile, lineNumber, functionName, pointOffset, claimLine, problems } = index;
  return {
    lines: Array.from(lineNumber, (line, at) => `${files[lineFile[at]]}:${line}`),
    functionName: [...functionName],
    points: [...pointOffset],
    claims: [...claimLine],
    problems,
  };
}

function indexOf(path: string): ImageIndex {
  return loadImageIndexSync(path, { cacheFolder: null });
}

test("debug information of every form of compression is read", () => {
  for (const form of ["zlib-gnu", "zlib-gabi", "zstd"]) {
    const path = join(folder(), "vmlinux");
    try {
      objcopy(`--compress-debug-sections=${form}`, image.path, path);
    } catch (error) {
      // Not every build of binutils has it.
      if (form === "zstd") continue;
      throw error;
    }
    const names = execFileSync("readelf", ["-SW", path], { encoding: "utf8" });
    if (form === "zlib-gnu") assert.match(names, / \.zdebug_info /);
    assert.equal(findKernelImage({ path, buildId }).path, path);
    assert.deepEqual(linesOf(indexOf(path)), linesOf(image.index), form);
  }
});

test("an older form that is damaged is told, not read", () => {
  const path = join(folder(), "vmlinux");
  const data = join(dirname(path), "data");
  writeFileSync(data, "ZLIP\0\0\0\0\0\0\0\u0010................");
  objcopy("--strip-debug", `--add-section=.zdebug_info=${data}`, image.path, path);
  assert.throws(() => indexOf(path), /\.zdebug_info: section does not begin with ZLIB/);
});

test("the debug information of a split image leads to its code, beside it or around its folder", () => {
  for (
    const [code, debug] of [["vmlinux", "vmlinux.debug"], ["boot", ".debug/vmlinux.debug"], [
      "kernel-6.12",
      "symbols",
    ]]
  ) {
    const path = folder();
    mkdirSync(join(path, ".debug"));
    // What a folder holds beside: no image, and one of another build.
    writeFileSync(join(path, "a.txt"), "no image");
    copyFileSync("/bin/true", join(path, "b"));
    objcopy("--only-keep-debug", image.path, join(path, debug));
    const alone = join(path, debug);
    assert.throws(() => findKernelImage({ path: alone, buildId }), (error) => {
      assert.ok(error instanceof KcovUnavailableError);
      assert.match(error.message, /debug information but no code .*: put the image .* beside it/);
      return true;
    });
    objcopy("--strip-debug", image.path, join(path, code));
    assert.equal(findKernelImage({ path: alone, buildId }).path, alone);
    assert.deepEqual(linesOf(indexOf(alone)), linesOf(image.index));
  }
});

test("without a build id the link's checksum tells a debug file from another", () => {
  const path = folder();
  const whole = join(path, "whole"), code = join(path, "vmlinux");
  const debug = join(path, "vmlinux.debug");
  objcopy("--remove-section=.note.gnu.build-id", image.path, whole);
  objcopy("--only-keep-debug", whole, debug);
  objcopy("--strip-debug", `--add-gnu-debuglink=${debug}`, whole, code);
  rmSync(whole);
  {
    using opened = new OpenImage(code);
    assert.equal(opened.debugPath, debug);
  }
  appendFileSync(debug, "of another build");
  using opened = new OpenImage(code);
  assert.match(opened.lack!, /that is in vmlinux\.debug, which was not found/);
});

test("information that lies in files of another kind is named", () => {
  const path = join(folder(), "vmlinux");
  const link = join(dirname(path), "link");
  writeFileSync(link, "dwz.debug\0id");
  objcopy(`--add-section=.gnu_debugaltlink=${link}`, image.path, path);
  assert.throws(() => findKernelImage({ path, buildId }), /in another file, where dwz put it/);
  for (const version of [4, 5]) {
    const split = folder();
    const flags = ["-O1", `-gdwarf-${version}`, "-gsplit-dwarf", "-nostdlib", "-static", "-no-pie"];
    writeFileSync(
      join(split, "a.c"),
      `__attribute__((no_sanitize_coverage)) void __sanitizer_cov_trace_pc(void) {}
       int f(int x) { return x + 1; } void _start(void) { f(1); }`,
    );
    execFileSync("gcc", [...flags, "-fsanitize-coverage=trace-pc", "a.c", "-o", "vmlinux"], {
      cwd: split,
    });
    const { problems } = indexOf(join(split, "vmlinux"));
    assert.match(problems.join("\n"), /of 1 units are in \.dwo files, .*CONFIG_DEBUG_INFO_SPLIT/);
  }
});
