import { ERROR_CODES, type ErrorCode } from './codes.ts';

export interface ErrorDetails {
  /** What to do, when the code's own hint is not specific enough. */
  readonly hint?: string;
  /** The error below, kept for `--json` and for debugging. */
  readonly cause?: unknown;
  /** Facts for scripts (an event id, a line number): never a secret, never a user's data. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** The only error that commands report as expected: a code of the closed list, what happened, what to do. */
export class UserEventsError extends Error {
  override readonly name = 'UserEventsError';
  readonly code: ErrorCode;
  readonly hint: string;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint ?? ERROR_CODES[code].hint;
    this.facts = details.facts ?? {};
  }

  /** The exit code of the contract (DESIGN 7) for this error. */
  get exitCode(): number {
    return ERROR_CODES[this.code].exit;
  }
}
