import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readRun } from "../../src/record/read_run.ts";
import { LiveCoverage } from "../../src/hook/live_coverage.ts";
import { withOwnBuiltins } from "../../src/hook/own_builtins.ts";
import { CollectorRecorder } from "../../src/hook/recorders/collector_recorder.ts";
import type { Recorder } from "../../src/hook/recorders/recorder.ts";
import { ThreadRecorder } from "../../src/hook/recorders/thread_recorder.ts";
import { loadLibc } from "../../src/sys/load.ts";
import { fakeCollectors } from "./fixtures/fake_collectors.ts";
import { fakeLibc } from "../_support/fake_libc.ts";

const A = 0x6000_0010;
const B = 0x6000_0020;

/** What tests may break: globals, with all their members and their prototypes'. */
const GLOBALS = [
  "Array",
  "ArrayBuffer",
  "Atomics",
  "BigInt",
  "BigUint64Array",
  "Boolean",
  "DataView",
  "Date",
  "Float64Array",
  "Function",
  "JSON",
  "Map",
  "Math",
  "Number",
  "Object",
  "Promise",
  "Reflect",
  "RegExp",
  "Set",
  "String",
  "Symbol",
  "TextDecoder",
  "TextEncoder",
  "Uint32Array",
  "Uint8Array",
  "WeakMap",
  "crypto",
  "parseInt",
  "performance",
  "queueMicrotask",
] as const;
interface Member {
  readonly of: string;
  readonly holder: object;
  readonly key: string | symbol;
  readonly own: PropertyDescriptor;
}

function members(): Member[] {
  const found: Member[] = [];
  function addAll(of: string, holder: object | undefined): void {
    if (holder === undefined) return;
    for (const key of Reflect.ownKeys(holder)) {
      const own = Reflect.getOwnPropertyDescriptor(holder, key)!;
      if (own.configurable && key !== "constructor") found.push({ of, holder, key, own });
    }
  }
  const globals = globalThis as unknown as Record<string, object>;
  for (const name of GLOBALS) {
    const own = Reflect.getOwnPropertyDescriptor(globalThis, name)!;
    found.push({ of: "globalThis", holder: globalThis, key: name, own });
    const value = globals[name]!;
    addAll(name, value);
    if (typeof value === "function") addAll(`${name}.prototype`, Reflect.get(value, "prototype"));
  }
  addAll("Performance.prototype", Object.getPrototypeOf(performance));
  addAll("TypedArray.prototype", Object.getPrototypeOf(Uint8Array.prototype));
  addAll("ArrayIterator", Object.getPrototypeOf([].values()));
  return found;
}

function refuse(): never {
  throw new RangeError("a test has replaced this");
}

const { defineProperty, deleteProperty } = Reflect;

/** Runs `action` while a member is broken, in one of two ways. */
function broken({ holder, key, own }: Member, isDeleted: boolean, action: () => void): void {
  if (isDeleted) deleteProperty(holder, key);
  else defineProperty(holder, key, { value: refuse, writable: true, configurable: true });
  try {
    action();
  } finally {
    defineProperty(holder, key, own);
  }
}

/** A recorder over a fake kernel. */
interface FakeRecorder {
  readonly recorder: Recorder & { close(): void };
  /** Has the kernel run points: A, B, and A again. */
  run(): void;
}

const SETTINGS = { mode: "auto", underCommand: true, words: 512 } as const;

const RECORDERS: Readonly<Record<string, (runDirectory: string) => FakeRecorder>> = {
  "a thread's device": (runDirectory) => {
    const libc = fakeLibc({ pcs: { read: [0x6000_0100n] } });
    const recorder = new ThreadRecorder({ ...SETTINGS, runDirectory }, () => libc);
    return { recorder, run: () => libc.record(BigInt(A), BigInt(B), BigInt(A)) };
  },
  collectors: (runDirectory) => {
    const kernel = fakeCollectors();
    function close(fd: number): number {
      if (fd === -1) kernel.record(A);
      return kernel.libc.close(fd);
    }
    const open = () => ({ ...kernel.libc, close });
    const settings = { ...SETTINGS, runDirectory };
    const recorder = new CollectorRecorder({ settings, open, openFiles: loadLibc });
    return { recorder, run: () => [A, B, A].forEach((pc) => kernel.record(pc)) };
  },
};

for (const [how, make] of Object.entries(RECORDERS)) {
  for (const isDeleted of [false, true]) {
    const what = isDeleted ? "deleted" : "replaced";
    test(`records are whole, whatever a test has ${what}, with ${how}`, () => {
      const folder = mkdtempSync(join(tmpdir(), "kernelcov-builtins-"));
      const runDirectory = join(folder, "run");
      const { recorder, run } = make(runDirectory);
      assert.equal(recorder.unavailable(), undefined);
      function record(name: string, around: (action: () => void) => void): void {
        const coverage = new LiveCoverage(recorder, { name, file: "x_test.ts" });
        around(() => withOwnBuiltins(() => coverage.begin()));
        run();
        around(() => coverage.end("passed"));
      }
      try {
        record("as found", (action) => action());
        const all = members();
        assert.ok(all.length > 300, `${all.length}`);
        for (const member of all) {
          const name = `${member.of}.${String(member.key)}`;
          record(name, (action) => broken(member, isDeleted, action));
        }
        recorder.close();
        const { records, damaged } = readRun(runDirectory);
        assert.equal(damaged, 0);
        const lost = new Set(all.map(({ of, key }) => `${of}.${String(key)}`));
        for (const { name, pcs, hits, durationMs } of records) {
          lost.delete(name);
          if (name.startsWith("(outside")) continue;
          assert.deepEqual([...pcs], [A, B], name);
          if (recorder.hasHits) assert.deepEqual([...hits!], [2, 1], name);
          assert.ok(durationMs >= 0 && durationMs < 60_000, `${name}: ${durationMs}`);
        }
        assert.deepEqual([...lost], []);
      } finally {
        recorder.close();
        rmSync(folder, { recursive: true });
      }
    });
  }
}

test("what a test has made of the built-ins is back afterwards", () => {
  const { map } = Array.prototype;
  const before = Reflect.getOwnPropertyDescriptor(globalThis, "performance")!;
  Array.prototype.map = refuse;
  deleteProperty(globalThis, "performance");
  defineProperty(Object.prototype, "toJSON", { value: refuse, configurable: true });
  try {
    const seen = withOwnBuiltins(() => [
      Array.prototype.map === map,
      typeof performance.now(),
      JSON.stringify({ a: [1] }),
    ]);
    assert.equal(seen[0], true);
    assert.equal(seen[1], "number");
    assert.equal(seen[2], '{"a":[1]}');
    assert.equal(Array.prototype.map, refuse);
    assert.equal("performance" in globalThis, false);
    assert.equal(Reflect.has(Object.prototype, "toJSON"), true);
    assert.throws(() => withOwnBuiltins(() => JSON.parse("{")), SyntaxError);
    assert.equal(Array.prototype.map, refuse, "also where the hook throws");
  } finally {
    Array.prototype.map = map;
    defineProperty(globalThis, "performance", before);
    Reflect.deleteProperty(Object.prototype, "toJSON");
  }
});
