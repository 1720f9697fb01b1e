import { randomFillSync } from 'node:crypto';

/** Random bytes are asked for in so large portions: a call for each id took longer than all the rest of it. */
const POOL_BYTES = 10 * 256;

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
  const pool = Buffer.alloc(POOL_BYTES);
  let used = POOL_BYTES;
  return () => {
    if (used === POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    const bytes = pool.subarray(used, (used += 10));
    const time = now();
    if (time > lastMs) {
      lastMs = time;
      counter = bytes.readUInt16BE(0) >> 5;
    } else if (counter < COUNTER_MAX) {
      counter += 1;
    } else {
      lastMs += 1;
      counter = bytes.readUInt16BE(0) >> 5;
    }
    const clock = lastMs.toString(16).padStart(12, '0');
    const tail = bytes.subarray(2);
    // Variant 10xx in the two highest bits.
    tail[0] = 0x80 | ((tail[0] ?? 0) & 0x3f);
    const random = tail.toString('hex');
    return [
      clock.slice(0, 8),
      clock.slice(8),
      `7${counter.toString(16).padStart(3, '0')}`,
      random.slice(0, 4),
      random.slice(4),
    ].join('-');
  };
}
