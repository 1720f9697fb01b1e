import { hash } from 'node:crypto';

/** 32-bit words a slot: four of the id, two of the content's hash. */
const WORDS = 6;
/** Beyond this share of used slots a search gets long. */
const MAX_LOAD = 0.7;

/**
 * The explicit ids of one input with a hash of what they stand for: 24 bytes a slot outside the heap, some 35-70 bytes an
 * id, so that a file of millions of lines is checked in little memory. Open addressing, linear probing.
 */
export class KnownIds {
  private slots = new Uint32Array(1024 * WORDS);
  private used = 0;

  /**
   * Adds an event. `new`: its id was not there. `same`: it was, for the same content. `other`: for other content.
   * `eventId` is a canonical UUID; `content` is what the consumer compares (key, type, value).
   */
  add(eventId: string, content: readonly (Buffer | string | null)[]): 'new' | 'same' | 'other' {
    if (this.used >= (this.slots.length / WORDS) * MAX_LOAD) this.grow();
    const entry = Uint32Array.of(...wordsOfUuid(eventId), ...hashOf(content));
    const at = findSlot(this.slots, entry);
    if (this.slots[at + WORDS - 1] === 0) {
      this.slots.set(entry, at);
      this.used += 1;
      return 'new';
    }
    const isSame = this.slots[at + 4] === entry[4] && this.slots[at + 5] === entry[5];
    return isSame ? 'same' : 'other';
  }

  private grow(): void {
    const old = this.slots;
    const slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += WORDS) {
      const entry = old.subarray(at, at + WORDS);
      if (entry[WORDS - 1] !== 0) slots.set(entry, findSlot(slots, entry));
    }
    this.slots = slots;
  }
}

/** Where the entry's id is, or the free slot where it belongs. The last word of a used slot is never 0. */
function findSlot(slots: Uint32Array, entry: Uint32Array): number {
  const count = slots.length / WORDS;
  const [a = 0, b = 0, c = 0, d = 0] = entry;
  const mixed = Math.imul(
    Math.imul(Math.imul(a ^ (b >>> 7), 0x85ebca6b) ^ c ^ b, 0xc2b2ae35) ^ d,
    0x9e3779b1,
  );
  // The count is a power of two; the high bits are the better mixed ones.
  let slot = ((mixed >>> 0) ^ (mixed >>> 15)) & (count - 1);
  for (;;) {
    const at = slot * WORDS;
    if (slots[at + WORDS - 1] === 0) return at;
    if (slots[at] === a && slots[at + 1] === b && slots[at + 2] === c && slots[at + 3] === d) return at;
    slot = (slot + 1) & (count - 1);
  }
}

function wordsOfUuid(uuid: string): number[] {
  const hex = uuid.replaceAll('-', '');
  return [0, 8, 16, 24].map((from) => parseInt(hex.slice(from, from + 8), 16));
}

/** 64 bits of a SHA-1 (a checksum here, no protection), the last one never 0. */
function hashOf(content: readonly (Buffer | string | null)[]): [number, number] {
  const parts = content.flatMap((part) => {
    const bytes = part === null ? Buffer.alloc(0) : Buffer.from(part);
    return [Buffer.from(`${part === null ? '-' : String(bytes.length)}:`), bytes];
  });
  const digest = hash('sha1', Buffer.concat(parts), 'hex');
  return [parseInt(digest.slice(0, 8), 16), parseInt(digest.slice(8, 16), 16) || 1];
}
