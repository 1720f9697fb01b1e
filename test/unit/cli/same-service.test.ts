import { expect, test } from '@jest/globals';
import { sameServiceFlags } from '../../../src/cli/same-service.ts';

test('names what was said by flags, quoted for a shell where it has to be', () => {
  expect(sameServiceFlags({})).toBe('');
  expect(sameServiceFlags({ schema: 'two', profile: "it's prod", brokers: 'a:9092,b:9092' })).toBe(
    " --profile 'it'\\''s prod' --schema two --brokers a:9092,b:9092",
  );
});
