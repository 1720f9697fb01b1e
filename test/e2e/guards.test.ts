import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { runCli } from '../support/cli.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { brokenGuarantees } from '../support/invariants.ts';
import { uniqueName } from '../support/names.ts';
import { sampleEvents } from '../support/sample-users.ts';
import { openService, type Service, type ServiceOptions } from '../support/services-under-test.ts';
import { waitFor } from '../support/wait-for.ts';

const services: Service[] = [];
async function open(options: ServiceOptions): Promise<Service> {
  const service = await openService(options);
  services.push(service);
  return service;
}

describeKafka('what belongs together is checked at every assignment', () => {
  let admin: Admin;
  beforeAll(async () => {
    admin = new Kafka({ brokers: [kafkaBrokers()], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
  });
  afterAll(async () => {
    await admin.disconnect();
    for (const { database } of services) await database.drop();
  });

  const publish = (service: Service, count: number): Promise<unknown> =>
    service.run(['publish', '--from-file', '-'], { input: sampleEvents(count, 20) });

  async function makeAnew(topic: string, service: Service): Promise<void> {
    await admin.deleteTopics({ topics: [topic] });
    await waitFor(async () => !(await admin.listTopics()).includes(topic), {
      timeoutMs: 20_000,
      describe: () => `${topic} to be gone`,
    });
    await service.run(['init', '--partitions', '1']);
  }

  test('a group that another database uses is GROUP_SHARED', async () => {
    const topic = uniqueName('shared');
    const [first, second] = [await open({ topic }), await open({ topic })];
    await publish(first, 50);
    await first.catchUp();
    const env = { ...second.env, KAFKA_GROUP_ID: first.group };
    const refused = await runCli(['consume', '--until-end'], { env });
    expect(refused).toMatchObject({ exitCode: 3 });
    expect(refused.stderr).toContain('GROUP_SHARED');
  }, 60_000);

  test('another topic or group on the same schema is BINDING_MISMATCH', async () => {
    const service = await open({ topic: uniqueName('bound') });
    await publish(service, 5);
    await service.catchUp();
    const other = await open({ topic: uniqueName('other') });
    for (const change of [{ KAFKA_TOPIC: other.env['KAFKA_TOPIC'] ?? '' }, { KAFKA_GROUP_ID: 'another' }]) {
      const refused = await runCli(['consume', '--until-end'], { env: { ...service.env, ...change } });
      expect(refused).toMatchObject({ exitCode: 3 });
      expect(refused.stderr).toContain('BINDING_MISMATCH');
    }
    // Nothing that joins the ledger with a log takes another topic's: a rollback sent there would reach nobody.
    const env = { ...service.env, KAFKA_TOPIC: other.env['KAFKA_TOPIC'] ?? '' };
    const { stdout } = await service.run(['log', '--json', '-n', '1']);
    const { eventId } = JSON.parse(stdout) as { eventId: string };
    for (const args of [['status'], ['rollback', '--event-id', eventId, '--cascade', '--yes']]) {
      const mismatch = await runCli(args, { env });
      expect(mismatch).toMatchObject({ exitCode: 3, stdout: '' });
      expect(mismatch.stderr).toContain('BINDING_MISMATCH');
    }
    expect((await runCli(['log', '--json', '-o', 'start'], { env })).stdout).toBe('');
  }, 60_000);

  test.each([
    ['fewer', 10],
    ['more', 90],
  ])(
    'a topic made anew with %s records than the position is LOG_REPLACED, until the gap is accepted',
    async (_, count) => {
      const topic = uniqueName('anew');
      const service = await open({ topic, initArgs: ['--partitions', '1', '--rules', 'lenient'] });
      await publish(service, 40);
      await service.catchUp();
      await makeAnew(topic, service);
      await publish(service, count);
      const refused = await service.run(['consume', '--until-end'], { exit: 3 });
      expect(refused.stderr).toContain('LOG_REPLACED');
      await service.run(['consume', '--until-end', '--accept-gap']);
      const { rows } = await service.database.pool.query(`select reason from ${service.database.schema}.gap`);
      expect(rows).toEqual([{ reason: 'LOG_REPLACED' }]);
      await service.catchUp();
    },
    90_000,
  );

  test('records deleted before they were read are LOG_TRUNCATED, until the gap is accepted', async () => {
    const topic = uniqueName('truncated');
    const service = await open({ topic, initArgs: ['--partitions', '1', '--rules', 'lenient'] });
    await publish(service, 10);
    await service.catchUp();
    await publish(service, 30);
    // kafkajs asks the partition's leader of its own metadata, which has to know the topic.
    await admin.fetchTopicMetadata({ topics: [topic] });
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '25' }] });
    const refused = await service.run(['consume', '--until-end'], { exit: 3 });
    expect(refused.stderr).toMatch(/LOG_TRUNCATED[\s\S]*--accept-gap/);
    await service.run(['consume', '--until-end', '--accept-gap']);
    const { rows } = await service.database.pool.query(
      `select from_offset::int as from, to_offset::int as to from ${service.database.schema}.gap`,
    );
    expect(rows).toEqual([{ from: 10, to: 25 }]);
  }, 90_000);

  test('partitions that are added wait for the old ones, and every user keeps her order', async () => {
    const topic = uniqueName('grown');
    const service = await open({ topic, initArgs: ['--partitions', '1'] });
    const lines = sampleEvents(600, 60).trimEnd().split('\n');
    await service.run(['publish', '--from-file', '-'], { input: lines.slice(0, 400).join('\n') });
    await service.run(['consume', '--max-events', '50', '--batch-size', '50']);
    await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] });
    await service.run(['publish', '--from-file', '-'], { input: lines.slice(400).join('\n') });
    await service.catchUp();
    const { pool, schema } = service.database;
    expect(await brokenGuarantees(pool, schema, ['name', 'email'])).toEqual([]);
    const { rows } = await pool.query(
      `select status, count(*)::int as n, count(distinct generation)::int as generations from ${schema}.ledger group by 1`,
    );
    expect(rows).toEqual([{ status: 'applied', n: 600, generations: 2 }]);
  }, 90_000);

  test('--on-failure rollback withdraws the event in every service, --on-failure stop ends with its id', async () => {
    const topic = uniqueName('policy');
    const table = `create table public.users (user_id text primary key, name text, email text)`;
    const strict = table.replace('name text', 'name text constraint short check (length(name) < 5)');
    const [orders, billing, careful] = [
      await open({ topic, table }),
      await open({ topic, table: strict }),
      await open({ topic, table: strict }),
    ];
    const wrong = '018f3c1e-7b7c-7def-8abc-0000000000b1';
    await orders.run(['publish', 'create', 'a', '--name', 'A']);
    await orders.run(['publish', 'update', 'a', '--name', 'too long', '--event-id', wrong]);
    await orders.run(['publish', 'update', 'a', '--email', 'a@x']);
    const stopped = await careful.run(['consume', '--on-failure', 'stop'], { exit: 7 });
    expect(stopped.stdout).toContain(wrong);
    await orders.catchUp();
    await billing.run(['consume', '--until-end', '--on-failure', 'rollback'], { exit: 7 });
    await Promise.all([orders.catchUp(), billing.catchUp(), careful.catchUp()]);
    expect(await orders.users()).toEqual({ a: { name: 'A', email: null } });
    expect(await billing.users()).toEqual(await orders.users());
    expect(await careful.users()).toEqual(await orders.users());
  }, 90_000);
});
