import { grown } from "../../base/grow.ts";
import type { LineClaims, PointParts } from "./line_claims.ts";
import { NO_FUNCTION } from "./source_tables.ts";

/** The frames of addresses, one unit after another, as columns that grow. */
export class FrameEmitter {
  /** Number of addresses that are finished. */
  count = 0;
  /** Number of frames of each. */
  readonly frames: Int32Array<ArrayBuffer>;
  /** Frames, innermost first, address after address: ids in the tables of sources. */
  frameCount = 0;
  frameFunction: Int32Array<ArrayBuffer>;
  framePath: Int32Array<ArrayBuffer>;
  frameLine: Int32Array<ArrayBuffer>;
  /** Frames before the current address. */
  #before = 0;
  readonly #parts: Omit<PointParts, "blocks">;

  /** @param addresses At most, to make the columns large enough at once: memory that is not used costs nothing. */
  constructor(addresses: number, parts: Omit<PointParts, "blocks">) {
    this.frames = new Int32Array(addresses);
    const frames = Math.max(1024, addresses) * 2;
    this.frameFunction = new Int32Array(frames);
    this.framePath = new Int32Array(frames);
    this.frameLine = new Int32Array(frames);
    this.#parts = parts;
  }

  /**
   * Adds the frames of the next `count` addresses: all those of the current unit.
   *
   * @param claims Where given, takes the lines that the addresses claim.
   * @throws {FormatError} Where the unit is damaged; addresses before the damage keep their frames.
   */
  emit(count: number, claims: LineClaims | undefined): void {
    const { tree: { inlined, parent, callLine }, painter, rows, sources } = this.#parts;
    const entries = painter.entry, files = rows.file, lines = rows.line;
    for (let at = 0; at < count; at++) {
      const hasRow = files[at] >= 0;
      const path = hasRow ? sources.path(files[at]) : 0;
      // Where the file is not in the table nothing is known, the line neither.
      const line = path !== 0 ? lines[at] : 0;
      let outermost = NO_FUNCTION;
      if (entries[at] < 0) {
        if (hasRow) this.#add(NO_FUNCTION, path, line);
      } else {
        let framePath = path, frameLine = line, entry = entries[at];
        for (;;) {
          outermost = sources.function(entry);
          this.#add(outermost, framePath, frameLine);
          claims?.addFrame(
            outermost,
            framePath,
            frameLine,
            entry !== entries[at] || rows.isOwn[at] === 1,
          );
          if (inlined[entry] === 0) break;
          framePath = sources.callPath(entry);
          frameLine = callLine[entry];
          entry = parent[entry];
          if (entry < 0) break;
        }
      }
      if (claims !== undefined) {
        claims.addBlocks(at, outermost);
        claims.endPoint(path, line);
      }
      this.#endAddress();
    }
  }

  /** Drops what was found of the current address, and gives it and those up to number `end` no frames. */
  dropTo(end: number, claims: LineClaims | undefined): void {
    this.frameCount = this.#before;
    while (this.count < end) {
      claims?.dropPoint();
      this.#endAddress();
    }
  }

  #endAddress(): void {
    this.frames[this.count++] = this.frameCount - this.#before;
    this.#before = this.frameCount;
  }

  #add(functionId: number, path: number, line: number): void {
    const index = this.frameCount++;
    if (index === this.frameLine.length) {
      this.frameFunction = grown(this.frameFunction, index + 1);
      this.framePath = grown(this.framePath, index + 1);
      this.frameLine = grown(this.frameLine, index + 1);
    }
    this.frameFunction[index] = functionId;
    this.framePath[index] = path;
    this.frameLine[index] = line;
  }
}
