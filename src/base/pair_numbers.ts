/** Numbers pairs from 0, equal ones alike, in the order in which they come first. */
export function numbersOfPairs(high: Uint32Array, low: Uint32Array): Uint32Array {
  let slots = 16;
  while (slots < 2 * high.length) slots *= 2;
  // By slot, 1 and the place of the pair that it has; 0: free.
  const table = new Uint32Array(slots);
  const numbers = new Uint32Array(high.length);
  let next = 0;
  for (let at = 0; at < high.length; at++) {
    let slot = Math.imul(high[at] ^ Math.imul(low[at], 0x9e37_79b1), 0x85eb_ca6b) >>> 7;
    for (slot &= slots - 1;; slot = (slot + 1) & (slots - 1)) {
      const known = table[slot] - 1;
      if (known < 0) {
        table[slot] = at + 1;
        numbers[at] = next++;
        break;
      }
      if (high[known] === high[at] && low[known] === low[at]) {
        numbers[at] = numbers[known];
        break;
      }
    }
  }
  return numbers;
}
