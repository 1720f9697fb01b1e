import { describe, expect, test } from '@jest/globals';
import { uniqueName } from '../support/names.ts';
import { waitFor } from '../support/wait-for.ts';
import { useLogs, type EventLogFactory } from './harness.ts';
import { useTeams } from './team.ts';

export function describeMembers(factory: EventLogFactory): void {
  const newTeam = useTeams();
  const logs = useLogs((options) => factory.create(options));

  describe('the members of a group', () => {
    test('are none where nobody ever was in it', async () => {
      const { log } = await logs.fresh(2);
      expect(await log.members(uniqueName('group'))).toEqual([]);
    });

    test('are told with what they call themselves, their host and their partitions, and not once they left', async () => {
      const { log, topic } = await logs.fresh(3);
      const team = newTeam(uniqueName('group'));
      const one = await team.join('one', log, { owner: 'here' });
      const two = await team.join('two', logs.open(topic), { owner: 'here' });
      await waitFor(() => one.partitions.length > 0 && two.partitions.length > 0, { describe: 'both' });
      await waitFor(async () => (await log.members(team.group)).flatMap((m) => m.partitions).length === 3, {
        describe: 'all partitions in the hands of members',
      });
      const members = await log.members(team.group);
      expect(members.map(({ partitions }) => partitions).sort()).toEqual(
        [one, two].map(({ partitions }) => partitions.toSorted((a, b) => a - b)).sort(),
      );
      expect(new Set(members.map(({ memberId }) => memberId)).size).toBe(2);
      for (const member of members) {
        expect(member.clientId).toMatch(/^\S+$/);
        expect(member.host).toMatch(/^(127\.0\.0\.1|::1|0:0:0:0:0:0:0:1)$/);
      }

      await one.leave();
      await waitFor(async () => (await log.members(team.group))[0]?.partitions.length === 3, {
        describe: 'all partitions in the hands of the one that is left',
      });
      expect(await log.members(team.group)).toHaveLength(1);
      await two.leave();
      await waitFor(async () => (await log.members(team.group)).length === 0, { describe: 'no members' });
    });

    test('of another topic have no partitions of this one', async () => {
      const { log } = await logs.fresh(1);
      const other = await logs.fresh(1);
      const team = newTeam(uniqueName('group'));
      const member = await team.join('one', other.log);
      await waitFor(() => member.partitions.length === 1, { describe: 'the assignment' });
      expect((await log.members(team.group)).flatMap(({ partitions }) => partitions)).toEqual([]);
    });
  });
}
