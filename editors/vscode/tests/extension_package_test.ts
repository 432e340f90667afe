import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { inflateRawSync } from "node:zlib";
import { packExtension } from "../../../scripts/vsix/vsix.ts";
import { FakeEditor } from "./fake_editor.ts";

const root = join(import.meta.dirname!, "../../..");
const folder = mkdtempSync(join(tmpdir(), "kernelcov-vsix-test-"));
after(() => rmSync(folder, { recursive: true }));

const CENTRAL_ENTRY = 0x02014b50, END = 0x06054b50;

/** The files of a zip archive, by their names, from its central directory. */
function unzip(path: string): Map<string, string> {
  const bytes = readFileSync(path);
  const end = bytes.length - 22;
  assert.equal(bytes.readUInt32LE(end), END);
  const files = new Map<string, string>();
  for (let at = bytes.readUInt32LE(end + 16); bytes.readUInt32LE(at) === CENTRAL_ENTRY;) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((o) =>
      bytes.readUInt16LE(at + o)
    );
    const name = bytes.toString("utf8", at + 46, at + 46 + nameLength!);
    const local = bytes.readUInt32LE(at + 42);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const packed = bytes.subarray(start, start + bytes.readUInt32LE(at + 20));
    const data = bytes.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed);
    files.set(name, data.toString("utf8"));
    at += 46 + nameLength! + extraLength! + commentLength!;
  }
  return files;
}

test("the extension's package holds what the editor starts, and nothing else", {
  timeout: 600_000,
}, () => {
  const path = packExtension(folder);
  assert.equal(path, join(folder, "kernelcov-vscode-0.1.0.vsix"));
  const files = unzip(path);
  assert.deepEqual([...files.keys()].sort(), [
    "[Content_Types].xml",
    "extension.vsixmanifest",
    "extension/LICENSE.txt",
    "extension/dist/extension.js",
    "extension/package.json",
    "extension/readme.md",
  ]);
  const own = JSON.parse(readFileSync(join(root, "editors/vscode/package.json"), "utf8"));
  const packed = JSON.parse(files.get("extension/package.json")!);
  assert.deepEqual(packed.contributes, own.contributes);
  assert.ok(files.has(join("extension", packed.main)));
  assert.match(
    files.get("extension.vsixmanifest")!,
    /<Identity [^>]*Id="kernelcov-vscode" Version="0\.1\.0" Publisher="kernelcov"/,
  );
  assert.match(
    files.get("extension.vsixmanifest")!,
    /Id="Microsoft\.VisualStudio\.Code\.Engine" Value="\^1\.94\.0"/,
  );
  // Its page in the editor has no links into a checkout.
  assert.doesNotMatch(files.get("extension/readme.md")!, /\]\((?!https?:)/);
  assert.equal(files.get("extension/LICENSE.txt"), readFileSync(join(root, "LICENSE"), "utf8"));

  // The packed code runs by itself, and has the commands that it is said to have.
  const fake = new FakeEditor([folder], {});
  const module: { exports: { activate?: (context: unknown) => void } } = { exports: {} };
  const require = createRequire(import.meta.url);
  new Function("require", "module", "exports", files.get("extension/dist/extension.js")!)(
    (name: string) => name === "vscode" ? fake.api : require(name),
    module,
    module.exports,
  );
  module.exports.activate!(fake);
  const contributed = own.contributes.commands.map(({ command }: { command: string }) => command);
  assert.deepEqual([...fake.commands.keys()].sort(), contributed.sort());
});
