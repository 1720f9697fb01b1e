import { expect, test } from '@jest/globals';
import { isTransient, translateError } from '../../../../src/log/kafka/errors.ts';
import { readTopicId } from '../../../../src/log/kafka/topic-id.ts';

type Broker = Parameters<typeof readTopicId>[0];

const ID = '00112233445566778899aabbccddeeff';

/** The answer of Metadata in a flexible version, behind the response's correlation id: no broker, one topic. */
function answerOf(errorCode: number, id: string): Buffer {
  const error = Buffer.alloc(2);
  error.writeInt16BE(errorCode);
  return Buffer.concat([
    Buffer.of(0), // tags of the header
    Buffer.alloc(4), // throttle time
    Buffer.of(1, 1), // no brokers, no cluster id
    Buffer.alloc(4), // controller
    Buffer.of(2), // one topic
    error,
    Buffer.of(2, 0x74), // its name
    Buffer.from(id, 'hex'),
  ]);
}

function brokerThat(bytes: Buffer, maxVersion = 12): Broker {
  const broker: unknown = {
    versions: { 3: { minVersion: 0, maxVersion } },
    connectionPool: {
      send: async ({
        response,
      }: {
        response: { decode: (raw: Buffer) => Promise<Buffer>; parse: (raw: Buffer) => Promise<unknown> };
      }) => response.parse(await response.decode(bytes)),
    },
  };
  return broker as Broker;
}

test.each([
  ['an id', answerOf(0, ID), { id: '00112233-4455-6677-8899-aabbccddeeff' }],
  ['an id while a leader is elected', answerOf(5, ID), { id: '00112233-4455-6677-8899-aabbccddeeff' }],
  ['no such topic', answerOf(3, '0'.repeat(32)), 'missing'],
  ['the zero id of a cluster that has no ids yet', answerOf(0, '0'.repeat(32)), 'unsupported'],
])('%s is read', async (_, bytes, expected) => {
  expect(await readTopicId(brokerThat(bytes), 't')).toEqual(expected);
});

test('a broker that is too old is not asked', async () => {
  expect(await readTopicId(brokerThat(Buffer.alloc(0), 9), 't')).toBe('unsupported');
});

test.each([
  ['an election', 5, 'LOG_UNREACHABLE', true],
  ['a replica that is not there', 9, 'LOG_REFUSED', true],
  ['a right that is missing', 29, 'LOG_AUTH_FAILED', false],
  ['an error that is not known', 87, 'LOG_REFUSED', false],
])('%s, answered without an id, is told as for any request', async (_, errorCode, code, passes) => {
  const answer = readTopicId(brokerThat(answerOf(errorCode, '0'.repeat(32))), 't');
  const error = await answer.catch((thrown: unknown) => thrown);
  expect(translateError(error, { address: 'localhost:9092', topic: 't' }).code).toBe(code);
  expect(isTransient(error)).toBe(passes);
});
