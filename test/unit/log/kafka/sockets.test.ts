import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { Sockets, splittableAddress } from '../../../../src/log/kafka/sockets.ts';

describe('the address of a broker', () => {
  test.each([
    ['kafka.example:9093', 'kafka.example:9093'],
    ['kafka.example', 'kafka.example:9092'],
    ['10.0.0.1:9092', '10.0.0.1:9092'],
    ['[::1]:9093', '--1.ipv6-literal:9093'],
    ['[fe80::1:2]', 'fe80--1-2.ipv6-literal:9092'],
  ])('%s can be split at its first colon as %s', (broker, expected) => {
    expect(splittableAddress(broker)).toBe(expected);
  });
});

describe('the sockets of a client', () => {
  test('connect to an IPv6 literal, break at once, and are made no more after closing', async () => {
    const server = createServer().listen(0, '::1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const sockets = new Sockets();
    const [host = ''] = splittableAddress(`[::1]:${port}`).split(':');
    const connect = () =>
      sockets.factory({ host, port, ssl: undefined as never, onConnect: () => undefined });
    const socket = connect();
    await once(socket, 'connect');
    const broken = once(socket, 'error');
    sockets.close();
    expect(await broken).toMatchObject([{ message: 'the client is closed' }]);
    expect(connect).toThrow('the client is closed');
    server.close();
  });
});
