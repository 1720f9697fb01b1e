import { corpus } from '../consume/corpus.ts';
import type { Stage } from '../frame/stage.ts';
import { newTopic } from './topic.ts';

const RECORDS_AN_APPEND = 8_000;

/** A topic of four partitions with the corpus. */
export interface FilledTopic {
  readonly brokers: string;
  readonly topic: string;
  /** A user in the midst of it. */
  readonly userId: string;
}

const filled = new WeakMap<Stage, Map<number, Promise<FilledTopic>>>();

/** The topic with so many events, made once for all parts of a run that only read it. */
export function fillTopic(stage: Stage, events: number): Promise<FilledTopic> {
  const topics = filled.get(stage) ?? new Map<number, Promise<FilledTopic>>();
  filled.set(stage, topics);
  const topic = topics.get(events) ?? fillNewTopic(stage, events);
  topics.set(events, topic);
  return topic;
}

async function fillNewTopic(stage: Stage, events: number): Promise<FilledTopic> {
  stage.say(`writing ${events.toLocaleString('en-US')} events`);
  const { brokers, topic, log } = await newTopic(stage);
  const records = [...corpus({ events })];
  for (let at = 0; at < records.length; at += RECORDS_AN_APPEND) {
    stage.signal.throwIfAborted();
    await log.append(records.slice(at, at + RECORDS_AN_APPEND));
  }
  await log.close();
  return { brokers, topic, userId: String(records[Math.floor(events / 2)]?.key) };
}
