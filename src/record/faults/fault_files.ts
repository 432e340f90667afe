import { FormatError } from "../../errors.ts";
import { type AppendedFile, createFile, listFolder, removeFile } from "../../sys/files.ts";
import { fileLines } from "../file_lines.ts";
import { formatInvocation, thisInvocation } from "../invocation.ts";
import { makeRunFolder } from "../run_folder.ts";
import {
  type FaultHeader,
  faultHeaderLine,
  faultLine,
  type FaultRun,
  type FaultsCut,
  faultsCutLine,
  parseFaultHeader,
  parseFaultLine,
} from "./fault_lines.ts";

/** End of the names of files with failures, in a run's folder. */
export const FAULTS_SUFFIX = ".faults";

/** Appends failures to a run's folder, in a file of its own. */
export class FaultWriter {
  readonly #file: AppendedFile;
  readonly #encoder = new TextEncoder();

  /** @throws {Error} The file system's own error. */
  constructor(directory: string, header: FaultHeader) {
    makeRunFolder(directory);
    const random = crypto.getRandomValues(new Uint8Array(6)).toHex();
    this.#file = createFile(
      `${directory}/${formatInvocation(thisInvocation())}.${random}${FAULTS_SUFFIX}`,
    );
    this.#write(faultHeaderLine(header));
  }

  add(fault: FaultRun): void {
    this.#write(faultLine(fault));
  }

  addCut(cut: FaultsCut): void {
    this.#write(faultsCutLine(cut));
  }

  close(): void {
    this.#file.close();
  }

  #write(line: string): void {
    const bytes = this.#encoder.encode(line);
    for (let written = 0; written < bytes.length;) {
      written += this.#file.write(bytes.subarray(written));
    }
  }
}

/** The failures of a run. */
export interface RunFaults {
  readonly runs: readonly FaultRun[];
  readonly cuts: readonly FaultsCut[];
  /** Lines that cannot be believed. */
  readonly damaged: number;
}

/**
 * The failures in a run's folder, of records of one kernel.
 *
 * @param buildId The kernel's.
 */
export function readFaults(directory: string, buildId: string): RunFaults {
  const runs: FaultRun[] = [], cuts: FaultsCut[] = [];
  let damaged = 0;
  for (const name of faultFiles(directory)) {
    let isFirst = true;
    for (const { text } of fileLines(`${directory}/${name}`)) {
      if (text === "") continue;
      if (isFirst) {
        isFirst = false;
        const header = parseFaultHeader(text);
        if (header === undefined) damaged++;
        if (header?.buildId !== buildId) break;
        continue;
      }
      try {
        const line = parseFaultLine(text);
        if ("fault" in line) runs.push(line.fault);
        else cuts.push(line.cut);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        damaged++;
      }
    }
  }
  return { runs, cuts, damaged };
}

/** Removes the failures of all runs in a folder but one: they are of tests that may have run again since. */
export function removeOtherFaults(directory: string, run: string): void {
  for (const name of faultFiles(directory)) {
    for (const { text } of fileLines(`${directory}/${name}`)) {
      if (parseFaultHeader(text)?.run !== run) removeFile(`${directory}/${name}`);
      break;
    }
  }
}

function faultFiles(directory: string): string[] {
  return listFolder(directory).filter((name) => name.endsWith(FAULTS_SUFFIX)).sort();
}
