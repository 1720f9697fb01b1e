import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { describePrivateKafka } from '../support/describe-kafka.ts';
import { startProcess } from '../support/run-process.ts';
import { allStates } from '../../scripts/kafka/instance-state.mjs';

const BENCH = path.resolve(import.meta.dirname, '../../bench/main.ts');
/** It starts a broker and a server of its own. */
const BENCH_TIMEOUT_MS = 120_000;

function bench(args: readonly string[]): ReturnType<typeof startProcess> {
  return startProcess(BENCH, args, {}, BENCH_TIMEOUT_MS);
}

describe('npm run bench', () => {
  test.each([[[]], [['nope']], [['consume', '--events', '1']], [['consume', '--only', 'nope']]])(
    'answers %j with what is wrong, its usage and exit 2',
    async (args) => {
      const { exit, stdout, stderr } = await bench(args).outcome;
      expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
      expect(stderr).toMatch(/^(Name one|--events|Parts of)[^]*Usage: npm run bench/);
    },
  );
});

describe('npm run bench -- inspect', () => {
  test('measures what needs no server beside node itself, and says how many events it would take', async () => {
    const { exit, stdout } = await bench(['inspect', '--only', 'start-up', '--runs', '1', '--json']).outcome;
    expect(exit).toBe(0);
    const bar = { text: '< 3', isMet: expect.any(Boolean) };
    expect(JSON.parse(stdout)).toMatchObject({
      bench: 'inspect',
      events: 500_000,
      machine: { kafka: null, postgres: null },
      figures: [
        { part: 'start-up', name: 'node -e 0', unit: 'ms', ratio: null },
        { name: '--version', ratio: { median: expect.any(Number) }, bar },
        { name: '--help', bar },
        { name: 'log --help', bar },
      ],
    });
  });
});

describePrivateKafka('npm run bench -- consume', () => {
  test(
    'prints the consumer beside its floor as one object, and exits 0',
    async () => {
      const args = ['consume', '--only', '4-partitions', '--events', '2000', '--runs', '1', '--json'];
      const { exit, stdout, stderr } = await bench(args).outcome;
      expect({ exit, stderr }).toMatchObject({ exit: 0 });
      const result: unknown = JSON.parse(stdout);
      const rate = { part: '4-partitions', unit: 'events/s', values: [expect.any(Number)] };
      expect(result).toMatchObject({
        _command: 'bench',
        _version: 1,
        bench: 'consume',
        events: 2000,
        runs: 1,
        machine: { kafka: expect.any(String), postgres: expect.any(String) },
        figures: [
          { ...rate, name: 'floor', median: expect.any(Number), ratio: null, bar: null },
          {
            ...rate,
            name: 'consume',
            ratio: { median: expect.any(Number) },
            bar: { text: '>= 0.45 of the floor', isMet: expect.any(Boolean) },
          },
          { ...rate, name: 'read limit of the log' },
          { name: 'CPU of PostgreSQL, floor', unit: 'us/event' },
          { name: 'CPU of PostgreSQL, consume', unit: 'us/event' },
          { name: 'CPU of the consumer, start included', unit: 'us/event' },
          { name: 'consumer waiting for a core', unit: 'us/event' },
        ],
      });
    },
    BENCH_TIMEOUT_MS,
  );

  test(
    'stops its servers when it is interrupted',
    async () => {
      const running = bench(['consume', '--only', '4-partitions', '--events', '2000', '--runs', '500']);
      await running.says('run 1 of');
      running.child.kill('SIGINT');
      const { exit, stdout, stderr } = await running.outcome;
      expect({ exit, stdout }).toEqual({ exit: 130, stdout: '' });
      expect(stderr).toContain('Interrupted');
      const name = `bench-${String(running.child.pid)}`;
      expect((await allStates()).map((state) => state.name)).not.toContain(name);
    },
    BENCH_TIMEOUT_MS,
  );
});
