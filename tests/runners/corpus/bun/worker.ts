import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("answers", withKernelCoverage(async () => {
  const code = new Blob([`postMessage("from a worker");`], { type: "application/javascript" });
  const worker = new Worker(URL.createObjectURL(code));
  console.log(await new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data)));
  worker.terminate();
}));
