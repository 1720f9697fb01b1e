import { describe, expect, test } from '@jest/globals';
import { uniqueName } from '../support/names.ts';
import { waitFor } from '../support/wait-for.ts';
import { codeOf, records, useLogs, type EventLogFactory } from './harness.ts';
import { useTeams } from './team.ts';

export function describePositions(factory: EventLogFactory): void {
  const newTeam = useTeams();
  const logs = useLogs((options) => factory.create(options));

  /** A topic of one partition with ten records, and a team whose position is given. */
  const setUp = async (position: bigint) => {
    const { log } = await logs.fresh(1);
    await log.append(records(10));
    const team = newTeam(uniqueName('group'));
    team.positions.set(0, position);
    return { log, team };
  };

  describe('positions that the caller keeps', () => {
    test('are where reading begins, whatever the group has committed', async () => {
      const { log, team } = await setUp(0n);
      const member = await team.join('one', log);
      await waitFor(() => team.received.length === 10, { describe: 'all records' });
      await member.subscription.commit(new Map([[0, 10n]]), 'all');
      await member.leave();
      team.positions.set(0, 7n);
      await team.join('two', log);
      await waitFor(() => team.received.length === 13, { describe: 'the last three again' });
      expect(team.valuesReceived.slice(10)).toEqual(['7', '8', '9']);
      expect(team.violations).toEqual([]);
    });

    test('may lie at the end of the log', async () => {
      const { log, team } = await setUp(10n);
      const member = await team.join('one', log);
      await waitFor(() => member.partitions.length === 1, { describe: 'the assignment' });
      await log.append(records(1, { from: 10 }));
      await waitFor(() => team.received.length === 1, { describe: 'the new record' });
      expect(team.valuesReceived).toEqual(['10']);
    });
  });

  describe('a topic that must have an id', () => {
    test('gives its records where it has it', async () => {
      const { log, team } = await setUp(0n);
      const topicId = await log.topicId();
      await team.join('one', log, { topicId: () => topicId });
      await waitFor(() => team.received.length === 10, { describe: 'all records' });
    });

    test('gives not one record where it has another, and says LOG_REPLACED', async () => {
      const { log, team } = await setUp(0n);
      const other = await logs.fresh(1);
      const topicId = await other.log.topicId();
      const member = await team.join('one', log, { topicId: () => topicId });
      expect(await codeOf(member.subscription.ended)).toBe('LOG_REPLACED');
      expect(team.received).toEqual([]);
    });
  });

  describe('committed offsets', () => {
    test('are absent before the first commit', async () => {
      const { log, team } = await setUp(0n);
      expect(await log.committed(team.group)).toEqual(new Map());
    });

    test('are told with their metadata, per partition and per group', async () => {
      const { log } = await logs.fresh(3);
      const team = newTeam(uniqueName('group'));
      const member = await team.join('one', log);
      // Before the first fetch a member may join anew and have its commits refused (`commit` is best effort): kafkajs
      // does so, and tells nobody, where the fetch of a topic made just now meets a broker that has not heard of it.
      await waitFor(() => team.positions.size === 3, { describe: 'a fetch of each partition' });
      const offsets = new Map([
        [0, 0n],
        [2, 12_345_678_901n],
      ]);
      await member.subscription.commit(offsets, '{"schema":"ä"}');
      const metadata = '{"schema":"ä"}';
      const expected = new Map([
        [0, { offset: 0n, metadata }],
        [2, { offset: 12_345_678_901n, metadata }],
      ]);
      expect(await log.committed(team.group)).toEqual(expected);
      expect(await log.committed(uniqueName('group'))).toEqual(new Map());
    });

    test('go backwards too, and stay when the member has left', async () => {
      const { log, team } = await setUp(0n);
      const member = await team.join('one', log);
      await waitFor(() => team.received.length === 10, { describe: 'all records' });
      await member.subscription.commit(new Map([[0, 9n]]), 'forwards');
      await member.subscription.commit(new Map([[0, 4n]]), 'backwards');
      await member.leave();
      expect(await log.committed(team.group)).toEqual(new Map([[0, { offset: 4n, metadata: 'backwards' }]]));
    });

    test('cannot be committed by a member that has left', async () => {
      const { log, team } = await setUp(0n);
      const member = await team.join('one', log);
      await waitFor(() => member.partitions.length === 1, { describe: 'the assignment' });
      await member.leave();
      await expect(member.subscription.commit(new Map([[0, 1n]]), '')).rejects.toThrow();
      expect(await log.committed(team.group)).toEqual(new Map());
    });
  });
}
