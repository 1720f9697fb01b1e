import type { BenchArguments } from '../frame/arguments.ts';
import type { Figure } from '../frame/figure.ts';
import type { Stage } from '../frame/stage.ts';
import { fillTopic } from '../wire/filled-topic.ts';
import { besideNode } from './beside-node.ts';

/** Times `node -e 0`. */
const BAR = 6;

/** The newest records of a large topic, and one by its offset. */
export async function measureNewest(
  stage: Stage,
  { events, runs }: BenchArguments,
): Promise<readonly Figure[]> {
  const { brokers, topic } = await fillTopic(stage, events);
  const offset = Math.floor(events / 10);
  const commands = [
    ['log', '-n', '20'],
    ['log', '-p', '1', '-o', `${String(offset)}:${String(offset + 1)}`],
  ];
  const env = { KAFKA_BROKERS: brokers, KAFKA_TOPIC: topic };
  return besideNode(stage, 'newest', commands, { runs, bar: BAR, env });
}
