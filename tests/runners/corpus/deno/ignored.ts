import { withKernelCoverage } from "kernelcov";

Deno.test.ignore("by function", withKernelCoverage(() => console.log("ran")));
Deno.test({ name: "by option", ignore: true, fn: withKernelCoverage(() => console.log("ran")) });
Deno.test("runs", withKernelCoverage(() => {}));
