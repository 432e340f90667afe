import { withKernelCoverage } from "kernelcov";

function refuse(): never {
  throw new Error("replaced");
}
Deno.test("replaces", withKernelCoverage(() => {
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
Deno.test("the next", withKernelCoverage(() => console.log(typeof Atomics, typeof Map)));
Deno.test("waits", withKernelCoverage(async () => await null));
Deno.test("fails", withKernelCoverage(() => {
  throw new Error("as it should");
}));
