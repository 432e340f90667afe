import type { UnitHeader } from "../../dwarf/unit_headers.ts";
import type { OpenImage } from "../../kernel/image/open_image.ts";
import { ImageCode } from "../../elf/image_code.ts";
import { closeWork, shared, type SharedUnits, shareUnits, takeUnits } from "./shared_units.ts";
import { UnitReader } from "./unit_reader.ts";
import { doUnits, type UnitResults, type UnitWork } from "./unit_work.ts";
import { WorkerThread } from "./worker_thread.ts";

/** Whether another thread can open the image itself, cheaply. */
export function canShare(image: OpenImage): boolean {
  const info = image.debugElf.section(".debug_info");
  return info !== undefined && image.isFile && image.debugElf.isPlain(info);
}

/** Input of a worker: everything but the image, which it opens itself. */
export interface WorkerTask {
  readonly path: string;
  readonly headers: readonly UnitHeader[];
  readonly addresses: Float64Array;
  readonly order: Uint32Array;
  readonly start: Uint32Array;
  readonly units: SharedUnits;
}

/** Results with each list of strings as one: a hundred thousand strings take long to send. */
export type PackedResults = Omit<UnitResults, "names" | "paths"> & {
  readonly names: string;
  readonly paths: string;
};

/** They end with zeros in the file, so they hold none. */
const BETWEEN_STRINGS = "\0";

/** Prepares results for sending. */
export function packResults(results: UnitResults): PackedResults {
  const { names, paths } = results;
  return { ...results, names: names.join(BETWEEN_STRINGS), paths: paths.join(BETWEEN_STRINGS) };
}

/** What was sent, as it was. */
export function unpackResults(results: PackedResults): UnitResults {
  const { names, paths } = results;
  return { ...results, names: names.split(BETWEEN_STRINGS), paths: paths.split(BETWEEN_STRINGS) };
}

/**
 * A second thread for reading units. It is started early, since starting takes as long as much of the work, and given
 * its task later; where it does not come up in time, or not at all, the first thread does everything.
 */
export class UnitWorker implements Disposable {
  readonly #thread: WorkerThread<WorkerTask, PackedResults>;

  constructor() {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    this.#thread = new WorkerThread(new URL(`./unit_worker.${extension}`, import.meta.url));
  }

  /** Does units in both threads; the addresses are points. */
  async do(
    image: OpenImage,
    headers: readonly UnitHeader[],
    addresses: Float64Array,
    work: UnitWork,
  ): Promise<UnitResults[]> {
    const units = shareUnits(headers, (unit) => work.start[unit + 1] > work.start[unit]);
    const task: WorkerTask = {
      path: image.path,
      headers,
      addresses: shared(addresses),
      order: shared(work.order),
      start: shared(work.start),
      units,
    };
    this.#thread.post(task);
    const reader = new UnitReader(image.sections(), headers);
    const code = new ImageCode(image.elf);
    const own = doUnits(reader, addresses, work, takeUnits(units), code);
    if (closeWork(units)) return [own];
    const results = await this.#thread.answer;
    if (results !== undefined) return [own, unpackResults(results)];
    // The worker took groups and failed. Which ones is unknown, so all are done again here.
    const again = shareUnits(headers, () => true);
    const fresh = new UnitReader(image.sections(), headers);
    return [doUnits(fresh, addresses, work, takeUnits(again), code)];
  }

  [Symbol.dispose](): void {
    this.#thread[Symbol.dispose]();
  }
}
