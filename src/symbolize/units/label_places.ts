import type { AddressRows } from "./address_rows.ts";
import type { PointBlocks } from "./point_blocks.ts";
import type { Declaration, UnitSources } from "./unit_sources.ts";

/** Lines from a label to its statement, at most: a comment may stand between. */
const NEAR = 2;

/**
 * Finds the blocks of labels that have lost their address, since nothing jumps to them any more or the code jumps past
 * them: whoever runs the statement behind a label has passed it. The statement is the function's first line with code
 * behind the label's.
 */
export function placeLabels(blocks: PointBlocks, rows: AddressRows, sources: UnitSources): void {
  for (let at = 0; at < blocks.labelCount; at++) {
    const declaration = sources.labelDeclaration(blocks.label[at]);
    if (declaration.path !== 0) placeLabel(at, declaration, blocks, rows, sources);
  }
}

// One loop a function, since engines leave compiled code at the end of a loop that is part of another.

function placeLabel(
  at: number,
  { path, line }: Declaration,
  blocks: PointBlocks,
  rows: AddressRows,
  sources: UnitSources,
): void {
  const last = blocks.labelLast[at];
  const limit = line + NEAR + 1;
  let nearest = limit;
  for (let block = blocks.labelFirst[at]; block < last; block++) {
    nearest = nearestLine(block, path, line, nearest, rows, sources);
  }
  if (nearest === limit) return;
  for (let block = blocks.labelFirst[at]; block < last; block++) {
    const found = nearestLine(block, path, nearest - 1, nearest + 1, rows, sources);
    if (found === nearest) blocks.addEntered(block, ~blocks.label[at]);
  }
}

/** The first line between `above` and `below` that a row of the block is of; `below` where there is none. */
function nearestLine(
  block: number,
  path: number,
  above: number,
  below: number,
  { start, end, table: { file, line } }: AddressRows,
  sources: UnitSources,
): number {
  let nearest = below;
  for (let row = start[block]; row < end[block]; row++) {
    if (line[row] <= above || line[row] >= nearest) continue;
    if (sources.path(file[row]) === path) nearest = line[row];
  }
  return nearest;
}
