import { Kafka, logLevel, type Admin } from 'kafkajs';
import { waitFor } from './wait-for.ts';

/** What a cluster's operator does to a topic, under whoever uses it. */
interface TopicAdmin {
  create(topic: string, partitions: number): Promise<void>;
  remove(topic: string): Promise<void>;
  /** Deletes the topic and makes it anew under its name, as soon as the cluster lets it. */
  makeAnew(topic: string, partitions: number): Promise<void>;
  addPartitions(topic: string, total: number): Promise<void>;
  /** Deletes what lies below `offset`, as retention does. */
  truncate(topic: string, partition: number, offset: bigint): Promise<void>;
  close(): Promise<void>;
}

/**
 * The operator of a cluster. Everything is done over a connection of its own: kafkajs's admin asks for the metadata of
 * every topic that it was ever asked about, and fails at all of them when one was deleted.
 */
export function topicAdmin(brokers: () => string): Omit<TopicAdmin, 'close'> {
  const run = async (work: (admin: TopicAdmin) => Promise<void>) => {
    const admin = await openTopicAdmin(brokers());
    try {
      await work(admin);
    } finally {
      await admin.close();
    }
  };
  return {
    create: (topic, partitions) => run((admin) => admin.create(topic, partitions)),
    remove: (topic) => run((admin) => admin.remove(topic)),
    makeAnew: (topic, partitions) => run((admin) => admin.makeAnew(topic, partitions)),
    addPartitions: (topic, total) => run((admin) => admin.addPartitions(topic, total)),
    truncate: (topic, partition, offset) => run((admin) => admin.truncate(topic, partition, offset)),
  };
}

/** Connects to a cluster as its operator. */
async function openTopicAdmin(brokers: string): Promise<TopicAdmin> {
  const admin: Admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const create = async (topic: string, numPartitions: number) => {
    await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: false });
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
