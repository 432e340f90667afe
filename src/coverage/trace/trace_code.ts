import type { Address } from "../../base/address.ts";
import { indexOfSorted, upperBound } from "../../base/search.ts";
import {
  type CodeReader,
  CONDITIONAL,
  INDIRECT,
  JUMP,
  type Jump,
  NO_JUMP,
  RETURN,
} from "../../elf/code_decoder.ts";
import type { SymbolNames } from "../../elf/symbol_names.ts";

/** A call in the code. */
export interface CodeCall {
  /** Where it returns to. */
  readonly back: Address;
  /** The function that it calls. */
  readonly target: number;
}

/** What can run from a place in the code on before the next coverage point of the same function does. */
export interface NextSteps {
  /** Coverage points that can be the next. */
  readonly points: readonly Address[];
  /** Calls of functions that begin with a coverage point, which is the next then. */
  readonly calls: readonly CodeCall[];
  /** Calls of functions that do not: what runs next may have been called by them. */
  readonly through: readonly CodeCall[];
  /** Where calls return to whose functions are not in the instruction. */
  readonly pointers: readonly Address[];
  /** Functions that are jumped to: they return to this function's caller. */
  readonly jumps: readonly number[];
  /** Whether the function can return. */
  readonly returns: boolean;
  /** Whether it can jump to where the code does not tell, such as by a table of a switch. */
  readonly unknown: boolean;
}

/** What a function without coverage points can call. */
export interface ReachedCalls {
  /** Functions with coverage points that it calls itself. */
  readonly direct: ReadonlySet<number>;
  /** Those that it calls through others without. */
  readonly indirect: ReadonlySet<number>;
  /** Whether there are calls on the way whose functions are not in the instruction. */
  readonly pointers: boolean;
}

/** No more functions without points are followed from one: what they call may be anything then. */
const MOST_FOLLOWED = 400;

/** The code of an image as its traces go through it: functions, calls and coverage points. */
export class TraceCode {
  /** Bytes from a coverage point to the return address that the kernel records. */
  readonly callLength: number;
  readonly #code: CodeReader;
  readonly #points: Float64Array;
  readonly #symbols: SymbolNames;
  readonly #parents = new Map<number, number>();
  readonly #entries = new Map<number, Address>();
  readonly #next = new Map<Address, NextSteps>();
  readonly #reached = new Map<number, ReachedCalls>();
  #byName: Map<string, number> | undefined;

  /**
   * @param code The machine code, by address.
   * @param symbols The image's, by address.
   * @param points Addresses of all coverage points, ascending.
   * @param callLength Bytes from a coverage point to the return address that the kernel records.
   */
  constructor(code: CodeReader, symbols: SymbolNames, points: Float64Array, callLength: number) {
    this.#code = code;
    this.#symbols = symbols;
    this.#points = points;
    this.callLength = callLength;
  }

  /** The function that an address is in, of which the compiler may have put a part elsewhere; -1 where it is in none. */
  functionAt(address: Address): number {
    const symbol = this.#symbolAt(address);
    return symbol < 0 ? -1 : this.#whole(symbol);
  }

  nameOf(fn: number): string {
    return this.#symbols.nameAt(fn);
  }

