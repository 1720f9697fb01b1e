import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { spawnCli, type RunningCli } from '../support/cli.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { brokenGuarantees, committedBeyond } from '../support/invariants.ts';
import { uniqueName } from '../support/names.ts';
import { sampleRecords } from '../support/sample-users.ts';
import { openService, type Service } from '../support/services-under-test.ts';
import { openTopicAdmin, type TopicAdmin } from '../support/topic-admin.ts';
import { waitFor } from '../support/wait-for.ts';

describeKafka('a topic that its operator changes under a consumer', () => {
  const services: Service[] = [];
  const logs: EventLog[] = [];
  let admin: TopicAdmin;

  beforeAll(async () => {
    admin = await openTopicAdmin(kafkaBrokers());
  });
  afterAll(async () => {
    await Promise.all([admin.close(), ...logs.map((log) => log.close())]);
    await Promise.all(services.map(({ database }) => database.drop()));
  });

  /** A topic with so many events in it, and a service on it. */
  async function setUp(partitions: number, events: number) {
    const topic = uniqueName('topic');
    const log = createKafkaEventLog({
      brokers: [kafkaBrokers()],
      clientId: 'test',
      topic,
      patience: 'short',
    });
    logs.push(log);
    await log.createTopic(partitions);
    await log.append(sampleRecords(events, 200));
    const service = await openService({ topic });
    services.push(service);
    return { topic, log, service, consumer: await spawnCli(['consume', '--json'], { env: service.env }) };
  }

  async function countLedger({ database: { pool, schema } }: Service): Promise<number> {
    const { rows } = await pool.query<{ n: number }>(`select count(*)::int as n from ${schema}.ledger`);
    return rows[0]?.n ?? 0;
  }

  const consumed = (service: Service, events: number) =>
    waitFor(async () => (await countLedger(service)) === events, {
      timeoutMs: 30_000,
      describe: () => `${String(events)} events in the ledger`,
    });

  async function expectGuarantees({ database: { pool, schema }, group }: Service, log: EventLog) {
    expect(await brokenGuarantees(pool, schema, ['name', 'email'])).toEqual([]);
    expect(await committedBeyond(pool, schema, log, group)).toEqual([]);
  }

  async function expectEnd(consumer: RunningCli, exitCode: number, code: string) {
    const ended = await consumer.ended;
    expect(ended).toMatchObject({ exitCode, stderr: expect.stringContaining(code) });
  }

  test('made anew within a moment and filled beyond the position, is told, and not one event of it is executed', async () => {
    const { topic, log, service, consumer } = await setUp(4, 500);
    await consumed(service, 500);
    // It looks away for that moment: nothing tells it but what it finds then.
    consumer.kill('SIGSTOP');
    await admin.makeAnew(topic, 4);
    await log.append(sampleRecords(3_000, 900, 11));
    consumer.kill('SIGCONT');
    await expectEnd(consumer, 3, 'LOG_REPLACED');
    expect(await countLedger(service)).toBe(500);
    await expectGuarantees(service, log);
    const refused = await service.catchUp(3);
    expect(refused.stderr).toContain('LOG_REPLACED');
    expect(await countLedger(service)).toBe(500);
    await service.run(['consume', '--until-end', '--accept-gap'], { exit: 7 });
    expect(await countLedger(service)).toBe(3_500);
    await expectGuarantees(service, log);
  }, 60_000);
});
