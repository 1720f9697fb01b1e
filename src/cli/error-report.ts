import { stripVTControlCharacters } from 'node:util';
import { Errors } from '@oclif/core';
import { ERROR_CODES, type ErrorCode } from '../errors/codes.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import { JSON_VERSION, toJson } from './json.ts';
import { visible } from './sanitize.ts';
import { createStyle, type Theme } from './theme.ts';

/** Any error, as the contract of DESIGN 7 tells it: a code of the list, what happened, what to do. */
export interface ErrorReport {
  readonly code: ErrorCode;
  readonly exitCode: number;
  readonly message: string;
  readonly hint: string;
  readonly facts: Readonly<Record<string, unknown>>;
  /** SQLSTATE, errno or name of the error below: never its text, which may hold a user's data. */
  readonly cause: string | null;
  /** Stack and causes, for DEBUG=user-events alone. */
  readonly stack: string;
}

/** Describes whatever was thrown. `commandLine` is the command as it is typed, for the hint about --help. */
export function describeError(error: unknown, commandLine: string): ErrorReport {
  const stack = stackOf(error);
  if (error instanceof UserEventsError) {
    return {
      code: error.code,
      exitCode: error.exitCode,
      // oclif writes its own words around what a flag's parser threw.
      message: isFromParser(error) ? usageMessage(error) : error.message,
      hint: error.hint,
      facts: error.facts,
      cause: nameCause(error.cause),
      stack,
    };
  }
  if (isUsageError(error)) {
    const message = usageMessage(error);
    const hint = `Run \`${commandLine} --help\`.`;
    return { code: 'USAGE', exitCode: ERROR_CODES.USAGE.exit, message, hint, facts: {}, cause: null, stack };
  }
  const { exit, hint } = ERROR_CODES.UNEXPECTED;
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'UNEXPECTED', exitCode: exit, message, hint, facts: {}, cause: nameCause(error), stack };
}

/**
 * Tells an error on stderr, as text or as one line of JSON, and returns its exit code. With DEBUG=user-events the
 * stack follows. `command` is the command's words (`users get`), empty where none was found.
 */
export function tellError(error: unknown, command: string, isJson: boolean): number {
  const report = describeError(error, `user-events ${command}`.trimEnd());
  const { theme } = createStyle(process.stderr, process.env);
  process.stderr.write(`${isJson ? renderErrorJson(report, command) : renderError(report, theme)}\n`);
  if (isDebug(process.env['DEBUG'])) process.stderr.write(`${report.stack}\n`);
  return report.exitCode;
}

/** `✗ what happened (CODE)` and `  → what to do`; control characters made visible. */
export function renderError(report: ErrorReport, theme: Theme): string {
  const [first = '', ...rest] = report.message.split('\n');
  return [
    `${theme.bad('✗')} ${visible(first)} ${theme.dim(`(${report.code})`)}`,
    ...rest.map((line) => `  ${visible(line)}`),
    `  → ${visible(report.hint)}`,
  ].join('\n');
}

/** The same as one line of JSON. */
export function renderErrorJson(report: ErrorReport, command: string): string {
  const { code, exitCode, message, hint, facts, cause } = report;
  return toJson({
    _command: command,
    _version: JSON_VERSION,
    error: { code, exitCode, message, hint, ...(cause === null ? {} : { cause }), facts },
  });
}

/** DEBUG names us: `user-events`, one of our parts (`user-events:…`), or `*`. */
function isDebug(names = ''): boolean {
  return names.split(',').some((name) => name === '*' || name.startsWith('user-events'));
}

/**
 * oclif's own complaints about the command line: CLIError (unknown command, missing or unexpected value) and what a
 * flag's or argument's parser threw. None of them is ours.
 */
function isUsageError(error: unknown): error is Error {
  return error instanceof Errors.CLIError || (error instanceof Error && isFromParser(error));
}

function isFromParser(error: Error): boolean {
  return error.message.startsWith('Parsing --');
}

/** oclif's message without its own pointer to --help, its first line that says nothing, its indents and its colours. */
function usageMessage(error: Error): string {
  return stripVTControlCharacters(error.message)
    .replace(/\n?See more help with --help/g, '')
    .replace(/^The following errors? occurred:\n([^]*)$/, (_, reasons: string) =>
      reasons
        .trim()
        .split(/\s*\n\s*/)
        .map((reason) => reason.replace(/^Missing required flag (\S+)$/, '--$1 is missing'))
        .join('; '),
    )
    .replace(/^command (.+) not found$/, (_, id: string) => `There is no command ${id.replaceAll(':', ' ')}`)
    .replace(/\s*\n\t/g, ': ')
    .trim();
}

function nameCause(cause: unknown): string | null {
  if (!(cause instanceof Error)) return null;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause === undefined ? own : `${own}\nCaused by: ${stackOf(error.cause)}`;
}
