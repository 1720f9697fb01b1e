import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import jest from 'eslint-plugin-jest';
import tseslint from 'typescript-eslint';
import explainedDisable from './scripts/lint/explained-disable.mjs';

const PURE = 'domain is pure and synchronous: no clock, no randomness, no I/O, no await (pass it in).';
const NO_SLEEP = 'A test waits for a condition (test/support/wait-for.ts), never for a time.';

export default defineConfig(
  { ignores: ['dist/', 'coverage/', '.kafka/'] },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { local: { rules: { 'explained-disable': explainedDisable } } },
    rules: { 'local/explained-disable': 'error', 'max-lines': ['error', { max: 250 }] },
  },
  eslint.configs.recommended,
  {
    files: ['**/*.ts', '**/*.mjs', '.dependency-cruiser.cjs'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A number in a message is what it looks like.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `() => resolve()` says nothing wrong.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A `default` is a decision about the rest; without one every case has to be there.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // What was caught is thrown on as it is.
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      // `_` is what a signature demands and the function does not need.
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines-per-function': ['error', { max: 50 }],
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'exit', message: 'Exits are in src/cli.' },
      ],
      '@typescript-eslint/no-unsafe-type-assertion': 'error',
    },
  },
  { files: ['src/cli/**/*.ts'], rules: { 'no-console': 'off', 'no-restricted-properties': 'off' } },
  {
    files: ['src/domain/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['process', 'performance', 'crypto', 'setTimeout', 'setInterval', 'setImmediate', 'fetch'].map(
          (name) => ({
            name,
            message: PURE,
          }),
        ),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: PURE },
        { object: 'Math', property: 'random', message: PURE },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: PURE },
        { selector: 'AwaitExpression', message: PURE },
        { selector: ':function[async=true]', message: PURE },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    plugins: { jest },
    rules: {
      'jest/no-focused-tests': 'error',
      'jest/no-identical-title': 'error',
      'jest/valid-title': ['error', { disallowedWords: ['should'], ignoreTypeOfDescribeName: true }],
    },
  },
  {
    files: ['test/**/*.test.ts'],
    rules: {
      'jest/no-disabled-tests': 'error',
      'no-restricted-imports': ['error', { paths: [{ name: 'node:timers/promises', message: NO_SLEEP }] }],
      'no-restricted-globals': ['error', { name: 'setTimeout', message: NO_SLEEP }],
      'no-restricted-properties': [
        'error',
        ...['mock', 'unstable_mockModule', 'doMock'].map((property) => ({
          object: 'jest',
          property,
          message: 'Tests use the real parts.',
        })),
      ],
    },
  },
  {
    // Plain JavaScript: JSDoc gives the types, which tsc checks.
    files: ['**/*.mjs', '**/*.cjs', 'bin/*.js'],
    rules: {
      // tsc knows the globals.
      'no-undef': 'off',
      // These look at `JSON.parse(…)` without the JSDoc type that is put on it; tsc sees both.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  { files: ['**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
);
