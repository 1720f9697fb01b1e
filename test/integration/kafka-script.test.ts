import { execFile } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { describePrivateKafka, startPrivateKafka } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';

const SCRIPT = path.resolve(import.meta.dirname, '../../scripts/kafka.mjs');
const BROKER_TIMEOUT_MS = 90_000;

interface Outcome {
  readonly exitCode: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function kafkaScript(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT, ...args], { env }, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}

describe('npm run kafka', () => {
  test.each([[['begin']], [['start', 'twice']], [['--port', '0']], [['--name', '../x']], [['--nmae', 'x']]])(
    'answers %j with its usage and exit 2',
    async (args) => {
      const { exitCode, stdout, stderr } = await kafkaScript(args);
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
      expect(stderr).toContain('Usage: npm run kafka');
    },
  );

  test('says what is missing, with exit 3, where there is no Java', async () => {
    const name = uniqueName('nojava');
    const { exitCode, stdout, stderr } = await kafkaScript(['start', '--name', name], { PATH: '' });
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toContain('needs Java 17');
  });

  test('answers the status of an instance that does not run with exit 5', async () => {
    const { exitCode, stdout } = await kafkaScript(['status', '--name', uniqueName('nobody')]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' });
  });
});

describePrivateKafka('a broker of its own', () => {
  let broker: Awaited<ReturnType<typeof startPrivateKafka>>;
  const topic = uniqueName('topic');

  beforeAll(async () => {
    broker = await startPrivateKafka({ 'message.max.bytes': '123456' });
  }, BROKER_TIMEOUT_MS);

  afterAll(() => broker.remove(), BROKER_TIMEOUT_MS);

  async function withAdmin<T>(work: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
    const admin = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  }

  test(
    'keeps its topics and its port when it is killed and started again',
    async () => {
      await withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions: 3 }] }));
      const killed = broker.pid();
      await broker.kill9();
      expect(await broker.isRunning()).toBe(false);
      await broker.restart();
      expect(broker.pid()).not.toBe(killed);
      const { topics } = await withAdmin((admin) => admin.fetchTopicMetadata({ topics: [topic] }));
      expect(topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([[topic, 3]]);
    },
    BROKER_TIMEOUT_MS,
  );

  test('does not make a topic because somebody asks for it', async () => {
    const asked = withAdmin((admin) => admin.fetchTopicMetadata({ topics: [uniqueName('typo')] }));
    await expect(asked).rejects.toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION' });
  });
});
