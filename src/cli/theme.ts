import { Chalk } from 'chalk';

export type Paint = (text: string) => string;

/** Colours by meaning. Without colour every one of them returns the text as it is. */
export interface Theme {
  readonly title: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly warn: Paint;
  readonly bad: Paint;
  readonly accent: Paint;
}

/** What a view is given beside its result: colours, and how wide a line may be. */
export interface Style {
  readonly theme: Theme;
  /** Columns of the terminal; null where the output is no terminal: then nothing is cut. */
  readonly width: number | null;
}

/** Turns a result into text, without the last line feed. Pure. */
export type View<Result> = (result: Result, style: Style) => string;

interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/**
 * The style for one stream. Colour needs a terminal that is not `dumb`, and NO_COLOR (https://no-color.org: set and
 * not empty) turns it off; FORCE_COLOR turns it on without a terminal, for CI logs.
 */
export function createStyle(stream: OutputStream, env: Readonly<Record<string, string | undefined>>): Style {
  const isTerminal = stream.isTTY === true;
  return {
    theme: createTheme(hasColour(isTerminal, env)),
    // Some pseudo-terminals have no size: they say 0.
    width: isTerminal ? stream.columns || 80 : null,
  };
}

/** The colour of a ledger status, of `pending` and of anything else. */
export function statusPaint(status: string, theme: Theme): Paint {
  switch (status) {
    case 'applied':
      return theme.good;
    case 'failed':
    case 'refused':
      return theme.bad;
    case 'parked':
      return theme.warn;
    default:
      return theme.dim;
  }
}

function hasColour(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return isTerminal && env['TERM'] !== 'dumb';
}

function createTheme(isColoured: boolean): Theme {
  const chalk = new Chalk({ level: isColoured ? 1 : 0 });
  return {
    title: (text) => chalk.bold(text),
    dim: (text) => chalk.dim(text),
    good: (text) => chalk.green(text),
    warn: (text) => chalk.yellow(text),
    bad: (text) => chalk.red(text),
    accent: (text) => chalk.cyan(text),
  };
}

/** Neither colour nor a terminal's width: for tests and for files. */
export const PLAIN_STYLE: Style = { theme: createTheme(false), width: null };
