import { expect, test } from '@jest/globals';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { spawnCli, type RunningCli } from '../support/cli.ts';
import { describePrivateKafka, startPrivateKafka } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { sampleRecords } from '../support/sample-users.ts';
import { waitFor } from '../support/wait-for.ts';

const EVENTS = 10_000;
const PIECE = 250;
const PARTITIONS = 4;
const TEST_MS = 240_000;

interface Line {
  readonly partition: number;
  readonly offset: number;
  readonly eventId: string;
}

function linesOf(follower: RunningCli): readonly Line[] {
  const whole = follower.output.stdout.slice(0, follower.output.stdout.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

const countOf = (follower: RunningCli): number => follower.output.stdout.split('\n').length - 1;

describePrivateKafka('log -f while its broker is killed and started again', () => {
  test(
    'prints every event once and in order, those from before, during and after',
    async () => {
      const kafka = await startPrivateKafka();
      const topic = uniqueName('followed');
      const log = createKafkaEventLog({
        brokers: [kafka.brokers],
        clientId: 'test',
        topic,
        patience: 'long',
      });
      try {
        await log.createTopic(PARTITIONS);
        const records = sampleRecords(EVENTS, EVENTS / 10);
        let next = 0;
        const publish = async (to: number): Promise<void> => {
          for (; next < to; next += PIECE) await log.append(records.slice(next, next + PIECE));
        };
        await publish(EVENTS / 4);
        const follower = await spawnCli(['log', '--json', '-f'], {
          env: { KAFKA_BROKERS: kafka.brokers, KAFKA_TOPIC: topic },
        });
        const printed = (count: number): Promise<unknown> =>
          waitFor(() => countOf(follower) >= count, {
            timeoutMs: 60_000,
            describe: () =>
              `${String(count)} events printed of ${String(countOf(follower))}\n${follower.output.stderr}`,
          });
        await printed(EVENTS / 8);
        for (const share of [0.5, 0.75]) {
          const publishing = publish(EVENTS * share);
          await printed(EVENTS * (share - 0.2));
          await kafka.kill9();
          await kafka.restart();
          await publishing;
        }
        await publish(EVENTS);
        await printed(EVENTS);
        follower.kill('SIGINT');
        expect((await follower.ended).exitCode).toBe(130);

        const lines = linesOf(follower);
        expect(lines.length).toBe(EVENTS);
        expect(new Set(lines.map(({ eventId }) => eventId)).size).toBe(EVENTS);
        const watermarks = await log.watermarks();
        for (const { partition, high } of watermarks) {
          const offsets = lines.filter((line) => line.partition === partition).map(({ offset }) => offset);
          expect(offsets).toEqual(Array.from({ length: Number(high) }, (_, at) => at));
        }
      } finally {
        await log.close();
        await kafka.remove();
      }
    },
    TEST_MS,
  );
});
