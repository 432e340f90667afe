import { addressFromHalves } from "../base/address.ts";
import { BinaryReader, int32At } from "../base/binary_reader.ts";
import { grown } from "../base/grow.ts";
import { lowerBound } from "../base/search.ts";
import * as dw from "./constants.ts";
import type { LineHeader } from "./line_header.ts";

/**
 * What line number programs say: all rows of one as columns, grouped in sequences within which addresses ascend; or only
 * the rows that cover given addresses. Filled again for each program.
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

  /** The addresses looked for; none where all rows are kept. */
  #wanted: ArrayLike<number> = [];
  /** The first address of the current sequence, and the next one to find. */
  #firstWanted = 0;
  #nextWanted = 0;
  #foundCount = 0;
  /** Where the sequence ends in which each was found. */
  #foundEnd = new Float64Array(256);
  #pendingFile = new Int32Array(256);
  #pendingLine = new Int32Array(256);

  /** Forgets all rows. */
  clear(): void {
    this.count = 0;
    this.sequenceCount = 0;
  }

  /**
   * Runs the program (DWARF 5, section 6.2.5) and keeps all its rows.
   *
   * @throws {FormatError} where the program is cut short
   */
  run(header: LineHeader): void {
    this.clear();
    // Every row takes at least one byte of the program.
    this.#reserve(header.bytes.length - header.programStart);
    this.#execute(header, true);
  }

  /**
   * Runs the program and finds the row that covers each of the ascending `addresses`: the last one at or before it.
   * Where sequences overlap the one that ends first counts, as for llvm-symbolizer, of those that begin before all
   * addresses are found.
   *
   * @param file gets the file of each row; left as it is where no row covers the address
   * @param line gets its line
   * @throws {FormatError} where the program is cut short
   */
  find(
    header: LineHeader,
    addresses: ArrayLike<number>,
    file: Int32Array,
    line: Int32Array,
  ): void {
    this.clear();
    const count = addresses.length;
    if (this.#foundEnd.length < count) {
      this.#foundEnd = new Float64Array(count * 2);
      this.#pendingFile = new Int32Array(count * 2);
      this.#pendingLine = new Int32Array(count * 2);
    }
    this.#foundEnd.fill(Infinity, 0, count);
    this.#wanted = addresses;
    this.#foundCount = 0;
    this.#execute(header, false, file, line);
    this.clear();
  }

  #execute(
    header: LineHeader,
    keepsAll: boolean,
    foundFile?: Int32Array,
    foundLine?: Int32Array,
  ): void {
    this.#planSpecialOpcodes(header);
    const addressAdvance = this.#addressAdvance, lineAdvance = this.#lineAdvance;
    const { bytes, opcodeBase } = header;
    const reader = new BinaryReader(bytes, {
      format: "DWARF",
      section: ".debug_line",
      base: header.offset,
    });
    const end = bytes.length;
    const defaultIsStmt = header.defaultIsStmt ? 1 : 0;
    const addresses = this.address, files = this.file, lines = this.line, stmts = this.isStmt;
    let count = 0, first = 0;
    // The address is a base and a 32-bit offset from it: engines keep that in an integer register.
    let base = 0, offset = 0, file = 1, line = 1, isStmt = defaultIsStmt;
    // Beyond this offset an address that is looked for has been passed; every row is, before the first of a sequence.
    const start = keepsAll ? Infinity : -Infinity;
    let nextOffset = start, inSequence = false;
    // The row before, where only rows of addresses are wanted.
    let lastFile = 0, lastLine = 0;
    let pos = header.programStart;
    // Nearly all operands are numbers of one byte or two: those are read here, others, and all ends of data, by the reader,
    // in one place: what an engine has not seen run when it compiles this costs another compilation.
    // The most frequent opcodes come first.
    while (pos < end) {
      const opcode = bytes[pos++];
      if (opcode >= opcodeBase) {
        offset = offset + addressAdvance[opcode] | 0;
        line = line + lineAdvance[opcode] | 0;
      } else if (opcode !== dw.DW_LNS_copy) {
        if (opcode === dw.DW_LNS_set_column) {
          while (bytes[pos++] >= 0x80);
        } else if (opcode === dw.DW_LNS_negate_stmt) {
          isStmt ^= 1;
        } else if (opcode === dw.DW_LNS_advance_line && pos < end && bytes[pos] < 0x80) {
          line = line + (bytes[pos++] << 25 >> 25) | 0;
        } else if (opcode === dw.DW_LNS_advance_line && pos + 1 < end && bytes[pos + 1] < 0x80) {
          line = line + (bytes[pos] & 0x7f | bytes[pos + 1] << 25 >> 18) | 0;
          pos += 2;
        } else if (opcode === dw.DW_LNS_set_file && pos < end && bytes[pos] < 0x80) {
          file = bytes[pos++];
        } else if (opcode === dw.DW_LNS_const_add_pc) {
          offset = offset + addressAdvance[255] | 0;
        } else {
          reader.pos = pos;
          const operand = readOperand(reader, header, opcode);
          pos = reader.pos;
          if (opcode === dw.DW_LNS_advance_line) line = line + operand | 0;
          else if (opcode === dw.DW_LNS_set_file) file = operand | 0;
          else if (opcode !== 0) offset = offset + operand | 0;
          else if (operand === dw.DW_LNE_end_sequence) {
            if (keepsAll) {
              addresses[count] = base + offset;
              files[count] = file;
              lines[count] = line;
              stmts[count++] = 0;
              this.#sequence(first, count - 1);
              first = count;
            } else if (inSequence) {
              this.#pass(base + offset, lastFile, lastLine);
              this.#commit(base + offset, foundFile, foundLine);
            }
            nextOffset = start;
            inSequence = false;
            base = offset = 0;
            file = line = 1;
            isStmt = defaultIsStmt;
          } else if (operand === dw.DW_LNE_set_address) {
            const before = base;
            base = addressFromHalves(int32At(bytes, pos - 8), int32At(bytes, pos - 4));
            offset = 0;
            nextOffset += before - base;
          }
        }
        continue;
      }
      if (offset > nextOffset) {
        if (!inSequence) this.#begin(base + offset);
        else if (this.#pass(base + offset, lastFile, lastLine)) {
          this.#commit(base + offset, foundFile, foundLine);
          return;
        }
        inSequence = true;
        const at = this.#nextWanted;
        nextOffset = at < this.#wanted.length ? this.#wanted[at] - base : Infinity;
      }
      if (!keepsAll) {
        lastFile = file;
        lastLine = line;
        continue;
      }
      addresses[count] = base + offset;
      files[count] = file;
      lines[count] = line;
      stmts[count++] = isStmt;
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

  /** A sequence begins at `address`. */
  #begin(address: number): void {
    this.#firstWanted = this.#nextWanted = lowerBound(this.#wanted, address);
  }

  /**
   * A row at `address` follows one of `file` and `line`, which covers all addresses up to it. Returns whether all addresses
   * have been found: what follows need not be read then.
   */
  #pass(address: number, file: number, line: number): boolean {
    const wanted = this.#wanted;
    let at = this.#nextWanted;
    for (; at < wanted.length && wanted[at] < address; at++) {
      this.#pendingFile[at] = file;
      this.#pendingLine[at] = line;
    }
    this.#foundCount += at - this.#nextWanted;
    this.#nextWanted = at;
    return this.#foundCount === wanted.length;
  }

  /** A sequence ends: what it found counts, but for addresses that one with an earlier end has. */
  #commit(end: number, file: Int32Array | undefined, line: Int32Array | undefined): void {
    if (file === undefined || line === undefined) return;
    for (let at = this.#firstWanted; at < this.#nextWanted; at++) {
      if (end > this.#foundEnd[at]) continue;
      this.#foundEnd[at] = end;
      file[at] = this.#pendingFile[at];
      line[at] = this.#pendingLine[at];
    }
  }
}

/**
 * Reads the operands of an opcode. Returns the line or file that it gives, or by how much it advances the address; of an
 * extended opcode which one it is: the operand is in the bytes before the reader then.
 */
function readOperand(reader: BinaryReader, header: LineHeader, opcode: number): number {
  switch (opcode) {
    case 0: {
      const size = reader.uleb();
      const at = reader.take(size);
      const extended = size > 0 ? reader.bytes[at] : 0;
      if (extended === dw.DW_LNE_set_address && size !== 9) {
        throw reader.problem(`address of ${size - 1} bytes`, at);
      }
      return extended;
    }
    case dw.DW_LNS_advance_line:
      return reader.sleb();
    case dw.DW_LNS_set_file:
      return reader.uleb();
    case dw.DW_LNS_advance_pc:
      return reader.uleb() * header.minimumInstructionLength;
    case dw.DW_LNS_fixed_advance_pc:
      return reader.u16();
    default:
      for (let left = header.standardOpcodeLengths[opcode - 1]; left > 0; left--) reader.skipLeb();
      return 0;
  }
}
