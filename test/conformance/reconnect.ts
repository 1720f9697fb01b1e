import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { uniqueName } from '../support/names.ts';
import { waitFor } from '../support/wait-for.ts';
import {
  errorOf,
  firstBatch,
  record,
  records,
  textOf,
  useLogs,
  type EventLogFactory,
  type OwnLog,
} from './harness.ts';
import { useTeams } from './team.ts';

/** To start a server, or to notice that it is back. */
const SERVER_MS = 60_000;

export function describeReconnect(factory: EventLogFactory): void {
  describe('a log that is away', () => {
    let ownLog: OwnLog | undefined;
    const own = (): OwnLog => {
      if (ownLog === undefined) throw new Error('The log of this test has not started');
      return ownLog;
    };
    beforeAll(async () => {
      ownLog = await factory.startOwnLog();
    }, SERVER_MS);
    afterAll(async () => {
      await ownLog?.remove();
    }, SERVER_MS);
    const newTeam = useTeams();
    const logs = useLogs((options) => own().create(options));

    test(
      'is ridden out by subscriptions, followers and appends, which go on where they were',
      async () => {
        const { log, topic } = await logs.fresh();
        await log.append(records(100));
        const troubles: (string | null)[] = [];
        const team = newTeam(uniqueName('group'));
        await team.join('one', logs.open(topic, 'long'), {
          onTrouble: (trouble) => troubles.push(trouble && trouble.message),
        });
        const followed: string[] = [];
        const end = new AbortController();
        const following = (async () => {
          const ranges = [0, 1, 2, 3].map((partition) => ({ partition, from: 0n }));
          const options = { follow: true, signal: end.signal };
          for await (const batch of logs.open(topic).read(ranges, options)) {
            followed.push(...batch.records.map(textOf));
          }
        })();
        await waitFor(() => team.received.length === 100 && followed.length === 100, {
          describe: 'what is there',
        });

        await own().takeAway();
        await waitFor(() => troubles.length > 0, { describe: 'the trouble', timeoutMs: SERVER_MS });
        expect(typeof troubles[0]).toBe('string');
        const appending = logs.open(topic, 'long').append(records(100, { from: 100 }));
        await own().bringBack();
        expect(await appending).toHaveLength(100);
        await waitFor(() => team.received.length === 200 && followed.length === 200, {
          describe: () => `all records: ${team.received.length} received, ${followed.length} followed`,
          timeoutMs: SERVER_MS,
        });
        await waitFor(() => troubles.at(-1) === null, { describe: 'the end of the trouble' });

        const expected = records(200).map(textOf).toSorted();
        expect(team.valuesReceived.toSorted()).toEqual(expected);
        expect(followed.toSorted()).toEqual(expected);
        expect(team.violations).toEqual([]);
        end.abort();
        await following;
      },
      3 * SERVER_MS,
    );

    test(
      'is told as LOG_UNREACHABLE, at once, to who has no patience',
      async () => {
        const { log, topic } = await logs.fresh(1);
        await log.append([record('a', 'x')]);
        await own().takeAway();
        const ignore = () => Promise.resolve();
        const onAssigned = () => Promise.resolve(new Map<number, bigint>());
        for (const ask of [
          () => logs.open(topic).append([record('a', 'y')]),
          () => logs.open(topic).watermarks(),
          () => firstBatch(logs.open(topic), [{ partition: 0, from: 0n }]),
          () =>
            logs.open(topic).subscribe({
              group: uniqueName('group'),
              onAssigned,
              onRevoked: ignore,
              onBatch: () => undefined,
            }),
          () => log.watermarks(),
        ]) {
          const start = performance.now();
          expect((await errorOf(ask())).code).toBe('LOG_UNREACHABLE');
          expect(performance.now() - start).toBeLessThan(2_000);
        }
        await own().bringBack();
        expect(await log.watermarks()).toEqual([{ partition: 0, low: 0n, high: 1n }]);
      },
      3 * SERVER_MS,
    );
  });
}
