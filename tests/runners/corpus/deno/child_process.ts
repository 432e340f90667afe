import { withKernelCoverage } from "kernelcov";

Deno.test("prints", withKernelCoverage(async () => {
  const { code, stdout } = await new Deno.Command("sh", { args: ["-c", "echo out; exit 4"] })
    .output();
  console.log(code, new TextDecoder().decode(stdout).trim());
}));
