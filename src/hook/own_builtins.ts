// A test may replace or delete anything that the language and the runtime provide: a clock, Map, JSON, the methods of arrays.
// The hook runs between tests and within them, so it puts what it found when it was loaded in place while it runs, and
// what the test made of it back afterwards. Nothing else runs meanwhile: it is synchronous.

const { defineProperty, deleteProperty, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;

/**
 * What the hook uses: globals, their members, and the members of their prototypes. `@` stands before the name of a
 * well-known symbol.
 */
const USED: Readonly<Record<string, readonly [members: string, ofPrototype: string]>> = {
  Array: [
    "from isArray of",
    "@iterator at concat entries every fill filter find findIndex findLast findLastIndex flat flatMap forEach includes indexOf join keys map pop push reduce reverse shift slice some sort splice unshift values",
  ],
  ArrayBuffer: ["isView", "slice transfer"],
  Atomics: ["add exchange load notify store wait", ""],
  BigInt: ["asIntN asUintN", "toString"],
  BigInt64Array: ["", ""],
  BigUint64Array: ["", ""],
  Boolean: ["", ""],
  Bun: ["", ""],
  DataView: ["", "getBigUint64 getInt32 getUint32 getUint8 setBigUint64 setInt32 setUint32"],
  Date: ["now", ""],
  Deno: ["", ""],
  Error: ["captureStackTrace prepareStackTrace", "toString"],
  Float64Array: ["", ""],
  Function: ["", "@hasInstance apply bind call"],
  Int32Array: ["", ""],
  JSON: ["parse stringify", ""],
  Map: ["", "@iterator clear delete entries forEach get has keys set values"],
  Math: ["ceil floor imul max min trunc", ""],
  Number: ["isFinite isInteger isSafeInteger", "toString"],
  Object: [
    "assign create defineProperties defineProperty entries freeze fromEntries getOwnPropertyDescriptor getOwnPropertyDescriptors getPrototypeOf hasOwn is keys setPrototypeOf values",
    "hasOwnProperty toString",
  ],
  Promise: ["reject resolve withResolvers", "catch finally then"],
  RangeError: ["", ""],
  Reflect: ["apply construct get getOwnPropertyDescriptor ownKeys", ""],
  RegExp: ["", "@match @matchAll @replace @split exec test toString"],
  Set: ["", "@iterator add clear delete forEach has values"],
  String: [
    "fromCodePoint raw",
    "@iterator at charCodeAt codePointAt endsWith includes indexOf lastIndexOf match matchAll padEnd padStart replace replaceAll slice split startsWith substring toLowerCase toString toUpperCase trim",
  ],
  Symbol: ["for", ""],
  TextDecoder: ["", "decode"],
  TextEncoder: ["", "encode encodeInto"],
  TypeError: ["", ""],
  URL: ["", ""],
  Uint16Array: ["", ""],
  Uint32Array: ["", ""],
  Uint8Array: ["fromBase64 fromHex", "toBase64 toHex"],
  WeakMap: ["", "get has set"],
  crypto: ["getRandomValues", ""],
  globalThis: ["", ""],
  parseInt: ["", ""],
  performance: ["now", ""],
  process: ["cwd env getBuiltinModule getuid", ""],
  queueMicrotask: ["", ""],
};
/** What would change how all objects are written as JSON or described as properties, where a test adds it. */
const ADDED = "configurable enumerable get set toJSON value writable";
const TYPED_ARRAY =
  "@iterator at entries every fill find findIndex indexOf join length map set slice sort subarray values";

/** A property that the hook relies on. */
interface Reliance {
  readonly holder: object;
  readonly key: string | symbol;
  /** What it was when the hook was loaded; `undefined` where there was none. */
  readonly own: PropertyDescriptor | undefined;
}

const reliances = listReliances();

function listReliances(): Reliance[] {
  const found: Reliance[] = [];
  function add(holder: object, keys: string | readonly symbol[]): void {
    for (const word of typeof keys === "string" ? keys.split(" ") : keys) {
      const key = typeof word === "string" && word.startsWith("@")
        ? Symbol[word.slice(1) as "iterator"]
        : word;
      const own = getOwnPropertyDescriptor(holder, key);
      // What cannot be changed needs no look; what one runtime lacks, its part of the hook does not use.
      if (own !== undefined && (own.configurable || own.writable)) found.push({ holder, key, own });
    }
  }
  const globals = globalThis as unknown as Record<string, { prototype?: object } | undefined>;
  for (const [name, [members, ofPrototype]] of Object.entries(USED)) {
    const value = globals[name];
    if (value === undefined) continue;
    add(globalThis, name);
    add(value, members);
    if (value.prototype !== undefined) add(value.prototype, ofPrototype);
  }
  add(getPrototypeOf(globalThis.performance)!, "now");
  add(getPrototypeOf(globalThis.crypto)!, "getRandomValues");
  // By which Deno knows them as its own.
  for (const own of [globalThis.performance, globalThis.crypto]) {
    add(own, Object.getOwnPropertySymbols(own));
  }
  add(getPrototypeOf(Uint8Array.prototype)!, TYPED_ARRAY);
  for (const iterator of [[].values(), new Map().keys(), new Set().keys(), "".matchAll(/a/g)]) {
    add(getPrototypeOf(iterator)!, "next");
  }
  add(getPrototypeOf(""[Symbol.iterator]())!, "next");
  add(getPrototypeOf(getPrototypeOf([].values())!)!, "@iterator");
  for (const key of ADDED.split(" ")) found.push({ holder: Object.prototype, key, own: undefined });
  for (const { prototype } of [Array, String, Number, Boolean]) {
    found.push({ holder: prototype, key: "toJSON", own: undefined });
  }
  return found;
}

/** What is looked up by its name alone: that is many times faster than its descriptor. */
const plain = reliances.filter(({ own }) => own === undefined || "value" in own);
const accessors = reliances.filter((reliance) => !plain.includes(reliance));
const holders = plain.map(({ holder }) => holder as Record<string | symbol, unknown>);
const keys = plain.map(({ key }) => key);
const values: readonly unknown[] = plain.map(({ own }) => own?.value);

function isUnchanged(): boolean {
  try {
    for (let index = 0; index < holders.length; index++) {
      if (holders[index][keys[index]] !== values[index]) return false;
    }
  } catch {
    return false; // what stands there now throws
  }
  for (let index = 0; index < accessors.length; index++) {
    if (!isAsFound(accessors[index])) return false;
  }
  return true;
}

function isAsFound({ holder, key, own }: Reliance): boolean {
  const now = getOwnPropertyDescriptor(holder, key);
  if (own === undefined || now === undefined) return own === now;
  return own.value === now.value && own.get === now.get;
}

/**
 * Runs `action`, a part of the hook, with the built-in functions and objects that were there when the hook was loaded,
 * even if tests have replaced them since.
 */
export function withOwnBuiltins<Result>(action: () => Result): Result {
  if (isUnchanged()) return action();
  const changed: Reliance[] = [], theirs: (PropertyDescriptor | undefined)[] = [];
  let count = 0;
  // No method of an array is called here: it may be the test's.
  for (let index = 0; index < reliances.length; index++) {
    const reliance = reliances[index];
    if (isAsFound(reliance)) continue;
    changed[count] = reliance;
    theirs[count++] = getOwnPropertyDescriptor(reliance.holder, reliance.key);
  }
  for (let index = 0; index < count; index++) put(changed[index], changed[index].own);
  try {
    return action();
  } finally {
    while (count-- > 0) put(changed[count], theirs[count]);
  }
}

/** Where the test has made the property unchangeable, it stays what it is. */
function put({ holder, key }: Reliance, descriptor: PropertyDescriptor | undefined): void {
  if (descriptor === undefined) deleteProperty(holder, key);
  else defineProperty(holder, key, descriptor);
}
