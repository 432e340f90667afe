import { basename, dirname, resolve } from "node:path";
import type { BuildTotals } from "../../report/html/report_data.ts";
import { buildTotals } from "../../report/html/run_data.ts";
import { findRunFolder } from "../../record/read_run.ts";
import { loadRun } from "../../run/load_run.ts";
import { namesStore, openStore } from "./open_store.ts";

/** What runs and stores of earlier builds covered, one after the other, for the chart of a report. */
export async function earlierBuilds(paths: readonly string[]): Promise<BuildTotals[]> {
  const found: BuildTotals[] = [];
  for (const path of paths) {
    if (!namesStore(path)) {
      const folder = resolve(findRunFolder(path));
      // As the run is known: by the folder of its reports.
      const name = basename(folder) === "run" ? basename(dirname(folder)) : basename(folder);
      found.push(buildTotals(name, loadRun(path).coverage));
      continue;
    }
    const { fetchedHits } = await import("../../store/fetched_hits.ts");
    const { coverage } = await openStore(path, undefined, {}, fetchedHits);
    found.push(buildTotals(basename(resolve(path)), coverage));
  }
  return found;
}
