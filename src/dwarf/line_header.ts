import { BinaryReader } from "../base/binary_reader.ts";
import type { ByteSource } from "../base/byte_source.ts";
import { grown } from "../base/grow.ts";
import * as dw from "./constants.ts";
import { skipForm } from "./forms.ts";
import { readUnitLength } from "./unit_headers.ts";

/** The directories or files of a line table: where each one's path is, not yet read. */
export class LineEntries {
  count = 0;
  /** Form of the path: `DW_FORM_string`, `DW_FORM_line_strp`, `DW_FORM_strp` or an indexed form; 0 for none. */
  form = new Uint8Array(64);
  /** Its offset in its section (in `.debug_line` from the program's own start), or its index. */
  value = new Float64Array(64);
  /** Directory of a file. */
  directory = new Int32Array(64);

  add(form: number, value: number, directory: number): void {
    const index = this.count++;
    if (index === this.form.length) {
      this.form = grown(this.form, index + 1);
      this.value = grown(this.value, index + 1);
      this.directory = grown(this.directory, index + 1);
    }
    this.form[index] = form;
    this.value[index] = value;
    this.directory[index] = directory;
  }
}

/** Columns to fill with the entries of one header after another. */
export interface LineTables {
  readonly directories: LineEntries;
  readonly files: LineEntries;
}

/** The header of one line number program (DWARF 5, section 6.2.4), its strings not yet read. */
export interface LineHeader {
  /** The program's bytes from its unit length to its end. */
  readonly bytes: Uint8Array;
  /** Offset in `.debug_line` of the first of them. */
  readonly offset: number;
  readonly version: number;
  readonly offsetSize: number;
  readonly minimumInstructionLength: number;
  readonly defaultIsStmt: boolean;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  readonly standardOpcodeLengths: Uint8Array;
  readonly directories: LineEntries;
  readonly files: LineEntries;
  /** Where the program begins in `bytes`. */
  readonly programStart: number;
}

/**
 * Reads the header of the line program at `offset` of `.debug_line`.
 *
 * @param tables to fill; what they held of another header is lost
 * @throws {FormatError} where it is damaged
 */
export function readLineHeader(
  line: ByteSource,
  offset: number,
  tables: LineTables = { directories: new LineEntries(), files: new LineEntries() },
): LineHeader {
  const place = { format: "DWARF", section: ".debug_line", base: offset };
  const start = new BinaryReader(
    line.read(Math.min(offset, line.size), Math.max(0, Math.min(12, line.size - offset))),
    place,
  );
  const { length, offsetSize } = readUnitLength(start);
  const total = start.pos + length;
  if (total > line.size - offset) {
    throw start.problem(`program length ${length} goes past the section's end`, 0);
  }
  const bytes = line.read(offset, total);
  const reader = new BinaryReader(bytes, place, start.pos);
  const version = reader.u16();
  if (version < 2 || version > 5) throw reader.problem(`line table version ${version}`, 4);
  if (version === 5) {
    const addressSize = reader.u8();
    if (addressSize !== 8) {
      throw reader.problem(`addresses of ${addressSize} bytes`, reader.pos - 1);
    }
    reader.skip(1);
  }
  const headerLength = reader.offset(offsetSize);
  const programStart = reader.pos + headerLength;
  if (programStart > bytes.length) throw reader.problem("header is longer than the program");
  const minimumInstructionLength = reader.u8();
  if (version >= 4) reader.skip(1);
  const defaultIsStmt = reader.u8() !== 0;
  const lineBase = reader.i8();
  const lineRange = reader.u8();
  if (lineRange === 0) throw reader.problem("line_range is 0", reader.pos - 1);
  const opcodeBase = reader.u8();
  const at = reader.take(Math.max(0, opcodeBase - 1));
  const standardOpcodeLengths = bytes.subarray(at, reader.pos);
  const { directories, files } = tables;
  directories.count = 0;
  files.count = 0;
  if (version === 5) {
    readEntries(reader, offsetSize, directories);
    readEntries(reader, offsetSize, files);
  } else {
    readEntriesBefore5(reader, directories, files);
  }
  return {
    bytes,
    offset,
    version,
    offsetSize,
    minimumInstructionLength,
    defaultIsStmt,
    lineBase,
    lineRange,
    opcodeBase,
    standardOpcodeLengths,
    directories,
    files,
    programStart,
  };
}

function readEntries(
  reader: BinaryReader,
  offsetSize: number,
  entries: LineEntries,
): void {
  const formats: number[] = [];
  for (let left = reader.u8(); left > 0; left--) formats.push(reader.uleb(), reader.uleb());
  const count = reader.uleb();
  // Each entry takes at least a byte, so a count that is impossible is met before the data ends.
  if (count > 0 && formats.length === 0 || count > reader.end - reader.pos) {
    throw reader.problem(`${count} entries are impossible`);
  }
  for (let index = 0; index < count; index++) {
    let form = 0, value = 0, directory = 0;
    for (let at = 0; at < formats.length; at += 2) {
      const content = formats[at], contentForm = formats[at + 1];
      if (content === dw.DW_LNCT_path) {
        form = contentForm;
        value = readString(reader, contentForm, offsetSize);
      } else if (content === dw.DW_LNCT_directory_index) {
        directory = readIndex(reader, contentForm);
      } else {
        skipForm(reader, contentForm, 8, offsetSize);
      }
    }
    entries.add(form, value, directory);
  }
}

function readString(reader: BinaryReader, form: number, offsetSize: number): number {
  switch (form) {
    case dw.DW_FORM_string: {
      const at = reader.pos;
      reader.skipCString();
      return at;
    }
    case dw.DW_FORM_line_strp:
    case dw.DW_FORM_strp:
      return reader.offset(offsetSize);
    case dw.DW_FORM_strx:
      return reader.uleb();
    case dw.DW_FORM_strx1:
    case dw.DW_FORM_strx2:
    case dw.DW_FORM_strx3:
    case dw.DW_FORM_strx4:
      return reader.sized(form - dw.DW_FORM_strx1 + 1);
    default:
      throw reader.problem(`path of unknown DW_FORM 0x${form.toString(16)}`);
  }
}

function readIndex(reader: BinaryReader, form: number): number {
  switch (form) {
    case dw.DW_FORM_udata:
      return reader.uleb();
    case dw.DW_FORM_data1:
      return reader.u8();
    case dw.DW_FORM_data2:
      return reader.u16();
    default:
      throw reader.problem(`directory index of unknown DW_FORM 0x${form.toString(16)}`);
  }
}

/** Versions 2 to 4: lists that an empty string ends. Index 0 of the files is not used: a placeholder stands there. */
function readEntriesBefore5(
  reader: BinaryReader,
  directories: LineEntries,
  files: LineEntries,
): void {
  // Directory 0 is the compilation folder, as if its name were empty.
  directories.add(0, 0, 0);
  files.add(0, 0, 0);
  while (reader.bytes[reader.pos] !== 0) {
    directories.add(dw.DW_FORM_string, reader.pos, 0);
    reader.skipCString();
  }
  reader.skip(1);
  while (reader.bytes[reader.pos] !== 0) {
    const at = reader.pos;
    reader.skipCString();
    files.add(dw.DW_FORM_string, at, reader.uleb());
    reader.skipLeb();
    reader.skipLeb();
  }
  reader.skip(1);
}
