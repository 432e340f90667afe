import type { Universe } from "../../coverage/universe.ts";

/** The files and lines of a report: those of the universe, numbered without gaps. */
export interface ReportFiles {
  /** The image's file of each file of the report, ascending. */
  readonly imageFile: Uint32Array;
  /** The inverse; -1 for files without lines. */
  readonly ofImage: Int32Array;
  /** Number in the report of each line of the image; only for lines of the universe. */
  readonly lineOf: Uint32Array;
  /** First line in the report of each file, and at the end the number of lines. */
  readonly fileLine: Uint32Array;
  /** Path of every folder above a file, the root (empty) first. */
  readonly directories: readonly string[];
  /** Folder that each file is in. */
  readonly fileDirectory: Uint32Array;
  /** Folder that each folder is in; the root is in itself. */
  readonly directoryParent: Uint32Array;
}

/** Numbers the files and lines of a universe. */
export function reportFiles(universe: Universe): ReportFiles {
  const { image, linePoints, fileLineStart } = universe;
  const lineOf = new Uint32Array(linePoints.length);
  const ofImage = new Int32Array(image.files.length).fill(-1);
  const imageFile: number[] = [], fileLine: number[] = [], fileDirectory: number[] = [];
  const folders = new Folders();
  let lines = 0;
  for (let file = 0; file < image.files.length; file++) {
    const first = lines;
    const end = fileLineStart[file + 1];
    for (let line = fileLineStart[file]; line < end; line++) {
      if (linePoints[line] !== 0) lineOf[line] = lines++;
    }
    if (lines === first) continue;
    ofImage[file] = imageFile.length;
    imageFile.push(file);
    fileLine.push(first);
    fileDirectory.push(folders.idOf(folderOf(image.files[file])));
  }
  fileLine.push(lines);
  return {
    imageFile: Uint32Array.from(imageFile),
    ofImage,
    lineOf,
    fileLine: Uint32Array.from(fileLine),
    directories: folders.paths,
    fileDirectory: Uint32Array.from(fileDirectory),
    directoryParent: Uint32Array.from(folders.parents),
  };
}

class Folders {
  readonly paths: string[] = [""];
  readonly parents: number[] = [0];
  readonly #ids = new Map([["", 0]]);

  idOf(path: string): number {
    const known = this.#ids.get(path);
    if (known !== undefined) return known;
    const parent = this.idOf(folderOf(path));
    const id = this.paths.push(path) - 1;
    this.parents.push(parent);
    this.#ids.set(path, id);
    return id;
  }
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
