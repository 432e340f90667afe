import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test.todo("without a body");
test.todo("with one", withKernelCoverage(() => console.log("ran")));
test.todoIf(true)("by condition", withKernelCoverage(() => console.log("ran")));
test("runs", withKernelCoverage(() => {}));
