import { withKernelCoverage } from "kernelcov";

const code = `postMessage("from a worker"); close();`;
Deno.test("answers", withKernelCoverage(async () => {
  const worker = new Worker(`data:application/javascript,${code}`, { type: "module" });
  console.log(await new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data)));
  worker.terminate();
}));
