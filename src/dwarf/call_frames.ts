import type { Address } from "../base/address.ts";
import { BinaryReader } from "../base/binary_reader.ts";
import { upperBound } from "../base/search.ts";

/** A function's frame on the stack, as call frame information has it at one address. */
export interface CallFrame {
  /** The caller's stack pointer is the value of this register (DWARF's number; -1 where an expression gives it) … */
  readonly register: number;
  /** … and this many bytes. */
  readonly offset: number;
  /** Where the registers' values of the caller are saved: bytes from the caller's stack pointer, by number. */
  readonly saved: ReadonlyMap<number, number>;
}

/** What all functions of one compilation have in common. */
interface CommonInformation {
  readonly codeAlignment: number;
  readonly dataAlignment: number;
  readonly encoding: number;
  readonly hasAugmentation: boolean;
  /** Where its instructions are. */
  readonly from: number;
  readonly end: number;
}

/** A function's entry. */
interface FrameEntry {
  readonly start: Address;
  readonly end: Address;
  readonly common: CommonInformation;
  readonly from: number;
  readonly to: number;
}

// Encodings of pointers (LSB Core, 10.5), as far as compilers use them for code.
const PE_FORMAT = 0x0f;
const PE_PCREL = 0x10;
const PE_OMIT = 0xff;

/** The call frame information of an image, of section `.eh_frame`. */
export class CallFrames {
  readonly #bytes: Uint8Array;
  readonly #address: Address;
  #entries: FrameEntry[] | undefined;
  #starts: Address[] | undefined;

  /**
   * @param bytes the section
   * @param address where it is linked
   */
  constructor(bytes: Uint8Array, address: Address) {
    this.#bytes = bytes;
    this.#address = address;
  }

  /**
   * The frame where the instruction at `address` is about to run; `undefined` where no function is known there.
   *
   * @throws {FormatError} where the section is damaged
   */
  at(address: Address): CallFrame | undefined {
    const entries = this.#entries ??= this.#readEntries();
    this.#starts ??= entries.map(({ start }) => start);
    const entry = entries[upperBound(this.#starts, address) - 1];
    return entry !== undefined && address < entry.end ? this.#run(entry, address) : undefined;
  }

  #reader(pos: number, end?: number): BinaryReader {
    return new BinaryReader(this.#bytes, { format: "DWARF", section: ".eh_frame" }, pos, end);
  }

  #readEntries(): FrameEntry[] {
    const commons = new Map<number, CommonInformation>();
    const entries: FrameEntry[] = [];
    const reader = this.#reader(0);
    while (reader.end - reader.pos >= 4) {
      const entry = reader.pos;
      let length = reader.u32();
      if (length === 0) continue; // The end of what one object file had.
      if (length === 0xffff_ffff) length = reader.u64();
      const body = reader.pos;
      reader.skip(length);
      const common = this.#reader(body, body + length);
      const id = common.u32();
      if (id === 0) commons.set(entry, readCommon(common));
      else {
        const of = commons.get(body - id);
        if (of !== undefined) entries.push(this.#readEntry(common, of));
      }
    }
    return entries.sort((a, b) => a.start - b.start);
  }

  #readEntry(reader: BinaryReader, common: CommonInformation): FrameEntry {
    const start = this.#pointer(reader, common.encoding);
    const size = this.#pointer(reader, common.encoding & PE_FORMAT);
    if (common.hasAugmentation) reader.skip(reader.uleb());
    return { start, end: start + size, common, from: reader.pos, to: reader.end };
  }

  #pointer(reader: BinaryReader, encoding: number): Address {
    const base = (encoding & PE_PCREL) === 0 ? 0 : this.#address + reader.pos;
    switch (encoding & PE_FORMAT) {
      case 0x00:
      case 0x04:
      case 0x0c:
        return base + reader.address();
      case 0x02:
        return base + reader.u16();
      case 0x03:
        return base + reader.u32();
      case 0x0b:
        return base + reader.i32();
      default:
        throw reader.problem(`pointer encoding ${encoding} is not known`);
    }
  }

  #run({ start, common, from, to }: FrameEntry, address: Address): CallFrame | undefined {
    const state = new FrameState(start);
    this.#instructions(this.#reader(common.from, common.end), common, state, Infinity);
    state.initial = new Map(state.saved);
    this.#instructions(this.#reader(from, to), common, state, address);
    return state;
  }

  /** Runs instructions up to `address`. */
  #instructions(
    reader: BinaryReader,
    common: CommonInformation,
    state: FrameState,
    address: Address,
  ): void {
    function advance(delta: number): void {
      state.location += delta * common.codeAlignment;
    }
    while (reader.pos < reader.end) {
      const opcode = reader.u8();
      switch (opcode & 0xc0) {
        case 0x40:
          advance(opcode & 0x3f);
          break;
        case 0x80: // DW_CFA_offset
          state.saved.set(opcode & 0x3f, reader.uleb() * common.dataAlignment);
          continue;
        case 0xc0: // DW_CFA_restore
          state.restore(opcode & 0x3f);
          continue;
        default:
          if (opcode === 0x01) state.location = this.#pointer(reader, common.encoding);
          else if (opcode === 0x02) advance(reader.u8());
          else if (opcode === 0x03) advance(reader.u16());
          else if (opcode === 0x04) advance(reader.u32());
          else runInstruction(opcode, reader, common, state);
      }
      if (state.location > address) return;
    }
  }
}

