import { describe, expect, test } from '@jest/globals';
import { uniqueName } from '../support/names.ts';
import { waitFor } from '../support/wait-for.ts';
import { codeOf, records, useLogs, type EventLogFactory } from './harness.ts';
import { useTeams } from './team.ts';

export function describeOwners(factory: EventLogFactory): void {
  const newTeam = useTeams();
  const logs = useLogs((options) => factory.create(options));

  describe('a group', () => {
    test('is shared by the members of one owner', async () => {
      const { log, topic } = await logs.fresh(2);
      const team = newTeam(uniqueName('group'));
      const one = await team.join('one', log, { owner: 'here' });
      await waitFor(() => one.partitions.length === 2, { describe: 'both partitions' });
      const two = await team.join('two', logs.open(topic), { owner: 'here' });
      // Each hears of its share by itself: the first may be without any when the second has got its own.
      await waitFor(() => one.partitions.length === 1 && two.partitions.length === 1, {
        describe: 'one partition each',
      });
    });

    test.each([['there'], [undefined]])(
      'is closed to a member of another owner (%s) while one lives in it, who is not disturbed',
      async (owner) => {
        const { log, topic } = await logs.fresh(2);
        const team = newTeam(uniqueName('group'));
        const member = await team.join('one', log, { owner: 'here' });
        await waitFor(() => member.partitions.length === 2, { describe: 'both partitions' });
        const stranger = newTeam(team.group);
        const { subscription } = await stranger.join(
          'two',
          logs.open(topic),
          owner === undefined ? {} : { owner },
        );
        expect(await codeOf(subscription.ended)).toBe('GROUP_SHARED');
        await log.append(records(10));
        await waitFor(() => team.received.length === 10, { describe: 'all records' });
        expect(stranger.received).toEqual([]);
        expect(team.violations).toEqual([]);
        await member.leave();
        const next = await stranger.join('three', logs.open(topic), owner === undefined ? {} : { owner });
        await waitFor(() => next.partitions.length === 2, { describe: 'the group of nobody' });
      },
    );
  });
}
