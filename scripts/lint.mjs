// `npm run lint`: every check runs, also behind one that failed; each says what mends it.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
const MODULES = path.join(ROOT, 'node_modules');

const CHECKS = [
  {
    name: 'eslint',
    script: path.join(MODULES, 'eslint/bin/eslint.js'),
    args: ['.', '--max-warnings', '0'],
    mend: 'npm run lint:fix, then by hand what is left',
  },
  {
    name: 'prettier',
    script: path.join(MODULES, 'prettier/bin/prettier.cjs'),
    args: ['--check', '--log-level', 'warn', '.'],
    mend: 'npm run format',
  },
  {
    name: 'import rules',
    script: path.join(ROOT, 'scripts/import-rules.mjs'),
    args: [],
    mend: 'move the import or the file as .dependency-cruiser.cjs says',
  },
  {
    name: 'knip',
    script: path.join(MODULES, 'knip/bin/knip.js'),
    args: ['--no-progress'],
    mend: 'take away what nothing uses, or its `export`',
  },
];

const failed = CHECKS.filter(({ script, args }) => {
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: ROOT, stdio: 'inherit' });
  return status !== 0;
});

for (const { name, mend } of failed) process.stderr.write(`${name} failed. Mend: ${mend}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
