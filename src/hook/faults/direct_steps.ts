type Method = (...args: unknown[]) => unknown;

/** Methods of contexts by which a body has its steps run. */
const STEPS = ["step", "test", "it"];

/**
 * Has the steps of a test called by its body itself, where the body is run again: the runner would report each once more.
 *
 * @param args What the body is called with, the runner's context among it.
 */
export function runStepsDirectly(args: readonly unknown[]): void {
  for (const context of args) {
    if (typeof context !== "object" || context === null || !("name" in context)) continue;
    for (const key of STEPS) {
      if (typeof (context as Record<string, unknown>)[key] !== "function") continue;
      Object.defineProperty(context, key, {
        configurable: true,
        writable: true,
        value: async (...given: unknown[]): Promise<boolean> => {
          const body = given.map(bodyOf).find((found) => found !== undefined);
          await body?.(context);
          return true;
        },
      });
    }
  }
}

function bodyOf(given: unknown): Method | undefined {
  if (typeof given === "function") return given as Method;
  const fn = typeof given === "object" && given !== null
    ? (given as { fn?: unknown }).fn
    : undefined;
  return typeof fn === "function" ? fn as Method : undefined;
}
