import { expect, test } from '@jest/globals';
import { parseSoakArguments } from '../../../soak/arguments.ts';
import { POISON } from '../../../soak/poison.ts';
import { renderResult, type SoakResult } from '../../../soak/report.ts';
import { Traffic, type Sent } from '../../../soak/traffic.ts';

const idOf = (headers: readonly { readonly key: string; readonly value: Buffer | null }[]): string =>
  headers.find(({ key }) => key === 'ce_id')?.value?.toString() ?? '';

function toText({ record }: Pick<Sent, 'record'>): string {
  const { key, value, headers } = record;
  const bytes = (buffer: Buffer | null): string => buffer?.toString('base64') ?? 'null';
  return [bytes(key), bytes(value), ...headers.map((header) => header.key + bytes(header.value))].join(' ');
}

test('a seed repeats what is sent, byte for byte, and producers have users of their own', () => {
  const [first, again, other] = [new Traffic(5, 0, 4), new Traffic(5, 0, 4), new Traffic(5, 1, 4)];
  const sent = first.next(500);
  // Text: jest compares a large buffer byte by byte, in seconds.
  expect(again.next(500).map(toText)).toEqual(sent.map(toText));
  const others = new Set(other.next(500).map(({ record }) => record.key?.toString()));
  expect(sent.filter(({ record }) => record.key !== null && others.has(record.key.toString()))).toEqual([]);
  expect(first.again(20).map((record) => toText({ record }))).toEqual(
    sent.slice(-20).map(({ record }) => toText({ record })),
  );
});

test('every poison is sent, and it is of wild users alone', () => {
  const sent = new Traffic(5, 0, 4).next(4_000);
  const kinds = new Set(sent.map(({ what }) => what));
  expect(POISON.filter((kind) => !kinds.has(kind))).toEqual([]);
  const ofOrderly = sent.filter(({ record }) => record.key?.toString().startsWith('orderly-'));
  expect([...new Set(ofOrderly.map(({ what }) => what))].toSorted()).toEqual([
    'duplicate',
    'rollback',
    'valid',
  ]);
});

test('of orderly users the model refuses nothing but rollbacks', () => {
  const traffic = new Traffic(5, 0, 4);
  const rollbacks = new Set(
    traffic
      .next(4_000)
      .filter(({ what }) => what === 'rollback')
      .map(({ record }) => idOf(record.headers)),
  );
  const statuses = traffic.orderly.flatMap(({ model, ids }) =>
    model.statuses.map(([id, status]) => ({ status, isRollback: rollbacks.has(ids[id] ?? '') })),
  );
  expect(statuses.filter(({ isRollback, status }) => !isRollback && status === 'refused')).toEqual([]);
  expect(new Set(statuses.map(({ status }) => status))).toEqual(
    new Set(['applied', 'rolled_back', 'refused']),
  );
});

test.each([
  [[], { seed: 3, minutes: 10 }],
  [['--seed', '42', '--minutes', '0.5'], { seed: 42, minutes: 0.5 }],
  [['--help'], 'help'],
  [['--seed', 'x'], '--seed takes a whole number from 0 on'],
  [['--minutes', '0'], '--minutes takes a number above 0, and up to a day'],
])('%j is read', (argv, wanted) => {
  expect(parseSoakArguments(argv, 3)).toEqual(wanted);
});

test('the last lines say what was injected, how many differences there are, and how to repeat them', () => {
  const result: SoakResult = {
    ...{ seed: 42, minutes: 10, elapsedMs: 615_400, differences: [], looks: 30, logs: null },
    injected: new Map([['consumer killed', 12]]),
    sent: new Map([['valid', 1000]]),
    statuses: new Map([['applied', 1000]]),
  };
  expect(renderResult(result)).toMatch(
    /Injected 12 faults in 10 minutes, 615 s with the checks:\n +12 {2}consumer killed\n0 differences: .*\(seed 42\)\n$/,
  );
  const differences = Array.from({ length: 50 }, (_, index) => `difference ${String(index)}`);
  const text = renderResult({ ...result, differences, logs: '/tmp/logs' });
  expect(text).toContain('✗ difference 39\n  and 10 more\n');
  expect(text).toMatch(
    /50 differences; what the consumers said is in \/tmp\/logs\nRepeat it: npm run soak -- --seed 42 --minutes 10\n$/,
  );
});
