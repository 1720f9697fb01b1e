import { afterAll, expect, test } from '@jest/globals';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { runCli } from '../support/cli.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { brokenGuarantees } from '../support/invariants.ts';
import { uniqueName } from '../support/names.ts';
import { sampleEvents } from '../support/sample-users.ts';
import { openService, type Service, type ServiceOptions } from '../support/services-under-test.ts';

const services: Service[] = [];
async function open(options: ServiceOptions): Promise<Service> {
  const service = await openService(options);
  services.push(service);
  return service;
}

afterAll(async () => {
  for (const { database } of services) await database.drop();
});

describeKafka('the main job on Apache Kafka', () => {
  test('20,000 events reach two services alike, and what the log gives back makes the same table again', async () => {
    const topic = uniqueName('main');
    const [orders, billing] = [await open({ topic }), await open({ topic })];
    await orders.run(['publish', '--from-file', '-'], { input: sampleEvents(20_000, 4_000) });
    await Promise.all([orders.catchUp(), billing.catchUp()]);
    for (const { database } of [orders, billing]) {
      expect(await brokenGuarantees(database.pool, database.schema, ['name', 'email'])).toEqual([]);
    }
    const users = await orders.users();
    expect(Object.keys(users).length).toBeGreaterThan(3_000);
    expect(await billing.users()).toEqual(users);

    const { stdout } = await orders.run(['log', '--json', '-o', 'start']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(20_000);
    const copy = await open({ topic: uniqueName('copy') });
    await copy.run(['publish', '--from-file', '-'], { input: stdout });
    await copy.catchUp();
    expect(await copy.users()).toEqual(users);
    const again = await copy.run(['log', '--json', '-o', 'start']);
    expect(withoutPlaces(again.stdout)).toEqual(withoutPlaces(stdout));
  }, 180_000);

  test('records as a Spring service writes them are executed as a put', async () => {
    const topic = uniqueName('spring');
    const service = await open({ topic });
    const log = createKafkaEventLog({
      brokers: [kafkaBrokers()],
      clientId: 'spring',
      topic,
      patience: 'short',
    });
    const type = { key: '__TypeId__', value: Buffer.from('com.example.User') };
    const user = (name: string): Buffer =>
      Buffer.from(JSON.stringify({ userId: 'u1', name, email: 'u1@example.com' }));
    await log.append([{ key: null, value: user('First'), headers: [type], partition: 0 }]);
    await log.append([{ key: null, value: user('Second'), headers: [type], partition: 0 }]);
    const other = Buffer.from('{"userId":"u2","name":"Other"}');
    await log.append([{ key: null, value: other, headers: [], partition: 1 }]);
    await log.close();
    const { stderr } = await service.catchUp();
    expect(stderr.match(/without a key/g)).toHaveLength(1);
    expect(await service.users()).toMatchObject({
      u1: { name: 'Second', email: 'u1@example.com' },
      u2: { name: 'Other' },
    });
  }, 60_000);

  test('what publish writes is plain JSON under the user’s key', async () => {
    const topic = uniqueName('plain');
    const service = await open({ topic });
    await service.run(['publish', 'create', 'zoë', '--name', 'Zoë', '--email', 'z@example.com']);
    const log = createKafkaEventLog({
      brokers: [kafkaBrokers()],
      clientId: 'reader',
      topic,
      patience: 'short',
    });
    const [marks] = (await log.watermarks()).filter(({ low, high }) => high > low);
    expect(marks).toBeDefined();
    for await (const { records } of log.read([{ partition: marks?.partition ?? 0, from: 0n }])) {
      const [record] = records;
      expect(record?.key?.toString('utf8')).toBe('zoë');
      expect(JSON.parse(record?.value?.toString('utf8') ?? '')).toEqual({
        userId: 'zoë',
        name: 'Zoë',
        email: 'z@example.com',
      });
      expect(record?.headers.map(({ key }) => key)).toEqual([
        'ce_specversion',
        'ce_id',
        'ce_type',
        'ce_source',
      ]);
    }
    await log.close();
  }, 60_000);

  test('an event that one service refuses parks its user alone, and its rollback makes both services equal', async () => {
    const topic = uniqueName('story');
    const table = `create table public.users (user_id text primary key, name text, email text, city text)`;
    const orders = await open({ topic, table });
    const billing = await open({
      topic,
      table: table.replace('email text', `email text constraint email_has_an_at check (email like '%@%')`),
    });
    const wrong = '018f3c1e-7b7c-7def-8abc-0123456789ab';
    await orders.run(['publish', 'create', 'ada', '--name', 'Ada', '--email', 'ada@example.com']);
    await orders.run(['publish', 'create', 'grace', '--name', 'Grace', '--email', 'grace@example.com']);
    await orders.run(['publish', 'update', 'ada', '--email', 'nowhere', '--event-id', wrong]);
    await orders.run(['publish', 'update', 'ada', '--name', 'Ada King']);
    await orders.run(['publish', 'update', 'grace', '--set', 'city=Arlington']);
    await orders.catchUp();
    await billing.catchUp(7);
    expect(await billing.users()).toMatchObject({
      ada: { name: 'Ada', email: 'ada@example.com' },
      grace: { city: 'Arlington' },
    });

    const { stdout } = await billing.run(['trace', wrong]);
    expect(stdout).toContain('email_has_an_at');
    expect(stdout).toContain('23514');
    expect(stdout.split('\n').length).toBeLessThan(41);

    // A later event is in the way: without a terminal it is refused, and both choices are named.
    const refused = await billing.run(['rollback', '--event-id', wrong, '--yes'], { exit: 6 });
    expect(refused.stderr).toMatch(/LATER_EVENTS[\s\S]*--only[\s\S]*--cascade/);
    await billing.run(['rollback', '--event-id', wrong, '--only', '--reason', 'no address', '--yes']);
    await Promise.all([orders.catchUp(), billing.catchUp()]);
    expect(await orders.users()).toMatchObject({ ada: { name: 'Ada King', email: 'ada@example.com' } });
    expect(await billing.users()).toEqual(await orders.users());

    const before = await billing.run(['log', '--json', '-o', 'start']);
    const again = await billing.run(['rollback', '--event-id', wrong, '--only', '--yes']);
    expect(again.stdout).toContain('already rolled back');
    const after = await billing.run(['log', '--json', '-o', 'start']);
    expect(linesOf(after.stdout)).toEqual(linesOf(before.stdout));
  }, 120_000);
});

test('with one half configured nothing is started, and the choices are named', async () => {
  const result = await runCli(['consume'], { env: { KAFKA_BROKERS: 'localhost:1' } });
  expect(result).toMatchObject({ exitCode: 3, stdout: '' });
  expect(result.stderr).toContain('DATABASE_URL');
});

/** The lines, sorted: a stream of several partitions comes as it is read, in order within each alone. */
function linesOf(ndjson: string): string[] {
  return ndjson.trimEnd().split('\n').toSorted();
}

/** The lines without position and status, sorted: what must survive a copy to another topic. */
function withoutPlaces(ndjson: string): string[] {
  return ndjson
    .trimEnd()
    .split('\n')
    .map((line) => {
      const {
        topic: _topic,
        partition: _partition,
        offset: _offset,
        status: _status,
        ...rest
      } = JSON.parse(line) as Record<string, unknown>;
      return JSON.stringify(rest);
    })
    .toSorted();
}
