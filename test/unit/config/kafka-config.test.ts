import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { readKafka } from '../../../src/config/kafka-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'kafka-config-'));
const pem = join(folder, 'a.pem');
writeFileSync(pem, 'PEM');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const read = (env: Record<string, string>) =>
  readKafka({ flags: {}, env: { KAFKA_BROKERS: 'k', ...env }, profile: null, isProfileFirst: false });

describe('brokers', () => {
  test.each([
    ['a', ['a:9092']],
    ['a:1,b:2', ['a:1', 'b:2']],
    ['[::1]:9093', ['[::1]:9093']],
    ['[::1]', ['[::1]:9092']],
  ])('%s is %j', (brokers, expected) => {
    expect(read({ KAFKA_BROKERS: brokers })?.brokers).toEqual(expected);
  });

  test.each(['a:b', 'a:0', 'a:70000', 'kafka://a:1', 'a b', ','])('%s is CONFIG_INVALID', (brokers) => {
    expect(() => read({ KAFKA_BROKERS: brokers })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: 'KAFKA_BROKERS must be HOST:PORT,…' }),
    );
  });

  test('not named are no Kafka', () => {
    expect(read({ KAFKA_BROKERS: '' })).toBeNull();
  });
});

describe('SASL', () => {
  test('is plain where no mechanism is named', () => {
    expect(read({ KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'p' })?.sasl).toEqual({
      mechanism: 'plain',
      username: 'u',
      password: 'p',
    });
  });

  test.each([{ KAFKA_SASL_USERNAME: 'u' }, { KAFKA_SASL_PASSWORD: 'p' }, { KAFKA_SASL_MECHANISM: 'plain' }])(
    'in part is CONFIG_INVALID: %j',
    (env) => {
      expect(() => read(env)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    },
  );
});

describe('TLS', () => {
  test.each([
    [{}, null],
    [{ KAFKA_TLS_ENABLED: 'true' }, {}],
    [{ KAFKA_TLS_CA_FILE: pem }, { ca: 'PEM' }],
    [{ KAFKA_TLS_ENABLED: 'false', KAFKA_TLS_CA_FILE: pem }, null],
    [
      { KAFKA_TLS_CERT_FILE: pem, KAFKA_TLS_KEY_FILE: pem },
      { cert: 'PEM', key: 'PEM' },
    ],
    [{ KAFKA_TLS_SERVER_NAME: 'k.example' }, { servername: 'k.example' }],
    [{ KAFKA_TLS_ENABLED: '1', KAFKA_TLS_REJECT_UNAUTHORIZED: 'no' }, { rejectUnauthorized: false }],
  ])('%j is %j', (env, tls) => {
    expect(read(env)?.tls).toEqual(tls);
  });

  test('a certificate without its key is CONFIG_INVALID', () => {
    expect(() => read({ KAFKA_TLS_CERT_FILE: pem })).toThrow('A client certificate needs its key');
  });

  test('a file that is not there is CONFIG_INVALID, with its name', () => {
    expect(() => read({ KAFKA_TLS_CA_FILE: '/none.pem' })).toThrow(
      'KAFKA_TLS_CA_FILE names /none.pem, which cannot be read',
    );
  });
});

describe('the fast codec', () => {
  test.each([
    [{}, true],
    [{ USER_EVENTS_FAST_CODEC: 'on' }, true],
    [{ USER_EVENTS_FAST_CODEC: 'off' }, false],
  ])('with %j is on: %s', (env, expected) => {
    expect(read(env)?.fastCodec).toBe(expected);
  });
});
