import { describe, expect, test } from '@jest/globals';
import type { RecordBatch } from '../../src/log/event-log.ts';
import { uniqueName } from '../support/names.ts';
import { waitFor } from '../support/wait-for.ts';
import { errorOf, record, records, textOf, useLogs, type EventLogFactory } from './harness.ts';
import { useTeams } from './team.ts';

export function describeSubscribe(factory: EventLogFactory): void {
  const newTeam = useTeams();
  const logs = useLogs((options) => factory.create(options));

  describe('one member', () => {
    test('gets every partition, and every record once and in order', async () => {
      const { log } = await logs.fresh();
      await log.append(records(300));
      const team = newTeam(uniqueName('group'));
      const member = await team.join('one', log);
      await waitFor(() => team.received.length === 300, { describe: 'all records' });
      expect(member.partitions.toSorted()).toEqual([0, 1, 2, 3]);
      const highs = await log.watermarks();
      expect([...team.positions].sort()).toEqual(highs.map(({ partition, high }) => [partition, high]));
      expect(team.violations).toEqual([]);
    });

    test('is given nothing before it has said where to begin', async () => {
      const { log } = await logs.fresh();
      await log.append(records(20));
      const team = newTeam(uniqueName('group'));
      let begin: (() => void) | undefined;
      const mayBegin = new Promise<void>((resolve) => (begin = resolve));
      let receivedEarly = -1;
      await team.join('one', log, {
        onAssigned: async (partitions) => {
          const offsets = team.assigned('one', partitions);
          await log.append(records(20, { from: 20 }));
          await mayBegin;
          receivedEarly = team.received.length;
          return offsets;
        },
      });
      await waitFor(async () => (await log.watermarks()).reduce((sum, { high }) => sum + high, 0n) === 40n, {
        describe: 'the second append, during the assignment',
      });
      begin?.();
      await waitFor(() => team.received.length === 40, { describe: 'all records' });
      expect(receivedEarly).toBe(0);
      expect(team.violations).toEqual([]);
    });

    test('receives what is appended later soon', async () => {
      const { log } = await logs.fresh();
      const team = newTeam(uniqueName('group'));
      const member = await team.join('one', log);
      await waitFor(() => member.partitions.length === 4, { describe: 'the assignment' });
      await log.append(records(1));
      await waitFor(() => team.received.length === 1, { describe: 'the record', timeoutMs: 2_000 });
    });

    test('learns the end of the log from its batches', async () => {
      const { log } = await logs.fresh();
      await log.append(records(200));
      const last = new Map<number, RecordBatch>();
      const team = newTeam(uniqueName('group'));
      await team.join('one', log, { onBatch: (batch) => last.set(batch.partition, batch) });
      const isAtEnd = () => [...last.values()].every((batch) => batch.nextOffset === batch.highWatermark);
      await waitFor(() => last.size === 4 && isAtEnd(), { describe: 'the end of every partition' });
    });

    test('is told that there is nothing yet by a batch without records', async () => {
      const { log } = await logs.fresh(2);
      await log.append([record('a', 'x', { partition: 1 })]);
      const first = new Map<number, RecordBatch>();
      const team = newTeam(uniqueName('group'));
      team.positions.set(1, 1n);
      await team.join('one', log, {
        onBatch: (batch) => {
          if (!first.has(batch.partition)) first.set(batch.partition, batch);
        },
      });
      await waitFor(() => first.size === 2, { describe: 'a batch of both partitions' });
      expect(first.get(0)).toEqual({ partition: 0, records: [], nextOffset: 0n, highWatermark: 0n });
      expect(first.get(1)).toEqual({ partition: 1, records: [], nextOffset: 1n, highWatermark: 1n });
    });

    test('is given nothing of a paused partition, and loses nothing of it', async () => {
      const { log } = await logs.fresh(2);
      const team = newTeam(uniqueName('group'));
      const member = await team.join('one', log);
      await waitFor(() => member.partitions.length === 2, { describe: 'the assignment' });
      member.subscription.pause([0]);
      const positions = await log.append(records(100));
      const inOther = positions.filter(({ partition }) => partition === 1).length;
      await waitFor(() => team.received.length === inOther, { describe: 'the other partition' });
      await log.append(records(1, { from: 100 }));
      expect(team.received.every(({ partition }) => partition === 1)).toBe(true);
      member.subscription.resume([0]);
      await waitFor(() => team.received.length === 101, { describe: 'all records' });
      expect(team.violations).toEqual([]);
    });

    test('may pause everything at any batch, and is given nothing before it resumes', async () => {
      const { log } = await logs.fresh();
      await log.append(records(20_000, { keys: 997 }));
      const team = newTeam(uniqueName('group'));
      let isPaused = false;
      const member = await team.join('one', log, {
        onBatch: (batch) => {
          if (isPaused) team.violations.push(`a batch of ${batch.partition} comes while all are paused`);
          team.receive('one', batch);
          isPaused = true;
          member.subscription.pause([0, 1, 2, 3]);
          setImmediate(() => {
            isPaused = false;
            member.subscription.resume([0, 1, 2, 3]);
          });
        },
      });
      await waitFor(() => team.received.length === 20_000, { describe: 'all records', timeoutMs: 30_000 });
      expect(team.violations).toEqual([]);
    });

    test('ends with the error with which it refuses its partitions', async () => {
      const { log } = await logs.fresh(1);
      const refusal = new Error('not here');
      const team = newTeam(uniqueName('group'));
      const member = await team.join('one', log, { onAssigned: () => Promise.reject(refusal) });
      await expect(member.subscription.ended).rejects.toBe(refusal);
    });

    test('ends with OFFSET_OUT_OF_RANGE where it wants to begin behind the end, and jumps nowhere', async () => {
      const { log } = await logs.fresh(1);
      await log.append(records(10));
      const team = newTeam(uniqueName('group'));
      team.positions.set(0, 99n);
      const member = await team.join('one', log);
      const error = await errorOf(member.subscription.ended);
      expect(error.code).toBe('OFFSET_OUT_OF_RANGE');
      expect(error.facts).toMatchObject({ partition: 0, expected: 99n, got: 10n });
      expect(team.received).toEqual([]);
    });

    test('is called no more once it has closed, and its end is no error', async () => {
      const { log } = await logs.fresh();
      await log.append(records(10));
      let calls = 0;
      const team = newTeam(uniqueName('group'));
      const member = await team.join('one', log, { onBatch: () => (calls += 1) });
      await waitFor(() => calls > 0, { describe: 'a batch' });
      await member.subscription.close();
      const callsAtClose = calls;
      await expect(member.subscription.ended).resolves.toBeUndefined();
      await log.append(records(10));
      // Another group's member has these records: the closed one would have had them by now.
      const others = newTeam(uniqueName('group'));
      await others.join('two', log);
      await waitFor(() => others.received.length === 20, { describe: 'all records' });
      expect(calls).toBe(callsAtClose);
    });
  });

  describe('two members', () => {
    test('share the partitions; when one leaves the other takes over, and nothing is lost or read twice', async () => {
      const { log, topic } = await logs.fresh();
      const team = newTeam(uniqueName('group'));
      const expected: string[] = [];
      const append = async () => {
        const batch = records(40, { from: expected.length, keys: 40 });
        expected.push(...batch.map(textOf));
        await log.append(batch);
      };
      const hasAll = () => team.received.length === expected.length;

      await append();
      const one = await team.join('one', log);
      await waitFor(hasAll, { describe: 'the first records' });
      const two = await team.join('two', logs.open(topic));
      await waitFor(() => one.partitions.length === 2 && two.partitions.length === 2, {
        describe: 'two partitions each',
        timeoutMs: 20_000,
      });
      await append();
      await waitFor(hasAll, { describe: 'records for both' });
      const leaving = one.leave();
      await append();
      await leaving;
      await waitFor(() => two.partitions.length === 4, { describe: 'four partitions', timeoutMs: 20_000 });
      await append();
      await waitFor(hasAll, { describe: 'all records' });

      expect(team.valuesReceived.toSorted()).toEqual(expected.toSorted());
      expect(team.violations).toEqual([]);
    });

    test('of different groups get everything, each', async () => {
      const { log } = await logs.fresh();
      await log.append(records(50));
      const teams = [newTeam(uniqueName('group')), newTeam(uniqueName('group'))];
      for (const team of teams) await team.join('one', log);
      for (const team of teams) {
        await waitFor(() => team.received.length === 50, { describe: 'all records' });
        expect(team.violations).toEqual([]);
      }
    });

    test('more than there are partitions: one waits, knowing that it is in, and takes over', async () => {
      const { log, topic } = await logs.fresh(1);
      const team = newTeam(uniqueName('group'));
      const shares = new Map<string, readonly number[]>();
      const onJoined = (name: string) => (share: readonly number[]) => void shares.set(name, share);
      const one = await team.join('one', log, { onJoined: onJoined('one') });
      await waitFor(() => one.partitions.length === 1, { describe: 'the assignment' });
      expect([...shares]).toEqual([['one', [0]]]);
      const two = await team.join('two', logs.open(topic), { onJoined: onJoined('two') });
      await waitFor(() => [...shares.values()].flat().length === 1 && shares.size === 2, {
        describe: () => `one with the partition and one without, not ${JSON.stringify([...shares])}`,
        timeoutMs: 20_000,
      });
      await log.append(records(10));
      await waitFor(() => team.received.length === 10, { describe: 'the records' });
      const [owner, idle] = one.partitions.length === 1 ? [one, two] : [two, one];
      expect(idle.partitions).toEqual([]);
      await owner.leave();
      await waitFor(() => idle.partitions.length === 1, { describe: 'the partition', timeoutMs: 20_000 });
      await log.append(records(10));
      await waitFor(() => team.received.length === 20, { describe: 'the other records' });
      expect(team.violations).toEqual([]);
    });
  });
}
