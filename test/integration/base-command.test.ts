import { once } from 'node:events';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { startProcess, type RunningProcess } from '../support/run-process.ts';

const FIXTURE = path.resolve(import.meta.dirname, '../support/fixture-command.ts');

// Every test starts a process, and that compiles TypeScript.
jest.setTimeout(30_000);

function start(args: readonly string[], env: Record<string, string> = {}): RunningProcess {
  return startProcess(FIXTURE, args, env);
}

describe('a result', () => {
  test('goes to stdout as text, and nothing to stderr', async () => {
    expect(await start(['result']).outcome).toEqual({ exit: 0, stdout: 'name Ada\n', stderr: '' });
  });

  test('goes to stdout as one versioned line under --json, with every digit of an offset', async () => {
    expect(await start(['result', '--json']).outcome).toEqual({
      exit: 0,
      stdout: '{"_command":"fixture","_version":1,"offset":9007199254740993,"name":"Ada"}\n',
      stderr: '',
    });
  });

  test.each([[[]], [['--json']]])('that says that events failed ends with exit 7 %j', async (flags) => {
    const { exit, stdout } = await start(['failed events', ...flags]).outcome;
    expect(exit).toBe(7);
    expect(stdout).toContain('Ada');
  });

  test('leaves the process whole, however large it is', async () => {
    const { exit, stdout } = await start(['lines', '--count', '200000']).outcome;
    expect(exit).toBe(0);
    expect(stdout.endsWith('line 199999\n')).toBe(true);
  });

  test('of a stream is one plain NDJSON line an item under --json', async () => {
    const { stdout } = await start(['lines', '--count', '2', '--json']).outcome;
    expect(stdout).toBe('{"at":0}\n{"at":1}\n');
  });
});

describe('an error', () => {
  test('of the closed list is what happened and what to do, on stderr, with its exit code', async () => {
    expect(await start(['expected error']).outcome).toEqual({
      exit: 5,
      stdout: '',
      stderr:
        '✗ There is no event \\x1b[31mx (EVENT_NOT_FOUND)\n' +
        '  → Check the id and the topic; `user-events log` lists what is there.\n',
    });
  });

  test('is one JSON line on stderr under --json', async () => {
    const { exit, stdout, stderr } = await start(['expected error', '--json']).outcome;
    expect({ exit, stdout }).toEqual({ exit: 5, stdout: '' });
    expect(stderr.split('\n')).toHaveLength(2);
    expect(JSON.parse(stderr)).toMatchObject({
      _command: 'fixture',
      _version: 1,
      error: { code: 'EVENT_NOT_FOUND', exitCode: 5, facts: { eventId: 'x' } },
    });
  });

  test('that nobody expected is UNEXPECTED with exit 1, without a stack', async () => {
    const { exit, stderr } = await start(['bug']).outcome;
    expect(exit).toBe(1);
    expect(stderr).toMatch(/^✗ undefined is not a function \(UNEXPECTED\)\n {2}→ This is a bug/);
    expect(stderr).not.toContain('fixture-command.ts');
  });

  test('has its stack with DEBUG=user-events', async () => {
    const { stderr } = await start(['bug'], { DEBUG: 'user-events' }).outcome;
    expect(stderr).toContain('fixture-command.ts');
  });

  test.each([
    [['result', '--nonsense'], 'Nonexistent flag: --nonsense'],
    [[], 'Missing 1 required arg:'],
    [['result', '--count', 'x'], 'Parsing --count: Expected an integer but received: x'],
    [['result', 'two', 'three'], 'Unexpected arguments: two, three'],
  ])('of the command line is USAGE with exit 2 and points to --help: %j', async (args, message) => {
    const { exit, stdout, stderr } = await start(args).outcome;
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expect(stderr).toContain(`✗ ${message}`);
    expect(stderr).toContain('(USAGE)');
    expect(stderr).toContain('→ Run `user-events fixture --help`.');
  });

  test('is JSON behind no -- only', async () => {
    const { stderr } = await start(['--', 'bug', '--json']).outcome;
    expect(stderr).toMatch(/^✗ /);
  });
});

describe('a signal', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s leaves a command that does not drain at once',
    async (signal) => {
      const run = start(['wait']);
      await run.says('waiting');
      run.child.kill(signal);
      const { exit, stderr } = await run.outcome;
      expect(exit).toBe(130);
      expect(stderr).toContain('(INTERRUPTED)');
    },
  );

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 0],
  ] as const)('%s lets a command that drains finish, with exit %i', async (signal, exit) => {
    const run = start(['finish at the signal'], { FIXTURE_DRAINS: '1' });
    await run.says('waiting');
    run.child.kill(signal);
    expect((await run.outcome).exit).toBe(exit);
  });

  test('does not wait for the query that a command was left in', async () => {
    const env = { DATABASE_URL: process.env['TEST_POSTGRES_URL'] ?? '' };
    const run = start(['slow query'], env);
    await run.says('waiting');
    const startedAt = performance.now();
    run.child.kill('SIGINT');
    expect((await run.outcome).exit).toBe(130);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  test('that comes a second time leaves a command at once that drains for ever', async () => {
    const run = start(['wait'], { FIXTURE_DRAINS: '1' });
    await run.says('waiting');
    run.child.kill('SIGINT');
    const ended = once(run.child, 'close');
    // The first one may be taken before or after the second is sent: it is sent until the process has ended.
    const again = setInterval(() => run.child.kill('SIGTERM'), 50);
    await ended;
    clearInterval(again);
    expect((await run.outcome).exit).toBe(130);
  });
});

test('a reader that goes away ends a stream of results quietly, with exit 0', async () => {
  const run = start(['lines', '--count', '100000000']);
  const { stdout } = run.child;
  if (stdout === null) throw new Error('stdout is piped');
  await once(stdout, 'data');
  stdout.destroy();
  const { exit, stderr } = await run.outcome;
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
});

test('a server that takes the connection and says nothing is out of reach', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const env = { DATABASE_URL: `postgres://ada:secret@127.0.0.1:${String(port)}/db` };
  const run = start(['slow query'], env);
  await run.says('waiting');
  const startedAt = performance.now();
  const { exit, stderr } = await run.outcome;
  server.close();
  expect(exit).toBe(4);
  expect(stderr).toContain('(DATABASE_UNREACHABLE)');
  expect(stderr).not.toContain('secret');
  expect(performance.now() - startedAt).toBeLessThan(2000);
});

test('a notice is text on stderr, and a JSON line under --json', async () => {
  expect((await start(['notice']).outcome).stderr).toBe('something is worth knowing\n');
  expect((await start(['notice', '--json']).outcome).stderr).toBe(
    '{"_command":"fixture","_version":1,"notice":"something is worth knowing"}\n',
  );
});

test('oclif leaves the environment of settings alone: one table reads it', async () => {
  const env = {
    KAFKA_BROKERS: 'localhost:9092',
    KAFKA_TOPIC: 'from-env',
    DATABASE_URL: 'postgres://localhost/x',
  };
  expect((await start(['brokers'], env).outcome).stdout).toBe('undefined\n');
  expect((await start(['config'], env).outcome).stdout).toBe('from-env\n');
  expect((await start(['config', '-t', 'from-flag'], env).outcome).stdout).toBe('from-flag\n');
});
