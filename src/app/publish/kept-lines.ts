import type { ReadGroup } from './read-lines.ts';

/** What is kept at the most, whichever comes first: 80 MB of ordinary events, 430 MB of nothing but empty lists (measured). */
const MAX_BYTES = 32 * 1024 * 1024;
const MAX_LINES = 250_000;

/**
 * The lines of an input that is checked before the first is sent: where it is small enough it is read, parsed and checked
 * once, and sent from memory. Of a larger one nothing is kept: it is read a second time.
 */
export class KeptLines {
  private groups: ReadGroup[] | null = [];
  private bytes = 0;
  private lines = 0;

  /** Gives on what it keeps. */
  async *keep(groups: AsyncIterable<ReadGroup>): AsyncGenerator<ReadGroup> {
    for await (const group of groups) {
      this.bytes += group.bytes;
      this.lines += group.lines.length;
      if (this.bytes > MAX_BYTES || this.lines > MAX_LINES) this.groups = null;
      this.groups?.push(group);
      yield group;
    }
  }

  /** All of them, once: what has been taken is not kept any longer. Null where it was too much. */
  take(): Iterable<ReadGroup> | null {
    const { groups } = this;
    this.groups = null;
    return groups === null ? null : drain(groups);
  }
}

function* drain(groups: ReadGroup[]): Generator<ReadGroup> {
  groups.reverse();
  for (let group = groups.pop(); group !== undefined; group = groups.pop()) yield group;
}
