import { beforeAll, expect, test } from '@jest/globals';
import { displayWidth } from '../../src/cli/text-width.ts';
import { runCli } from '../support/cli.ts';
import { uniqueName } from '../support/names.ts';
import { describeTerminal, openTerminal } from '../support/terminal.ts';
import { useTestDatabase } from '../support/test-database.ts';

const database = useTestDatabase();
let env: Record<string, string>;

beforeAll(async () => {
  const url = database().connectionString;
  env = { EVENT_LOG_URL: url, DATABASE_URL: url, KAFKA_TOPIC: uniqueName('topic') };
  expect(await runCli(['init'], { env })).toMatchObject({ exitCode: 0 });
  const input = ['ada', '田中太郎', '👨‍👩‍👧', 'evil\u001b]0;title\u0007']
    .map((userId) => JSON.stringify({ operation: 'create', userId, data: { name: 'x'.repeat(200) } }))
    .join('\n');
  expect(await runCli(['publish', '--from-file', '-'], { env, input })).toMatchObject({ exitCode: 0 });
});

describeTerminal('log at a terminal', () => {
  test('takes the line of a search away before it says that there is no such event', async () => {
    const terminal = await openTerminal(['log', '--event-id', '018f3f1e-7a2b-7c3d-8e4f-0000000000aa'], env);
    expect(await terminal.ended).toBe(5);
    expect(terminal.screen()).toMatch(/Searching 4 of 4 \(100 %[^\r]*\r✗ .* has no such event/);
  });

  test('prints lines that fit it, and nothing that it would act on', async () => {
    const terminal = await openTerminal(['log', '--columns', 'position,user,value'], env);
    expect(await terminal.ended).toBe(0);
    const lines = terminal.screen().trimEnd().split('\r\n');
    expect(lines).toHaveLength(5);
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(120);
    expect(lines.join('\n')).toContain('evil\\x1b]0;title\\x07');
  });
});
