import { grown } from "../base/grow.ts";
import { BinaryReader } from "../base/binary_reader.ts";
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
    const { bytes, opcodeBase, lineBase, lineRange, minimumInstructionLength } = header;
    const reader = new BinaryReader(bytes, {
      format: "DWARF",
      section: ".debug_line",
      base: header.offset,
    });
    const end = bytes.length;
    const constAdvance = Math.floor((255 - opcodeBase) / lineRange) * minimumInstructionLength;
    const defaultIsStmt = header.defaultIsStmt ? 1 : 0;
    // Every row takes at least one byte of the program.
    this.#reserve(end - header.programStart);
    const addresses = this.address, files = this.file, lines = this.line, stmts = this.isStmt;
    let count = 0, first = 0;
    let address = 0, file = 1, line = 1, isStmt = defaultIsStmt;
    let pos = header.programStart;
    while (pos < end) {
      const opcode = bytes[pos++];
      if (opcode >= opcodeBase) {
        const adjusted = opcode - opcodeBase;
        const advance = (adjusted / lineRange) | 0;
        address += advance * minimumInstructionLength;
        line += lineBase + adjusted - advance * lineRange;
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
          const next = reader.pos;
          if (size > 0) {
            const extended = bytes[at];
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
              reader.pos = at + 1;
              address = reader.address();
            }
          }
          pos = next;
          break;
        }
        case dw.DW_LNS_copy:
          addresses[count] = address;
          files[count] = file;
          lines[count] = line;
          stmts[count++] = isStmt;
          break;
        case dw.DW_LNS_advance_pc:
          reader.pos = pos;
          address += reader.uleb() * minimumInstructionLength;
          pos = reader.pos;
          break;
        case dw.DW_LNS_advance_line: {
          const byte = bytes[pos];
          if (byte < 0x80) {
            pos++;
            line += byte >= 0x40 ? byte - 0x80 : byte;
          } else {
            reader.pos = pos;
            line += reader.sleb();
            pos = reader.pos;
          }
          break;
        }
        case dw.DW_LNS_set_file:
          reader.pos = pos;
          file = reader.uleb();
          pos = reader.pos;
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
          address += constAdvance;
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

  #reserve(rows: number): void {
    this.address = grown(this.address, rows);
    this.file = grown(this.file, rows);
    this.line = grown(this.line, rows);
    this.isStmt = grown(this.isStmt, rows);
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
