import { stringAt } from "../../base/binary_reader.ts";
import { grown } from "../../base/grow.ts";
import { TripleTable } from "../../base/triple_table.ts";
import * as dw from "../../dwarf/constants.ts";
import type { DwarfSections } from "../../dwarf/dwarf_sections.ts";
import type { LineEntries, LineHeader } from "../../dwarf/line_header.ts";
import type { Unit } from "../../dwarf/unit.ts";
import { NameTable, StringTable } from "./name_table.ts";
import { UNKNOWN } from "../../elf/symbol_names.ts";

/** Function id of a frame in no function. */
export const NO_FUNCTION = -1;

/** Names, paths, functions and lines seen so far, each once but for names that stand at several places. */
export class SourceTables {
  readonly names: NameTable;
  /** Paths as llvm-symbolizer prints them: compilation folder, directory and file joined. Id 0 is `??`. */
  readonly paths = new StringTable();
  /** Name, path and declaration line. */
  readonly functions: TripleTable;
  /** Claimed lines, by path. */
  readonly lines = new LineTable();
  /** Name by which the linker knows the function, per function; the source name where it has no other. */
  readonly linkage: number[] = [];
  /** 1 for functions that return a value. */
  readonly returnsValue: number[] = [];
  readonly #pathByOffsets = new TripleTable(8192);
  readonly #pathOfTriple: number[] = [];
  /** Compilation folders. */
  readonly folders = new StringTable();
  #unit: Unit | undefined;
  #folder = 0;

  /** @param addresses Whose sources are looked for, at most. */
  constructor(sections: DwarfSections, addresses: number) {
    // Room for as many names and functions as a whole kernel has: to make more is to enter all again.
    const capacity = Math.min(Math.max(addresses >> 2, 4096), 65536);
    this.names = new NameTable(sections, capacity);
    this.functions = new TripleTable(capacity);
    this.paths.intern(UNKNOWN);
  }

  /** Id of the name that an attribute of `unit` gives. */
  name(unit: Unit, value: number, form: number): number {
    const section = unit.stringSection(form);
    const offset = unit.stringOffset(value, form);
    if (section === ".debug_info") {
      return this.names.intern(stringAt(unit.bytes, offset, "DWARF", section));
    }
    return this.names.internAt(section, offset);
  }

  /** Id of a function by the ids of its name, of its linkage name and of its declaration's path, and its line. */
  function(
    name: number,
    linkage: number,
    path: number,
    line: number,
    returnsValue: boolean,
  ): number {
    const id = this.functions.intern(name, path, line);
    if (id === this.linkage.length) {
      this.linkage.push(linkage);
      this.returnsValue.push(returnsValue ? 1 : 0);
    }
    return id;
  }

  /** Id of the path of a line table's file; 0 where the table has no such file. */
  path(unit: Unit, header: LineHeader, file: number): number {
    const { files, directories } = header;
    // Before version 5 files count from 1, and entry 0 is a placeholder without a form.
    if (!(file >= 0 && file < files.count) || files.form[file] === 0) return 0;
    const directory = files.directory[file];
    const inTable = directory >= 0 && directory < directories.count;
    const shared = inTable && files.form[file] === dw.DW_FORM_line_strp &&
      directories.form[directory] === dw.DW_FORM_line_strp;
    if (!shared) return this.paths.intern(joinedPath(unit, header, file));
    const triple = this.#pathByOffsets.intern(
      files.value[file],
      directories.value[directory],
      this.#folderOf(unit),
    );
    if (this.#pathOfTriple[triple] === undefined) {
      this.#pathOfTriple[triple] = this.paths.intern(joinedPath(unit, header, file));
    }
    return this.#pathOfTriple[triple];
  }

  /** Id of a unit's compilation folder; asked for file after file of one unit. */
  #folderOf(unit: Unit): number {
    if (unit !== this.#unit) {
      this.#unit = unit;
      this.#folder = this.folders.intern(unit.compDir);
    }
    return this.#folder;
  }
}

function joinedPath(unit: Unit, header: LineHeader, file: number): string {
  const { directories, files } = header;
  const name = lineString(unit, header, files, file);
  if (name.startsWith("/")) return name;
  const index = files.directory[file];
  const inTable = index >= 0 && index < directories.count && directories.form[index] !== 0;
  const directory = inTable ? lineString(unit, header, directories, index) : "";
  const parts = directory.startsWith("/") ? [directory, name] : [unit.compDir, directory, name];
  const joined = parts.filter((part) => part !== "").map((part, at) =>
    at < 1 ? part : part.replace(/^\/+/, "")
  ).reduce((path, part) => path === "" || path.endsWith("/") ? path + part : `${path}/${part}`, "");
  return joined === "" ? UNKNOWN : joined;
}

function lineString(unit: Unit, header: LineHeader, strings: LineEntries, index: number): string {
  const form = strings.form[index], value = strings.value[index];
  if (form === dw.DW_FORM_string) return stringAt(header.bytes, value, "DWARF", ".debug_line");
  return unit.string(value, form);
}

/** No source file has more lines; a damaged line table may say so. */
const LARGEST_LINE = 0xf_ffff;

/**
 * Gives each distinct line of each path a dense id, in order of first sight. Looked up by line number directly: lines
 * of a file are met near each other, so this stays in the processor's cache where a hash table would not.
 */
export class LineTable {
  /** Number of lines. */
  count = 0;
  path = new Int32Array(65536);
  line = new Int32Array(65536);
  /** Per path, by line: id + 1. */
  readonly #ids: (Int32Array<ArrayBuffer> | undefined)[] = [];

  /** Id of a line; -1 for what cannot be one. */
  id(path: number, line: number): number {
    if (!(line > 0 && line <= LARGEST_LINE)) return -1;
    let ids = this.#ids[path];
    if (ids === undefined || line >= ids.length) {
      while (this.#ids.length <= path) this.#ids.push(undefined);
      ids = ids === undefined ? new Int32Array(Math.max(256, line + 128)) : grown(ids, line + 1);
      this.#ids[path] = ids;
    }
    const known = ids[line];
    if (known > 0) return known - 1;
    const id = this.count++;
    if (id === this.path.length) {
      this.path = grown(this.path, id + 1);
      this.line = grown(this.line, id + 1);
    }
    this.path[id] = path;
    this.line[id] = line;
    ids[line] = id + 1;
    return id;
  }
}
