import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startKafka } from '../../scripts/kafka/broker.mjs';
import { twoFreePorts } from '../../scripts/kafka/free-port.mjs';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { errorOf, readAll, record, textOf, useLogs } from '../conformance/harness.ts';
import { describeKafka } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';

/** The protocol's key of a produce request: two bytes, behind the request's four bytes of length. */
const PRODUCE = 0;
const BROKER_MS = 60_000;

/**
 * Passes everything on between clients and a broker, but loses answers to produce requests: `cut` closes the
 * connection when the next one comes, `swallow` keeps them from coming.
 */
class LossyProxy {
  loses: 'nothing' | 'cut' | 'swallow' = 'nothing';
  lost = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(port: number, brokerPort: number) {
    this.#server = createServer((client) => {
      this.#join(client, connect(brokerPort, '127.0.0.1'));
    }).listen(port, '127.0.0.1');
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket, broker: Socket): void {
    let losing: 'nothing' | 'cut' | 'swallow' = 'nothing';
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (bytes) => {
      if (bytes.length > 6 && bytes.readInt16BE(4) === PRODUCE) losing = this.loses;
      broker.write(bytes);
    });
    broker.on('data', (bytes) => {
      if (losing === 'nothing') {
        client.write(bytes);
        return;
      }
      this.lost += 1;
      if (losing === 'cut') {
        this.loses = 'nothing';
        client.destroy();
      }
    });
  }
}

describeKafka('appending, when the broker has the records and its answer is lost', () => {
  let proxy: LossyProxy | undefined;
  let brokers = '';
  let remove = () => Promise.resolve();

  beforeAll(async () => {
    const [[port, hidden], [proxyPort, controllerPort]] = [await twoFreePorts(), await twoFreePorts()];
    // Clients know the broker by the proxy's address alone.
    const kafka = await startKafka({
      name: uniqueName('lossy'),
      ownerPid: process.pid,
      port,
      settings: {
        listeners: `PLAINTEXT://127.0.0.1:${port},LOSSY://127.0.0.1:${hidden},CONTROLLER://127.0.0.1:${controllerPort}`,
        'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},LOSSY://127.0.0.1:${proxyPort}`,
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,LOSSY:PLAINTEXT,CONTROLLER:PLAINTEXT',
        'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
      },
    });
    remove = () => kafka.remove();
    proxy = new LossyProxy(proxyPort, hidden);
    brokers = `127.0.0.1:${proxyPort}`;
  }, BROKER_MS);
  afterAll(async () => {
    proxy?.close();
    await remove();
  }, BROKER_MS);

  const logs = useLogs(({ topic, patience }) =>
    createKafkaEventLog({ brokers: [brokers], clientId: 'test', topic, patience }),
  );
  const lossy = (): LossyProxy => {
    if (proxy === undefined) throw new Error('The proxy has not started');
    return proxy;
  };

  test.each(['short', 'long'] as const)('is done once, with %s patience', async (patience) => {
    const { topic } = await logs.fresh(1);
    const log = logs.open(topic, patience);
    await log.append([record('a', 'before')]);
    lossy().loses = 'cut';
    lossy().lost = 0;
    const positions = await log.append([record('a', 'once'), record('a', 'too')]);
    expect(positions).toEqual([
      { partition: 0, offset: 1n },
      { partition: 0, offset: 2n },
    ]);
    await log.append([record('a', 'after')]);
    expect((await readAll(log)).map(textOf)).toEqual(['before', 'once', 'too', 'after']);
    expect(lossy().lost).toBe(1);
  });

  test('is told as a failure when no answer comes, and loses nothing of what is appended next', async () => {
    const { log } = await logs.fresh(1);
    await log.append([record('a', 'before')]);
    lossy().loses = 'swallow';
    const error = await errorOf(log.append([record('a', 'unsure')]));
    expect(error).toMatchObject({ code: 'LOG_UNREACHABLE', facts: { appended: 0 } });
    lossy().loses = 'nothing';
    // Under the same sequence number the broker would take it for the one before, and say that it has it.
    await log.append([record('a', 'next')]);
    expect((await readAll(log)).map(textOf)).toEqual(['before', 'unsure', 'next']);
  }, 30_000);
});
