import type { AddressRows } from "./address_rows.ts";
import type { PointBlocks } from "./point_blocks.ts";
import type { UnitSources } from "./unit_sources.ts";

/** Lines from a label to its statement, at most: a comment may stand between. */
const NEAR = 2;

/**
 * Finds the blocks of labels that have lost their address, since nothing jumps to them any more or the code jumps past
 * them: whoever runs the statement behind a label has passed it. The statement is the function's first line with code
 * behind the label's.
 */
export function placeLabels(blocks: PointBlocks, rows: AddressRows, sources: UnitSources): void {
  const { file, line } = rows.table;
  for (let at = 0; at < blocks.labelCount; at++) {
    const declaration = sources.labelDeclaration(blocks.label[at]);
    if (declaration.path === 0) continue;
    const first = blocks.labelFirst[at], last = blocks.labelLast[at];
    let nearest = declaration.line + NEAR + 1;
    for (let block = first; block < last; block++) {
      for (let row = rows.start[block]; row < rows.end[block]; row++) {
        if (line[row] <= declaration.line || line[row] >= nearest) continue;
        if (sources.path(file[row]) === declaration.path) nearest = line[row];
      }
    }
    if (nearest > declaration.line + NEAR) continue;
    for (let block = first; block < last; block++) {
      for (let row = rows.start[block]; row < rows.end[block]; row++) {
        if (line[row] !== nearest || sources.path(file[row]) !== declaration.path) continue;
        blocks.addEntered(block, ~blocks.label[at]);
        break;
      }
    }
  }
}
