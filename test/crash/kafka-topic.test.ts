import { expect, test } from '@jest/globals';
import type { RunningCli } from '../support/cli.ts';
import { kafkaBrokers } from '../support/describe-kafka.ts';
import { describeEachCodec } from '../support/each-codec.ts';
import { expectDrain, expectEnd, useConsumingServices } from '../support/consuming-service.ts';
import type { Pool } from '../../src/postgres/pool.ts';
import { topicAdmin } from '../support/topic-admin.ts';
import { waitFor } from '../support/wait-for.ts';

describeEachCodec('a topic that its operator changes under a consumer', (codec) => {
  const openService = useConsumingServices({ codec });
  const admin = topicAdmin(kafkaBrokers);

  test.concurrent(
    'made anew and filled beyond the position is told, until --accept-gap begins it from its start',
    async () => {
      const service = await openService({ events: 500 });
      const consumer = await service.start();
      await service.executed(500);
      // It looks away for that moment: nothing tells it but what it finds then.
      consumer.kill('SIGSTOP');
      await admin.makeAnew(service.topic, 4);
      await service.publish(2_000, 11);
      consumer.kill('SIGCONT');
      await expectEnd(consumer, 3, 'LOG_REPLACED');
      await service.expectGuarantees();
      const refused = await service.catchUp(3);
      expect(refused.stderr).toContain('LOG_REPLACED');
      await service.executed(500);
      // Exit 7: creates of users who are there already.
      await service.run(['consume', '--until-end', '--accept-gap'], { exit: 7 });
      await service.executed(2_500);
      await service.expectGuarantees();
      await service.publish(100, 12);
      await service.run(['consume', '--until-end'], { exit: 7 });
      await service.executed(2_600);
      await service.expectGuarantees();
    },
    120_000,
  );

  test.concurrent(
    'deleted ends the consumer, and made anew while it is away is another one, however much lies in it',
    async () => {
      const service = await openService({ events: 300 });
      const consumer = await service.start();
      await service.executed(300);
      await admin.remove(service.topic);
      await expectEnd(consumer, 5, 'TOPIC_NOT_FOUND');
      await service.run(['consume'], { exit: 5 });
      await service.log.createTopic(4);
      await service.publish(900, 13);
      const refused = await service.catchUp(3);
      expect(refused.stderr).toContain('LOG_REPLACED');
      await service.executed(300);
      expect(await service.users()).not.toEqual({});
    },
    120_000,
  );

  test.concurrent(
    'with more partitions is executed on, the new ones behind the old, and every user in order',
    async () => {
      const service = await openService({ partitions: 2, events: 500 });
      const consumer = await service.start(['--batch-size', '50']);
      await service.executed(500);
      const publishing = service.publish(2_000, 14);
      await admin.addPartitions(service.topic, 6);
      await publishing;
      // Known to the producer now: users move to other partitions.
      await service.publish(500, 15);
      await service.executed(3_000);
      const { pool, schema } = service.database;
      const { rows } = await pool.query(
        `select distinct partition from ${schema}.ledger where generation > 0`,
      );
      expect(rows.length).toBeGreaterThan(2);
      await expectDrain(consumer);
      await service.expectGuarantees();
    },
    120_000,
  );

  test.concurrent(
    'with a count that is no multiple, found when all was executed, has every user in order',
    async () => {
      const service = await openService({ partitions: 2, events: 500 });
      await service.catchUp();
      await admin.addPartitions(service.topic, 3);
      await service.catchUp();
      await service.publish(500, 15);
      // Exit 7: creates of users who are there already.
      const { stderr } = await service.run(['consume', '--until-end'], { exit: 7 });
      expect(stderr).not.toContain('no multiple');
      await service.executed(1_000);
      await service.expectGuarantees();
      await service.run(['verify', '--from-log', '--exact']);
    },
    120_000,
  );

  test.concurrent(
    'cut off below the position is LOG_TRUNCATED at the start, and goes on by --accept-gap',
    async () => {
      const service = await openService({ partitions: 1, events: 200 });
      await service.catchUp();
      await service.publish(300, 16);
      await admin.truncate(service.topic, 0, 350n);
      const refused = await service.catchUp(3);
      expect(refused.stderr).toContain('LOG_TRUNCATED');
      await service.executed(200);
      await service.run(['consume', '--until-end', '--accept-gap'], { exit: 7 });
      await service.executed(350);
      await service.expectGuarantees();
    },
    120_000,
  );

  test.concurrent(
    'cut off below the position is LOG_TRUNCATED under way',
    async () => {
      const service = await openService({ partitions: 1 });
      const { pool } = service.database;
      const holder = await pool.connect();
      let consumer: RunningCli;
      try {
        await holder.query('begin; lock table public.users in share mode');
        consumer = await service.start(['--batch-size', '10']);
        await service.publish(100, 17);
        await waitFor(() => isLocked(pool), { describe: 'the batch statement to wait for the lock' });
        // Its buffer is full: what comes now is not fetched before the lock is gone.
        await service.publish(100, 18);
        await admin.truncate(service.topic, 0, 150n);
      } finally {
        await holder.query('rollback');
        holder.release();
      }
      await expectEnd(consumer, 3, 'LOG_TRUNCATED');
      await service.expectGuarantees();
      const refused = await service.run(['consume', '--until-end'], { exit: 3 });
      expect(refused.stderr).toContain('LOG_TRUNCATED');
    },
    120_000,
  );
});

async function isLocked(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query(
    `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rows.length > 0;
}
