import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { createProgress, progressLine } from '../../../src/cli/progress.ts';

function watch(
  isTTY: boolean,
  isAllowed = true,
): { output: PassThrough; text: () => string; isAllowed: boolean } {
  const output = Object.assign(new PassThrough(), { isTTY, columns: 30 });
  return { output, isAllowed, text: () => String(output.read() ?? '') };
}

test.each([
  [
    { label: 'Publishing', done: 1200, total: 5000, note: '', elapsedMs: 2000 },
    'Publishing 1,200 of 5,000 (24 %, 600/s, 7 s left)',
  ],
  [
    { label: 'Reading', done: 5000, total: 5000, note: '', elapsedMs: 2000 },
    'Reading 5,000 of 5,000 (100 %, 2,500/s)',
  ],
  [{ label: 'Reading', done: 7, total: null, note: 'now', elapsedMs: 10 }, 'Reading 7 now'],
  [{ label: 'Reading', done: 0, total: 0, note: '', elapsedMs: 10 }, 'Reading 0 of 0'],
])('%j is shown as %j', (state, line) => {
  expect(progressLine(state)).toBe(line);
});

describe('a progress line', () => {
  test('is redrawn ten times a second at the most, and at the end', () => {
    const { output, text, isAllowed } = watch(true);
    let now = 1000;
    const progress = createProgress('Publishing', { output, isAllowed, now: () => now });
    progress.update(1, 3);
    progress.update(2, 3);
    now += 10;
    progress.update(3, 3);
    const drawn = text();
    expect(drawn).toContain('1 of 3');
    expect(drawn).not.toContain('2 of 3');
    expect(drawn).toContain('3 of 3');
  });

  test('is cut to the terminal, and taken away at the end', () => {
    const { output, text, isAllowed } = watch(true);
    const progress = createProgress('A label that is far too long', { output, isAllowed, now: () => 1000 });
    progress.update(1);
    expect(text()).toBe('\r\u001b[2KA label that is far too long…');
    progress.stop();
    progress.stop();
    expect(text()).toBe('\r\u001b[2K');
  });

  test.each([
    ['without a terminal', watch(false)],
    ['under --json', watch(true, false)],
  ])('prints nothing %s', (_, { output, text, isAllowed }) => {
    const progress = createProgress('Publishing', { output, isAllowed, now: () => 1000 });
    progress.update(3, 3);
    progress.stop();
    expect(text()).toBe('');
  });
});
