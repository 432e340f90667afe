import { expect, test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("prints", withKernelCoverage(async () => {
  const { exitCode, stdout } = Bun.spawnSync(["sh", "-c", "echo out; exit 4"]);
  console.log(exitCode, stdout.toString().trim());
  expect(await Bun.$`echo shell`.text()).toBe("shell\n");
}));