class FrameState implements CallFrame {
  location: Address;
  register = -1;
  offset = 0;
  saved: Map<number, number> = new Map();
  /** What is saved where the function begins. */
  initial: ReadonlyMap<number, number> = new Map();
  readonly #remembered: CallFrame[] = [];

  constructor(location: Address) {
    this.location = location;
  }

  remember(): void {
    const { register, offset, saved } = this;
    this.#remembered.push({ register, offset, saved: new Map(saved) });
  }

  /** False where nothing was remembered. */
  recall(): boolean {
    const former = this.#remembered.pop();
    if (former === undefined) return false;
    this.register = former.register;
    this.offset = former.offset;
    this.saved = new Map(former.saved);
    return true;
  }

  restore(register: number): void {
    const offset = this.initial.get(register);
    if (offset === undefined) this.saved.delete(register);
    else this.saved.set(register, offset);
  }
}

/** Names and operands: DWARF 5, 7.24. */
function runInstruction(
  opcode: number,
  reader: BinaryReader,
  { dataAlignment }: CommonInformation,
  state: FrameState,
): void {
  switch (opcode) {
    case 0x00: // DW_CFA_nop
      break;
    case 0x2e: // DW_CFA_GNU_args_size
      reader.skipLeb();
      break;
    case 0x05: // DW_CFA_offset_extended
      state.saved.set(reader.uleb(), reader.uleb() * dataAlignment);
      break;
    case 0x11: // DW_CFA_offset_extended_sf
      state.saved.set(reader.uleb(), reader.sleb() * dataAlignment);
      break;
    case 0x06: // DW_CFA_restore_extended
      state.restore(reader.uleb());
      break;
    case 0x07: // DW_CFA_undefined
    case 0x08: // DW_CFA_same_value
      state.saved.delete(reader.uleb());
      break;
    case 0x09: // DW_CFA_register
    case 0x14: // DW_CFA_val_offset
    case 0x15: // DW_CFA_val_offset_sf
      reader.skipLeb();
      reader.skipLeb();
      break;
    case 0x0a: // DW_CFA_remember_state
      state.remember();
      break;
    case 0x0b: // DW_CFA_restore_state
      if (!state.recall()) throw reader.problem("a state is restored that was not kept");
      break;
    case 0x0c: // DW_CFA_def_cfa
      state.register = reader.uleb();
      state.offset = reader.uleb();
      break;
    case 0x0d: // DW_CFA_def_cfa_register
      state.register = reader.uleb();
      break;
    case 0x0e: // DW_CFA_def_cfa_offset
      state.offset = reader.uleb();
      break;
    case 0x0f: // DW_CFA_def_cfa_expression
      state.register = -1;
      reader.skip(reader.uleb());
      break;
    case 0x10: // DW_CFA_expression
    case 0x16: // DW_CFA_val_expression
      reader.skipLeb();
      reader.skip(reader.uleb());
      break;
    case 0x12: // DW_CFA_def_cfa_sf
      state.register = reader.uleb();
      state.offset = reader.sleb() * dataAlignment;
      break;
    case 0x13: // DW_CFA_def_cfa_offset_sf
      state.offset = reader.sleb() * dataAlignment;
      break;
    default:
      throw reader.problem(`call frame instruction ${opcode} is not known`);
  }
}

function readCommon(reader: BinaryReader): CommonInformation {
  const version = reader.u8();
  const augmentation = reader.cString();
  const codeAlignment = reader.uleb();
  const dataAlignment = reader.sleb();
  if (version === 1) reader.skip(1);
  else reader.skipLeb();
  const hasAugmentation = augmentation.startsWith("z");
  let encoding = 0;
  if (hasAugmentation) {
    const end = reader.uleb() + reader.pos;
    for (const letter of augmentation.slice(1)) {
      if (letter === "R") encoding = reader.u8();
      else if (letter === "L") reader.skip(1);
      else break; // "P" has a pointer, which nothing here needs; "S" has nothing.
    }
    reader.skip(end - reader.pos);
  } else if (augmentation !== "") {
    throw reader.problem(`augmentation ${augmentation} is not known`);
  }
  if (encoding === PE_OMIT) throw reader.problem("functions have no addresses");
  return {
    codeAlignment,
    dataAlignment,
    encoding,
    hasAugmentation,
    from: reader.pos,
    end: reader.end,
  };
}
