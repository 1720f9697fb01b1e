/** MurmurHash2, 32 bit, as `org.apache.kafka.common.utils.Utils.murmur2` computes it: a signed 32-bit integer. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  let hash = SEED ^ length;
  const whole = length & ~3;
  for (let at = 0; at < whole; at += 4) {
    let k = byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16);
    k = Math.imul(k | (byteAt(bytes, at + 3) << 24), M);
    k = Math.imul(k ^ (k >>> 24), M);
    hash = Math.imul(hash, M) ^ k;
  }
  const rest = length & 3;
  if (rest === 3) hash ^= byteAt(bytes, whole + 2) << 16;
  if (rest >= 2) hash ^= byteAt(bytes, whole + 1) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ byteAt(bytes, whole), M);
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}

/**
 * The partition of a key, [0, `partitionCount`): what the Java client's default partitioner answers, so that
 * producers of every language put one user's events into one partition.
 */
export function partitionFor(key: Uint8Array, partitionCount: number): number {
  // Java's `Utils.toPositive` clears the sign bit; it does not take the absolute value.
  return (murmur2(key) & 0x7fffffff) % partitionCount;
}

// The constants of the Java client.
const SEED = 0x9747b28c | 0;
const M = 0x5bd1e995;

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}
