import { withKernelCoverage } from "kernelcov";

const key = Symbol.for("Deno.test.location");
const place = Object.assign(() => {}, { [key]: { fileName: "x.ts", lineNumber: 7 } });
Deno.test("placed", withKernelCoverage(place));
function declare(name: string): void {
  Deno.test(name, withKernelCoverage(() => {
    throw new Error("declared by a function");
  }));
}
declare("by a function");
