import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

function refuse(): never {
  throw new Error("replaced");
}
test("replaces", withKernelCoverage(() => {
  for (const name of ["Atomics", "Map", "Set", "JSON", "Date", "Uint8Array", "Float64Array"]) {
    Reflect.set(globalThis, name, undefined);
  }
  Array.prototype.map = refuse;
  Array.prototype.push = refuse;
  String.prototype.split = refuse;
  String.prototype.slice = refuse;
  Promise.prototype.then = refuse;
  Reflect.apply = refuse;
}));
test("the next", withKernelCoverage(() => console.log(typeof Atomics, typeof Map)));
test("waits", withKernelCoverage(async () => await null));
test("fails", withKernelCoverage(() => {
  throw new Error("as it should");
}));
