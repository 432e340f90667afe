import { addressFromHalves } from "../base/address.ts";
import { BinaryReader } from "../base/binary_reader.ts";
import { grown } from "../base/grow.ts";
import * as dw from "./constants.ts";
import type { LineHeader } from "./line_header.ts";

/**
 * The rows of one line number program as columns, grouped in sequences: within one, addresses ascend. Filled anew
 * for each program.
 */
export class LineRows {
  /** Number of rows, end-of-sequence rows included. */
  count = 0;
  address = new Float64Array(4096);
  file = new Int32Array(4096);
  line = new Int32Array(4096);
  isStmt = new Uint8Array(4096);
  /** Number of sequences that cover at least a byte. */
  sequenceCount = 0;
  /** Index of the first row and of the end row of each. */
  sequenceFirst = new Int32Array(64);
  sequenceEnd = new Int32Array(64);
  /** By special opcode: how far it moves the address and the line. */
  readonly #addressAdvance = new Int32Array(256);
  readonly #lineAdvance = new Int32Array(256);

  /** Forgets all rows. */
  clear(): void {
    this.count = 0;
    this.sequenceCount = 0;
  }

  /**
   * Runs the program (DWARF 5, section 6.2.5).
   *
   * @throws {FormatError} where the program is cut short
   */
  run(header: LineHeader): void {
    this.clear();
    this.#planSpecialOpcodes(header);
    const addressAdvance = this.#addressAdvance, lineAdvance = this.#lineAdvance;
    const { bytes, opcodeBase, minimumInstructionLength } = header;
    const reader = new BinaryReader(bytes, {
      format: "DWARF",
      section: ".debug_line",
      base: header.offset,
    });
    const end = bytes.length;
    const defaultIsStmt = header.defaultIsStmt ? 1 : 0;
    // Every row takes at least one byte of the program.
    this.#reserve(end - header.programStart);
    const addresses = this.address, files = this.file, lines = this.line, stmts = this.isStmt;
    let count = 0, first = 0;
    let address = 0, file = 1, line = 1, isStmt = defaultIsStmt;
    let pos = header.programStart;
    // Nearly all operands are numbers of one byte: those are read here, others, and all ends of data, by the reader.
    while (pos < end) {
      const opcode = bytes[pos++];
      if (opcode >= opcodeBase) {
        address += addressAdvance[opcode];
        line = line + lineAdvance[opcode] | 0;
        addresses[count] = address;
        files[count] = file;
        lines[count] = line;
        stmts[count++] = isStmt;
        continue;
      }
      switch (opcode) {
        case 0: {
          reader.pos = pos;
          const size = reader.uleb();
          const at = reader.take(size);
          pos = reader.pos;
          const extended = size > 0 ? bytes[at] : 0;
          if (extended === dw.DW_LNE_end_sequence) {
            addresses[count] = address;
            files[count] = file;
            lines[count] = line;
            stmts[count++] = 0;
            this.#sequence(first, count - 1);
            first = count;
            address = 0;
            file = 1;
            line = 1;
            isStmt = defaultIsStmt;
          } else if (extended === dw.DW_LNE_set_address) {
            if (size !== 9) throw reader.problem(`address of ${size - 1} bytes`, at);
            address = addressFromHalves(int32(bytes, at + 1), int32(bytes, at + 5));
          }
          break;
        }
        case dw.DW_LNS_copy:
          addresses[count] = address;
          files[count] = file;
          lines[count] = line;
          stmts[count++] = isStmt;
          break;
        case dw.DW_LNS_advance_pc:
          if (pos < end && bytes[pos] < 0x80) address += bytes[pos++] * minimumInstructionLength;
          else {
            reader.pos = pos;
            address += reader.uleb() * minimumInstructionLength;
            pos = reader.pos;
          }
          break;
        case dw.DW_LNS_advance_line:
          if (pos < end && bytes[pos] < 0x80) line = line + (bytes[pos++] << 25 >> 25) | 0;
          else {
            reader.pos = pos;
            line = line + reader.sleb() | 0;
            pos = reader.pos;
          }
          break;
        case dw.DW_LNS_set_file:
          if (pos < end && bytes[pos] < 0x80) file = bytes[pos++];
          else {
            reader.pos = pos;
            file = reader.uleb() | 0;
            pos = reader.pos;
          }
          break;
        case dw.DW_LNS_set_column:
        case dw.DW_LNS_set_isa:
          while (bytes[pos++] >= 0x80);
          break;
        case dw.DW_LNS_negate_stmt:
          isStmt ^= 1;
          break;
        case dw.DW_LNS_set_basic_block:
        case dw.DW_LNS_set_prologue_end:
        case dw.DW_LNS_set_epilogue_begin:
          break;
        case dw.DW_LNS_const_add_pc:
          address += addressAdvance[255];
          break;
        case dw.DW_LNS_fixed_advance_pc:
          reader.pos = pos;
          address += reader.u16();
          pos = reader.pos;
          break;
        default:
          reader.pos = pos;
          for (let left = header.standardOpcodeLengths[opcode - 1]; left > 0; left--) {
            reader.skipLeb();
          }
          pos = reader.pos;
      }
    }
    if (pos > end) throw reader.problem("program ends within an opcode", end);
    this.count = count;
  }

  #planSpecialOpcodes(header: LineHeader): void {
    const { opcodeBase, lineBase, lineRange, minimumInstructionLength } = header;
    for (let opcode = 0; opcode < 256; opcode++) {
      const adjusted = opcode - opcodeBase;
      const advance = Math.floor(adjusted / lineRange);
      this.#addressAdvance[opcode] = advance * minimumInstructionLength;
      this.#lineAdvance[opcode] = lineBase + adjusted - advance * lineRange;
    }
  }

  #reserve(rows: number): void {
    if (rows <= this.address.length) return;
    // Nothing is kept of the program before, so nothing is copied.
    const size = Math.max(rows, this.address.length * 2);
    this.address = new Float64Array(size);
    this.file = new Int32Array(size);
    this.line = new Int32Array(size);
    this.isStmt = new Uint8Array(size);
  }

  #sequence(first: number, end: number): void {
    if (!(this.address[first] < this.address[end])) return;
    const index = this.sequenceCount;
    if (index === this.sequenceFirst.length) {
      this.sequenceFirst = grown(this.sequenceFirst, index + 1);
      this.sequenceEnd = grown(this.sequenceEnd, index + 1);
    }
    this.sequenceCount = index + 1;
    this.sequenceFirst[index] = first;
    this.sequenceEnd[index] = end;
  }
}

function int32(bytes: Uint8Array, at: number): number {
  return bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24;
}
