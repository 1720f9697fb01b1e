import { describe, expect, test } from '@jest/globals';
import { Errors } from '@oclif/core';
import { describeError, renderError, renderErrorJson } from '../../../src/cli/error-report.ts';
import { PLAIN_STYLE } from '../../../src/cli/theme.ts';
import { UserEventsError } from '../../../src/errors/user-events-error.ts';

describe('an error of the closed list', () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED with secret'), { code: 'ECONNREFUSED' });
  const error = new UserEventsError('DATABASE_UNREACHABLE', 'PostgreSQL\nis away', {
    cause,
    facts: { address: 'localhost:5432/db' },
  });

  test('is told with its code, hint and exit', () => {
    expect(renderError(describeError(error, 'user-events doctor'), PLAIN_STYLE.theme)).toBe(
      '✗ PostgreSQL (DATABASE_UNREACHABLE)\n  is away\n  → Check DATABASE_URL (or PG*) and that PostgreSQL runs.',
    );
  });

  test('names the error below by its code, never by its text', () => {
    const line = renderErrorJson(describeError(error, 'user-events doctor'), 'doctor');
    expect(line).not.toContain('secret');
    expect(JSON.parse(line)).toEqual({
      _command: 'doctor',
      _version: 1,
      error: {
        code: 'DATABASE_UNREACHABLE',
        exitCode: 4,
        message: 'PostgreSQL\nis away',
        hint: 'Check DATABASE_URL (or PG*) and that PostgreSQL runs.',
        cause: 'ECONNREFUSED',
        facts: { address: 'localhost:5432/db' },
      },
    });
  });

  test('has the stacks of all its causes', () => {
    expect(describeError(error, 'x').stack).toContain('Caused by: Error: connect ECONNREFUSED');
  });
});

test('an unknown command is said in words, with spaces', () => {
  const report = describeError(new Errors.CLIError('command users:foo not found'), 'user-events');
  expect(report).toMatchObject({
    code: 'USAGE',
    exitCode: 2,
    message: 'There is no command users foo',
    hint: 'Run `user-events --help`.',
  });
});

test('what the parser complains of is told in one line, without its heading', () => {
  const message = (text: string): string =>
    describeError(new Errors.CLIError(`${text}\nSee more help with --help`), 'user-events skip').message;
  expect(message('The following error occurred:\n  \u001b[2mMissing required flag reason\u001b[22m')).toBe(
    '--reason is missing',
  );
  expect(message('The following errors occurred:\n  Missing required flag a\n  --b=1 is wrong')).toBe(
    '--a is missing; --b=1 is wrong',
  );
});

test('what a flag’s parser throws is USAGE, or its own code', () => {
  const wrap = (error: Error): Error => {
    error.message = `Parsing --offset \n\t${error.message}\nSee more help with --help`;
    return error;
  };
  expect(describeError(wrap(new Error('no such offset')), 'x')).toMatchObject({
    code: 'USAGE',
    message: 'Parsing --offset: no such offset',
  });
  expect(describeError(wrap(new UserEventsError('OFFSET_OUT_OF_RANGE', 'too far')), 'x')).toMatchObject({
    code: 'OFFSET_OUT_OF_RANGE',
    message: 'Parsing --offset: too far',
  });
});

test('whatever is thrown is told', () => {
  expect(describeError('a text', 'x')).toMatchObject({ code: 'UNEXPECTED', exitCode: 1, message: 'a text' });
});
