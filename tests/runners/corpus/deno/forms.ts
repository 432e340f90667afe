import { withKernelCoverage } from "kernelcov";

Deno.test(withKernelCoverage(function named_by_its_body() {}));
Deno.test({ name: "an object", fn: withKernelCoverage(() => {}) });
Deno.test({ fn: withKernelCoverage(function an_object_named_by_its_body() {}) });
Deno.test("options between", { permissions: "inherit" }, withKernelCoverage(() => {}));
Deno.test({ permissions: "inherit" }, withKernelCoverage(function options_first() {}));
Deno.test({ name: "object and body" }, withKernelCoverage(() => {}));
