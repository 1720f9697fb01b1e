import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';

import { partitionFor } from '../../src/domain/partitioner.ts';
import type { NewRecord } from '../../src/domain/record.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createPostgresEventLog, type PostgresLogSettings } from '../../src/log/postgres/event-log.ts';
import { Team } from '../conformance/team.ts';
import { uniqueName } from '../support/names.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { waitFor } from '../support/wait-for.ts';

// Time-outs of groups have to pass, on a machine that may be busy.
jest.setTimeout(60_000);

let database: TestDatabase;
let proxy: TcpProxy;
const opened: EventLog[] = [];
const teams: Team[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  const { hostname, port } = new URL(database.connectionString);
  proxy = await startTcpProxy({ host: hostname, port: Number(port) });
});
afterEach(async () => {
  proxy.heal();
  await Promise.all(teams.splice(0).map((team) => team.leaveAll()));
  await Promise.all(opened.splice(0).map((log) => log.close()));
});
afterAll(async () => {
  await proxy.close();
  await database.drop();
});

function open(topic: string, more: Partial<PostgresLogSettings> = {}): EventLog {
  const { connectionString } = database;
  const log = createPostgresEventLog({ connectionString, topic, patience: 'short', ...more });
  opened.push(log);
  return log;
}

/** The same by way of the proxy. */
function openFar(topic: string, more: Partial<PostgresLogSettings> = {}): EventLog {
  const url = new URL(database.connectionString);
  url.port = String(proxy.port);
  return open(topic, { connectionString: url.href, patience: 'long', ...more });
}

async function fresh(partitionCount = 4): Promise<{ log: EventLog; topic: string }> {
  const topic = uniqueName('topic');
  const log = open(topic);
  await log.createTopic(partitionCount);
  return { log, topic };
}

function newTeam(): Team {
  const team = new Team(uniqueName('group'));
  teams.push(team);
  return team;
}

function record(key: string, value = 'x'): NewRecord {
  return { key: Buffer.from(key), value: Buffer.from(value), headers: [] };
}

async function valuesIn(log: EventLog): Promise<string[]> {
  const values: string[] = [];
  const ranges = (await log.watermarks()).map(({ partition, low }) => ({ partition, from: low }));
  for await (const { records } of log.read(ranges)) values.push(...records.map(({ value }) => String(value)));
  return values;
}

describe('appending to the log in PostgreSQL', () => {
  test.each(['before', 'after'] as const)(
    'is done once when the connection is lost %s the server has done it',
    async (moment) => {
      const { log, topic } = await fresh();
      const far = openFar(topic);
      await far.append([record('a', 'first')]);
      proxy.cutAt('append-records', moment);
      const positions = await far.append([record('a', 'second')]);
      const partition = partitionFor(Buffer.from('a'), 4);
      expect(positions).toEqual([{ partition, offset: 1n }]);
      expect(await valuesIn(log)).toEqual(['first', 'second']);
    },
  );

  test('shows offsets in order and without gaps, however many append at the same time', async () => {
    const { log, topic } = await fresh(2);
    const stop = new AbortController();
    const seen: bigint[][] = [[], []];
    const following = (async () => {
      const ranges = [0, 1].map((partition) => ({ partition, from: 0n }));
      for await (const { partition, records } of log.read(ranges, { follow: true, signal: stop.signal })) {
        seen[partition]?.push(...records.map(({ offset }) => offset));
      }
    })();
    const writers = Array.from({ length: 6 }, () => open(topic));
    await Promise.all(
      writers.map(async (writer) => {
        for (let call = 0; call < 10; call++) {
          await writer.append(Array.from({ length: 20 }, (_, at) => record(`user-${String(at)}`)));
        }
      }),
    );
    await waitFor(() => seen.flat().length === 1200, { describe: 'all records' });
    for (const offsets of seen) expect(offsets).toEqual(offsets.map((_, at) => BigInt(at)));
    stop.abort();
    await following;
  });

  test('keeps header names of every kind', async () => {
    const { log } = await fresh(1);
    const names = [
      '',
      'NULL',
      'null',
      'a,b',
      '{x}',
      '"q"',
      'back\\slash',
      ' space ',
      'ünï',
      'ce_id',
      'line\nend',
    ];
    const headers = names.map((key) => ({ key, value: Buffer.from(key) }));
    await log.append([{ ...record('a'), headers }, record('b')]);
    for await (const { records } of log.read([{ partition: 0, from: 0n }])) {
      expect(records.map((each) => each.headers)).toEqual([headers, []]);
    }
  });

  test('refuses a record of more than a megabyte and says how many are in', async () => {
    const { log } = await fresh();
    const large = { ...record('a'), value: Buffer.alloc(1_000_001) };
    await expect(log.append([record('a'), large])).rejects.toMatchObject({
      code: 'RECORD_TOO_LARGE',
      facts: { appended: 0 },
    });
    const whole = { ...record('a'), value: Buffer.alloc(999_000) };
    expect(await log.append([whole, whole, whole, whole, whole])).toHaveLength(5);
    expect(await valuesIn(log)).toHaveLength(5);
  });
});