  isPoint(address: Address): boolean {
    return indexOfSorted(this.#points, address) >= 0;
  }

  startOf(fn: number): Address {
    return this.#symbols.address[fn];
  }

  /** Whether a function has coverage points. */
  hasPoints(fn: number): boolean {
    const point = this.#points[upperBound(this.#points, this.#symbols.address[fn] - 1)];
    return point < this.#endOf(fn);
  }

  /** Whether a point can be the first of a function. */
  beginsWith(fn: number, point: Address): boolean {
    return this.nextFrom(this.#symbols.address[fn]).points.includes(point);
  }

  /** The coverage point that a function begins with; `NaN` where there is none. A loop may begin there too. */
  entryOf(fn: number): Address {
    let entry = this.#entries.get(fn);
    if (entry === undefined) this.#entries.set(fn, entry = this.#findEntry(fn));
    return entry;
  }

  #findEntry(fn: number): Address {
    const start = this.#symbols.address[fn];
    const calls: number[] = [];
    const jump: Jump = { kind: NO_JUMP, target: -1, end: 0, calls };
    if (!this.#code.findJump(start, this.#endOf(fn), jump) || calls.length === 0) return NaN;
    const first = calls[0] - this.callLength;
    return this.isPoint(first) ? first : NaN;
  }

  /** What can run from a place in a function on. */
  nextFrom(address: Address): NextSteps {
    let next = this.#next.get(address);
    if (next === undefined) this.#next.set(address, next = this.#explore(address));
    return next;
  }

  #explore(from: Address): NextSteps {
    const points = new Set<Address>(), jumps = new Set<number>();
    const calls: CodeCall[] = [], through: CodeCall[] = [], pointers: Address[] = [];
    const own = this.functionAt(from);
    let returns = false, unknown = false;
    const seen = new Set<Address>(), waiting = [from];
    const goTo = (target: Address): void => {
      const fn = target === -1 ? -1 : this.functionAt(target);
      if (fn === -1) unknown = true;
      else if (fn !== own && target === this.#symbols.address[fn]) jumps.add(fn);
      else waiting.push(target);
    };
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      const symbol = this.#symbolAt(at);
      const found: number[] = [];
      const jump: Jump = { kind: NO_JUMP, target: -1, end: 0, calls: found };
      if (symbol < 0 || !this.#code.findJump(at, this.#endOf(symbol), jump)) {
        unknown = true;
        continue;
      }
      if (this.#addCalls(found, { points, calls, through, pointers })) continue;
      const { kind, target, end } = jump;
      if (kind === RETURN) returns = true;
      else if (kind === INDIRECT) unknown = true;
      else if (kind === JUMP || kind === CONDITIONAL) {
        // To what is right behind it: the linker fills in where to.
        goTo(target === end ? -1 : target);
        if (kind === CONDITIONAL) waiting.push(end);
      }
    }
    return { points: [...points], calls, through, pointers, jumps: [...jumps], returns, unknown };
  }

  /** Adds the calls of straight code; whether one of them is of a function that begins with a point, or is one. */
  #addCalls(
    found: readonly number[],
    to: {
      points: Set<Address>;
      calls: CodeCall[];
      through: CodeCall[];
      pointers: Address[];
    },
  ): boolean {
    for (let at = 0; at < found.length; at += 2) {
      const back = found[at], target = found[at + 1];
      if (this.isPoint(back - this.callLength)) {
        to.points.add(back - this.callLength);
        return true;
      }
      const fn = target === -1 ? -1 : this.functionAt(target);
      if (fn < 0) to.pointers.push(back);
      else if (this.entryOf(fn) >= -Infinity) {
        to.calls.push({ back, target: fn });
        return true;
      } else if (!this.nameOf(fn).startsWith("__sanitizer_cov_")) {
        to.through.push({ back, target: fn });
      }
    }
    return false;
  }

  /** What a function that does not begin with a coverage point can call. */
  reachedFrom(fn: number): ReachedCalls {
    let reached = this.#reached.get(fn);
    if (reached === undefined) this.#reached.set(fn, reached = this.#follow(fn));
    return reached;
  }

  #follow(first: number): ReachedCalls {
    const direct = new Set<number>(), indirect = new Set<number>();
    let pointers = false;
    const seen = new Set([first]);
    // A set goes on with what is added to it on the way.
    for (const fn of seen) {
      const { calls, hasPointers } = this.#callsIn(fn);
      pointers ||= hasPointers;
      for (const target of calls) {
        if (this.entryOf(target) >= -Infinity) (fn === first ? direct : indirect).add(target);
        else if (seen.size < MOST_FOLLOWED) seen.add(target);
        else pointers = true;
      }
    }
    return { direct, indirect, pointers };
  }

  /** All that a function calls or jumps to. */
  #callsIn(fn: number): { readonly calls: ReadonlySet<number>; readonly hasPointers: boolean } {
    const calls = new Set<number>();
    const end = this.#endOf(fn);
    let hasPointers = false;
    for (let at = this.#symbols.address[fn]; at < end;) {
      const found: number[] = [];
      const jump: Jump = { kind: NO_JUMP, target: -1, end: 0, calls: found };
      if (!this.#code.findJump(at, end, jump) || jump.end <= at) break;
      at = jump.end;
      for (let call = 1; call < found.length; call += 2) {
        const target = found[call] === -1 ? -1 : this.functionAt(found[call]);
        if (target < 0) hasPointers = true;
        else calls.add(target);
      }
      const target = jump.target === -1 ? -1 : this.functionAt(jump.target);
      if (jump.kind === INDIRECT) hasPointers = true;
      else if (target >= 0 && target !== fn) calls.add(target);
    }
    return { calls, hasPointers };
  }

  #symbolAt(address: Address): number {
    const symbol = upperBound(this.#symbols.address, address) - 1;
    return symbol >= 0 && address < this.#endOf(symbol) ? symbol : -1;
  }

  #endOf(symbol: number): Address {
    return this.#symbols.address[symbol] + this.#symbols.size[symbol];
  }

  /** A function, for the symbol of it or of a part that does not often run and lies elsewhere. */
  #whole(symbol: number): number {
    let whole = this.#parents.get(symbol);
    if (whole === undefined) this.#parents.set(symbol, whole = this.#findWhole(symbol));
    return whole;
  }

  #findWhole(symbol: number): number {
    const name = this.nameOf(symbol);
    if (!/\.cold(?:\.\d+)?$/.test(name)) return symbol;
    const whole = name.replace(/\.cold(?:\.\d+)?$/, "");
    // The part is local, so its file is known; that of a global function is not.
    const names = this.#names();
    return names.get(`${this.#symbols.fileAt(symbol) ?? ""} ${whole}`) ?? names.get(` ${whole}`) ??
      symbol;
  }

  #names(): Map<string, number> {
    if (this.#byName !== undefined) return this.#byName;
    const names = new Map<string, number>();
    for (let symbol = 0; symbol < this.#symbols.address.length; symbol++) {
      const name = this.nameOf(symbol);
      names.set(`${this.#symbols.fileAt(symbol) ?? ""} ${name}`, symbol);
    }
    return this.#byName = names;
  }
}
