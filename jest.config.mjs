/**
 * One jest project per folder of test/, so that the fast loop (`npm run test:unit`) starts no services.
 * ESM all through: Node runs jest with --experimental-vm-modules, `.ts` specifiers resolve as written, and
 * @swc/jest only strips types (tsc alone checks them).
 */
const TRANSFORM = [
  '@swc/jest',
  {
    swcrc: false,
    sourceMaps: 'inline',
    jsc: {
      target: 'es2023',
      parser: { syntax: 'typescript' },
      transform: { verbatimModuleSyntax: true },
    },
  },
];

/**
 * A test that talks to servers, on two cores that those servers share. One for all: jest-circus reads the time-out of
 * the whole run alone, and takes 5 s for a test where only its project names one.
 */
const TEST_TIMEOUT_MS = 60_000;

/** @param {string} folder under test/ @param {Record<string, unknown>} [extra] */
function project(folder, extra = {}) {
  return {
    displayName: folder,
    rootDir: import.meta.dirname,
    roots: [`<rootDir>/test/${folder}`],
    testMatch: ['**/*.test.ts'],
    testEnvironment: 'node',
    extensionsToTreatAsEsm: ['.ts'],
    moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
    transform: { '\\.ts$': TRANSFORM },
    ...extra,
  };
}

/** What a project needs whose tests talk to PostgreSQL and Kafka. @type {Record<string, unknown>} */
const SERVICES = {
  globalSetup: '<rootDir>/test/support/services/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/services/global-teardown.mjs',
};

/** The same for projects that run the built CLI. @type {Record<string, unknown>} */
const SERVICES_AND_CLI = {
  ...SERVICES,
  globalSetup: '<rootDir>/test/support/services/global-setup-cli.mjs',
};

/** @type {import('jest').Config} */
export default {
  // Two cores, of which broker and database need their share.
  maxWorkers: 2,
  testTimeout: TEST_TIMEOUT_MS,
  reporters: ['default', 'summary', '<rootDir>/test/support/not-run-reporter.mjs'],
  projects: [
    project('unit'),
    project('conformance', SERVICES),
    project('integration', SERVICES),
    project('e2e', SERVICES_AND_CLI),
    project('crash', SERVICES_AND_CLI),
  ],
};
