const { apply, defineProperty, deleteProperty, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
const NativePromise = Promise;
const { prototype } = Promise;
const { then: nativeThen } = prototype;

/**
 * Calls one of the functions when a native promise is settled, before anything that is attached later. No code of the
 * test runs for it: neither an own `then` nor a subclass's constructor.
 *
 * @returns Whether it is a native promise.
 */
export function followPromise(
  value: unknown,
  onFulfilled: () => void,
  onRejected: () => void,
): boolean {
  if (typeof value !== "object" || value === null || !mayBePromise(value)) return false;
  const own = getOwnPropertyDescriptor(value, "constructor");
  const shielded = (own !== undefined || getPrototypeOf(value) !== prototype) &&
    defineProperty(value, "constructor", { value: NativePromise, configurable: true });
  try {
    apply(nativeThen, value, [onFulfilled, onRejected]);
    return true;
  } catch {
    return false; // made from the prototype, and no promise
  } finally {
    if (shielded && own === undefined) deleteProperty(value, "constructor");
    else if (shielded) defineProperty(value, "constructor", own!);
  }
}

/**
 * As {@linkcode followPromise}, with a promise that is settled as `value` is and afterwards: an error's stack then names
 * the runner's functions that wait, which V8 finds where a promise has one follower only. `undefined` of what may have a
 * `then` of its own, which the runner must call.
 */
export function passPromiseOn(
  value: object,
  onFulfilled: () => void,
  onRejected: () => void,
): Promise<unknown> | undefined {
  if (!mayBePromise(value) || getPrototypeOf(value) !== prototype) return undefined;
  if (getOwnPropertyDescriptor(value, "constructor") !== undefined) return undefined;
  function resolved(result: unknown): unknown {
    onFulfilled();
    return result;
  }
  function rejected(error: unknown): never {
    onRejected();
    throw error;
  }
  try {
    return apply(nativeThen, value, [resolved, rejected]) as Promise<unknown>;
  } catch {
    return undefined; // made from the prototype, and no promise
  }
}

function mayBePromise(value: object): boolean {
  try {
    for (let at: object | null = value; at !== null; at = getPrototypeOf(at)) {
      if (at === prototype) return true;
    }
  } catch {
    // A proxy that refuses to be looked at.
  }
  return false;
}
