import { FormatError } from "../../errors.ts";
import { decodeAscending, encodeAscending } from "../columns/delta_varints.ts";
import { seal, unseal } from "../record_line.ts";

// What ran when allocations of a test failed in turn is in a file of its own beside the records, since it is no part of a
// test's record: a header, then a line for each failure. Lines are sealed as those of records are.

/** Version of the format. */
const VERSION = 1;

/** First line of a file. */
export interface FaultHeader {
  /** Build id of the kernel. */
  readonly buildId: string;
  /** Names the run, as record files do. */
  readonly run: string;
}

/** One failure: an allocation within a system call of a test failed, and the test's body ran on. */
export interface FaultRun {
  readonly name: string;
  readonly file: string;
  readonly runner: string;
  /** The system call. */
  readonly call: string;
  /** Which allocation of that call it was, from 1. */
  readonly nth: number;
  /** What the body threw; absent where it went on to its end. */
  readonly error?: string | undefined;
  /** Distinct PCs that the test's record has not, ascending. */
  readonly pcs: Float64Array;
}

/** A call of which not all allocations have failed, and why. */
export interface FaultsCut {
  readonly name: string;
  readonly file: string;
  readonly call: string;
  readonly why: string;
}

export type FaultLine = { readonly fault: FaultRun } | { readonly cut: FaultsCut };

export function faultHeaderLine({ buildId, run }: FaultHeader): string {
  return seal({ faults: VERSION, buildId, run });
}

export function faultLine({ pcs, ...rest }: FaultRun): string {
  return seal({ ...rest, points: pcs.length, pcs: encodeAscending(pcs).toBase64() });
}

export function faultsCutLine(cut: FaultsCut): string {
  return seal({ ...cut });
}

/**
 * Reads a header, without its line end; `undefined` where it is damaged or of another version.
 */
export function parseFaultHeader(line: string): FaultHeader | undefined {
  try {
    const { faults, buildId, run } = unseal(line);
    if (faults !== VERSION || typeof buildId !== "string" || typeof run !== "string") {
      return undefined;
    }
    return { buildId, run };
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/**
 * Reads another line, without its line end.
 *
 * @throws {FormatError} Where it is damaged.
 */
export function parseFaultLine(line: string): FaultLine {
  const { name, file, runner, call, nth, error, points, pcs, why } = unseal(line);
  if (typeof name !== "string" || typeof file !== "string" || typeof call !== "string") {
    throw new FormatError("record", "a failure has no test or no call");
  }
  if (typeof why === "string") return { cut: { name, file, call, why } };
  if (
    typeof runner !== "string" || typeof nth !== "number" || typeof points !== "number" ||
    typeof pcs !== "string" || error !== undefined && typeof error !== "string"
  ) throw new FormatError("record", "a failure lacks a part");
  return {
    fault: {
      name,
      file,
      runner,
      call,
      nth,
      error,
      pcs: decodeAscending(base64(pcs), points),
    },
  };
}

function base64(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text);
  } catch (cause) {
    throw new FormatError("record", "pcs is not base64", { cause });
  }
}
