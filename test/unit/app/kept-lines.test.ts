import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { KeptLines } from '../../../src/app/publish/kept-lines.ts';
import type { ReadGroup } from '../../../src/app/publish/read-lines.ts';

const MIB = 1024 * 1024;

function group(lines: number, bytes: number): ReadGroup {
  return {
    lines: Array.from({ length: lines }, (_, at) => ({
      raw: { number: at + 1, bytes: Buffer.alloc(0), isTooLong: false },
      reject: { line: at + 1, reason: 'x' },
    })),
    bytes,
  };
}

/** What is read of the groups, and what is left of them in memory. */
async function keep(groups: readonly ReadGroup[]) {
  const kept = new KeptLines();
  const read: ReadGroup[] = [];
  for await (const each of kept.keep(Readable.from(groups))) read.push(each);
  const taken = kept.take();
  return { read, taken: taken === null ? null : [...taken], again: kept.take() };
}

test('what was read is there once more, in its order', async () => {
  const groups = [group(2, 10), group(0, 0), group(1, 32 * MIB - 10)];
  expect(await keep(groups)).toEqual({ read: groups, taken: groups, again: null });
});

test.each([
  ['bytes', [group(1, 32 * MIB), group(1, 1)]],
  ['lines', [group(250_000, 5), group(1, 1), group(1, 1)]],
])('of an input of too many %s nothing is kept, and all is read', async (_, groups) => {
  expect(await keep(groups)).toEqual({ read: groups, taken: null, again: null });
});
