// docs/errors.md: the closed list of error codes as users see it. Made from src/errors/codes.ts; `--check` compares.
import { format, resolveConfig } from 'prettier';
import { tsImport } from 'tsx/esm/api';
import { writeOrCheck } from './generate/generated-file.mjs';

const FILE = 'docs/errors.md';
const COMMAND = 'npm run docs:errors';

const { ERROR_CODES } = /** @type {typeof import('../src/errors/codes.ts')} */ (
  await tsImport('../src/errors/codes.ts', import.meta.url)
);

const EXITS = [
  ['0', 'done'],
  ['1', 'unexpected: a bug'],
  ['2', 'usage: a flag, an argument or the input'],
  ['3', 'configuration'],
  ['4', 'Kafka or PostgreSQL cannot be reached'],
  ['5', 'not found'],
  ['6', 'refused: a conflict, a guard, or declined'],
  ['7', 'finished, but events failed'],
  ['130', 'interrupted (SIGINT; a drained stop by SIGTERM is 0)'],
];

/** @param {'command' | 'event'} scope */
function codeTable(scope) {
  const rows = Object.entries(ERROR_CODES)
    .filter(([, code]) => code.scope === scope)
    .map(([name, { exit, hint }]) => `| \`${name}\` | ${exit} | ${hint.replaceAll('|', '\\|')} |`);
  return `| Code | Exit | What to do |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

const text = `# Errors

<!-- Made from src/errors/codes.ts by \`${COMMAND}\`: change that. -->

Every error has a code, one line of what happened and one of what to do. They go to stderr; with \`--json\` as one JSON
line with \`code\`, \`message\` and \`hint\`. Scripts branch on the exit code or on \`code\`, never on the text.

## Exit codes

| Exit | Means |
| --- | --- |
${EXITS.map(([exit, meaning]) => `| ${exit} | ${meaning} |`).join('\n')}

## Errors of commands

${codeTable('command')}

## Errors of events

Recorded in the ledger as the reason why one event failed or was refused (\`user-events failures\`, \`trace\`). The exit
is that of a command which ends because of such an event.

${codeTable('event')}
`;

const config = await resolveConfig(new URL(`../${FILE}`, import.meta.url));
await writeOrCheck(FILE, await format(text, { ...config, parser: 'markdown' }), COMMAND);
