import assert from "node:assert/strict";
import { test } from "node:test";
import { imageAddress, imageSections, ModuleImages } from "../../src/kernel/module_images.ts";
import { ModuleMap } from "../../src/kernel/module_map.ts";

const module = {
  name: "m",
  buildId: "",
  instance: 1,
  sections: [
    { name: ".text", start: 0x1000, limit: 0x3000 },
    { name: ".exit.text", start: 0x5000, limit: 0x6000 },
  ],
};
const map = new ModuleMap([module]);
const sections = imageSections([
  { name: ".text", address: 0x40, size: 0x100 },
  { name: ".data", address: 0x900, size: 8 },
]);

function addressOf(pc: number): number | undefined {
  return imageAddress(pc, map.find(pc)!, sections);
}

test("a raw PC in a module has the image's address, up to the end of the image's section", () => {
  assert.equal(addressOf(0x1005), 0x45);
  assert.equal(addressOf(0x1100), 0x140, "a return address may be the end");
  assert.equal(addressOf(0x1101), undefined, "the module's pages go on behind its section");
  assert.equal(addressOf(0x5005), undefined, "the image has no such section");
});

test("each module's image is loaded once, also where there is none", () => {
  const loaded: string[] = [];
  const images = new ModuleImages(({ name }) => {
    loaded.push(name);
    return name === "m" ? { name } : undefined;
  });
  const other = { ...module, name: "other" };
  for (const one of [module, other, module, other]) {
    assert.equal(images.of(one)?.name, one.name === "m" ? "m" : undefined);
  }
  assert.deepEqual(loaded, ["m", "other"]);
  assert.deepEqual([...images.take()], [{ name: "m" }]);
  assert.deepEqual([...images.take()], []);
});
