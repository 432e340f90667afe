import { withOwnBuiltins } from "../own_builtins.ts";
import { unseenScript } from "./unseen_script.ts";

/** The body of a test, a step or a suite, as runners call it. */
// deno-lint-ignore no-explicit-any -- whatever a runner passes goes on unchanged
export type TestBody = (this: any, ...args: any[]) => any;

/** What goes on around one call of a body. Nothing here may throw. */
export interface CoveredCall {
  /** What the body is called with. */
  readonly args: readonly unknown[];
  /** Called when the body has thrown; the error goes on to the runner. */
  threw(): void;
  /** Called when the body has returned: returns what the runner gets. */
  returned(result: unknown): unknown;
  /**
   * Called after that, where there: may call the body again, in the same way. Returns what the runner gets in the place of
   * `given`.
   */
  readonly again?: ((given: unknown, run: () => unknown) => unknown) | undefined;
}

// `finally`, not `catch`: Bun reports an error at the place that threw it last.
const around = unseenScript(
  `(function (apply) {
    "use strict";
    return (body, enter) => ({
      covered(...args) {
        const call = enter(args);
        let result, returned = false;
        try {
          result = apply(body, this, call.args);
          returned = true;
        } finally {
          if (!returned) call.threw();
        }
        const given = call.returned(result);
        return call.again === undefined
          ? given
          : call.again(given, () => apply(body, this, call.args));
      },
    }).covered;
  })`,
)(Reflect.apply) as (body: TestBody, enter: (args: unknown[]) => CoveredCall) => TestBody;

/**
 * A function that a runner takes for `body`: `enter` is called with what the runner passes, before the body is.
 *
 * @param ownParameters How many of the body's first parameters `enter` fills itself.
 */
export function coveredFunction(
  body: TestBody,
  enter: (args: unknown[]) => CoveredCall,
  ownParameters = 0,
): TestBody {
  const covered = around(body, (args) => withOwnBuiltins(() => enter(args)));
  return inShapeOf(body, covered, ownParameters);
}

/** A call around which nothing goes on. */
export function plainCall(args: readonly unknown[]): CoveredCall {
  return { args, threw() {}, returned: (result) => result };
}

/** `body`, with `before` called before it. */
export function precededFunction(body: TestBody, before: (args: unknown[]) => void): TestBody {
  return coveredFunction(body, (args) => {
    before(args);
    return plainCall(args);
  });
}

/**
 * Gives a function all that runners look at in another: its name, its length (for a callback to pass), what kind of
 * function it is, its text, and what properties it has, such as the place that Deno reports.
 */
export function inShapeOf<Wrapper extends TestBody>(
  body: TestBody,
  wrapper: Wrapper,
  ownParameters = 0,
): Wrapper {
  const shape: Record<string, PropertyDescriptor> = Object.getOwnPropertyDescriptors(body);
  delete shape["prototype"]; // of a function that makes objects
  const { length } = body;
  if (typeof length === "number" && shape["length"] !== undefined) {
    shape["length"] = { ...shape["length"], value: Math.max(0, length - ownParameters) };
  }
  if (!Object.hasOwn(body, "toString")) {
    const text = (): string => apply(functionText, body, []);
    shape["toString"] = { value: text, writable: true, configurable: true };
  }
  Object.setPrototypeOf(wrapper, Object.getPrototypeOf(body));
  return Object.defineProperties(wrapper, shape);
}

const { apply } = Reflect;
const { toString: functionText } = Function.prototype;
