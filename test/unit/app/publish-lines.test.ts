import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KnownIds } from '../../../src/app/publish/known-ids.ts';
import { MAX_LINE_BYTES, splitLines } from '../../../src/app/publish/split-lines.ts';

async function linesOf(
  chunks: readonly Buffer[],
): Promise<{ number: number; text: string; isTooLong: boolean }[]> {
  // As a file is read: every chunk in the same memory.
  const memory = Buffer.alloc(Math.max(1, ...chunks.map(({ length }) => length)));
  async function* inOneBuffer(): AsyncGenerator<Buffer> {
    for (const chunk of chunks) {
      chunk.copy(memory);
      yield await Promise.resolve(memory.subarray(0, chunk.length));
    }
  }
  const lines: { number: number; text: string; isTooLong: boolean }[] = [];
  for await (const group of splitLines(inOneBuffer())) {
    for (const { number, bytes, isTooLong } of group)
      lines.push({ number, text: bytes.toString(), isTooLong });
  }
  return lines;
}

describe('splitLines', () => {
  test('gives the same lines however the input is cut into chunks', async () => {
    const input = Buffer.from('\ufeff{"a":1}\r\n\n{"b":"ä🙂"}\n\r\nlast');
    const whole = await linesOf([input]);
    expect(whole.map(({ text }) => text)).toEqual(['{"a":1}', '', '{"b":"ä🙂"}', '', 'last']);
    expect(whole.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(input.length)), async (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), input.length];
        const chunks = edges.slice(1).map((edge, at) => input.subarray(edges[at], edge));
        expect(await linesOf(chunks)).toEqual(whole);
      }),
    );
  });

  test('has no line behind the last line feed, and none of an empty input', async () => {
    expect(await linesOf([Buffer.from('a\n')])).toHaveLength(1);
    expect(await linesOf([Buffer.alloc(0)])).toEqual([]);
  });

  test('tells a line that is too long without keeping it, and goes on with the next', async () => {
    const long = Buffer.alloc(300_000, 'x');
    const lines = await linesOf([
      Buffer.from('a\n'),
      ...Array.from({ length: 10 }, () => long),
      Buffer.from('\nb\n'),
    ]);
    expect(lines.map(({ number, isTooLong }) => [number, isTooLong])).toEqual([
      [1, false],
      [2, true],
      [3, false],
    ]);
    expect(lines[1]?.text).toHaveLength(MAX_LINE_BYTES);
    expect(lines[2]?.text).toBe('b');
  });
});

describe('KnownIds', () => {
  const id = (n: number): string => `018f3f1e-7a2b-7c3d-8e4f-${n.toString(16).padStart(12, '0')}`;

  test('tells an id that is new, of the same event, and of another one, among many', () => {
    const known = new KnownIds();
    const content = (n: number): (Buffer | string | null)[] => [Buffer.from(`u${String(n)}`), 'create', null];
    const count = 50_000;
    for (let n = 0; n < count; n += 1) expect(known.add(id(n), content(n))).toBe('new');
    for (let n = 0; n < count; n += 997) {
      expect(known.add(id(n), content(n))).toBe('same');
      expect(known.add(id(n), content(n + 1))).toBe('other');
    }
    expect(known.add('00000000-0000-0000-0000-000000000000', [null])).toBe('new');
    expect(known.add('00000000-0000-0000-0000-000000000000', [null])).toBe('same');
  });

  test('keeps what belongs to one part of the content apart from the next', () => {
    const known = new KnownIds();
    known.add(id(1), [Buffer.from('ab'), 'c']);
    expect(known.add(id(1), [Buffer.from('a'), 'bc'])).toBe('other');
    expect(known.add(id(1), [null, 'c'])).toBe('other');
  });
});
