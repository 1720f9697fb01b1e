import { expect, test } from '@jest/globals';
import { createUuidV7 } from '../../../src/cli/uuid-v7.ts';

test('an id is a UUID of version 7 that begins with the time', () => {
  const id = createUuidV7(() => 0x0123456789ab)();
  expect(id).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('ids of one millisecond, and of a clock that goes back, are in the order in which they were made', () => {
  let time = 1_700_000_000_000;
  const newId = createUuidV7(() => time);
  const ids = Array.from({ length: 20_000 }, (_, at) => {
    if (at % 6000 === 5999) time -= 50;
    return newId();
  });
  expect(ids).toEqual([...ids].sort());
  expect(new Set(ids).size).toBe(ids.length);
});
