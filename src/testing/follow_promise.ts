const { apply, defineProperty, deleteProperty, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
const NativePromise = Promise;
const { prototype } = Promise;
const { then: nativeThen } = prototype;

/**
 * Calls one of the functions when a promise of the language is settled, before whoever asks later. Nothing of the test's
 * runs for it: no `then` of its own, no constructor of its class.
 *
 * @returns Whether it is a promise.
 */
export function followPromise(value: unknown, good: () => void, bad: () => void): boolean {
  if (typeof value !== "object" || value === null || !inheritsThen(value)) return false;
  const own = getOwnPropertyDescriptor(value, "constructor");
  const shielded = (own !== undefined || getPrototypeOf(value) !== prototype) &&
    defineProperty(value, "constructor", { value: NativePromise, configurable: true });
  try {
    apply(nativeThen, value, [good, bad]);
    return true;
  } catch {
    return false; // made from the prototype, and no promise
  } finally {
    if (shielded && own === undefined) deleteProperty(value, "constructor");
    else if (shielded) defineProperty(value, "constructor", own!);
  }
}

function inheritsThen(value: object): boolean {
  for (let at: object | null = value; at !== null; at = getPrototypeOf(at)) {
    if (at === prototype) return true;
  }
  return false;
}
