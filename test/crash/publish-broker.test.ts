import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Kafka } from '../../scripts/kafka/broker.mjs';
import type { EventLog } from '../../src/log/event-log.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { readAll } from '../conformance/harness.ts';
import { spawnCli, type RunningCli } from '../support/cli.ts';
import { describePrivateKafka, startPrivateKafka } from '../support/describe-kafka.ts';
import { CODECS, type Codec } from '../support/each-codec.ts';
import { uniqueName } from '../support/names.ts';
import { waitFor } from '../support/wait-for.ts';

/** `PUBLISH_EVENTS=400000` is the same at length. */
const EVENTS = Number(process.env['PUBLISH_EVENTS'] ?? 40_000);
const KILLS = 2;
/** What is written at once: two for every kill, and one behind the last. */
const PIECE = EVENTS / (2 * KILLS + 1);
const USERS = 500;
const PARTITIONS = 4;
const LONG_MS = 300_000;

/** A topic that the CLI publishes to from its standard input. */
interface Publishing {
  readonly log: EventLog;
  readonly cli: RunningCli;
}

describePrivateKafka('a publish under which the broker goes away, with either codec', () => {
  let kafka: Kafka;
  const logs: EventLog[] = [];

  beforeAll(async () => {
    kafka = await startPrivateKafka();
  }, 60_000);
  afterAll(async () => {
    await Promise.all(logs.map((log) => log.close()));
    await kafka.remove();
  });

  async function begin(codec: Codec): Promise<Publishing> {
    const topic = uniqueName('publish');
    const log = createKafkaEventLog({ brokers: [kafka.brokers], clientId: 'test', topic, patience: 'long' });
    logs.push(log);
    await log.createTopic(PARTITIONS);
    const where = { KAFKA_BROKERS: kafka.brokers, KAFKA_TOPIC: topic, USER_EVENTS_FAST_CODEC: codec };
    const cli = await spawnCli(['publish', '--from-file', '-', '--keep-going', '--json'], { env: where });
    return { log, cli };
  }

  test(
    'twice by kill -9 has every event once and in order',
    async () => {
      const all = await Promise.all(CODECS.map(begin));
      let written = 0;
      const write = () => {
        for (const { cli } of all) cli.write(lines(written, PIECE));
        written += PIECE;
      };
      for (let kill = 1; kill <= KILLS; kill += 1) {
        const before = written;
        write();
        // With the first of it in the log the rest is under way; another piece comes while the broker is away.
        await Promise.all(all.map(({ log }) => untilInLog(log, before + 1)));
        await kafka.kill9();
        write();
        await Promise.all(all.map(({ cli }) => untilTold(cli, kill)));
        await kafka.restart();
      }
      write();
      for (const { cli } of all) cli.endInput();
      for (const { log, cli } of all) {
        expect(await cli.ended).toMatchObject({ exitCode: 0 });
        expect(JSON.parse(cli.output.stdout)).toMatchObject({ sent: EVENTS, rejected: 0 });
        await expectAllOnce(log);
      }
    },
    LONG_MS,
  );

  test(
    'and does not come back ends at SIGINT, and says how to go on',
    async () => {
      const { log, cli } = await begin('on');
      cli.write(lines(0, PIECE));
      await untilInLog(log, PIECE);
      await kafka.kill9();
      cli.write(lines(PIECE, PIECE));
      await untilTold(cli, 1);
      cli.kill('SIGINT');
      const { exitCode, stderr } = await cli.ended;
      expect(exitCode).toBe(130);
      const error: unknown = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '');
      expect(error).toMatchObject({
        error: { code: 'INTERRUPTED', facts: { sent: PIECE, nextLine: PIECE + 1 } },
      });
      await kafka.restart();
    },
    LONG_MS,
  );
});

/** So many lines from the `from`th event on. */
function lines(from: number, count: number): string {
  return Array.from({ length: count }, (_, at) => {
    const n = from + at;
    return `{"operation":"put","userId":"u${String(n % USERS)}","data":{"n":${String(n)}}}\n`;
  }).join('');
}

async function untilInLog(log: EventLog, count: number): Promise<void> {
  await waitFor(
    async () => (await log.watermarks()).reduce((sum, { high }) => sum + Number(high), 0) >= count,
    { timeoutMs: 60_000, describe: `${String(count)} events in the log` },
  );
}

async function untilTold(cli: RunningCli, times: number): Promise<void> {
  await waitFor(() => cli.output.stderr.split('does not answer').length > times, {
    timeoutMs: 60_000,
    describe: () => `that the log is waited for, ${String(times)} times, in ${cli.output.stderr}`,
  });
}

async function expectAllOnce(log: EventLog): Promise<void> {
  const found = (await readAll(log)).map(({ partition, value }) => {
    const { n }: { n: number } = JSON.parse(String(value)) as { n: number };
    return { partition, n };
  });
  expect(found.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: EVENTS }, (_, at) => at),
  );
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const inPartition = found.filter((each) => each.partition === partition).map(({ n }) => n);
    expect(inPartition).toEqual(inPartition.toSorted((a, b) => a - b));
  }
}
