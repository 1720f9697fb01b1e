import { beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCli, spawnCli, type CliOptions, type CliResult } from '../support/cli.ts';
import { uniqueName } from '../support/names.ts';
import { useTestDatabase } from '../support/test-database.ts';
import { waitFor } from '../support/wait-for.ts';

const UUID_V7 = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;
const ID = '018f3f1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f';

const database = useTestDatabase();
let env: Record<string, string>;
const run = (args: readonly string[], options: CliOptions = {}): Promise<CliResult> =>
  runCli(['publish', ...args], { env, ...options });
const log = async (): Promise<Record<string, unknown>[]> => {
  const { stdout } = await runCli(['log', '--json'], { env });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
};

beforeAll(async () => {
  const url = database().connectionString;
  env = {
    EVENT_LOG_URL: url,
    DATABASE_URL: url,
    KAFKA_TOPIC: uniqueName('topic'),
    USER_EVENTS_PARTITIONS: '2',
  };
  expect(await runCli(['init'], { env })).toMatchObject({ exitCode: 0 });
});

async function useTopic(): Promise<string> {
  const topic = uniqueName('topic');
  env = { ...env, KAFKA_TOPIC: topic, USER_EVENTS_SCHEMA: uniqueName('schema') };
  expect(await runCli(['init'], { env })).toMatchObject({ exitCode: 0 });
  return topic;
}

describe('publish of one event', () => {
  test('says where it is, in text and JSON, and sends what the flags say', async () => {
    const topic = await useTopic();
    const text = await run([
      'create',
      'zoë 🙂',
      '--name',
      'Zoë',
      '--set',
      'age=37',
      '--set',
      'zip=01234',
      '--set',
      'tags=["a"]',
    ]);
    expect(text).toMatchObject({ exitCode: 0, stderr: '' });
    const [first, second] = text.stdout.split('\n');
    expect(first).toMatch(new RegExp(`^✓ Published create of zoë 🙂 at ${topic}\\[[01]\\]@0$`));
    expect(second).toMatch(new RegExp(`^  event ${UUID_V7.source}$`));

    const json = await run([
      'update',
      'u1',
      '--data',
      '{"name":null}',
      '--event-id',
      ID,
      '--causation-id',
      'order-7',
      '--json',
    ]);
    expect(json).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({
      _command: 'publish',
      _version: 1,
      dryRun: false,
      eventId: ID,
      operation: 'update',
      userId: 'u1',
      topic,
      hasFailures: false,
    });
    const records = await log();
    expect(records.map(({ value }) => value)).toEqual(
      expect.arrayContaining([
        { userId: 'zoë 🙂', name: 'Zoë', age: 37, zip: '01234', tags: ['a'] },
        { userId: 'u1', name: null },
      ]),
    );
    expect(records.find(({ eventId }) => eventId === ID)?.['headers']).toContainEqual({
      key: 'ce_causationid',
      value: 'order-7',
    });
  });

  test('with --dry-run shows the record and sends nothing', async () => {
    await useTopic();
    const result = await run(['delete', 'u1', '--dry-run']);
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toContain('value {"userId":"u1"}');
    expect(await log()).toEqual([]);
  });

  test.each([
    [[], 'operation and user id are missing'],
    [['create'], 'operation and user id are missing'],
    [['upsert', 'u1'], 'one of: create, update, delete, put'],
    [['update', 'u1'], 'An update needs a field'],
    [['delete', 'u1', '--name', 'x'], 'A delete carries no fields'],
    [['create', 'u1', '--set', 'name'], '--set takes FIELD=VALUE'],
    [['create', 'u1', '--name', 'x', '--set', 'name=y'], 'given twice'],
    [['create', 'u1', '--set', 'n=12345678901234567890'], 'changed by parsing'],
    [['create', 'u1', '--data', '{'], 'not JSON'],
    [['create', 'u1', '--traceparent', 'x'], 'traceparent is not of the W3C form'],
    [['create', ''], 'user id is empty'],
    [['create', 'u1', '--from-file', 'x'], '--from-file takes no operation'],
    [['--from-file', 'x', '--name', 'y'], '--name'],
    [['--from-file', 'nothing-there'], 'nothing-there cannot be read (ENOENT)'],
    [['--from-file', '-', '--run-id', 'x'], '--run-id is not the UUIDv7'],
  ])('refuses %j with exit 2 and prints nothing on stdout', async (args, message) => {
    const result = await run(args);
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain(message);
  });

  test('tells a missing topic, and a log that is not there, in time', async () => {
    const missing = await run(['create', 'u1', '-t', 'nowhere']);
    expect(missing).toMatchObject({ exitCode: 5, stdout: '' });
    expect(missing.stderr).toContain('(TOPIC_NOT_FOUND)');
    const away = await run(['create', 'u1', '--json'], {
      env: { ...env, EVENT_LOG_URL: 'postgres://127.0.0.1:1/x' },
    });
    expect(away).toMatchObject({ exitCode: 4, stdout: '' });
    expect(JSON.parse(away.stderr)).toMatchObject({ error: { code: 'LOG_UNREACHABLE', exitCode: 4 } });
    for (const { durationMs } of [missing, away]) expect(durationMs).toBeLessThan(6000);
  });
});

