import { expect, test } from '@jest/globals';
import { twoFreePorts } from '../../scripts/kafka/free-port.mjs';
import { enduring } from '../../src/app/publish/enduring-log.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import { codeOf, record } from '../conformance/harness.ts';

const settings = { topic: 'users', patience: 'long' } as const;

test.each([
  [
    'Kafka',
    (port: number) => createKafkaEventLog({ ...settings, brokers: [`127.0.0.1:${port}`], clientId: 'test' }),
  ],
  [
    'PostgreSQL',
    (port: number) =>
      createPostgresEventLog({
        ...settings,
        connectionString: `postgres://127.0.0.1:${port}/none`,
        schema: 'log',
      }),
  ],
])('a log in %s that is away is waited for, and said to be, until the time is up', async (_, open) => {
  const [[port]] = [await twoFreePorts()];
  const told: boolean[] = [];
  const { signal } = new AbortController();
  const log = enduring(open(port), { signal, onAway: (isAway) => told.push(isAway), awayMs: 2_500 });
  const start = performance.now();
  expect(await codeOf(log.append([record('a', 'b')]))).toBe('LOG_UNREACHABLE');
  expect(performance.now() - start).toBeGreaterThanOrEqual(2_490);
  expect(told).toEqual([true]);
});
