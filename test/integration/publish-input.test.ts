import { expect, test } from '@jest/globals';
import { appendFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { publishEvent } from '../../src/app/publish.ts';
import { publishInput, type PublishInputRequest } from '../../src/app/publish/publish-input.ts';
import { UserEventsError } from '../../src/errors/user-events-error.ts';
import { prepareUsers } from '../support/apply-harness.ts';
import { describeEachLog, readAllRecords } from '../support/each-log.ts';
import {
  failureOf,
  folder,
  idsIn,
  publisherOf,
  requestOf,
  RUN_ID,
  textOf,
  users,
} from '../support/publish-harness.ts';
import { waitFor } from '../support/wait-for.ts';

describeEachLog('publishing an input that stops or goes on', (logs) => {
  test('with --keep-going sends the good lines and keeps the others with their reasons', async () => {
    const log = await logs.open(1);
    const rejectsFile = join(await folder(), 'rejects.ndjson');
    const request = requestOf(['{"userId":"a"}', 'nope', '{"userId":"b"}', '{"operation":"x"}'], {
      rejectsFile,
    });
    const summary = await publishInput(await publisherOf(log), request);
    expect(summary).toMatchObject({ sent: 2, rejected: 2, rejectsFile, hasFailures: true });
    expect((await readAllRecords(log)).map(({ key }) => key?.toString())).toEqual(['a', 'b']);
    const rejects = (await readFile(rejectsFile, 'utf8')).trimEnd().split('\n');
    expect(rejects.map((line): unknown => JSON.parse(line))).toEqual([
      { line: 2, reason: 'the line is not JSON', input: 'nope' },
      { line: 4, reason: expect.stringContaining('operation is none of'), input: '{"operation":"x"}' },
    ]);
  });

  test('with --keep-going that goes on from a line keeps the lines that are before it too', async () => {
    const log = await logs.open(1);
    const rejectsFile = join(await folder(), 'rejects.ndjson');
    const lines = ['nope', '{"userId":"a"}', '{"userId":"b"}', 'no'];
    const request = requestOf(lines, { rejectsFile, skipLines: 2 });
    const summary = await publishInput(await publisherOf(log), request);
    expect(summary).toMatchObject({ sent: 1, rejected: 2, hasFailures: true });
    expect((await readAllRecords(log)).map(({ key }) => key?.toString())).toEqual(['b']);
    const rejects = (await readFile(rejectsFile, 'utf8')).trimEnd().split('\n');
    expect(rejects.map((line): unknown => JSON.parse(line))).toMatchObject([{ line: 1 }, { line: 4 }]);
  });

  test('an input that breaks off says how far it came', async () => {
    const log = await logs.open(1);
    const input = new Readable({ read: () => undefined });
    const onProgress: PublishInputRequest['onProgress'] = (phase) => {
      if (phase === 'Publishing') input.destroy(Object.assign(new Error('gone'), { code: 'EIO' }));
    };
    input.push(textOf(users(10)));
    const rejectsFile = join(await folder(), 'rejects.ndjson');
    const request = requestOf('', { from: input, rejectsFile, onProgress });
    const error = await failureOf(publishInput(await publisherOf(log), request));
    expect(error).toMatchObject({
      code: 'USAGE',
      message: 'The input cannot be read (EIO)\n10 events were sent, up to line 10',
      facts: { sent: 10, nextLine: 11, runId: RUN_ID },
    });
  });

  test('sends a slow input as it comes with --keep-going', async () => {
    const log = await logs.open(1);
    const input = new Readable({ read: () => undefined });
    const rejectsFile = join(await folder(), 'rejects.ndjson');
    const sent = new Promise<void>((resolve) => {
      const onProgress: PublishInputRequest['onProgress'] = (_, done) => {
        if (done === 1) resolve();
      };
      void publisherOf(log).then((publisher) =>
        publishInput(publisher, requestOf('', { from: input, rejectsFile, onProgress })),
      );
    });
    input.push(Buffer.from('{"userId":"a"}\n'));
    await sent;
    expect(await readAllRecords(log)).toHaveLength(1);
    input.push(null);
  });

  test('sends what came while it was sending, though the input pauses behind it', async () => {
    const log = await logs.open(1);
    const input = new Readable({ read: () => undefined });
    const rejectsFile = join(await folder(), 'rejects.ndjson');
    let sent = 0;
    const onProgress: PublishInputRequest['onProgress'] = (_, done) => (sent = done);
    const request = requestOf('', { from: input, rejectsFile, onProgress });
    const publishing = publishInput(await publisherOf(log), request);
    for (let piece = 0; piece < 4; piece += 1) input.push(textOf(users(1_500)));
    await waitFor(() => sent === 6_000, { describe: () => `all to be sent, of whom ${String(sent)} were` });
    input.push(null);
    expect(await publishing).toMatchObject({ sent: 6_000 });
  });

  test('interrupted, says how far it came, and goes on from there with the same ids', async () => {
    const log = await logs.open(2);
    const stop = new AbortController();
    const path = join(await folder(), 'users.ndjson');
    await writeFile(path, textOf(users(20_000)));
    const onProgress: PublishInputRequest['onProgress'] = (phase) => {
      if (phase === 'Publishing') stop.abort(new UserEventsError('INTERRUPTED', 'Stopped: SIGINT'));
    };
    const publisher = await publisherOf(log, { signal: stop.signal });
    const error = await failureOf(publishInput(publisher, requestOf('', { from: path, onProgress })));
    const { sent, nextLine, runId } = error.facts;
    expect(error).toMatchObject({ code: 'INTERRUPTED', facts: { runId: RUN_ID } });
    expect(await readAllRecords(log)).toHaveLength(Number(sent));
    expect(nextLine).toBe(Number(sent) + 1);

    // Begun too early on purpose: what is sent again has the id that it had.
    const skipLines = Number(nextLine) - 101;
    await publishInput(
      await publisherOf(log),
      requestOf('', { from: path, skipLines, runId: String(runId) }),
    );
    const ids = await idsIn(log);
    expect(ids).toHaveLength(20_100);
    expect(new Set(ids).size).toBe(20_000);
  });

  test('says how many were sent where the log refuses one midway', async () => {
    const log = await logs.open(1);
    const tooLarge = { userId: 'large', text: 'x'.repeat(1024 * 1024 - 50) };
    const error = await failureOf(
      publishInput(await publisherOf(log), requestOf([...users(5000), tooLarge, ...users(10)])),
    );
    expect(error.code).toBe('RECORD_TOO_LARGE');
    const records = await readAllRecords(log);
    expect(error.facts).toMatchObject({ runId: RUN_ID, sent: records.length, nextLine: records.length + 1 });
    // The first batch has 4,000.
    expect(records.length).toBeGreaterThanOrEqual(4000);
    expect(records.length).toBeLessThanOrEqual(5000);
  });

  test('sends nothing of a file that was written to while it was checked', async () => {
    const log = await logs.open(1);
    const path = join(await folder(), 'users.ndjson');
    await writeFile(path, textOf(users(10)));
    const onProgress: PublishInputRequest['onProgress'] = (phase) => {
      if (phase === 'Checking') appendFileSync(path, '{"userId":"late"}\n');
    };
    const error = await failureOf(
      publishInput(await publisherOf(log), requestOf('', { from: path, onProgress })),
    );
    expect(error).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('was written to'),
    });
    expect(await readAllRecords(log)).toEqual([]);
  });

  /** More than is kept in memory between checking and sending: 36 MB. */
  const manyBytes = Array.from({ length: 40 }, (_, at) => ({
    userId: `u${String(at)}`,
    text: 'x'.repeat(900_000),
  }));

  test('an input that is too large to be kept in memory is read a second time, and sent once', async () => {
    const log = await logs.open(1);
    const summary = await publishInput(await publisherOf(log), requestOf(manyBytes));
    expect(summary).toMatchObject({ sent: 40, rejected: 0 });
    const keys = (await readAllRecords(log)).map(({ key }) => key?.toString());
    expect(keys).toEqual(manyBytes.map(({ userId }) => userId));
  });

  test('a file that is read a second time, and was written to since, is sent no further', async () => {
    const log = await logs.open(1);
    const path = join(await folder(), 'users.ndjson');
    await writeFile(path, textOf(manyBytes));
    let isWritten = false;
    const onProgress: PublishInputRequest['onProgress'] = (phase) => {
      if (phase !== 'Publishing' || isWritten) return;
      isWritten = true;
      appendFileSync(path, '{"userId":"late"}\n');
    };
    const error = await failureOf(
      publishInput(await publisherOf(log), requestOf('', { from: path, onProgress })),
    );
    expect(error).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('was written to'),
    });
    const { length } = await readAllRecords(log);
    expect(length).toBeLessThan(40);
    expect(error.facts).toMatchObject({ sent: length, nextLine: length + 1 });
  });

  test('a dry run checks all, says what would be sent, and sends nothing', async () => {
    const log = await logs.open(4);
    const publisher = await publisherOf(log);
    const summary = await publishInput(publisher, requestOf(users(1000), { isDryRun: true }));
    expect(summary).toMatchObject({ dryRun: true, sent: 1000, operations: { create: 1000 }, partitions: [] });
    expect(summary.preview?.[0]).toMatchObject({
      key: 'u0',
      value: '{"userId":"u0","n":0}',
      operation: 'create',
    });
    expect(await failureOf(publishInput(publisher, requestOf(['x'], { isDryRun: true })))).toMatchObject({
      code: 'INPUT_INVALID',
    });
    const event = { kind: 'cud', operation: 'delete', userId: 'a', fields: {} } as const;
    expect(await publishEvent(publisher, { event, isDryRun: true, wait: null })).toMatchObject({
      dryRun: true,
      offset: null,
      record: { key: 'a', value: '{"userId":"a"}' },
    });
    expect(await readAllRecords(log)).toEqual([]);
  });

  test('waits in vain where no consumer runs: the time is up, and what was sent stays sent', async () => {
    const log = await logs.open(1);
    await prepareUsers(logs.database());
    const wait = { db: logs.database(), timeoutMs: 50 };
    const error = await failureOf(publishInput(await publisherOf(log), requestOf(users(2), { wait })));
    expect(error).toMatchObject({ code: 'TIMED_OUT', exitCode: 6, facts: { sent: 2, decided: 0 } });
    expect(await readAllRecords(log)).toHaveLength(2);
  });

  test('tells a missing topic before anything is read', async () => {
    const error = await failureOf(publisherOf(logs.openMissing()));
    expect(error.code).toBe('TOPIC_NOT_FOUND');
  });

  test('names a file that cannot be read', async () => {
    const log = await logs.open(1);
    const from = join(await folder(), 'nothing');
    const error = await failureOf(publishInput(await publisherOf(log), requestOf('', { from })));
    expect([error.code, error.message]).toEqual(['USAGE', `${from} cannot be read (ENOENT)`]);
  });
});
