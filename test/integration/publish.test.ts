import { expect, test } from '@jest/globals';
import { Readable } from 'node:stream';
import { openPublisher, publishEvent } from '../../src/app/publish.ts';
import { publishInput } from '../../src/app/publish/publish-input.ts';
import { describeEachLog, readAllRecords } from '../support/each-log.ts';
import { failureOf, ID, publisherOf, requestOf, RUN_ID, textOf } from '../support/publish-harness.ts';

describeEachLog('publish', (logs) => {
  test('sends one event under the user as key, and says where it is', async () => {
    const log = await logs.open(3);
    const event = { kind: 'cud', operation: 'create', userId: 'zoë 🙂 x', fields: { name: 'Zoë' } } as const;
    const published = await publishEvent(await publisherOf(log), { event, isDryRun: false, wait: null });
    const [record] = await readAllRecords(log);
    expect(published).toMatchObject({
      operation: 'create',
      userId: 'zoë 🙂 x',
      partition: record?.partition,
      offset: 0n,
    });
    expect(record?.key?.toString()).toBe('zoë 🙂 x');
    expect(record?.value?.toString()).toBe('{"userId":"zoë 🙂 x","name":"Zoë"}');
    expect(record?.headers.map(({ key, value }) => [key, value?.toString()])).toEqual([
      ['ce_specversion', '1.0'],
      ['ce_id', published.eventId],
      ['ce_type', 'user.created'],
      ['ce_source', '/test'],
    ]);
  });

  test('refuses one event that no consumer could read, and sends nothing', async () => {
    const log = await logs.open(1);
    const event = { kind: 'cud', operation: 'create', userId: '', fields: {} } as const;
    const error = await failureOf(
      publishEvent(await publisherOf(log), { event, isDryRun: false, wait: null }),
    );
    expect(error).toMatchObject({ code: 'USAGE', message: expect.stringContaining('user id is empty') });
    expect(await readAllRecords(log)).toEqual([]);
  });

  test('checks user ids by the type of this service’s key column', async () => {
    const log = await logs.open(1);
    const db = logs.database();
    await db.pool.query('drop table if exists public.users');
    await db.pool.query('create table public.users (user_id int primary key)');
    await db.pool.query(`delete from ${db.schema}.binding`);
    await db.pool.query(
      `insert into ${db.schema}.binding (rules, users_schema, users_table, key_column) values ('strict', 'public', 'users', 'user_id')`,
    );
    const publisher = await publisherOf(log);
    const types = { ignoreTypes: [], mapTypes: new Map<string, string>() };
    const checked = await openPublisher(log, { ...publisher, db, types });
    const error = await failureOf(publishInput(checked, requestOf([{ userId: 7 }, { userId: '07' }])));
    expect(error.facts).toMatchObject({
      sent: 0,
      rejects: [{ line: 2, reason: expect.stringContaining('not an integer') }],
    });
    await db.pool.query('drop table public.users');
    await db.pool.query(`delete from ${db.schema}.binding`);
  });

  test('sends every form of a line in order, with a BOM, CRLF and blank lines between', async () => {
    const log = await logs.open(1);
    const lines = [
      '\ufeff{"operation":"create","userId":"a","eventId":"order-7","time":"2026-01-31T08:00:00Z","data":{"n":1}}\r\n',
      '\r\n   \n',
      '{"userId":"b","name":null}\n',
      `{"topic":"x","partition":9,"offset":7,"timestamp":"2026-01-31T08:00:00.001Z","key":"c","value":null,"headers":[]}\n`,
      '{"operation":"delete","userId":"d"}',
    ];
    const summary = await publishInput(await publisherOf(log), requestOf(lines.join('')));
    expect(summary).toMatchObject({
      sent: 4,
      rejected: 0,
      operations: { create: 1, put: 1, delete: 2 },
      partitions: [{ partition: 0, count: 4, firstOffset: 0n, lastOffset: 3n }],
      hasFailures: false,
    });
    const records = await readAllRecords(log);
    expect(records.map(({ key, value }) => [key?.toString(), value?.toString()])).toEqual([
      ['a', '{"userId":"a","n":1}'],
      ['b', '{"userId":"b","name":null}'],
      ['c', undefined],
      ['d', '{"userId":"d"}'],
    ]);
    expect(records[0]?.timestamp).toBe(Date.UTC(2026, 0, 31, 8));
    expect(records[2]).toMatchObject({ timestamp: Date.UTC(2026, 0, 31, 8, 0, 0, 1), headers: [] });
  });

  test('sends nothing where a line is bad, and names every bad line with its reason', async () => {
    const log = await logs.open(1);
    const long = `{"userId":"x","a":"${'x'.repeat(1024 * 1024)}"}`;
    const lines = ['{"userId":"a"}', 'nope', '', '{"userId":""}', long, '{"userId":"b"}'];
    const input = Buffer.concat([Buffer.from(textOf(lines)), Buffer.from([0xff, 0xfe, 0x0a])]);
    const error = await failureOf(
      publishInput(await publisherOf(log), { ...requestOf(''), from: Readable.from([input]) }),
    );
    expect(error).toMatchObject({ code: 'INPUT_INVALID', exitCode: 2, facts: { sent: 0, rejected: 4 } });
    expect(error.message.split('\n')).toEqual([
      '4 of 6 lines cannot be sent; 0 events sent',
      'line 2: the line is not JSON',
      'line 4: the user id is empty',
      'line 5: the line is longer than 1048576 bytes',
      'line 7: the line is not UTF-8',
    ]);
    expect(await readAllRecords(log)).toEqual([]);
  });

  test('refuses one id for two events, and takes the same event twice', async () => {
    const log = await logs.open(1);
    const event = (n: number) => ({ operation: 'put', userId: 'a', eventId: ID, data: { n } });
    const publisher = await publisherOf(log);
    const error = await failureOf(publishInput(publisher, requestOf([event(1), event(1), event(2)])));
    expect(error.facts).toMatchObject({
      rejects: [{ line: 3, reason: expect.stringContaining('another event') }],
    });
    expect((await publishInput(publisher, requestOf([event(1), event(1)]))).sent).toBe(2);
  });

  test('refuses a record whose line was edited beside its headers', async () => {
    const log = await logs.open(1);
    const headers = [
      { key: 'ce_specversion', value: '1.0' },
      { key: 'ce_id', value: ID },
      { key: 'ce_type', value: 'user.put' },
      { key: 'ce_source', value: '/crm' },
    ];
    const record = { topic: 't', partition: 0, offset: 1, key: 'a', value: { userId: 'a' }, headers };
    const claims = [
      { eventId: ID },
      { operation: 'put' },
      { userId: 'a' },
      { eventId: RUN_ID },
      { operation: 'create' },
      { userId: 'b' },
    ];
    const lines = claims.map((claim) => ({ ...record, ...claim }));
    const error = await failureOf(publishInput(await publisherOf(log), requestOf(lines)));
    expect(error.facts).toMatchObject({ rejects: [{ line: 4 }, { line: 5 }, { line: 6 }] });
  });
});
