import { FormatError } from "../errors.ts";
import type { RunKernel, RunModule } from "../record/test_record.ts";

/** Version of the schema of stores; docs/store.md describes it. */
export const STORE_VERSION = 1;

/** A module whose points a store has. */
export interface StoreModule extends RunModule {
  /** Its points have the numbers from here on. */
  readonly firstPoint: number;
  /** How many points it has; 0 where it had no image when records with it were added. */
  readonly points: number;
}

/** One set of files with hits. */
export interface StoreSegment {
  /** Names its folder. */
  readonly id: string;
  /** Rows of its hits. */
  readonly rows: number;
  readonly records: number;
  /** Whether any of its records knows how often points were hit. */
  readonly hasCounts: boolean;
  /** Of its files together. */
  readonly bytes: number;
}

/** What the runs of a shard have and a store has not. */
export interface LeftInRuns {
  /** Records of which the order of their points is known. */
  readonly orders: number;
  /** Records with comparisons, which have no points: none of them is in the store. */
  readonly comparisons: number;
  /** Allocations that were made to fail. */
  readonly faults: number;
}

/** What was added at once: the records of a run folder that the store did not have. */
export interface StoreShard {
  /** Of the contents of its record files. */
  readonly id: string;
  /** When its newest run began, in milliseconds since 1970. */
  readonly startedAt: number;
  readonly records: number;
  /** Records that could not be read back, and those that could not be written. */
  readonly damaged: number;
  readonly lost: number;
  /** Of each writer that did not end, the name of its last record. */
  readonly cut: readonly string[];
  /** Records of another kernel that lay in the folder. */
  readonly otherKernel: number;
  /**
   * Of a run of another build: that build's id, how many hits of points were found in this one, and how many have no
   * counterpart.
   */
  readonly projected?: { readonly buildId: string; readonly kept: number; readonly lost: number };
  /** Absent where there is nothing of this. */
  readonly leftInRuns?: LeftInRuns;
  /** Its record files, by name, with the SHA-256 of each. */
  readonly files: Readonly<Record<string, string>>;
}

/** What a store holds. */
export interface StoreManifest {
  readonly kernel: RunKernel;
  /** Where the kernel's image was, as far as the runs were told. */
  readonly image?: string | undefined;
  /** Coverage points of the kernel's image. */
  readonly points: number;
  readonly modules: readonly StoreModule[];
  readonly segments: readonly StoreSegment[];
  readonly shards: readonly StoreShard[];
}

/** A manifest as it is written. */
export function manifestText(manifest: StoreManifest): string {
  return JSON.stringify({ "kernelcov store": STORE_VERSION, ...manifest }, null, 1) + "\n";
}

/**
 * Reads a manifest.
 *
 * @throws {FormatError} Where it is none, or of another version.
 */
export function parseManifest(text: string, path: string): StoreManifest {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch (cause) {
    throw new FormatError("store", `${path} is damaged: add the runs to a new store`, { cause });
  }
  const { "kernelcov store": version, ...manifest } = Object(fields) as Record<string, unknown>;
  if (version === undefined) throw new FormatError("store", `${path} is not that of a store`);
  if (version !== STORE_VERSION) {
    throw new FormatError(
      "store",
      `${path} is of version ${version}, not ${STORE_VERSION}: read it with the kernelcov that wrote it`,
    );
  }
  return manifest as unknown as StoreManifest;
}
