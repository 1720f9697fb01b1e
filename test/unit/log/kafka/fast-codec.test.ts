import { describe, expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { withFastCodec } from '../../../../src/log/kafka/fast-codec.ts';
import { createCluster } from '../../../../src/log/kafka/private-api.ts';

const newKafka = () => new Kafka({ brokers: ['127.0.0.1:1'], logLevel: logLevel.NOTHING });
const CREATE_CLUSTER = 'private:Kafka:createCluster';

function createClusterOf(kafka: Kafka): unknown {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === CREATE_CLUSTER,
  );
  return symbol === undefined ? undefined : Reflect.get(kafka, symbol);
}

/** A broker as the clusters of this client make them, not connected. */
function createBroker(kafka: Kafka): object {
  const pool: unknown = Reflect.get(
    createCluster(kafka, () => undefined),
    'brokerPool',
  );
  const create: unknown =
    typeof pool === 'object' && pool !== null ? Reflect.get(pool, 'createBroker') : null;
  if (typeof create !== 'function') throw new Error('This is not kafkajs 2.2.4');
  const logger = { namespace: () => logger };
  const connectionPool = { connectionTimeout: 1, host: 'h', port: 1 };
  const broker: unknown = Reflect.apply(create, undefined, [{ connectionPool, logger }]);
  if (typeof broker !== 'object' || broker === null) throw new Error('This is not kafkajs 2.2.4');
  return broker;
}

function lookupOf(broker: object) {
  return Object.getOwnPropertyDescriptor(broker, 'lookupRequest');
}

describe('the fast codec', () => {
  test('is put into the kafkajs that is installed, without a warning', () => {
    const warnings: string[] = [];
    const kafka = newKafka();
    withFastCodec(kafka, { warn: (text) => warnings.push(text) });
    const broker = createBroker(kafka);
    expect(warnings).toEqual([]);
    expect(lookupOf(broker)).toMatchObject({ get: expect.any(Function), set: expect.any(Function) });
    expect(lookupOf(createBroker(newKafka()))).toMatchObject({ writable: true });
  });

  test('stays off with another version of kafkajs, and says so once for all clients', () => {
    const warnings: string[] = [];
    const warn = (text: string) => warnings.push(text);
    const kafka = newKafka();
    const before = createClusterOf(kafka);
    withFastCodec(kafka, { warn, version: '2.2.5' });
    withFastCodec(newKafka(), { warn, version: '2.2.5' });
    expect(createClusterOf(kafka)).toBe(before);
    expect(warnings).toEqual([
      "Records are read and written at kafkajs's own, slower pace: it is kafkajs 2.2.5, and the fast codec knows 2.2.4.",
    ]);
  });

  test.each([
    ['the client', undefined],
    ['its clusters', clusterWith({})],
    ['their brokers', clusterWith({ createBroker: () => ({ isStock: true }) })],
  ])('stays off where %s differ from what it knows, and says so', (_, cluster) => {
    const warnings: string[] = [];
    const kafka = newKafka();
    const symbol = Object.getOwnPropertySymbols(kafka).find(
      ({ description }) => description === CREATE_CLUSTER,
    );
    if (symbol === undefined) throw new Error('This is not kafkajs 2.2.4');
    if (cluster === undefined) Reflect.deleteProperty(kafka, symbol);
    else Reflect.set(kafka, symbol, () => cluster);
    withFastCodec(kafka, { warn: (text) => warnings.push(text) });
    if (cluster !== undefined) createCluster(kafka, () => undefined);
    if (cluster !== undefined && 'createBroker' in cluster.brokerPool) {
      expect(createBroker(kafka)).toEqual({ isStock: true });
    }
    expect(warnings).toHaveLength(1);
  });
});

/** What `createCluster` asks of a cluster, and this pool of brokers. */
function clusterWith(brokerPool: object) {
  const nothing = () => undefined;
  return {
    brokerPool,
    connect: nothing,
    disconnect: nothing,
    addTargetTopic: nothing,
    findLeaderForPartitions: nothing,
    findBroker: nothing,
  };
}
