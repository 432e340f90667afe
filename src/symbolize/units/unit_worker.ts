// The second thread of UnitWorker: takes one task, answers once.
import { ImageCode } from "../../elf/image_code.ts";
import { OpenImage } from "../../kernel/image/open_image.ts";
import { type PackedResults, packResults, type WorkerTask } from "./parallel_units.ts";
import { joinWork, takeUnits } from "./shared_units.ts";
import { UnitReader } from "./unit_reader.ts";
import { doUnits, type UnitResults } from "./unit_work.ts";
import { answerOnce } from "./worker_thread.ts";

answerOnce<WorkerTask, PackedResults>((task) => {
  if (!joinWork(task.units)) return undefined;
  const results = doTask(task);
  return { answer: packResults(results), transfer: columnsOf(results) };
});

function doTask(task: WorkerTask): UnitResults {
  using image = new OpenImage(task.path);
  const reader = new UnitReader(image.sections(), task.headers);
  const code = new ImageCode(image.elf);
  return doUnits(reader, task.addresses, task, takeUnits(task.units), code);
}

function columnsOf(results: UnitResults): ArrayBuffer[] {
  return Object.values(results).flatMap((value) =>
    ArrayBuffer.isView(value) ? [value.buffer as ArrayBuffer] : []
  );
}
