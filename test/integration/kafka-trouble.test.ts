import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { startKafka } from '../../scripts/kafka/broker.mjs';
import { twoFreePorts } from '../../scripts/kafka/free-port.mjs';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import type { KafkaSettings } from '../../src/log/kafka/settings.ts';
import {
  codeOf,
  errorOf,
  firstBatch,
  readAll,
  record,
  records,
  textOf,
  useLogs,
} from '../conformance/harness.ts';
import { useTeams } from '../conformance/team.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { topicAdmin } from '../support/topic-admin.ts';
import { waitFor } from '../support/wait-for.ts';

const START = [{ partition: 0, from: 0n }];

describe('a Kafka that is not there', () => {
  const unreachable = async (brokers: string, limitMs: number) => {
    const log = createKafkaEventLog({
      brokers: [brokers],
      clientId: 'test',
      topic: 'any',
      patience: 'short',
    });
    const ignore = () => Promise.resolve();
    const onAssigned = () => Promise.resolve(new Map<number, bigint>());
    const start = performance.now();
    const codes = await Promise.all(
      [
        log.describe(),
        log.append([record('a', 'x')]),
        firstBatch(log, START),
        log.subscribe({ group: 'any', onAssigned, onRevoked: ignore, onBatch: () => undefined }),
      ].map(codeOf),
    );
    expect(new Set(codes)).toEqual(new Set(['LOG_UNREACHABLE']));
    expect(performance.now() - start).toBeLessThan(limitMs);
    await log.close();
  };

  test('is told within 2 s where nobody listens', async () => {
    const [port] = await twoFreePorts();
    await unreachable(`127.0.0.1:${port}`, 2_000);
  });

  test('is told within 10 s where somebody takes the connection and never answers', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await unreachable(`127.0.0.1:${port}`, 10_000);
    for (const socket of sockets) socket.destroy();
    server.close();
  }, 20_000);
});

