import type { EventLog } from '../../src/log/event-log.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { uniqueName } from '../../test/support/names.ts';
import type { Stage } from '../frame/stage.ts';

const PARTITIONS = 4;

/** A new topic of four partitions. The caller closes its log. */
export async function newTopic(stage: Stage): Promise<{ brokers: string; topic: string; log: EventLog }> {
  const { brokers } = await stage.kafka();
  const topic = uniqueName('wire');
  const log = createKafkaEventLog({ brokers: [brokers], clientId: 'bench', topic, patience: 'short' });
  await log.createTopic(PARTITIONS);
  return { brokers, topic, log };
}
