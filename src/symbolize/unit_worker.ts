// The second thread of UnitWorker: takes one task, answers once.
import { parentPort } from "node:worker_threads";
import { CodeBlocks } from "./image_points.ts";
import { OpenImage } from "./open_image.ts";
import { packResults, type WorkerAnswer, type WorkerTask } from "./parallel_units.ts";
import { joinWork, takeUnits } from "./shared_units.ts";
import { UnitReader } from "./unit_reader.ts";
import { doUnits, type UnitResults } from "./unit_work.ts";

parentPort?.once("message", (task: WorkerTask) => {
  if (!joinWork(task.units)) return;
  try {
    const results = doTask(task);
    answer({ results: packResults(results) }, columnsOf(results));
  } catch (error) {
    answer({ error: String(error) }, []);
  }
});

function doTask(task: WorkerTask): UnitResults {
  using image = new OpenImage(task.path);
  const reader = new UnitReader(image.sections(), task.headers);
  const ends = task.withClaims ? new CodeBlocks(image.elf) : undefined;
  return doUnits(reader, task.addresses, task, takeUnits(task.units), ends);
}

function answer(message: WorkerAnswer, transfer: ArrayBuffer[]): void {
  parentPort?.postMessage(message, transfer);
}

function columnsOf(results: UnitResults): ArrayBuffer[] {
  return Object.values(results).flatMap((value) =>
    ArrayBuffer.isView(value) ? [value.buffer as ArrayBuffer] : []
  );
}
