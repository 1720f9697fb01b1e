import { describeKafka } from './describe-kafka.ts';

/** Whose codec reads and writes records, as USER_EVENTS_FAST_CODEC says it: `on` is ours, `off` is kafkajs's. */
export type Codec = 'on' | 'off';

export const CODECS: readonly Codec[] = ['on', 'off'];

/** The same tests with each codec, on the run's Kafka. */
export function describeEachCodec(title: string, tests: (codec: Codec) => void): void {
  for (const codec of CODECS) describeKafka(`${title}, with the fast codec ${codec}`, () => tests(codec));
}
