import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { test } from "node:test";
import { SyscallError } from "../../../src/errors.ts";
import { Collector, COLLECTOR_FUNCTIONS } from "../../../src/kcov/collector.ts";
import { OriginTally } from "../../../src/kcov/origin_tally.ts";
import { loadLibcPart } from "../../../src/sys/load.ts";
import { kernelFunctions } from "../../_support/kernel_symbols.ts";
import { RECORDERS } from "../../_support/supervised.ts";

const libc = loadLibcPart(COLLECTOR_FUNCTIONS);

/** The descriptors of KCOV devices. */
function devices(): number[] {
  return readdirSync("/proc/self/fd").map(Number).filter((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`).endsWith("/kcov");
    } catch {
      return false; // that of the folder itself
    }
  });
}

test("a collector whose descriptor became another's leaves that one alone", {
  skip: !RECORDERS.includes("collectors"),
}, () => {
  const words = 65536;
  const others = devices();
  using closed = Collector.open(libc, { words });
  const [number] = devices().filter((device) => !others.includes(device));
  libc.close(number);
  using open = Collector.open(libc, { words });
  assert.ok(devices().includes(number), "the number is given anew");
  open.collect("thread");
  for (const use of [() => closed.take(true), () => closed.stop(), () => closed.leave()]) {
    assert.throws(use, (error) => error instanceof SyscallError && error.code === "EBADF");
  }
  readFileSync("/proc/version");
  // What it held can be read, and closing it closes nothing.
  assert.equal(closed.count, 0);
  closed.close();
  readFileSync("/proc/uptime");
  open.stop();
  const tally = new OriginTally();
  open.addTo(tally);
  const functions = kernelFunctions(tally.take().pcs);
  assert.ok(functions.has("version_proc_show") && functions.has("uptime_proc_show"));
  open.leave();
});
