import { withKernelCoverage } from "kernelcov";

class Counted<T> extends Promise<T> {
  static made = 0;
  constructor(executor: ConstructorParameters<typeof Promise<T>>[0]) {
    super(executor);
    Counted.made++;
  }
}
class Lazy extends Promise<void> {
  // deno-lint-ignore no-explicit-any
  override then(...args: any[]): any {
    console.log("started");
    return super.then(...args);
  }
}
Deno.test("counts", withKernelCoverage(() => Counted.resolve() as Promise<void>));
Deno.test("counted", withKernelCoverage(() => console.log(Counted.made)));
Deno.test("starts when awaited", withKernelCoverage(() => Lazy.resolve() as Promise<void>));
Deno.test("rejects", withKernelCoverage(() => Lazy.reject(new Error("lazily")) as Promise<void>));
