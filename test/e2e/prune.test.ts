import { expect, test } from '@jest/globals';
import { sampleEvents } from '../support/sample-users.ts';
import { expectDrain, useConsumingServices } from '../support/consuming-service.ts';
import { describeKafka } from '../support/describe-kafka.ts';

const EVENTS = 6_000;

describeKafka('prune beside a running consumer', () => {
  const openService = useConsumingServices();

  test('empties what is old while new events come; nothing is lost, executed twice, or unproven', async () => {
    const service = await openService({ events: EVENTS / 2 });
    const { pool, schema } = service.database;
    const consumer = await service.start();
    await service.executed(EVENTS / 2);
    // Of users of their own, so that none is refused.
    const late = sampleEvents(EVENTS / 2, EVENTS / 8).replaceAll('user-', 'late-');
    const publishing = service.run(['publish', '--from-file', '-'], { input: late });
    let emptied = 0;
    let rounds = 0;
    const prune = async (): Promise<void> => {
      // Whatever was decided on before this moment is old.
      const { stdout } = await service.run(['prune', '--older-than', '0s', '--yes', '--json']);
      emptied += (JSON.parse(stdout) as { events: number }).events;
      rounds += 1;
    };
    const isPublished = publishing.then(() => true);
    const soon = (): Promise<boolean> => Promise.race([isPublished, Promise.resolve(false)]);
    do await prune();
    while (!(await soon()));
    await service.executed(EVENTS);
    await prune();
    expect(rounds).toBeGreaterThan(1);
    await expectDrain(consumer);

    const { rows } = await pool.query<{ full: number; all: number }>(
      `select count(*) filter (where data is not null or before is not null)::int as full, count(*)::int as all from ${schema}.ledger`,
    );
    expect(rows).toEqual([{ full: 0, all: EVENTS }]);
    expect(emptied).toBe(EVENTS);
    await service.run(['verify', '--from-log', '--exact']);
    // Proven by what pruning kept, and not for want of anything to compare.
    await pool.query(`update public.users set name = 'tampered' where user_id like '%-7'`);
    const { stdout } = await service.run(['verify', '--json'], { exit: 6 });
    expect(JSON.parse(stdout)).toMatchObject({
      differenceCount: 2,
      differences: expect.arrayContaining(
        ['late-7', 'user-7'].map((userId) => expect.objectContaining({ userId })),
      ),
    });
  }, 180_000);
});
