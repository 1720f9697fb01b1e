import { expect, test } from '@jest/globals';
import { whyNotReady } from '../../../src/metrics/readiness.ts';

const UP = { database: true, log: true };

test('a consumer that works, with everything answering, is ready', () => {
  expect(whyNotReady('working', UP, false)).toEqual([]);
});

test.each([
  ['joining', UP, false, ['the group has not let it in yet']],
  ['checking', UP, false, ['its partitions are being taken over']],
  ['working', UP, true, ['it is stopping']],
  ['working', { database: false, log: true }, false, ['the database does not answer, or takes no writes']],
  ['working', { database: true, log: false }, false, ['the log does not answer']],
] as const)('%s, %j, stopping %s: %j', (phase, up, isStopping, reasons) => {
  expect(whyNotReady(phase, up, isStopping)).toEqual(reasons);
});
