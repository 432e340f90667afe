import { setTimeout as wait } from "node:timers/promises";
import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

test("never ends", { timeout: 30 }, withKernelCoverage(() => new Promise(() => {})));
test("ends too late", { timeout: 10 }, withKernelCoverage(async () => await wait(60)));
test("is the next", withKernelCoverage(async () => await wait(100)));
