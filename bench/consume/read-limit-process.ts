/** See read-limit.ts: run by it, with KAFKA_BROKERS and KAFKA_TOPIC set; says a `ReadLimit` on stdout. */
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { uniqueName } from '../../test/support/names.ts';
import type { ReadLimit } from './read-limit.ts';

const { KAFKA_BROKERS = '', KAFKA_TOPIC = '' } = process.env;
const log = createKafkaEventLog({
  brokers: [KAFKA_BROKERS],
  clientId: 'bench',
  topic: KAFKA_TOPIC,
  patience: 'short',
});
const marks = await log.watermarks();
let left = marks.reduce((sum, { low, high }) => sum + Number(high - low), 0);
const records = left;
const elapsedMs = await new Promise<number>((resolve, reject) => {
  let startedAt = 0;
  const subscribed = log.subscribe({
    group: uniqueName('bench'),
    onAssigned: () => {
      startedAt = performance.now();
      return Promise.resolve(new Map(marks.map(({ partition, low }) => [partition, low])));
    },
    onRevoked: () => Promise.resolve(),
    onBatch: (batch) => {
      left -= batch.records.length;
      if (left <= 0) resolve(performance.now() - startedAt);
    },
  });
  subscribed.then(({ ended }) => ended.catch(reject), reject);
});
const limit: ReadLimit = { records, elapsedMs };
process.stdout.write(JSON.stringify(limit), () => process.exit());
