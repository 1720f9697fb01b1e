import { expect, test } from '@jest/globals';
import type { RunningCli } from '../support/cli.ts';
import { countLedger, expectDrain, useConsumingServices } from '../support/consuming-service.ts';
import { describeEachCodec } from '../support/each-codec.ts';
import { waitFor } from '../support/wait-for.ts';

const EVENTS = 6_000;

/** How many partitions the member was given at its last assignment. */
function assigned({ output }: RunningCli): number {
  const last = [...output.stderr.matchAll(/Assigned partitions ([\d, ]+)/g)].at(-1);
  return last?.[1]?.split(',').length ?? 0;
}

const has = (member: RunningCli, partitions: (count: number) => boolean, what: string) =>
  waitFor(() => partitions(assigned(member)), {
    timeoutMs: 40_000,
    describe: () => `${what}; it had ${member.output.stderr}`,
  });

describeEachCodec('the members of a group', (codec) => {
  const openService = useConsumingServices({ codec });

  test.concurrent(
    'of whom one sleeps for longer than its session, with events in its hands, execute each once',
    async () => {
      const service = await openService({ partitions: 8 });
      const [sleeper, other] = [await service.start(['--batch-size', '10']), await service.start()];
      await has(sleeper, (count) => count === 4, 'half of the partitions');
      const publishing = service.publish(EVENTS);
      await waitFor(async () => (await countLedger(service.database)) > 500, { describe: 'some events' });
      sleeper.kill('SIGSTOP');
      await has(other, (count) => count === 8, 'all partitions');
      await publishing;
      await service.executed(EVENTS);
      const before = await positions(service.database);
      sleeper.kill('SIGCONT');
      await has(other, (count) => count === 4, 'half of the partitions');
      // It has claimed its new ones, and written nothing on the old claims.
      expect(await positions(service.database)).toEqual(before);
      await service.expectGuarantees();
      await service.publish(500, 31);
      await service.executed(EVENTS + 500);
      await Promise.all([expectDrain(sleeper), expectDrain(other)]);
      await service.expectGuarantees();
    },
    120_000,
  );

  test.concurrent(
    'that come, go and are killed under load, three on eight partitions, execute every event once',
    async () => {
      const service = await openService({ partitions: 8 });
      const members = await Promise.all([1, 2, 3].map(() => service.start(['--batch-size', '20'])));
      const publishing = service.publish(EVENTS);
      for (const [at, signal] of (['SIGTERM', 'SIGKILL', 'SIGTERM', 'SIGTERM'] as const).entries()) {
        const wanted = ((at + 1) * EVENTS) / 6;
        await waitFor(async () => (await countLedger(service.database)) >= wanted, {
          timeoutMs: 60_000,
          describe: () => `${String(wanted)} events in the ledger`,
        });
        const [leaving] = members.splice(0, 1);
        leaving?.kill(signal);
        members.push(await service.start(['--batch-size', '20']));
        const ended = await leaving?.ended;
        expect(ended).toMatchObject(signal === 'SIGTERM' ? { exitCode: 0 } : { signal });
      }
      await publishing;
      await service.executed(EVENTS);
      await Promise.all(members.map(expectDrain));
      await service.expectGuarantees();
    },
    120_000,
  );
});

async function positions({ pool, schema }: Parameters<typeof countLedger>[0]): Promise<unknown[]> {
  const { rows } = await pool.query<Record<string, unknown>>(
    `select partition, next_offset, revision, duplicates from ${schema}.position order by partition`,
  );
  return rows;
}
