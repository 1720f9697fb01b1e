/** A terminal whose screen is redrawn in place. */
export interface LiveScreen {
  /**
   * Shows what `render` makes, for the terminal's size of that moment, in the place of what was there before, and again
   * when that size changes. What is below the terminal's last line is left out, and that line says so.
   */
  draw(render: () => string): void;
  /** Aborts when q was pressed. */
  readonly left: AbortSignal;
  /** Gives the terminal back as it was, and prints the text drawn last. Safe to repeat. */
  close(): void;
}

/** The process, as far as it is used here. */
interface ScreenProcess {
  readonly stdin: NodeJS.ReadableStream & {
    readonly isTTY?: boolean;
    setRawMode?: (isRaw: boolean) => unknown;
  };
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly rows?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly kill: (pid: number, signal: 'SIGINT') => unknown;
}

/** xterm's control sequences: the alternate screen (what was on the terminal comes back), the cursor, erasing. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const ERASE_LINE = '\u001b[K';
const ERASE_BELOW = '\u001b[J';
const CTRL_C = '\u0003';

/**
 * Takes the terminal; null where stdout is none, or one that knows no control sequences. When `signal` aborts, it is
 * given back before anything else is printed. Drawing over the text before, and not on an empty screen, does not flicker.
 */
export function openLiveScreen(
  { stdin: input, stdout: output, env, pid, kill }: ScreenProcess,
  signal: AbortSignal,
): LiveScreen | null {
  if (output.isTTY !== true || env['TERM'] === 'dumb') return null;
  const leaving = new AbortController();
  let last: (() => string) | null = null;
  let isOpen = true;
  const hasKeys = input.isTTY === true && input.setRawMode !== undefined;
  const onKeys = (keys: Buffer | string): void => {
    // In raw mode the terminal makes no signal of it.
    if (String(keys).includes(CTRL_C)) kill(pid, 'SIGINT');
    else if (/q/i.test(String(keys))) leaving.abort();
  };
  const show = (): void => {
    if (!isOpen || last === null) return;
    const lines = fitLines(last().split('\n'), output.rows ?? 24);
    output.write(`${HOME}${lines.map((line) => `${line}${ERASE_LINE}`).join('\n')}${ERASE_BELOW}`);
  };
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    signal.removeEventListener('abort', close);
    output.off('resize', show);
    if (hasKeys) {
      input.off('data', onKeys);
      input.setRawMode?.(false);
      input.pause();
    }
    output.write(`${LEAVE}${last === null ? '' : `${last()}\n`}`);
  };
  output.write(ENTER);
  if (hasKeys) {
    input.setRawMode?.(true);
    input.on('data', onKeys);
  }
  signal.addEventListener('abort', close);
  output.on('resize', show);
  return {
    left: leaving.signal,
    close,
    draw(render) {
      if (!isOpen) return;
      last = render;
      show();
    },
  };
}

function fitLines(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length <= rows) return lines;
  const kept = lines.slice(0, Math.max(0, rows - 1));
  return [...kept, `… ${String(lines.length - kept.length)} more lines`];
}
