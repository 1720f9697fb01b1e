import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startKafka, type Kafka } from '../../scripts/kafka/broker.mjs';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { errorOf, readAll, record, textOf, useLogs } from '../conformance/harness.ts';
import { useTeams } from '../conformance/team.ts';
import { describePrivateKafka } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { waitFor } from '../support/wait-for.ts';

const BROKER_MS = 60_000;

describePrivateKafka('a log whose broker has a bad disk', () => {
  let kafka: Kafka;
  let dataDir = '';
  const newTeam = useTeams();
  const logs = useLogs(({ topic, patience }) =>
    createKafkaEventLog({ brokers: [kafka.brokers], clientId: 'test', topic, patience }),
  );

  beforeAll(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'user-events-corrupt-'));
    kafka = await startKafka({ name: uniqueName('corrupt'), dataDir, ownerPid: process.pid });
  }, BROKER_MS);
  afterAll(async () => {
    await kafka.remove();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** Changes one letter of `value` where the broker has it: it sends what lies there, without a look at it. */
  async function damage(topic: string, value: string): Promise<void> {
    const file = path.join(dataDir, 'log', `${topic}-0`, '00000000000000000000.log');
    const at = (await readFile(file)).indexOf(value);
    expect(at).toBeGreaterThan(0);
    const segment = await open(file, 'r+');
    await segment.write(Buffer.from('X'), 0, 1, at);
    await segment.close();
  }

  test(
    'is read up to the batch that is damaged, which is told as LOG_CORRUPT with its place',
    async () => {
      const { log, topic } = await logs.fresh(1);
      for (const value of ['first', 'second', 'third', 'fourth']) await log.append([record('a', value)]);
      expect((await readAll(log)).map(textOf)).toEqual(['first', 'second', 'third', 'fourth']);
      await damage(topic, 'third');

      const values: string[] = [];
      const reading = (async () => {
        for await (const batch of log.read([{ partition: 0, from: 0n }]))
          values.push(...batch.records.map(textOf));
      })();
      const place = { code: 'LOG_CORRUPT', facts: { topic, partition: 0, offset: 2n } };
      expect(await errorOf(reading)).toMatchObject(place);
      expect(values).toEqual(['first', 'second']);

      const team = newTeam(uniqueName('group'));
      const member = await team.join('one', log);
      await waitFor(() => team.received.length === 2, { describe: 'what is before it' });
      expect(await errorOf(member.subscription.ended)).toMatchObject(place);
      expect(team.valuesReceived).toEqual(['first', 'second']);
      expect(team.positions.get(0)).toBe(2n);

      // Behind it the log can be read.
      const rest: string[] = [];
      for await (const batch of log.read([{ partition: 0, from: 3n }]))
        rest.push(...batch.records.map(textOf));
      expect(rest).toEqual(['fourth']);
    },
    BROKER_MS,
  );
});
