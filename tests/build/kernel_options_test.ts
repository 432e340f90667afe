import assert from "node:assert/strict";
import { test } from "node:test";
import {
  droppedOptions,
  mergeKernelOptions,
  parseKernelOptions,
} from "../../src/build/kernel_options.ts";

test("options are read from lines of a configuration, comments and empty lines aside", () => {
  const text = '# note\n\nCONFIG_A=y\n  CONFIG_B="a b"  \r\n# CONFIG_C is not set\nCONFIG_D=n\n';
  assert.deepEqual([...parseKernelOptions(text, "f")], [
    ["CONFIG_A", "CONFIG_A=y"],
    ["CONFIG_B", 'CONFIG_B="a b"'],
    ["CONFIG_C", "# CONFIG_C is not set"],
    ["CONFIG_D", "# CONFIG_D is not set"],
  ]);
});

test("a line that is no option is an error with its number", () => {
  for (const line of ["EXT4_FS=y", "CONFIG_EXT4_FS", "CONFIG_EXT4_FS=", "CONFIG_A =y"]) {
    assert.throws(() => parseKernelOptions(`CONFIG_A=y\n${line}\n`, "my.config"), {
      name: "TypeError",
      message:
        `my.config:2: "${line}" is not an option: write CONFIG_NAME=y, or # CONFIG_NAME is not set`,
    });
  }
});

test("a fragment's options take the place of those that they contradict, and others are added", () => {
  const base = parseKernelOptions("CONFIG_A=y\nCONFIG_B=y\n", "base");
  const fragment = parseKernelOptions("# CONFIG_A is not set\nCONFIG_C=3\n", "fragment");
  assert.equal(
    mergeKernelOptions(base, fragment),
    "# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_C=3\n",
  );
});

test("an option is dropped where the finished configuration has another value, or none", () => {
  const wanted = parseKernelOptions(
    "CONFIG_A=y\nCONFIG_B=y\nCONFIG_M=m\n# CONFIG_C is not set\n# CONFIG_D is not set\n# CONFIG_E is not set",
    "f",
  );
  const made = parseKernelOptions(
    "CONFIG_A=y\nCONFIG_M=y\n# CONFIG_C is not set\nCONFIG_D=y\n",
    "f",
  );
  assert.deepEqual(droppedOptions(wanted, made), [
    "CONFIG_B=y",
    "CONFIG_M=m",
    "# CONFIG_D is not set",
  ]);
});
