import assert from "node:assert/strict";
import { test } from "node:test";
import { KcovUnavailableError } from "../../../src/errors.ts";
import { checkTreeConfig, treeConfig } from "../../../src/build/tree/tree_options.ts";

const WHOLE = `# Linux/um 6.12.0 Kernel Configuration
CONFIG_CC_VERSION_TEXT="gcc 11"
CONFIG_UML=y
CONFIG_KCOV=n
CONFIG_MINE=y
# CONFIG_NET is not set
`;

/** A configuration as Kconfig leaves it that has the wanted options, without some. */
function made(text: string, ...without: readonly string[]): string {
  return text.split("\n").filter((line) => !without.some((name) => line.includes(`${name}=`)))
    .join("\n");
}

test("without a configuration of the user's it is the embedded kernel's", () => {
  const config = treeConfig();
  assert.equal(config.target, "allnoconfig");
  assert.match(config.text, /^CONFIG_KCOV=y$/m);
  assert.deepEqual(checkTreeConfig(config, config.text), { missing: [], lost: [] });
});

test("an option that an older tree does not have is told; one that is needed is an error", () => {
  const config = treeConfig();
  const { missing } = checkTreeConfig(config, made(config.text, "CONFIG_CACHESTAT_SYSCALL"));
  assert.deepEqual(missing, ["CONFIG_CACHESTAT_SYSCALL=y"]);
  assert.throws(
    () => checkTreeConfig(config, made(config.text, "CONFIG_HOSTFS", "CONFIG_OVERLAY_FS")),
    (error) =>
      error instanceof KcovUnavailableError &&
      /cannot do without CONFIG_HOSTFS=y, CONFIG_OVERLAY_FS=y/.test(error.message),
  );
});

test("options of the user's are added, and each that is refused is named", () => {
  const config = treeConfig({ origin: "my.config", text: "CONFIG_MINE=y\nCONFIG_OTHER=y\n" });
  assert.match(config.text, /^CONFIG_MINE=y$/m);
  assert.throws(
    () => checkTreeConfig(config, made(config.text, "CONFIG_MINE", "CONFIG_OTHER")),
    /does not accept CONFIG_MINE=y, CONFIG_OTHER=y: add the options/,
  );
});

test("a whole configuration gets what is needed, and what it loses is told", () => {
  const config = treeConfig({ origin: ".config", text: WHOLE });
  assert.equal(config.target, "olddefconfig");
  assert.match(config.text, /^CONFIG_KCOV=y$/m);
  assert.match(config.text, /^CONFIG_NET=y$/m);
  assert.match(config.text, /^CONFIG_MINE=y$/m);
  // Nothing of the embedded kernel's that can be done without.
  assert.doesNotMatch(config.text, /CONFIG_EXT4_FS/);
  const { lost, missing } = checkTreeConfig(
    config,
    made(config.text, "CONFIG_MINE").replace('"gcc 11"', '"gcc 12"'),
  );
  assert.deepEqual([lost, missing], [["CONFIG_MINE=y"], []]);
});

test("a whole configuration of another architecture is an error", () => {
  const text = WHOLE.replace("CONFIG_UML=y", "CONFIG_X86=y");
  assert.throws(
    () => treeConfig({ origin: "tree/.config", text }),
    /tree\/\.config is not a configuration of user-mode Linux: make one with make ARCH=um/,
  );
});