describeKafka('the event log in Kafka', () => {
  const newTeam = useTeams();
  const logs = useLogs(({ topic, patience }) =>
    createKafkaEventLog({ brokers: [kafkaBrokers()], clientId: 'test', topic, patience }),
  );
  const admin = topicAdmin(kafkaBrokers);

  test('says so when its topic is deleted under way, to readers, writers and members', async () => {
    const { log, topic } = await logs.fresh(2);
    await log.append(records(10));
    const patient = logs.open(topic, 'long');
    const team = newTeam(uniqueName('group'));
    const member = await team.join('one', patient);
    await waitFor(() => team.received.length === 10, { describe: 'the records' });
    const following = (async () => {
      for await (const batch of patient.read(START, { follow: true })) {
        if (batch.records.length < 0) break;
      }
    })();
    const ends = [errorOf(following), errorOf(member.subscription.ended)];
    await admin.remove(topic);
    for (const end of ends) expect((await end).code).toBe('TOPIC_NOT_FOUND');
    expect(await codeOf(patient.append([record('a', 'x')]))).toBe('TOPIC_NOT_FOUND');
  }, 30_000);

  test('gives a member not one record of a topic made anew, however soon and however full', async () => {
    const { log, topic } = await logs.fresh(1);
    await log.append(records(10));
    const topicId = await log.topicId();
    const team = newTeam(uniqueName('group'));
    const member = await team.join('one', log, { topicId: () => topicId });
    await waitFor(() => team.received.length === 10, { describe: 'the records' });
    // Nothing is fetched meanwhile, so that nothing but the records themselves can tell.
    member.subscription.pause([0]);
    await admin.makeAnew(topic, 1);
    await log.append(records(30, { from: 100 }));
    member.subscription.resume([0]);
    expect((await errorOf(member.subscription.ended)).code).toBe('LOG_REPLACED');
    expect(team.received).toHaveLength(10);
  }, 30_000);

  describe('a log whose first records were deleted', () => {
    const truncated = async () => {
      const { log, topic } = await logs.fresh(1);
      await log.append(records(10));
      await admin.truncate(topic, 0, 6n);
      return log;
    };

    test('has a low watermark, from which it is read', async () => {
      const log = await truncated();
      expect(await log.watermarks()).toEqual([{ partition: 0, low: 6n, high: 10n }]);
      expect((await readAll(log)).map(textOf)).toEqual(['6', '7', '8', '9']);
      expect((await log.offsetsAtTime(0)).get(0)).toBe(6n);
    });

    test('refuses to be read below it, and does not jump', async () => {
      const log = await truncated();
      const facts = { partition: 0, expected: 3n, got: 6n, low: 6n, high: 10n };
      const error = await errorOf(firstBatch(log, [{ partition: 0, from: 3n }]));
      expect(error).toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', facts });
      const team = newTeam(uniqueName('group'));
      team.positions.set(0, 3n);
      const member = await team.join('one', log);
      expect(await errorOf(member.subscription.ended)).toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', facts });
      expect(team.received).toEqual([]);
      // kafkajs would have committed -1, and have lost what the group had committed.
      expect(await log.committed(team.group)).toEqual(new Map());
    });
  });

  test('appends to partitions that were added since its last append', async () => {
    const { log, topic } = await logs.fresh(1);
    await log.append(records(1));
    await admin.addPartitions(topic, 3);
    await waitFor(async () => (await log.describe()).partitionCount === 3, { describe: 'three partitions' });
    const added = [2, 0, 1, 2].map((partition) => record('a', 'x', { partition }));
    expect(await log.append(added)).toMatchObject([
      { partition: 2, offset: 0n },
      { partition: 0, offset: 1n },
      { partition: 1, offset: 0n },
      { partition: 2, offset: 1n },
    ]);
  });

  test('gives partitions that are added later to its members', async () => {
    const { log, topic } = await logs.fresh(1);
    const team = newTeam(uniqueName('group'));
    const member = await team.join('one', log);
    await waitFor(() => member.partitions.length === 1, { describe: 'the assignment' });
    await admin.addPartitions(topic, 3);
    await waitFor(() => member.partitions.length === 3, { describe: 'three partitions', timeoutMs: 60_000 });
    await log.append([0, 1, 2].map((partition) => record('a', 'x', { partition })));
    await waitFor(() => team.received.length === 3, { describe: 'the records' });
    expect(team.violations).toEqual([]);
  }, 90_000);
});

describeKafka('a Kafka that asks who we are', () => {
  const removals: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(removals.splice(0).map((remove) => remove()));
  });

  /** The listener for clients is one of SASL/PLAIN, where alice's password is `secret`. */
  const startGuarded = async () => {
    const [[port, saslPort], [controllerPort]] = [await twoFreePorts(), await twoFreePorts()];
    const clients = `PLAINTEXT://127.0.0.1:${port},SASL_PLAINTEXT://127.0.0.1:${saslPort}`;
    const login = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="secret";';
    const kafka = await startKafka({
      name: uniqueName('guarded'),
      ownerPid: process.pid,
      port,
      settings: {
        listeners: `${clients},CONTROLLER://127.0.0.1:${controllerPort}`,
        'advertised.listeners': clients,
        'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
        'sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.sasl_plaintext.plain.sasl.jaas.config': login,
      },
    });
    removals.push(() => kafka.remove());
    return `127.0.0.1:${saslPort}`;
  };

  test('lets in who knows the password, and says LOG_AUTH_FAILED to others at once', async () => {
    const brokers = [await startGuarded()];
    const topic = uniqueName('guarded');
    const ask = async (password: string, patience: KafkaSettings['patience']) => {
      const sasl = { mechanism: 'plain', username: 'alice', password } as const;
      const log = createKafkaEventLog({ brokers, clientId: 'test', topic, patience, sasl });
      try {
        return await log.createTopic(1);
      } finally {
        await log.close();
      }
    };
    expect(await ask('secret', 'short')).toBe('created');
    for (const patience of ['short', 'long'] as const) {
      const error = await errorOf(ask('wrong', patience));
      expect(error.code).toBe('LOG_AUTH_FAILED');
      expect(error.message).not.toContain('wrong');
    }
  }, 60_000);
});
