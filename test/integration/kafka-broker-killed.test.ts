import { expect, test } from '@jest/globals';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { readAll, record, textOf } from '../conformance/harness.ts';
import { describePrivateKafka, startPrivateKafka } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { waitFor } from '../support/wait-for.ts';

/** `KILL_RECORDS=400000` is the same at length. */
const RECORDS = Number(process.env['KILL_RECORDS'] ?? 40_000);
const BATCH = 4_000;
const PARTITIONS = 4;
const KILLS = 2;
const TEST_MS = 300_000;

describePrivateKafka('a broker that is killed twice under a publish', () => {
  test(
    'has every record once and in order',
    async () => {
      const kafka = await startPrivateKafka();
      const topic = uniqueName('killed');
      const log = createKafkaEventLog({
        brokers: [kafka.brokers],
        clientId: 'test',
        topic,
        patience: 'long',
      });
      try {
        await log.createTopic(PARTITIONS);
        let appended = 0;
        const publish = async () => {
          for (let from = 0; from < RECORDS; from += BATCH) {
            const batch = Array.from({ length: BATCH }, (_, at) =>
              record(`user-${(from + at) % 500}`, String(from + at)),
            );
            appended += (await log.append(batch)).length;
          }
        };
        const publishing = publish();
        for (let kill = 1; kill <= KILLS; kill += 1) {
          const enough = (RECORDS * kill) / (KILLS + 1);
          // A publish that fails is told at once.
          await Promise.race([
            publishing,
            waitFor(() => appended >= enough, { describe: `${enough} records`, timeoutMs: TEST_MS }),
          ]);
          await kafka.kill9();
          await kafka.restart();
        }
        await publishing;
        const found = await readAll(log);
        const numbers = found.map((each) => Number(textOf(each)));
        expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: RECORDS }, (_, at) => at));
        for (let partition = 0; partition < PARTITIONS; partition += 1) {
          const inPartition = found
            .filter((each) => each.partition === partition)
            .map((each) => Number(textOf(each)));
          expect(inPartition).toEqual(inPartition.toSorted((a, b) => a - b));
        }
      } finally {
        await log.close();
        await kafka.remove();
      }
    },
    TEST_MS,
  );
});
