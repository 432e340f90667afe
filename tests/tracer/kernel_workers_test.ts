import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { loadLibc } from "../../src/sys/load.ts";
import { currentArchitecture } from "../../src/tracer/tasks/architecture.ts";
import { KernelWorkers } from "../../src/tracer/tasks/kernel_workers.ts";

const folder = mkdtempSync(join(tmpdir(), "kernelcov-proc-"));
after(() => rmSync(folder, { recursive: true }));

// A folder of folders has a link for each, as under /proc; not in every file system.
const PF_IO_WORKER = 0x10;
const THREADS = {
  70: { name: "bun", flags: 0 },
  71: { name: "iou-wrk-70", flags: PF_IO_WORKER | 0x40 },
  72: { name: "iou-sqp-70", flags: PF_IO_WORKER },
  73: { name: "iou-wrk-70", flags: PF_IO_WORKER },
  74: { name: "iou-wrk-70", flags: 0x40 }, // a program's own thread, so named
  76: { name: "vhost-70", flags: 0x4040 },
  75: { name: ") R 1 (bun", flags: PF_IO_WORKER }, // never gets to run, so has its maker's name
};
for (const [tid, { name, flags }] of Object.entries(THREADS)) {
  mkdirSync(join(folder, "70/task", tid), { recursive: true });
  const stat = `${tid} (${name}) S 1 70 70 0 -1 ${flags} 0 0\n`;
  writeFileSync(join(folder, "70/task", tid, "stat"), stat);
}

const { statx } = currentArchitecture().systemCalls;

test("the kernel's threads for io_uring are found, those that are traced left out", () => {
  // The one answer that a plain folder may lack: how many links it has.
  const { syscall: _call, ...libc } = loadLibc();
  const status = new Uint32Array(64).fill(0);
  function links(
    _number: bigint,
    _folder: bigint,
    _path: bigint,
    _flags: bigint,
    _mask: bigint,
    at: bigint,
  ): bigint {
    const view = new Uint32Array(libc.view(at, status.byteLength));
    view[4] = 2 + Object.keys(THREADS).length;
    return 0n;
  }
  const workers = new KernelWorkers({ ...libc, syscall: links }, statx, folder);
  const found = workers.find(70, (tid) => tid === 70 || tid === 73, 2);
  assert.deepEqual(Object.fromEntries(found), {
    71: "io_uring worker iou-wrk",
    72: "io_uring worker iou-sqp",
    75: "io_uring worker unnamed",
    76: "kernel worker vhost",
  });
  assert.equal(workers.find(70, () => false, 7).size, 0);
});

test("a process of this machine has no more threads than it has, and one that is gone has none", () => {
  const workers = new KernelWorkers(loadLibc(), statx);
  assert.equal(workers.find(process.pid, () => false, 0).size, 0);
  assert.equal(workers.find(0x7fff_fff0, () => false, 0).size, 0);
});
