/** Events and records for property tests (fast-check). */
import fc from 'fast-check';
import type { OutgoingEvent } from '../../src/domain/envelope.ts';
import { CUD_OPERATIONS, type JsonObject, type JsonValue } from '../../src/domain/event.ts';
import { userIdFault } from '../../src/domain/user-id.ts';
import { KEY_TYPES, type KeyType } from '../../src/domain/users-table.ts';

/** Canonical ids of every type of key. */
const userIds: Record<KeyType, fc.Arbitrary<string>> = {
  text: fc
    .string({ unit: 'binary', minLength: 1, maxLength: 60 })
    .filter((id) => userIdFault(id, 'text') === null),
  varchar: fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter((id) => userIdFault(id, 'text') === null),
  uuid: fc.uuid(),
  int2: fc.integer({ min: -32768, max: 32767 }).map(String),
  int4: fc.integer().map(String),
  int8: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
};

/** Without -0, which JSON prints as 0. */
const numbers = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .map((number) => (number === 0 ? 0 : number));
const { value: jsonValues } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    numbers,
    fc.integer(),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value')),
    fc.dictionary(fc.string({ unit: 'binary' }), tie('value'), { noNullPrototype: true }),
  ),
}));
const names = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('__proto__', 'toString', 'name', '0', 'targets'),
);
const fieldSets: fc.Arbitrary<JsonObject> = fc
  .array(
    fc.tuple(
      names.filter((name) => name !== 'userId'),
      jsonValues,
    ),
    { maxLength: 6 },
  )
  .map((entries) => Object.fromEntries(entries));

const head = (keyType: KeyType) => ({
  eventId: fc.uuid(),
  userId: userIds[keyType],
  timestamp: fc.nat(),
  partition: fc.nat(50),
});
/** Any event to publish, under a type of key. */
export const outgoing = (keyType: KeyType): fc.Arbitrary<OutgoingEvent> =>
  fc.oneof(
    fc.record({
      ...head(keyType),
      kind: fc.constant('cud' as const),
      operation: fc.constantFrom(...CUD_OPERATIONS),
      fields: fieldSets,
    }),
    fc.record({
      ...head(keyType),
      kind: fc.constant('rollback' as const),
      targets: fc.array(fc.uuid()),
      mode: fc.constantFrom('only' as const, 'cascade' as const),
      upTo: fc.option(fc.uuid()),
      force: fc.boolean(),
      reason: fc.option(fc.string({ unit: 'grapheme' })),
      operator: fc.option(fc.string()),
      rules: fc.constantFrom('strict' as const, 'lenient' as const),
    }),
  );
/** A type of key with any event under it. */
export const outgoingOfAnyKey = fc
  .constantFrom(...KEY_TYPES)
  .chain((keyType) => fc.tuple(fc.constant(keyType), outgoing(keyType)));
