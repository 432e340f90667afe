import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { commandBlocks, documents, namedExamples } from "../../scripts/checks/documents.ts";

const root = join(import.meta.dirname!, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** Names of a page's headings in links, as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replace(/^```[^]*?^```/gm, "").matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, heading]) =>
      heading!.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
    ),
  );
}

test("links between documents lead to headings that are there", () => {
  let links = 0;
  for (const document of [...documents(), "CHANGELOG.md"]) {
    for (const [, path, anchor] of read(document).matchAll(/\]\(([\w./-]*)#([\w-]+)\)/g)) {
      const target = path === "" ? document : normalize(join(dirname(document), path!));
      assert.ok(anchorsOf(read(target)).has(anchor!), `${document}: ${path}#${anchor}`);
      links++;
    }
  }
  assert.ok(links > 10);
});

test("each error in troubleshooting is one that kernelcov has", () => {
  const sources = globSync("src/**/*.ts", { cwd: root }).map(read)
    // Texts that were written in pieces are one again.
    .map((text) => text.replace(/["`]\s*\+\s*["`]/g, "").replaceAll('\\"', '"'));
  const headings = [...read("docs/troubleshooting.md").matchAll(/^### `(.*)`$/gm)];
  assert.ok(headings.length > 20);
  for (const [, text] of headings) {
    const parts = text!.split("…").map((part) => part.replace(/^[\s),]+|[\s(,]+$/g, "")).filter((
      part,
    ) => part.length > 7);
    assert.ok(parts.length > 0, text);
    for (const part of parts) {
      assert.ok(sources.some((source) => source.includes(part)), `${text}: ${part}`);
    }
  }
});

test("command blocks are found with what their comments say", () => {
  const text = [
    "A page.",
    "<!-- run in: checkout; with --all: it takes long -->",
    "",
    "```sh",
    "kernelcov watch",
    "```",
    "* an item",
    "  ```sh",
    "  one",
    "  two",
    "  ```",
    "```",
    "$ kernelcov which a",
    "a (b.c:1)",
    "```",
    "```ts",
    "$ no;",
    "```",
  ].join("\n");
  assert.deepEqual(commandBlocks("page.md", text), [
    {
      place: "page.md:4",
      script: "kernelcov watch",
      comments: ["run in: checkout", "with --all: it takes long"],
    },
    { place: "page.md:8", script: "one\ntwo", comments: [] },
    { place: "page.md:12", script: "kernelcov which a", comments: [] },
  ]);
});

test("examples that name their file are found, also more than one", () => {
  const text = [
    "```ts\n// a_test.ts\none();\n```\n",
    "```ts\nother();\n```",
    "```\n# b.config\nCONFIG_B=y\n```\n",
    "```ini\n# /etc/c.config\n```\n",
  ].join("\n");
  assert.deepEqual([...namedExamples(text)], [
    ["a_test.ts", "// a_test.ts\none();\n"],
    ["b.config", "# b.config\nCONFIG_B=y\n"],
  ]);
  assert.ok(namedExamples(read("README.md")).has("pipe_test.ts"));
});