describe('the offset at a time', () => {
  test('is the first one at or after it, also where timestamps are out of order and the latest was deleted', async () => {
    const { log, topic } = await fresh(1);
    const at = async (timestamp: number) => (await log.offsetsAtTime(timestamp)).get(0);
    for (const timestamps of [
      [100, 500],
      [200, 300, 600],
    ]) {
      await log.append(timestamps.map((timestamp) => ({ ...record('a'), timestamp })));
    }
    const times = [100, 101, 250, 500, 501, 601];
    expect(await Promise.all(times.map(at))).toEqual([0n, 1n, 1n, 1n, 4n, 5n]);
    await database.pool.query('select user_events_log.delete_records($1, 0, 2)', [topic]);
    expect(await Promise.all(times.map(at))).toEqual([2n, 2n, 3n, 4n, 4n, 5n]);
  });
});

describe('a log whose beginning was deleted', () => {
  test('has its low watermark, and refuses to read before it', async () => {
    const { log, topic } = await fresh(1);
    await log.append(Array.from({ length: 10 }, (_, at) => record('a', String(at))));
    const { rows } = await database.pool.query<{ deleted: bigint }>(
      'select user_events_log.delete_records($1, 0, 4) as deleted',
      [topic],
    );
    expect(rows).toEqual([{ deleted: 4n }]);
    expect(await log.watermarks()).toEqual([{ partition: 0, low: 4n, high: 10n }]);
    expect(await log.offsetsAtTime(0)).toEqual(new Map([[0, 4n]]));
    expect(await valuesIn(log)).toEqual(['4', '5', '6', '7', '8', '9']);
    const reading = log.read([{ partition: 0, from: 3n }])[Symbol.asyncIterator]();
    await expect(reading.next()).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      facts: { partition: 0, expected: 3n, got: 4n, low: 4n, high: 10n },
    });
  });
});

describe('a member of a group that cannot reach the log', () => {
  const sessionTimeoutMs = 1_000;

  test('gives its partitions up by its own clock before another takes them, and comes back', async () => {
    const { log, topic } = await fresh(4);
    const team = newTeam();
    const far = await team.join('far', openFar(topic, { sessionTimeoutMs }));
    const near = await team.join('near', open(topic, { sessionTimeoutMs }));
    const isShared = (): boolean => far.partitions.length === 2 && near.partitions.length === 2;
    await waitFor(isShared, { describe: 'two partitions each' });

    proxy.swallow();
    await waitFor(() => near.partitions.length === 4, { describe: 'the other to take over' });
    await log.append(Array.from({ length: 40 }, (_, at) => record(`user-${String(at)}`, String(at))));
    await waitFor(() => team.received.length === 40, { describe: 'all records' });

    proxy.heal();
    await waitFor(isShared, { describe: 'two partitions each again', timeoutMs: 20_000 });
    await log.append(Array.from({ length: 40 }, (_, at) => record(`user-${String(at)}`, String(40 + at))));
    await waitFor(() => team.received.length === 80, { describe: 'all records' });
    expect(team.violations).toEqual([]);
    expect(new Set(team.valuesReceived).size).toBe(80);
  });

  test('keeps them while its work on what it has to give up takes longer than the session', async () => {
    const { topic } = await fresh(2);
    const team = newTeam();
    let finish: (() => void) | undefined;
    const slow = await team.join('slow', open(topic, { sessionTimeoutMs }), {
      onRevoked: async (partitions) => {
        await new Promise<void>((resolve) => (finish = resolve));
        team.lost('slow', partitions);
      },
    });
    await waitFor(() => slow.partitions.length === 2, { describe: 'the assignment' });
    const other = await team.join('other', open(topic, { sessionTimeoutMs }));
    await waitFor(() => finish, { describe: 'the revocation' });
    const revokedAt = performance.now();
    await waitFor(() => performance.now() - revokedAt > 2 * sessionTimeoutMs, {
      describe: 'two sessions to pass',
    });
    expect(other.partitions).toEqual([]);
    finish?.();
    await waitFor(() => other.partitions.length === 1, { describe: 'the partition to change hands' });
    expect(team.violations).toEqual([]);
  });
});
