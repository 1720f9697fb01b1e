import { describe, expect, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import { UserEventsError } from '../../../../src/errors/user-events-error.ts';
import { isTransient, translateError } from '../../../../src/log/kafka/errors.ts';

const TO = { address: 'localhost:9092', topic: 'users' };

/** As kafkajs throws it, wrapped by its retries. */
function wrapped(name: string, properties: object): Error {
  const error = Object.assign(new Error('the text says nothing'), { name, retriable: true, ...properties });
  return new kafkajs.KafkaJSNumberOfRetriesExceeded(error, { retryCount: 2, retryTime: 100 });
}

describe("kafkajs's errors", () => {
  test.each([
    ['KafkaJSConnectionError', { code: 'ECONNREFUSED' }, 'LOG_UNREACHABLE', true],
    ['KafkaJSConnectionError', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'LOG_AUTH_FAILED', false],
    ['KafkaJSRequestTimeoutError', {}, 'LOG_UNREACHABLE', true],
    ['KafkaJSGroupCoordinatorNotFound', {}, 'LOG_UNREACHABLE', true],
    ['KafkaJSSASLAuthenticationError', {}, 'LOG_AUTH_FAILED', false],
    ['KafkaJSProtocolError', { type: 'UNKNOWN_TOPIC_OR_PARTITION' }, 'TOPIC_NOT_FOUND', false],
    ['KafkaJSProtocolError', { type: 'GROUP_AUTHORIZATION_FAILED' }, 'LOG_AUTH_FAILED', false],
    ['KafkaJSProtocolError', { type: 'MESSAGE_TOO_LARGE' }, 'RECORD_TOO_LARGE', false],
    ['KafkaJSProtocolError', { type: 'NOT_ENOUGH_REPLICAS' }, 'LOG_REFUSED', true],
    ['KafkaJSProtocolError', { type: 'POLICY_VIOLATION', retriable: false }, 'LOG_REFUSED', false],
    ['TypeError', {}, 'UNEXPECTED', false],
  ])('%s %j is %s, and passes: %s', (name, properties, code, passes) => {
    const error = wrapped(name, properties);
    expect(translateError(error, TO)).toMatchObject({ code, cause: error });
    expect(isTransient(error)).toBe(passes);
  });

  test('that gather others are told by those', () => {
    const policy = Object.assign(new Error(''), {
      name: 'KafkaJSCreateTopicError',
      type: 'TOPIC_AUTHORIZATION_FAILED',
    });
    const error = new kafkajs.KafkaJSAggregateError('Topic creation errors', [policy]);
    expect(translateError(error, TO).code).toBe('LOG_AUTH_FAILED');
  });

  test('are not translated twice', () => {
    const error = new UserEventsError('LOG_REFUSED', 'no');
    expect(translateError(error, TO)).toBe(error);
  });
});
