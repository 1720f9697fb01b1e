import { expect, test } from '@jest/globals';
import { withPace } from '../../../../src/app/status/pace.ts';
import { exitOf, type ServiceLook } from '../../../../src/app/status/services.ts';
import { renderLines, renderServices } from '../../../../src/cli/views/status-services.ts';
import { renderStatus } from '../../../../src/cli/views/status.ts';
import { displayWidth } from '../../../../src/cli/text-width.ts';
import { PLAIN_STYLE } from '../../../../src/cli/theme.ts';
import { serviceStatus } from '../../../support/service-status.ts';

const MOVING = withPace(
  serviceStatus(0, [
    [0n, 9000n],
    [0n, 100n],
  ]),
  serviceStatus(1, [
    [3000n, 9000n],
    [100n, 100n],
  ]),
);
const AWAY: ServiceLook = {
  profile: 'search',
  status: null,
  error: {
    code: 'DATABASE_UNREACHABLE',
    exitCode: 4,
    message: 'PostgreSQL at \u001b[2Jx is away',
    hint: 'Start it.',
  },
};

const rowOf = (text: string, start: RegExp): string =>
  text.split('\n').find((line) => start.test(line)) ?? '';

test('a status is a summary, a row a partition and a row a member', () => {
  const text = renderStatus(MOVING, PLAIN_STYLE);
  expect(rowOf(text, /^brokers/)).toBe('brokers  broker:9092');
  expect(rowOf(text, /^topic/)).toBe('topic    user-events, 2 partitions');
  expect(rowOf(text, /^members/)).toBe('members  1');
  expect(rowOf(text, /^lag/)).toBe('lag      6,000, the oldest 1 min 30 s');
  expect(rowOf(text, /^rate/)).toBe('rate     3,100/s, caught up in 2 s');
  expect(rowOf(text, / 0 .*9000/)).toMatch(/^ +0 +0 +9000 +3000 +6,000 +1 min 30 s +3,000\/s +2 s +0 +0$/);
  expect(rowOf(text, / 1 .*100/)).toMatch(/^ +1 +0 +100 +100 +0 +100\/s +0 +0$/);
  expect(rowOf(text, /^member-1/)).toMatch(/^member-1 +user-events +10\.0\.0\.7 +0,1$/);
});

test('a consumer that stands still is said to, and nobody there, and a partition never had', () => {
  const stuck = withPace(serviceStatus(0, [[5n, 9n]]), serviceStatus(1, [[5n, 9n]]));
  expect(rowOf(renderStatus(stuck, PLAIN_STYLE), /^rate/)).toBe('rate     not moving');
  expect(rowOf(renderStatus(stuck, PLAIN_STYLE), /^ +0 /)).toContain('not moving');
  const alone = renderStatus(serviceStatus(0, [[null, 9n]], []), PLAIN_STYLE);
  expect(rowOf(alone, /^members/)).toBe('members  none: no consumer is running');
  expect(rowOf(alone, /^rate/)).toBe('rate     not moving');
  expect(rowOf(alone, /^ +0 /)).toMatch(/ never +9 /);
  expect(alone).not.toContain('MEMBER');
});

test('a consumer that is slower than what is written is said to fall behind', () => {
  const behind = withPace(serviceStatus(0, [[0n, 100n]]), serviceStatus(1, [[10n, 200n]]));
  const text = renderStatus(behind, PLAIN_STYLE);
  expect(rowOf(text, /^rate/)).toBe('rate     10/s, falling behind 100/s that are written');
  expect(rowOf(text, /^ +0 /)).toContain('never so');
  const uneven = withPace(
    serviceStatus(0, [
      [0n, 9n],
      [0n, 9n],
    ]),
    serviceStatus(1, [
      [5n, 9n],
      [0n, 9n],
    ]),
  );
  expect(rowOf(renderStatus(uneven, PLAIN_STYLE), /^rate/)).toBe(
    'rate     5/s, but not every partition gets on',
  );
});

test('members without a partition are counted and shown, and what they call themselves is made safe', () => {
  const members = [
    { memberId: 'a', clientId: 'x\u001b[31m', host: null, partitions: [0] },
    { memberId: 'b', clientId: null, host: '10.0.0.8', partitions: [] },
  ];
  const text = renderStatus(serviceStatus(0, [[9n, 9n]], members), PLAIN_STYLE);
  expect(rowOf(text, /^members/)).toBe('members  2, 1 without a partition');
  expect(rowOf(text, /^a /)).toMatch(/^a +x\\x1b\[31m +local +0$/);
  expect(rowOf(text, /^b /)).toMatch(/^b +10\.0\.0\.8 +none$/);
});

test('no line is wider than the terminal', () => {
  const style = { ...PLAIN_STYLE, width: 60 };
  const looks: ServiceLook[] = [{ profile: 'billing', status: MOVING, error: null }, AWAY];
  for (const line of renderServices({ services: looks }, style).split('\n')) {
    expect(displayWidth(line)).toBeLessThanOrEqual(60);
  }
});

test('several services are a row each, then each of them, and one that is away hides no other', () => {
  const services: ServiceLook[] = [AWAY, { profile: 'billing', status: MOVING, error: null }];
  const text = renderServices({ services }, PLAIN_STYLE);
  const [head = '', first = '', second = ''] = text.split('\n');
  expect(head).toMatch(/^SERVICE +TOPIC +MEMBERS +LAG/);
  expect(first).toMatch(/^search +away$/);
  expect(second).toMatch(/^billing +user-events +1 +6,000 +1 min 30 s +0 +0 +3,100\/s, caught up in 2 s$/);
  expect(text).toContain('away  PostgreSQL at \\x1b[2Jx is away (DATABASE_UNREACHABLE)\n→     Start it.');
  expect(text).toContain('\n\nbilling\nbrokers  broker:9092\n');
});

test('a look in a pipe is one line a service', () => {
  const services: ServiceLook[] = [AWAY, { profile: null, status: MOVING, error: null }];
  expect(renderLines({ at: 'T', services }, PLAIN_STYLE).split('\n')).toEqual([
    'T  search  DATABASE_UNREACHABLE: PostgreSQL at \\x1b[2Jx is away',
    'T  lag 6,000 (1 min 30 s)  3,100/s, caught up in 2 s  members 1  failed 0  parked 0',
  ]);
});

test('being away is the exit code of several, before any other error', () => {
  const withError = (code: 'NOT_INITIALISED' | 'TIMED_OUT', exitCode: number): ServiceLook => ({
    profile: 'x',
    status: null,
    error: { code, exitCode, message: '', hint: '' },
  });
  const fine: ServiceLook = { profile: 'billing', status: MOVING, error: null };
  expect(exitOf({ services: [fine] })).toBe(0);
  expect(exitOf({ services: [fine, withError('TIMED_OUT', 6)] })).toBe(6);
  expect(exitOf({ services: [withError('NOT_INITIALISED', 3), fine] })).toBe(3);
  expect(exitOf({ services: [withError('NOT_INITIALISED', 3), AWAY] })).toBe(4);
});
