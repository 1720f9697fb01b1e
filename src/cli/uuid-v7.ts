import { randomFillSync } from 'node:crypto';

/** Random bytes are asked for in so large portions: a call for each id took longer than all the rest of it. */
const POOL_BYTES = 10 * 256;

/** The digit of the variant, by its two random bits. */
const VARIANTS = '89ab';

/** Highest value of the counter in `rand_a`: 12 bits. */
const COUNTER_MAX = 0xfff;

/**
 * Makes UUIDs of version 7 (RFC 9562), each greater than the one before: within one millisecond a counter in `rand_a`
 * goes up from a random start in its lower half (method 1 of section 6.2), and where it runs over, or the clock goes
 * back, the time of the last id is kept or moved on by one. `now` is ms since the epoch.
 */
export function createUuidV7(now: () => number): () => string {
  let lastMs = -1;
  let counter = 0;
  let clock = '';
  const pool = Buffer.alloc(POOL_BYTES);
  let digits = '';
  let used = 0;
  const moveTo = (ms: number, random: number): void => {
    lastMs = ms;
    const hex = ms.toString(16).padStart(12, '0');
    clock = `${hex.slice(0, 8)}-${hex.slice(8)}-7`;
    counter = random >> 5;
  };
  return () => {
    if (used === digits.length) {
      digits = randomFillSync(pool).toString('hex');
      used = 0;
    }
    const at = used;
    used += 20;
    const time = now();
    if (time > lastMs) moveTo(time, parseInt(digits.slice(at, at + 4), 16));
    else if (counter < COUNTER_MAX) counter += 1;
    else moveTo(lastMs + 1, parseInt(digits.slice(at, at + 4), 16));
    // Variant 10xx in the two highest bits.
    const variant = VARIANTS.charAt(parseInt(digits.charAt(at + 4), 16) & 3);
    const counted = counter.toString(16).padStart(3, '0');
    return `${clock}${counted}-${variant}${digits.slice(at + 5, at + 8)}-${digits.slice(at + 8, at + 20)}`;
  };
}
