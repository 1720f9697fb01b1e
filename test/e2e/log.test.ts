import { beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { runCli, spawnCli, type CliOptions, type CliResult } from '../support/cli.ts';
import { uniqueName } from '../support/names.ts';
import { useTestDatabase } from '../support/test-database.ts';
import { waitFor } from '../support/wait-for.ts';

const BIN = path.resolve(import.meta.dirname, '../../bin/run.js');
const ids = ['1', '2', '3'].map((n) => `018f3f1e-7a2b-7c3d-8e4f-00000000000${n}`);
const lines = [
  {
    operation: 'create',
    userId: 'ada',
    data: { name: 'Ada\u001b[31m' },
    eventId: ids[0],
    time: '2026-01-31T08:00:01.500Z',
  },
  { operation: 'update', userId: 'ada', data: { name: 'A' }, eventId: ids[1], time: '2026-01-31T08:00:02Z' },
  { operation: 'delete', userId: 'zoë 🙂', eventId: ids[2], time: '2026-01-31T08:00:03Z' },
];

const database = useTestDatabase();
let env: Record<string, string>;
let topic: string;
const run = (args: readonly string[], options: CliOptions = {}): Promise<CliResult> =>
  runCli(['log', ...args], { env, ...options });

beforeAll(async () => {
  const url = database().connectionString;
  topic = uniqueName('topic');
  // Far from UTC: what is printed and what is asked for is UTC all the same.
  const TZ = 'America/New_York';
  env = { EVENT_LOG_URL: url, DATABASE_URL: url, KAFKA_TOPIC: topic, USER_EVENTS_PARTITIONS: '1', TZ };
  expect(await runCli(['init'], { env })).toMatchObject({ exitCode: 0 });
  const input = lines.map((line) => JSON.stringify(line)).join('\n');
  expect(await runCli(['publish', '--from-file', '-'], { env, input })).toMatchObject({ exitCode: 0 });
  expect(await runCli(['consume', '--max-events', '1'], { env })).toMatchObject({ exitCode: 7 });
});

describe('log', () => {
  test('prints a table with what the ledger says, and no control character of the data', async () => {
    const result = await run([]);
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout.trimEnd().split('\n')).toEqual([
      'TIME                 POSITION  OPERATION  USER    STATUS   EVENT                                 VALUE',
      `2026-01-31 08:00:01       0@0  create     ada     applied  ${String(ids[0])}  {"userId":"ada","name":"Ada\\u001b[31m"}`,
      `2026-01-31 08:00:02       0@1  update     ada     applied  ${String(ids[1])}  {"userId":"ada","name":"A"}`,
      `2026-01-31 08:00:03       0@2  delete     zoë 🙂  failed   ${String(ids[2])}  {"userId":"zoë 🙂"}`,
    ]);
  });

  test('prints NDJSON, a record a line', async () => {
    const result = await run(['--json', '-o', '2']);
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(result.stdout)).toEqual({
      topic,
      partition: 0,
      offset: 2,
      timestamp: '2026-01-31T08:00:03.000Z',
      key: 'zoë 🙂',
      value: { userId: 'zoë 🙂' },
      valueEncoding: 'json',
      headers: [
        { key: 'ce_specversion', value: '1.0' },
        { key: 'ce_id', value: ids[2] },
        { key: 'ce_type', value: 'user.deleted' },
        { key: 'ce_source', value: expect.stringMatching(/^\/user-events\//) },
      ],
      eventId: ids[2],
      operation: 'delete',
      userId: 'zoë 🙂',
      status: 'failed',
    });
  });

  test('prints values alone with --raw', async () => {
    expect((await run(['--raw', '--operation', 'update,delete'])).stdout).toBe(
      '{"userId":"ada","name":"A"}\n{"userId":"zoë 🙂"}\n',
    );
  });

  test('filters by user, status, event and text', async () => {
    const offsets = async (...args: string[]): Promise<unknown[]> => {
      const { stdout } = await run(['--json', ...args]);
      return stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { offset: unknown }).offset);
    };
    expect(await offsets('--user', 'ada')).toEqual([0, 1]);
    expect(await offsets('--status', 'failed', '--status', 'pending')).toEqual([2]);
    expect(await offsets('--event-id', String(ids[1]))).toEqual([1]);
    expect(await offsets('--grep', '/ZOË/i')).toEqual([2]);
    expect(await offsets('-n', '2')).toEqual([1, 2]);
    expect(await offsets('-n', '2', '-o', 'start')).toEqual([0, 1]);
    expect(await offsets('-p', '0', '-o', '@2026-01-31T08:00:02')).toEqual([1, 2]);
    expect(await offsets('-o', '@2026-01-31T09:00:02+01:00:@2026-01-31T03:00:03-05:00')).toEqual([1]);
  });

  test('says on stderr that there is nothing, and ends well', async () => {
    expect(await run(['--user', 'nobody'])).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: 'No such events.\n',
    });
  });

  test.each([
    [['--event-id', '018f3f1e-7a2b-7c3d-8e4f-000000000009'], 5, 'EVENT_NOT_FOUND'],
    [['-o', '77'], 5, 'OFFSET_OUT_OF_RANGE'],
    [['-t', 'nowhere'], 5, 'TOPIC_NOT_FOUND'],
    [['-o', 'somewhere'], 2, 'USAGE'],
    [['-p', '7'], 2, 'USAGE'],
    [['-f', '-o', '1:2'], 2, 'USAGE'],
    [['--grep', '('], 2, 'USAGE'],
    [['--status', 'done'], 2, 'USAGE'],
    [['--raw', '--json'], 2, 'USAGE'],
  ])('ends %j with exit %i', async (args, exitCode, code) => {
    const result = await run(args);
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toContain(code);
  });

  test('does without the database where none is configured, but for --status', async () => {
    const { EVENT_LOG_URL, KAFKA_TOPIC } = env;
    const alone = { env: { EVENT_LOG_URL, KAFKA_TOPIC } };
    const text = await run([], alone);
    expect(text).toMatchObject({ exitCode: 0, stderr: '' });
    expect(text.stdout).not.toContain('STATUS');
    expect(JSON.parse((await run(['--json', '-n', '1'], alone)).stdout)).not.toHaveProperty('status');
    expect(await run(['--status', 'failed'], alone)).toMatchObject({ exitCode: 3, stdout: '' });
  });

  test('ends quietly when its reader has gone', async () => {
    const many = { ...env, KAFKA_TOPIC: uniqueName('topic'), USER_EVENTS_SCHEMA: uniqueName('schema') };
    expect(await runCli(['init'], { env: many })).toMatchObject({ exitCode: 0 });
    // Far more than a pipe holds, so that it is written to when nobody reads any more.
    const input = '{"userId":"u1","name":"Ada"}\n'.repeat(5000);
    expect(await runCli(['publish', '--from-file', '-'], { env: many, input })).toMatchObject({
      exitCode: 0,
    });
    const { stdout, stderr } = await promisify(execFile)(
      'bash',
      ['-o', 'pipefail', '-c', `"$0" "$1" log --json -f | head -n 1`, process.execPath, BIN],
      { env: { PATH: process.env['PATH'], HOME: process.env['TEST_RUN_DIR'], ...many } },
    );
    expect(JSON.parse(stdout)).toMatchObject({ offset: 0 });
    expect(stderr).toBe('');
  }, 30_000);

  test('follows what comes, and ends with 130 at SIGINT', async () => {
    const cli = await spawnCli(['log', '--json', '-f', '-o', 'end'], { env });
    // Published until it is seen: nothing says that following has begun.
    const seen = cli.waitForOutput(/"key":"late"/);
    await waitFor(
      async () => {
        await runCli(['publish', 'create', 'late'], { env });
        return cli.output.stdout !== '';
      },
      { describe: 'the event to be followed' },
    );
    await seen;
    cli.kill('SIGINT');
    expect(await cli.ended).toMatchObject({ exitCode: 130 });
  });
});
