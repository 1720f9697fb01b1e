import { afterAll } from '@jest/globals';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { waitFor } from './wait-for.ts';

/** What a cluster's operator does to a topic, under whoever uses it. */
export interface TopicAdmin {
  create(topic: string, partitions: number): Promise<void>;
  remove(topic: string): Promise<void>;
  /** Deletes the topic and makes it anew under its name, as soon as the cluster lets it. */
  makeAnew(topic: string, partitions: number): Promise<void>;
  addPartitions(topic: string, total: number): Promise<void>;
  /** Deletes what lies below `offset`, as retention does. */
  truncate(topic: string, partition: number, offset: bigint): Promise<void>;
  close(): Promise<void>;
}

/** The operator of the cluster that the tests of one file use; connects when there is something to do. */
export function useTopicAdmin(brokers: () => string): Omit<TopicAdmin, 'close'> {
  let admin: Promise<TopicAdmin> | undefined;
  const opened = () => (admin ??= openTopicAdmin(brokers()));
  afterAll(async () => {
    await (await admin)?.close();
  });
  return {
    create: async (topic, partitions) => (await opened()).create(topic, partitions),
    remove: async (topic) => (await opened()).remove(topic),
    makeAnew: async (topic, partitions) => (await opened()).makeAnew(topic, partitions),
    addPartitions: async (topic, total) => (await opened()).addPartitions(topic, total),
    truncate: async (topic, partition, offset) => (await opened()).truncate(topic, partition, offset),
  };
}

/** Connects to a cluster as its operator. */
export async function openTopicAdmin(brokers: string): Promise<TopicAdmin> {
  const admin: Admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const create = async (topic: string, numPartitions: number) => {
    await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true });
  };
  const remove = async (topic: string) => {
    await admin.deleteTopics({ topics: [topic] });
  };
  return {
    create,
    remove,
    async makeAnew(topic, partitions) {
      await remove(topic);
      await waitFor(() => create(topic, partitions).then(() => true), { describe: `${topic} made anew` });
    },
    async addPartitions(topic, count) {
      await admin.createPartitions({ topicPartitions: [{ topic, count }] });
    },
    async truncate(topic, partition, offset) {
      // Asked first: kafkajs deletes from leaders that it knows of.
      await admin.fetchTopicMetadata({ topics: [topic] });
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
    },
    close: () => admin.disconnect(),
  };
}
