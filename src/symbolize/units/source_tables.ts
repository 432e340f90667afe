import { stringAt } from "../../base/binary_reader.ts";
import { grown } from "../../base/grow.ts";
import { TripleTable } from "../../base/triple_table.ts";
import * as dw from "../../dwarf/constants.ts";
import { Die } from "../../dwarf/die.ts";
import type { DwarfSections } from "../../dwarf/dwarf_sections.ts";
import type { LineEntries, LineHeader } from "../../dwarf/line_header.ts";
import type { Unit } from "../../dwarf/unit.ts";
import { LineTable } from "./line_table.ts";
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
  readonly functions = new TripleTable(16384);
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

  constructor(sections: DwarfSections) {
    this.names = new NameTable(sections);
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

/** Id of the path of a file of the unit's line table; -1 where the unit has none. */
export type PathOfFile = (unit: Unit, file: number) => number;

/** Where something is declared: a path's id, 0 where unknown, and a line. */
export interface Declaration {
  readonly path: number;
  readonly line: number;
}

/** Functions of one unit: what their entries, and those that they refer to, say of name and declaration. */
export class FunctionResolver {
  readonly #tables: SourceTables;
  readonly #die = new Die();
  /** Offsets in `.debug_info` that have been resolved for the unit in hand, and the function of each. */
  readonly #offsets = new TripleTable(1024);
  #functionOf = new Int32Array(1024);

  constructor(tables: SourceTables) {
    this.#tables = tables;
  }

  /** Forgets the functions of the unit before. */
  clear(): void {
    this.#offsets.clear();
  }

  /** Where the entry at `offset` says that it is declared. */
  declarationAt(
    offset: number,
    unitAt: (offset: number) => Unit,
    pathOf: PathOfFile,
  ): Declaration {
    const unit = unitAt(offset), die = this.#die;
    const path = unit.readDie(offset, die) && die.declFile >= 0 ? pathOf(unit, die.declFile) : -1;
    return path < 0 ? { path: 0, line: 0 } : { path, line: Math.max(0, die.declLine) };
  }

  /**
   * The function that the entry at `offset` is, or is an instance of: each attribute from the first entry that has it
   * along `DW_AT_abstract_origin` and `DW_AT_specification`.
   *
   * @param unitAt opens the unit that an offset lies in
   * @param pathOf gives the path of a file of a unit's line table
   */
  resolve(
    offset: number,
    unitAt: (offset: number) => Unit,
    pathOf: PathOfFile,
  ): number {
    const known = this.#offsets.count;
    const slot = this.#offsets.intern(offset, Math.floor(offset / 0x1_0000_0000), 0);
    if (slot < known) return this.#functionOf[slot];
    // Until it is known, and where it cannot be, the function is the unknown one.
    this.#functionOf = grown(this.#functionOf, slot + 1);
    this.#functionOf[slot] = NO_FUNCTION;
    const tables = this.#tables, die = this.#die;
    let name = -1, linkage = -1, path = -1, line = -1, returnsValue = false;
    let next = offset;
    // Longer chains than a handful of entries are loops.
    for (let hop = 0; next >= 0 && hop < 16; hop++) {
      const unit = unitAt(next);
      if (!unit.readDie(next, die)) break;
      if (name < 0 && die.nameForm !== 0) name = tables.name(unit, die.name, die.nameForm);
      if (linkage < 0 && die.linkageNameForm !== 0) {
        linkage = tables.name(unit, die.linkageName, die.linkageNameForm);
      }
      if (path < 0 && die.declFile >= 0) path = pathOf(unit, die.declFile);
      if (line < 0 && die.declLine >= 0) line = die.declLine;
      returnsValue ||= die.hasType;
      next = die.origin >= 0 ? die.origin : die.specification;
    }
    if (name < 0) name = linkage >= 0 ? linkage : tables.names.intern(UNKNOWN);
    const id = tables.function(
      name,
      linkage >= 0 ? linkage : name,
      Math.max(0, path),
      Math.max(0, line),
      returnsValue,
    );
    this.#functionOf[slot] = id;
    return id;
  }
}
