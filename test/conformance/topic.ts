import { describe, expect, test } from '@jest/globals';
import { uniqueName } from '../support/names.ts';
import { codeOf, firstBatch, useLogs, type EventLogFactory } from './harness.ts';

export function describeTopic(factory: EventLogFactory): void {
  const logs = useLogs((options) => factory.create(options));

  describe('a topic', () => {
    test('is made once; who comes second is told that it exists', async () => {
      const topic = uniqueName('conformance');
      expect(await logs.open(topic).createTopic(3)).toBe('created');
      expect(await logs.open(topic).createTopic(5)).toBe('exists');
      expect(await logs.open(topic).describe()).toMatchObject({ topic, partitionCount: 3 });
    });

    test('is in the same cluster for everybody', async () => {
      const [one, two] = [await logs.fresh(1), await logs.fresh(2)];
      const [first, second] = [await one.log.describe(), await two.log.describe()];
      expect(first.clusterId).toBe(second.clusterId);
      expect(first.clusterId).not.toBe('');
    });

    test('has an id of its own, the same for everybody', async () => {
      const [one, two] = [await logs.fresh(1), await logs.fresh(1)];
      const [first, second] = [await one.log.topicId(), await two.log.topicId()];
      expect(first).toEqual(expect.any(String));
      expect(second).not.toBe(first);
      expect(await logs.open(one.topic).topicId()).toBe(first);
    });

    test('that is missing is told as such, whatever is asked', async () => {
      const log = logs.open(uniqueName('missing'));
      const group = uniqueName('group');
      const ignore = () => Promise.resolve();
      const onAssigned = () => Promise.resolve(new Map<number, bigint>());
      const questions = [
        log.describe(),
        log.topicId(),
        log.watermarks(),
        log.offsetsAtTime(0),
        log.committed(group),
        firstBatch(log, [{ partition: 0, from: 0n }]),
        log.subscribe({ group, onAssigned, onRevoked: ignore, onBatch: () => undefined }),
      ];
      const codes = await Promise.all(questions.map(codeOf));
      expect(codes).toEqual(questions.map(() => 'TOPIC_NOT_FOUND'));
    });
  });
}