describe('publish of many events', () => {
  const GOOD =
    '{"operation":"create","userId":"a","data":{"n":1}}\n{"userId":"b"}\n{"operation":"delete","userId":"c"}\n';

  test('takes NDJSON from stdin and sums up', async () => {
    await useTopic();
    const json = await run(['--from-file', '-', '--json'], { input: GOOD });
    expect(json).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({
      sent: 3,
      rejected: 0,
      rejectsFile: null,
      operations: { create: 1, put: 1, delete: 1 },
      runId: expect.stringMatching(UUID_V7),
    });
    const text = await run(['--from-file', '-'], { input: GOOD });
    expect(text.stdout).toMatch(
      /^✓ Published 3 events to topic_\w+ \(\d+\.\d s\)\n {2}create 1, put 1, delete 1\nPARTITION {2}EVENTS {2}OFFSETS\n/,
    );
  });

  test('sends nothing where a line is bad: exit 2, line and reason', async () => {
    await useTopic();
    const text = await run(['--from-file', '-'], { input: `${GOOD}nope\n` });
    expect(text).toMatchObject({ exitCode: 2, stdout: '' });
    expect(text.stderr).toContain(
      '1 of 4 lines cannot be sent; 0 events sent (INPUT_INVALID)\n  line 4: the line is not JSON\n',
    );
    const json = await run(['--from-file', '-', '--json'], { input: 'nope\n' });
    expect(JSON.parse(json.stderr)).toMatchObject({
      error: {
        code: 'INPUT_INVALID',
        facts: { sent: 0, rejects: [{ line: 1, reason: 'the line is not JSON' }] },
      },
    });
    expect(await log()).toEqual([]);
  });

  test('with --keep-going sends the good lines and ends with exit 7', async () => {
    await useTopic();
    const cwd = await mkdtemp(join(process.env['TEST_RUN_DIR'] ?? '', 'publish-'));
    const result = await run(['--from-file', '-', '--keep-going'], { input: `nope\n${GOOD}`, cwd });
    expect(result.exitCode).toBe(7);
    expect(result.stdout).toContain('✗ 1 line was rejected, kept in rejects.ndjson');
    expect(await readFile(join(cwd, 'rejects.ndjson'), 'utf8')).toBe(
      '{"line":1,"reason":"the line is not JSON","input":"nope"}\n',
    );
    expect(await log()).toHaveLength(3);
  });

  test('interrupted while it waits for input ends at once, and says how to go on', async () => {
    await useTopic();
    const cli = await spawnCli(['publish', '--from-file', '-', '--keep-going'], { env });
    cli.write('{"userId":"a"}\n{"userId":"b"}\n');
    await waitFor(async () => (await log()).length === 2, { describe: 'both events to be in the log' });
    cli.kill('SIGINT');
    const result = await cli.ended;
    expect(result).toMatchObject({ exitCode: 130, stdout: '' });
    expect(result.stderr).toMatch(/2 events were sent, up to line 2\n.*--skip-lines 2 --run-id [0-9a-f]{8}-/);
  });
});

describe('publish --wait', () => {
  test('returns with what the consumer made of it: 0, 7 where it failed, 6 where nobody decides in time', async () => {
    await useTopic();
    const late = await run(['create', 'u0', '--wait', '--timeout', '1']);
    expect(late).toMatchObject({ exitCode: 6, stdout: '' });
    expect(late.stderr).toContain('(TIMED_OUT)');

    const consumer = await spawnCli(['consume'], { env });
    const applied = await run(['create', 'w1', '--wait', '--json']);
    expect(applied.exitCode).toBe(0);
    expect(JSON.parse(applied.stdout)).toMatchObject({ status: 'applied', errorCode: null });
    const failed = await run(['create', 'w1', '--wait']);
    expect(failed.exitCode).toBe(7);
    expect(failed.stdout).toMatch(/\n {2}failed USER_EXISTS\n {2}→ Run `user-events trace /);
    const many = await run(['--from-file', '-', '--wait', '--json'], {
      input:
        '{"operation":"create","userId":"w2"}\n{"operation":"update","userId":"w1","data":{"name":"x"}}\n',
    });
    expect(many.exitCode).toBe(7);
    expect(JSON.parse(many.stdout)).toMatchObject({
      sent: 2,
      outcomes: { statuses: { applied: 1, parked: 1 } },
    });
    consumer.kill('SIGTERM');
    expect(await consumer.ended).toMatchObject({ signal: null });
  });
});
