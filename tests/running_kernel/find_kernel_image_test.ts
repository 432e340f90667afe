import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { FormatError, KcovUnavailableError } from "../../src/errors.ts";
import { findKernelImage } from "../../src/kernel/image/find_kernel_image.ts";
import { OpenImage } from "../../src/kernel/image/open_image.ts";
import { SmallImage } from "../_support/images/small_image.ts";

const image = new SmallImage();
after(() => image[Symbol.dispose]());
const { buildId } = image.index;

/** Its warnings about made-up files are no concern here. */
function objcopy(args: readonly string[]): void {
  execFileSync("objcopy", args, { stdio: ["ignore", "ignore", "ignore"] });
}

test("a named image of the right build is taken", () => {
  assert.deepEqual(findKernelImage({ path: image.path, buildId }), { path: image.path, buildId });
});

test("an image of another build is refused with both build ids", () => {
  const wanted = "00112233445566778899aabbccddeeff00112233";
  assert.throws(() => findKernelImage({ path: image.path, buildId: wanted }), (error: unknown) => {
    assert.ok(error instanceof KcovUnavailableError);
    assert.equal(error.reason, "no-image");
    assert.ok(error.message.includes(buildId) && error.message.includes(wanted), error.message);
    return true;
  });
});

test("where the kernel's build id is not known the named image is taken", () => {
  assert.equal(findKernelImage({ path: image.path, buildId: "" }).buildId, buildId);
});

test("a missing file, a file without debug information and one that is no image are refused", () => {
  assert.throws(() => findKernelImage({ path: "/nowhere/vmlinux" }), /no such file/);
  const stripped = join(image.folder, "stripped");
  execFileSync("strip", ["-g", image.path, "-o", stripped]);
  assert.throws(() => findKernelImage({ path: stripped, buildId }), /no debug information/);
  const text = join(image.folder, "text");
  writeFileSync(text, "not a kernel\n");
  assert.throws(() => findKernelImage({ path: text, buildId }), FormatError);
});

test("without a name the places looked at are told", () => {
  assert.throws(
    () => findKernelImage({ buildId: "ab".repeat(20), release: "0.0-none" }),
    (error: unknown) =>
      error instanceof KcovUnavailableError && error.message.includes("/boot/vmlinux-0.0-none") &&
      error.message.includes(`.build-id/ab/${"ab".repeat(19)}.debug`),
  );
});

test("a separate debug file is found by .gnu_debuglink beside the image and in .debug", () => {
  for (const place of ["vmlinux.debug", ".debug/vmlinux.debug"]) {
    const folder = join(image.folder, place.startsWith(".") ? "below" : "beside");
    mkdirSync(join(folder, dirname(place)), { recursive: true });
    const debug = join(folder, place), stripped = join(folder, "vmlinux");
    objcopy(["--only-keep-debug", image.path, debug]);
    copyFileSync(image.path, stripped);
    objcopy(["--strip-debug", `--add-gnu-debuglink=${debug}`, stripped]);
    using opened = new OpenImage(stripped);
    assert.equal(opened.debugPath, debug);
    assert.equal(opened.lack, undefined);
  }
});

test("a separate debug file of another build is not taken", () => {
  const folder = join(image.folder, "other");
  mkdirSync(folder);
  const debug = join(folder, "vmlinux.debug"), stripped = join(folder, "vmlinux");
  objcopy([
    "--only-keep-debug",
    "--remove-section=.note.gnu.build-id",
    image.path,
    debug,
  ]);
  copyFileSync(image.path, stripped);
  objcopy(["--strip-debug", `--add-gnu-debuglink=${debug}`, stripped]);
  using opened = new OpenImage(stripped);
  assert.match(
    opened.lack!,
    /no debug information: that is in vmlinux\.debug, which was not found/,
  );
});
