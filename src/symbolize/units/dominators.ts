import { grown } from "../../base/grow.ts";

/** Edges of a graph by node: those of node `n` lead to `target[first[n]]` up to `target[first[n + 1] - 1]`. */
export interface Edges {
  readonly first: Int32Array;
  readonly target: Int32Array;
}

/**
 * The immediate dominators of a graph: the last node that every way from the root to a node passes. By the method of
 * Cooper, Harvey and Kennedy (A Simple, Fast Dominance Algorithm). Filled again for each graph.
 */
export class Dominators {
  /** By node; -1 for the root and for nodes that no way leads to. */
  of = new Int32Array(256);
  /** Nodes by their number in postorder, and the number of each node; -1 where no way leads to it. */
  #order = new Int32Array(256);
  #number = new Int32Array(256);
  #stack = new Int32Array(256);
  #edge = new Int32Array(256);

  /**
   * Finds them for nodes 0 to `count`.
   *
   * @param root One of the nodes.
   * @param out Where each node leads to.
   * @param into The same edges, from their ends.
   */
  find(count: number, root: number, out: Edges, into: Edges): void {
    this.#reserve(count);
    const numbers = this.#number, order = this.#order, dominators = this.of;
    const reached = this.#visit(count, root, out);
    dominators.fill(-1, 0, count);
    dominators[root] = root;
    const { first, target } = into;
    // One pass is enough where every loop is only entered at its head.
    for (let isDone = false; !isDone;) {
      let changed = false, hasLoop = false;
      for (let at = reached - 2; at >= 0; at--) {
        const node = order[at];
        let dominator = -1;
        for (let edge = first[node]; edge < first[node + 1]; edge++) {
          let other = target[edge];
          if (numbers[other] <= at && numbers[other] >= 0) hasLoop = true;
          if (numbers[other] < 0 || dominators[other] < 0) continue;
          if (dominator < 0) {
            dominator = other;
            continue;
          }
          while (other !== dominator) {
            while (numbers[other] < numbers[dominator]) other = dominators[other];
            while (numbers[dominator] < numbers[other]) dominator = dominators[dominator];
          }
        }
        if (dominators[node] !== dominator) {
          dominators[node] = dominator;
          changed = true;
        }
      }
      isDone = !changed || !hasLoop || this.#areLoopsPlain(reached, into);
    }
    dominators[root] = -1;
  }

  /** Whether the head of every loop, by what has been found, dominates what leads back to it. */
  #areLoopsPlain(reached: number, { first, target }: Edges): boolean {
    const numbers = this.#number, order = this.#order, dominators = this.of;
    for (let at = reached - 2; at >= 0; at--) {
      const head = order[at];
      for (let edge = first[head]; edge < first[head + 1]; edge++) {
        let node = target[edge];
        if (numbers[node] < 0 || numbers[node] > at) continue;
        while (numbers[node] < at) node = dominators[node];
        if (node !== head) return false;
      }
    }
    return true;
  }

  /** Numbers the nodes in postorder; returns how many are reached. */
  #visit(count: number, root: number, { first, target }: Edges): number {
    const numbers = this.#number, order = this.#order, stack = this.#stack, edges = this.#edge;
    numbers.fill(-1, 0, count);
    let depth = 0, next = 0;
    stack[0] = root;
    edges[0] = first[root];
    numbers[root] = 0;
    while (depth >= 0) {
      const node = stack[depth];
      if (edges[depth] < first[node + 1]) {
        const to = target[edges[depth]++];
        if (numbers[to] >= 0) continue;
        numbers[to] = 0;
        stack[++depth] = to;
        edges[depth] = first[to];
      } else {
        order[next] = node;
        numbers[node] = next++;
        depth--;
      }
    }
    return next;
  }

  #reserve(count: number): void {
    this.of = grown(this.of, count);
    this.#order = grown(this.#order, count);
    this.#number = grown(this.#number, count);
    this.#stack = grown(this.#stack, count);
    this.#edge = grown(this.#edge, count);
  }
}
