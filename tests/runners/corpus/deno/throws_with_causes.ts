import { withKernelCoverage } from "kernelcov";

Deno.test("a cause", withKernelCoverage(() => {
  throw new Error("outer", { cause: new RangeError("inner") });
}));
Deno.test("several", withKernelCoverage(() => {
  throw new AggregateError([new Error("one"), new Error("two")], "both");
}));
class OwnError extends Error {
  override readonly name = "OwnError";
  code = 7;
}
Deno.test("of a class", withKernelCoverage(() => {
  throw new OwnError("own");
}));
