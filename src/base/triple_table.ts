/**
 * Gives each distinct triple of 32-bit numbers a dense id, in order of first sight. Columns and an open-addressed
 * hash table: no object and no string per entry.
 */
export class TripleTable {
  /** Number of distinct triples. */
  count = 0;
  a: Int32Array<ArrayBuffer>;
  b: Int32Array<ArrayBuffer>;
  c: Int32Array<ArrayBuffer>;
  /** Id + 1 per slot; 0 is free. */
  #slots: Int32Array<ArrayBuffer>;

  constructor(capacity = 1024) {
    let size = 16;
    while (size < capacity) size *= 2;
    this.a = new Int32Array(size);
    this.b = new Int32Array(size);
    this.c = new Int32Array(size);
    this.#slots = new Int32Array(size * 2);
  }

  /** The id of `(a, b, c)`, new or known. */
  intern(a: number, b: number, c: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const as = this.a, bs = this.b, cs = this.c;
    let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77) ^ Math.imul(c, 0xc2b2ae3d);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let slot = (hash ^ (hash >>> 13)) & mask;
    for (;;) {
      const id = slots[slot] - 1;
      if (id < 0) break;
      if (cs[id] === c && as[id] === a && bs[id] === b) return id;
      slot = (slot + 1) & mask;
    }
    const id = this.count;
    if (id === as.length) {
      this.#grow();
      return this.intern(a, b, c);
    }
    this.count++;
    as[id] = a;
    bs[id] = b;
    cs[id] = c;
    slots[slot] = id + 1;
    return id;
  }

  /** Removes all triples and keeps the capacity. */
  clear(): void {
    if (this.count > 0) this.#slots.fill(0);
    this.count = 0;
  }

  #grow(): void {
    const { a, b, c } = this;
    const count = a.length;
    this.a = new Int32Array(count * 2);
    this.b = new Int32Array(count * 2);
    this.c = new Int32Array(count * 2);
    this.#slots = new Int32Array(count * 4);
    this.count = 0;
    for (let id = 0; id < count; id++) this.intern(a[id], b[id], c[id]);
  }
}
