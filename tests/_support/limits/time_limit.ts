import process from "node:process";

/**
 * A test's time limit, of a kernel that runs on this machine's processor. Where it is emulated, `KERNELCOV_TEST_PATIENCE`
 * says how many times as long tests may take.
 *
 * @param ms milliseconds
 */
export function timeLimit(ms: number): number {
  return ms * Number(process.env["KERNELCOV_TEST_PATIENCE"] ?? 1);
}
