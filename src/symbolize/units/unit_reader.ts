import { upperBound } from "../../base/search.ts";
import { AbbrevTable } from "../../dwarf/abbrev.ts";
import type { DwarfSections } from "../../dwarf/dwarf_sections.ts";
import {
  LineEntries,
  type LineHeader,
  type LineTables,
  readLineHeader,
} from "../../dwarf/line_header.ts";
import { Unit } from "../../dwarf/unit.ts";
import type { UnitHeader } from "../../dwarf/unit_headers.ts";
import { FormatError } from "../../errors.ts";

/** Units of other files that one unit refers to are few (partial units, link-time optimization). */
const FOREIGN_UNITS_KEPT = 8;

/**
 * Opens the units of an image one after another, and the other units and line headers that the current one refers to.
 */
export class UnitReader {
  readonly sections: DwarfSections;
  readonly #headers: readonly UnitHeader[];
  readonly #offsets: Float64Array;
  readonly #foreign = new Map<number, Unit>();
  readonly #lineHeaders = new Map<Unit, LineHeader>();
  /** Filled again for each current unit. */
  readonly #abbrevs = new AbbrevTable();
  readonly #lineTables: LineTables = { directories: new LineEntries(), files: new LineEntries() };
  #current: Unit | undefined;

  /** @param headers All units, in the order of `.debug_info`. */
  constructor(sections: DwarfSections, headers: readonly UnitHeader[]) {
    this.sections = sections;
    this.#headers = headers;
    this.#offsets = Float64Array.from(headers, (header) => header.offset);
  }

  /** Opens unit `index` and makes it the current one. */
  open(index: number): Unit {
    this.#lineHeaders.clear();
    this.#current = undefined;
    const header = this.#headers[index];
    const bytes = this.sections.info.read(header.offset, header.end - header.offset);
    return this.#current = new Unit(this.sections, header, bytes, this.#abbrevs);
  }

  /** The unit that an offset of `.debug_info` lies in: the current one, or another. */
  unitAt(offset: number): Unit {
    const current = this.#current;
    if (current !== undefined && offset >= current.header.offset && offset < current.header.end) {
      return current;
    }
    const index = upperBound(this.#offsets, offset) - 1;
    const header = index < 0 ? undefined : this.#headers[index];
    if (header === undefined || offset < header.dieOffset || offset >= header.end) {
      throw new FormatError("DWARF", "reference leads to no unit", {
        section: ".debug_info",
        offset,
      });
    }
    let unit = this.#foreign.get(index);
    if (unit === undefined) {
      const source = this.sections.copy(".debug_info");
      const bytes = source.read(header.offset, header.end - header.offset);
      unit = new Unit(this.sections, header, bytes);
      if (this.#foreign.size >= FOREIGN_UNITS_KEPT) this.#foreign.clear();
      this.#foreign.set(index, unit);
    }
    return unit;
  }

  /** Header of the unit's line table; `undefined` where it has none. */
  lineHeader(unit: Unit): LineHeader | undefined {
    let header = this.#lineHeaders.get(unit);
    if (header === undefined && unit.stmtList >= 0) {
      const { sections } = this;
      header = unit === this.#current
        ? readLineHeader(sections.line, unit.stmtList, this.#lineTables)
        : readLineHeader(sections.copy(".debug_line"), unit.stmtList);
      this.#lineHeaders.set(unit, header);
    }
    return header;
  }
}
