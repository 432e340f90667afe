import { CodeTree } from "../../dwarf/code_tree.ts";
import type { LineHeader } from "../../dwarf/line_header.ts";
import type { Unit } from "../../dwarf/unit.ts";
import { FormatError } from "../../errors.ts";
import { AddressRows } from "./address_rows.ts";
import { CallPainter } from "./call_painter.ts";
import { FrameEmitter } from "./frame_emitter.ts";
import { LineClaims } from "./line_claims.ts";
import type { CodeReader } from "../../elf/code_decoder.ts";
import { placeLabels } from "./label_places.ts";
import { PointBlocks } from "./point_blocks.ts";
import { SourceTables } from "./source_tables.ts";
import type { UnitReader } from "./unit_reader.ts";
import { UnitSources } from "./unit_sources.ts";

/**
 * Finds the frames of addresses, and where asked for the lines that they claim, one unit at a time: limits the blocks
 * of code, paints functions and inlined calls over the addresses, finds rows of the line table, and emits frames and
 * claims from all of these.
 */
export class UnitAnalyzer {
  readonly tables: SourceTables;
  readonly frames: FrameEmitter;
  readonly claims: LineClaims;
  readonly #reader: UnitReader;
  readonly #tree = new CodeTree();
  readonly #blocks = new PointBlocks();
  readonly #painter = new CallPainter();
  readonly #rows = new AddressRows();
  readonly #sources: UnitSources;

  /** @param addresses To analyze at most. */
  constructor(reader: UnitReader, addresses: number) {
    this.#reader = reader;
    this.tables = new SourceTables(reader.sections, addresses);
    this.#sources = new UnitSources(reader, this.tables, this.#tree);
    const parts = {
      tree: this.#tree,
      blocks: this.#blocks,
      painter: this.#painter,
      rows: this.#rows,
      sources: this.#sources,
    };
    this.frames = new FrameEmitter(addresses, parts);
    this.claims = new LineClaims(addresses, parts);
  }

  /**
   * Adds the frames of the ascending `addresses`, all in unit `index`, an address at a time; where the unit is damaged,
   * as many as can be told, and says so in `problems`.
   *
   * @param code Where given, the addresses are coverage points and the lines that they claim are added too.
   */
  analyze(
    index: number,
    addresses: Float64Array,
    problems: string[],
    code?: CodeReader,
  ): void {
    const count = addresses.length;
    const tree = this.#tree, rows = this.#rows;
    const blocks = code === undefined ? undefined : this.#blocks;
    const claims = code === undefined ? undefined : this.claims;
    let unit: Unit | undefined, header: LineHeader | undefined;
    clearTree(tree);
    rows.clear(count);
    try {
      unit = this.#reader.open(index);
      this.tables.folders.intern(unit.compDir);
      tree.read(unit, addresses, blocks !== undefined);
    } catch (error) {
      problems.push(messageOf(error));
      // What has been read of the tree may be cut off anywhere, so none of it is used.
      clearTree(tree);
    }
    try {
      header = unit === undefined ? undefined : this.#reader.lineHeader(unit);
      if (header !== undefined) {
        if (blocks !== undefined) rows.table.run(header);
        else rows.find(header, addresses);
      }
    } catch (error) {
      problems.push(messageOf(error));
      header = undefined;
      rows.clear(count);
    }
    this.#sources.open(unit, header);
    if (code !== undefined) this.#blocks.find(tree, addresses, code);
    this.#painter.paint(tree, addresses);
    if (blocks !== undefined) {
      rows.findWithBlocks(addresses, blocks);
      placeLabels(blocks, rows, this.#sources);
    }
    const end = this.frames.count + count;
    try {
      this.frames.emit(count, claims);
    } catch (error) {
      problems.push(messageOf(error));
      this.frames.dropTo(end, claims);
    }
  }
}

function clearTree(tree: CodeTree): void {
  tree.count = 0;
  tree.rangeCount = 0;
  tree.labelCount = 0;
}

function messageOf(error: unknown): string {
  if (error instanceof FormatError) return error.message;
  throw error;
}
