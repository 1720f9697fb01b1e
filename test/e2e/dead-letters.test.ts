import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { readDeadLetter, ownHeaders } from '../../src/domain/dead-letter.ts';
import type { LogRecord } from '../../src/domain/record.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { configFile } from '../support/config-file.ts';
import { runCli, spawnCli } from '../support/cli.ts';
import { connectLetter } from '../support/dead-letter-harness.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { readAllRecords } from '../support/each-log.ts';
import { uniqueName } from '../support/names.ts';
import { openService, type Service } from '../support/services-under-test.ts';
import { waitFor } from '../support/wait-for.ts';

const ID = '018f3f1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f';

describeKafka('dead letters', () => {
  let topic: string;
  let deadLetters: string;
  let service: Service;
  const logs: EventLog[] = [];
  const services: Service[] = [];

  beforeEach(async () => {
    topic = uniqueName('topic');
    deadLetters = `${topic}-dlt`;
    service = await openService({ topic, initArgs: ['--dead-letter-topic', deadLetters] });
    services.push(service);
  });
  afterAll(async () => {
    await Promise.all(logs.map((log) => log.close()));
    for (const { database } of services) await database.drop();
  });

  function openLog(name: string): EventLog {
    const log = createKafkaEventLog({
      brokers: [kafkaBrokers()],
      clientId: 'test',
      topic: name,
      patience: 'short',
    });
    logs.push(log);
    return log;
  }

  const recordsOf = (name: string): Promise<readonly LogRecord[]> => readAllRecords(openLog(name));

  /** A create that fails, and an update that is parked behind it. */
  async function failOne(): Promise<void> {
    await service.run(['publish', 'create', 'u1', '--name', 'Ada']);
    const second = { operation: 'create', userId: 'u1', data: { name: 'Bea' }, eventId: ID };
    const third = { operation: 'update', userId: 'u1', data: { name: 'Cid' } };
    const input = `${JSON.stringify(second)}\n${JSON.stringify(third)}\n`;
    await service.run(['publish', '--from-file', '-'], { input });
  }

  const consume = (point?: string) =>
    runCli(['consume', '--until-end', '--dead-letter-topic', deadLetters], {
      env: { ...service.env, ...(point === undefined ? {} : { USER_EVENTS_FAULT_POINT: point }) },
      timeoutMs: 60_000,
    });

  const untilLetters = (count: number) =>
    waitFor(async () => (await recordsOf(deadLetters)).length >= count, {
      timeoutMs: 60_000,
      describe: () => `${String(count)} dead letters`,
    });

  async function stop(consumer: Awaited<ReturnType<typeof spawnCli>>): Promise<void> {
    consumer.kill('SIGTERM');
    expect(await consumer.ended).toMatchObject({ exitCode: 0 });
  }

  test('a failed event is also written there, as it lies in the log; a parked one is not', async () => {
    await failOne();
    expect(await consume()).toMatchObject({ exitCode: 7 });
    const [letter, ...more] = await recordsOf(deadLetters);
    expect(more).toEqual([]);
    const original = (await recordsOf(topic)).find(({ headers }) =>
      headers.some(({ value }) => value?.toString() === ID),
    );
    expect(letter).toMatchObject({ key: original?.key, value: original?.value });
    expect(ownHeaders(letter?.headers ?? [])).toEqual(original?.headers);
    expect(readDeadLetter({ headers: letter?.headers ?? [] })).toMatchObject({
      system: 'user-events',
      topic,
      partition: original?.partition,
      offset: original?.offset,
      timestamp: original?.timestamp,
      group: service.group,
      exception: 'user-events.USER_EXISTS',
      eventId: ID,
    });
  }, 60_000);

  test.each([
    ['before-letters', 1],
    ['after-letters', 2],
  ])(
    'killed at the point %s no letter is lost; there are %i, under one id',
    async (point, count) => {
      await failOne();
      expect(await consume(`${point}:1`)).toMatchObject({ signal: 'SIGKILL' });
      // The letter is due by the ledger, whatever the position says: it is written at the next assignment.
      const next = await spawnCli(['consume', '--dead-letter-topic', deadLetters], { env: service.env });
      await untilLetters(count);
      await stop(next);
      expect((await consume()).signal).toBeNull();
      const ids = (await recordsOf(deadLetters)).map((record) => readDeadLetter(record)?.eventId);
      expect(ids).toEqual(Array.from({ length: count }, () => ID));
    },
    90_000,
  );

  test('a run until the end, right after a kill and with nothing left to read, writes what was due', async () => {
    await failOne();
    expect(await consume('before-letters:1')).toMatchObject({ signal: 'SIGKILL' });
    // What was killed is a member of the group for ten seconds more.
    expect(await consume()).toMatchObject({ exitCode: 0, signal: null });
    expect((await recordsOf(deadLetters)).map((record) => readDeadLetter(record)?.eventId)).toEqual([ID]);
  }, 90_000);

  test('a consumer that runs writes also what fails by another command', async () => {
    await service.run(['publish', 'create', 'u1', '--name', 'Ada']);
    const lines = ['create', 'create'].map((operation) =>
      JSON.stringify({ operation, userId: 'u1', data: {} }),
    );
    await service.run(['publish', '--from-file', '-'], { input: `${lines.join('\n')}\n` });
    const consumer = await spawnCli(['consume', '--dead-letter-topic', deadLetters], { env: service.env });
    await untilLetters(1);
    // Released by the skip, the third create fails: no batch of the consumer has it.
    const [failed] = await failedIds();
    await service.run(['skip', failed ?? '', '--reason', 'test']);
    await untilLetters(2);
    await stop(consumer);
    expect(new Set((await recordsOf(deadLetters)).map((each) => readDeadLetter(each)?.eventId)).size).toBe(2);
  }, 90_000);

  async function failedIds(): Promise<string[]> {
    const { stdout } = await service.run(['failures', '--json']);
    return stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { eventId: string }).eventId);
  }

  test('are listed as a table and as NDJSON', async () => {
    await failOne();
    await consume();
    const table = await service.run(['failures', '--dead-letter', deadLetters]);
    expect(table.stdout).toMatch(/u1 +create +user-events/);
    expect(table.stdout).toContain('USER_EXISTS');
    const { stdout } = await service.run(['failures', '--dead-letter', deadLetters, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      topic: deadLetters,
      system: 'user-events',
      originalTopic: topic,
      eventId: ID,
      userId: 'u1',
      operation: 'create',
      putBackAt: null,
    });
  }, 60_000);

  test('a record without an id that is put back is known to a service that had executed it', async () => {
    const log = openLog(topic);
    const value = (n: number): Buffer => Buffer.from(JSON.stringify({ userId: 'u1', name: `v${String(n)}` }));
    const timestamp = Date.now();
    await log.append(
      [1, 2].map((n) => ({ partition: 0, key: Buffer.from('u1'), value: value(n), headers: [], timestamp })),
    );
    await service.catchUp();
    expect(await service.users()).toMatchObject({ u1: { name: 'v2' } });
    const letter = { ...connectLetter('u1', topic, 0), value: value(1), timestamp };
    await openLog(deadLetters).append([letter]);
    const result = await service.run(['retry', '--dead-letter', deadLetters, '--yes', '--json']);
    expect(JSON.parse(result.stdout)).toMatchObject({ topic, putBack: 1, refused: [], own: 0 });
    expect(await recordsOf(topic)).toHaveLength(3);
    // The old value does not come back over the newer one.
    await service.catchUp();
    expect(await service.users()).toMatchObject({ u1: { name: 'v2' } });
    const again = await service.run(['retry', '--dead-letter', deadLetters, '--yes']);
    expect(again.stdout).toContain('0 records put back');
  }, 60_000);

  test('what guards: the topic itself, a topic that is not there, no terminal, flags of the ledger', async () => {
    const itself = await runCli(['consume', '--dead-letter-topic', topic], { env: service.env });
    expect(itself).toMatchObject({ exitCode: 2 });
    expect(itself.stderr).toContain('--dead-letter-topic must not be');
    const setting = { ...service.env, USER_EVENTS_DEAD_LETTER_TOPIC: topic };
    expect(await runCli(['consume'], { env: setting })).toMatchObject({ exitCode: 3 });
    const missing = await runCli(['consume', '--dead-letter-topic', 'nowhere'], { env: service.env });
    expect(missing).toMatchObject({ exitCode: 5 });
    expect(missing.stderr).toContain('init --dead-letter-topic');

    await openLog(deadLetters).append([connectLetter('u1', topic, 0)]);
    const unasked = await service.run(['retry', '--dead-letter', deadLetters], { exit: 2 });
    expect(unasked.stderr).toContain('NO_TERMINAL');
    const production = {
      ...service.env,
      USER_EVENTS_CONFIG: await configFile({ live: { production: true } }),
      USER_EVENTS_PROFILE: 'live',
    };
    const guarded = await runCli(['retry', '--dead-letter', deadLetters, '--yes'], { env: production });
    expect(guarded).toMatchObject({ exitCode: 6 });
    expect(guarded.stderr).toContain('PRODUCTION_GUARD');
    expect(await recordsOf(topic)).toEqual([]);
    await service.run(['retry', '--dead-letter', deadLetters, '--all-failed'], { exit: 2 });
    await service.run(['failures', '--dead-letter', deadLetters, '--code', 'DRIFT'], { exit: 2 });
    await service.run(['retry', ID, '--dry-run'], { exit: 2 });
    const dry = await service.run(['retry', '--dead-letter', deadLetters, '--dry-run']);
    expect(dry.stdout).toContain('1 record would be put back');
  }, 90_000);
});
