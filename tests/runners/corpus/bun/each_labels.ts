import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test.each([[1.5, "s", { a: 1 }]])("%p and %s and %j", withKernelCoverage((cov, _) => {}));
test.each([[1.5, "s", { a: 1 }]])("%i %% %o", withKernelCoverage((cov, _) => {}));
test.each([[true, null, undefined]])("%p %p %p %p", withKernelCoverage((cov, _) => {}));
test.each([{ a: "text", b: 1n, c: [1] }])("$a $b $c $d", withKernelCoverage((cov, _) => {}));
test.each([[1]])("no place", withKernelCoverage((cov, _) => {}));
