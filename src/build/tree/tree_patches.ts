import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { kernelPatches, RECIPE_FOLDER, SOURCE_PACKAGE } from "../kernel_folder.ts";
import { compareSeries, type SourceTree } from "./source_tree.ts";

type Series = SourceTree["series"];

/** A patch in the form for one version of Linux. */
export interface PatchVariant {
  readonly file: string;
  /** The first two numbers of the version that it was made for. */
  readonly series: Series;
  readonly text: string;
  /** Paths of the files that it changes. */
  readonly files: readonly string[];
}

/** A change to the kernel, in the forms for several versions. */
export interface TreePatch {
  /** Such as `kcov`. */
  readonly name: string;
  /** In the order in which they are tried. */
  readonly variants: readonly PatchVariant[];
  /** Patches that it builds upon. */
  readonly needs: readonly string[];
  /** Without it there is no kernel. */
  readonly required: boolean;
  /** What is missing without it. */
  readonly lack: string;
}

interface PatchRole {
  readonly lack: string;
  readonly needs?: readonly string[];
  /** The version that brought what it changes. */
  readonly since?: Series;
}

const ROLES: Readonly<Record<string, PatchRole>> = {
  call_trace: { lack: "crashes are shown with calls that may have returned long before" },
  exitkill: { lack: "processes of a guest that is killed can run on for a moment" },
  hostfs: { lack: "the command can mount any folder of the host" },
  hostfs_speed: { lack: "files are read more slowly" },
  kcov: { lack: "each point is stored once for each time it runs, so long tests are truncated" },
  kcov_tracer: {
    lack: "programs can see that they are traced, and records hold the tracer's own stops",
    needs: ["kcov"],
  },
  killed_fork: {
    lack: "a process that is killed while it forks can crash the guest",
    since: [6, 8],
  },
  lkdtm: { lack: "the crash tests of lkdtm count as code to be covered" },
  um_fault_irqs: { lack: "interrupts can come where the kernel has disabled them" },
  um_faults: { lack: "page faults and system calls are slower" },
  um_tables: { lack: "large areas that are unmapped can stay mapped", since: [6, 11] },
  um_unmap: {
    lack: "many areas of the kernel's own memory can crash the guest",
    needs: ["um_faults"],
  },
  whose_coverage: {
    lack: "tests are recorded by a tracer, and origins are not known",
    needs: ["kcov"],
  },
  whose_later: {
    lack: "work that the kernel does later for a test is not in its record",
    needs: ["whose_coverage"],
  },
};

/** The patches without which a kernel is not built. */
const REQUIRED = ["kcov"];

/** What the patches right in the recipe's folder are made for. */
const MAIN_SERIES = seriesOf(/[\d.]+$/.exec(SOURCE_PACKAGE)![0]);

function seriesOf(name: string): Series {
  const [major, minor] = name.split(".").map(Number);
  return [major, minor];
}

/**
 * The patches for a tree, in the order in which they apply. The form for the newest version that is not above the tree's
 * is tried first, then the others, nearest first.
 */
export function patchesFor({ series }: Pick<SourceTree, "series">): TreePatch[] {
  const variants = [
    ...kernelPatches().map((name) => variant(name, MAIN_SERIES, RECIPE_FOLDER)),
    ...olderFolders().flatMap((folder) =>
      patchNames(folder).map((name) => variant(name, seriesOf(folder), join(RECIPE_FOLDER, folder)))
    ),
  ];
  const names = [...new Set(variants.map(({ name }) => name))].sort()
    .filter((name) => compareSeries(series, ROLES[name]?.since ?? series) >= 0);
  return names.map((name) => ({
    name,
    variants: inOrder(variants.filter((one) => one.name === name), series),
    needs: ROLES[name]?.needs ?? [],
    required: REQUIRED.includes(name),
    lack: ROLES[name]?.lack ?? `what ${name}.patch says is missing`,
  }));
}

/** The least that user-mode Linux of a tree needs to run with the KCOV that the tree has. */
export function plainPatches(): TreePatch[] {
  const folder = join(RECIPE_FOLDER, "plain");
  return patchNames("plain").map((file) => {
    const one = variant(file, MAIN_SERIES, folder);
    return { name: one.name, variants: [one], needs: [], required: true, lack: "" };
  });
}

function inOrder(variants: readonly PatchVariant[], series: Series): PatchVariant[] {
  const older = variants.filter((one) => compareSeries(one.series, series) <= 0);
  const newer = variants.filter((one) => compareSeries(one.series, series) > 0);
  return [
    ...older.sort((a, b) => compareSeries(b.series, a.series)),
    ...newer.sort((a, b) => compareSeries(a.series, b.series)),
  ];
}

/** Folders of the recipe with patches for other versions: `6.1`. */
function olderFolders(): string[] {
  return readdirSync(RECIPE_FOLDER).filter((name) => /^\d+\.\d+$/.test(name));
}

function patchNames(folder: string): string[] {
  const path = join(RECIPE_FOLDER, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path).filter((name) => name.endsWith(".patch")).sort();
}

function variant(file: string, series: Series, folder: string): PatchVariant & { name: string } {
  const path = join(folder, file);
  const text = readFileSync(path, "utf8");
  const files = [...text.matchAll(/^\+\+\+ b\/(\S+)/gm)].map(([, name]) => name);
  return { name: file.replace(/\.patch$/, ""), file: path, series, text, files };
}
