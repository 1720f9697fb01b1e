import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { LagWatch } from '../../../src/app/consume/lag-watch.ts';
import { EMPTY_TALLY } from '../../../src/app/consume/tally.ts';
import { ConsumeReporter } from '../../../src/cli/consume-reporter.ts';
import { createLiveLine } from '../../../src/cli/live-line.ts';
import { consumingText } from '../../../src/cli/views/consuming.ts';
import { waitFor } from '../../support/wait-for.ts';

const APPLIED = { partition: 0, decisions: [], rollbacks: [], duplicates: 0, nextOffset: 7n, elapsedMs: 1 };
const TALLY = { ...EMPTY_TALLY, events: 7, applied: 6, failed: 1 };

interface Terminal {
  readonly reporter: ConsumeReporter;
  /** All that was written. */
  readonly text: () => string;
  /** How often it has looked at the lag. */
  readonly looks: () => number;
}

function terminal({ isTTY = true, columns = 80, isJson = false } = {}): Terminal {
  let text = '';
  const output = Object.assign(new PassThrough(), { isTTY, columns });
  output.on('data', (bytes: Buffer) => (text += bytes.toString()));
  const lag = new LagWatch(
    () => Promise.resolve([{ partition: 0, low: 0n, high: 19n }]),
    () => 0,
  );
  let looks = 0;
  lag.follow({
    phase: 'working',
    get partitions() {
      looks++;
      return [{ partition: 0, nextOffset: 7n, oldest: 0 }];
    },
    ends: null,
  });
  const reporter = new ConsumeReporter({
    isJson,
    line: createLiveLine({ output, isAllowed: !isJson, now: Date.now }),
    lag,
    intervalMs: 20,
    notice: (line) => output.write(`${line}\n`),
    printLine: (line) => Promise.resolve(void output.write(`${line}\n`)),
  });
  return { reporter, text: () => text, looks: () => looks };
}

describe('on a terminal, the line', () => {
  test('is redrawn while nothing happens, has rate, lag and failures, and is gone at the end', async () => {
    const { reporter, text } = terminal();
    reporter.onApplied(APPLIED, TALLY);
    await waitFor(() => text().split('lag 12').length > 2, { describe: 'a second drawing with the lag' });
    reporter.stop();
    const drawn = text().split('\r\u001b[2K');
    expect(drawn.at(-2)).toMatch(/^Consuming 7(?: \(\d+\/s\))?, lag 12, 1 failed$/);
    expect(drawn.at(-1)).toBe('');
    reporter.onApplied(APPLIED, TALLY);
    expect(text().split('\r\u001b[2K')).toHaveLength(drawn.length);
  });

  test('never takes more than a narrow terminal has', async () => {
    const { reporter, text } = terminal({ columns: 20 });
    await waitFor(() => text().includes('Consuming'), { describe: 'the line' });
    reporter.stop();
    const lines = text()
      .split('\r\u001b[2K')
      .filter((line) => line !== '');
    expect(lines.every((line) => line.length < 20 && line.startsWith('Consuming 0'))).toBe(true);
  });

  test('makes way for what is told', async () => {
    const { reporter, text } = terminal();
    await waitFor(() => text().includes('Consuming'), { describe: 'the line' });
    reporter.onTrouble('database', 'gone');
    await waitFor(() => text().endsWith('waiting for the database, lag 12'), { describe: 'the line again' });
    reporter.stop();
    expect(text()).toContain('\r\u001b[2KThe database is away and is waited for: gone\n');
  });
});

describe('in a pipe', () => {
  test('a line is printed where something has changed, and not again where nothing has', async () => {
    const { reporter, text, looks } = terminal({ isTTY: false });
    reporter.onApplied(APPLIED, TALLY);
    await waitFor(() => looks() > 5, { describe: 'some looks' });
    reporter.onApplied(APPLIED, { ...TALLY, events: 8 });
    await waitFor(() => text().includes('Consumed 8'), { describe: 'the next line' });
    reporter.stop();
    expect(text()).toMatch(
      /^Consumed 7(?: \(\d+\/s\))?, lag 12, 1 failed\nConsumed 8(?: \(\d+\/s\))?, lag 12, 1 failed\n$/,
    );
  });
});

test('of an outage every reason is told once, and again in the next outage', () => {
  const { reporter, text } = terminal({ isTTY: false });
  for (const reason of ['gone', 'full', 'gone', 'full', 'c', 'd', 'e', 'f', null, null, 'full']) {
    reporter.onTrouble('database', reason);
  }
  for (const forMs of [5000, 6000]) {
    reporter.onStatement({ kind: 'silent', forMs });
  }
  reporter.stop();
  expect(text().split('\n').slice(0, -1)).toEqual([
    'The database is away and is waited for: gone',
    ...['full', 'c', 'd', 'e'].map((reason) => `The database is still away: ${reason}`),
    'The database is back',
    'The database is away and is waited for: full',
    expect.stringMatching(/^The database is still away: it has not answered for/),
  ]);
});

test('the rate, the time left and what is parked are shown where there are any', () => {
  const state = { tally: { ...TALLY, parked: 1234 }, lag: null, eventsPerSecond: 8100.4, elapsedMs: 1 };
  expect(consumingText({ ...state, secondsLeft: 99.2, waitsFor: [] })).toBe(
    '7 (8,100/s), 1 min 40 s left, 1 failed, 1,234 parked',
  );
  expect(consumingText({ ...state, eventsPerSecond: 0.3, secondsLeft: 0, waitsFor: [] })).toBe(
    '7, 1 failed, 1,234 parked',
  );
  expect(consumingText({ ...state, secondsLeft: 0, waitsFor: ['database', 'log'] })).toBe(
    '7 (8,100/s), waiting for the database and the log, 1 failed, 1,234 parked',
  );
});
