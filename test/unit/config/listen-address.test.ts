import { expect, test } from '@jest/globals';
import { readListenAddress } from '../../../src/config/listen-address.ts';

const read = (value: string, level: 'flags' | 'env' = 'flags') =>
  readListenAddress('metricsPort', {
    flags: level === 'flags' ? { 'metrics-port': value } : {},
    env: level === 'env' ? { USER_EVENTS_METRICS_PORT: value } : {},
    profile: null,
    isProfileFirst: false,
  });

test.each([
  ['9464', { host: null, port: 9464 }],
  ['0', { host: null, port: 0 }],
  ['127.0.0.1:9464', { host: '127.0.0.1', port: 9464 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  ['[::1]:9464', { host: '::1', port: 9464 }],
])('%s is understood', (text, address) => {
  expect(read(text)).toEqual(address);
});

test('a number of a profile is a port', () => {
  const profile = { name: 'p', file: 'f', settings: { metricsPort: 9464 } };
  const sources = { flags: {}, env: {}, profile, isProfileFirst: false };
  expect(readListenAddress('metricsPort', sources)).toEqual({ host: null, port: 9464 });
});

test.each(['', 'x', '-1', '65536', '1.5', '::1:9464', 'host:', ':9464', 'a b:1', '[::1]'])(
  '"%s" is refused',
  (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    if (text !== '') {
      expect(() => read(text, 'env')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    }
  },
);
