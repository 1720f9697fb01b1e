import { expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { NewRecord, RecordHeader } from '../../src/domain/record.ts';
import { prepareUsers } from '../support/apply-harness.ts';
import { startConsumer, userRecord, waitUntilDecided } from '../support/consumer-harness.ts';
import { describeEachLog } from '../support/each-log.ts';
import { brokenGuarantees, committedBeyond } from '../support/invariants.ts';

jest.setTimeout(60_000);

const RECORDS = 600;
/** Change it to try others; a failure is repeated with the same one. */
const SEED = 20_261_124;

const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
const userId = fc.integer({ min: 0, max: 150 }).map((n) => (n === 0 ? ' ' : `ä${String(n)}`));
/** Names that mean something to us, and names that mean nothing. */
const headerName = fc.oneof(
  fc.constantFrom('ce_id', 'ce_type', 'ce_source', 'ce_specversion', 'ce_time', 'content-type', '__TypeId__'),
  fc.string({ maxLength: 8 }).map((name) => name.toWellFormed().replaceAll('\0', '0')),
);
const headerValue = fc.oneof(
  bytes,
  fc
    .constantFrom('1.0', 'user.created', 'user.updated', 'user.deleted', 'user.rolledback', 'x')
    .map((text) => Buffer.from(text)),
  fc.constant(null),
);
const header: fc.Arbitrary<RecordHeader> = fc.record({ key: headerName, value: headerValue });
const field = fc.constantFrom(
  'name',
  'email',
  'age',
  'note',
  'userId',
  'targets',
  'mode',
  'createdAt',
  'x\0',
  '__proto__',
);
const json = fc
  .record({ id: userId, fields: fc.dictionary(field, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }) })
  .map(({ id, fields }) => Buffer.from(JSON.stringify({ userId: id, ...fields })));
/** Sound JSON with a byte or two that are not. */
const damaged = fc.tuple(json, fc.nat(), fc.nat(255)).map(([sound, at, byte]) => {
  const copy = Buffer.from(sound);
  copy[at % copy.length] = byte;
  return copy;
});
const wild: fc.Arbitrary<NewRecord> = fc.record({
  key: fc.oneof(
    fc.constant(null),
    bytes,
    userId.map((id) => Buffer.from(id)),
  ),
  value: fc.oneof(fc.constant(null), bytes, json, damaged),
  headers: fc.array(header, { maxLength: 6 }),
});
/** An event of ours with some of it changed. */
const bent: fc.Arbitrary<NewRecord> = fc
  .record({
    operation: fc.constantFrom('create', 'put', 'put', 'update', 'delete' as const),
    id: userId,
    fields: fc.dictionary(field, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 }),
    more: fc.array(header, { maxLength: 2 }),
    value: fc.option(fc.oneof(bytes, damaged), { freq: 4 }),
  })
  .map(({ operation, id, fields, more, value }) => {
    const record = userRecord(operation, id);
    const sound = Buffer.from(JSON.stringify({ userId: id, ...fields }));
    return { ...record, headers: [...record.headers, ...more], value: value ?? sound };
  });

const sound: fc.Arbitrary<NewRecord> = fc
  .record({
    id: userId,
    name: fc.string({ maxLength: 20 }).map((text) => text.toWellFormed().replaceAll('\0', '0')),
  })
  .map(({ id, name }) => userRecord('put', id, { name }));

describeEachLog('a log full of anything', (logs) => {
  test('is decided record by record, and the consumer does not die of any', async () => {
    const database = logs.database();
    const { pool, schema } = database;
    await prepareUsers(database);
    // One partition: records without a key have no order among several.
    const log = await logs.open(1);
    await log.append(fc.sample(fc.oneof(wild, bent, sound), { numRuns: RECORDS, seed: SEED }));
    const consumer = startConsumer(log, database, { batchSize: 50, from: 'start' });
    await waitUntilDecided(log, database, consumer);
    expect(await brokenGuarantees(pool, schema, [])).toEqual([]);
    expect(await committedBeyond(pool, schema, log, consumer.group)).toEqual([]);
    const summary = await consumer.stop();
    expect(summary.events).toBe(RECORDS);
    // That it is neither all good nor all bad.
    expect(summary.applied).toBeGreaterThan(20);
    expect(summary.failed).toBeGreaterThan(20);
    expect(summary.parked).toBeGreaterThan(20);
  });
});
