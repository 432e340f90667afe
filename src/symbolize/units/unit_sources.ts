import { cleared, grown } from "../../base/grow.ts";
import { TripleTable } from "../../base/triple_table.ts";
import type { CodeTree } from "../../dwarf/code_tree.ts";
import { Die } from "../../dwarf/die.ts";
import type { LineHeader } from "../../dwarf/line_header.ts";
import type { Unit } from "../../dwarf/unit.ts";
import { UNKNOWN } from "../../elf/symbol_names.ts";
import { NO_FUNCTION, type SourceTables } from "./source_tables.ts";
import type { UnitReader } from "./unit_reader.ts";

/** Where something is declared: a path's id, 0 where unknown, and a line. */
export interface Declaration {
  readonly path: number;
  readonly line: number;
}

/** Functions, paths and declarations of the current unit, each found when first asked for. */
export class UnitSources {
  readonly tables: SourceTables;
  readonly #reader: UnitReader;
  readonly #tree: CodeTree;
  readonly #die = new Die();
  #unit: Unit | undefined;
  #header: LineHeader | undefined;
  /** Function per entry of the tree, and path per file of the line table; -1 until it is found. */
  #functionOf = new Int32Array(256);
  #pathOf = new Int32Array(256);
  /** Offsets in `.debug_info` that have been resolved, and the function of each: entries share them. */
  readonly #offsets = new TripleTable(1024);
  #functionAt = new Int32Array(1024);

  constructor(reader: UnitReader, tables: SourceTables, tree: CodeTree) {
    this.#reader = reader;
    this.tables = tables;
    this.#tree = tree;
  }

  /** Makes `unit`, of which the tree has been read, the current one. */
  open(unit: Unit | undefined, header: LineHeader | undefined): void {
    this.#unit = unit;
    this.#header = header;
    this.#functionOf = cleared(this.#functionOf, this.#tree.count);
    this.#pathOf = cleared(this.#pathOf, header?.files.count ?? 0);
    this.#offsets.clear();
  }

  /** Id of the function that an entry of the tree is, or is an instance of. */
  function(entry: number): number {
    let id = this.#functionOf[entry];
    if (id < 0) {
      id = this.#resolve(this.#tree.source[entry]);
      this.#functionOf[entry] = id;
    }
    return id;
  }

  /** Id of the path of a file of the line table; 0 where it has no such file. */
  path(file: number): number {
    const unit = this.#unit, header = this.#header;
    if (unit === undefined || header === undefined) return 0;
    const isListed = file >= 0 && file < header.files.count;
    if (isListed && this.#pathOf[file] >= 0) return this.#pathOf[file];
    const id = this.tables.path(unit, header, file);
    if (isListed) this.#pathOf[file] = id;
    return id;
  }

  /** Id of the path of the call that an inlined entry of the tree is; 0 where unknown. */
  callPath(entry: number): number {
    return this.path(this.#tree.callFile[entry]);
  }

  /** Where a label of the tree is declared. */
  labelDeclaration(label: number): Declaration {
    const offset = this.#tree.labelSource[label], die = this.#die;
    const unit = this.#reader.unitAt(offset);
    const isKnown = unit.readDie(offset, die) && die.declFile >= 0;
    const path = isKnown ? this.#declarationPath(unit, die.declFile) : -1;
    return path < 0 ? { path: 0, line: 0 } : { path, line: Math.max(0, die.declLine) };
  }

  /**
   * The function that the entry at `offset` is, or is an instance of: each attribute from the first entry that has it
   * along `DW_AT_abstract_origin` and `DW_AT_specification`.
   */
  #resolve(offset: number): number {
    const known = this.#offsets.count;
    const slot = this.#offsets.intern(offset, Math.floor(offset / 0x1_0000_0000), 0);
    if (slot < known) return this.#functionAt[slot];
    // Until it is known, and where it cannot be, the function is the unknown one.
    this.#functionAt = grown(this.#functionAt, slot + 1);
    this.#functionAt[slot] = NO_FUNCTION;
    const { tables } = this, die = this.#die;
    let name = -1, linkage = -1, path = -1, line = -1, returnsValue = false;
    let next = offset;
    // Longer chains than a handful of entries are loops.
    for (let hop = 0; next >= 0 && hop < 16; hop++) {
      const unit = this.#reader.unitAt(next);
      if (!unit.readDie(next, die)) break;
      if (name < 0 && die.nameForm !== 0) name = tables.name(unit, die.name, die.nameForm);
      if (linkage < 0 && die.linkageNameForm !== 0) {
        linkage = tables.name(unit, die.linkageName, die.linkageNameForm);
      }
      if (path < 0 && die.declFile >= 0) path = this.#declarationPath(unit, die.declFile);
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
    this.#functionAt[slot] = id;
    return id;
  }

  /** Id of the path of a file of the unit's line table; -1 where the unit, perhaps another, has none. */
  #declarationPath(unit: Unit, file: number): number {
    if (unit === this.#unit && this.#header !== undefined) return this.path(file);
    const header = this.#reader.lineHeader(unit);
    return header === undefined ? -1 : this.tables.path(unit, header, file);
  }
}
