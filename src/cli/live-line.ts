import { cutText } from './text-width.ts';

/** A line at the bottom of the terminal that is redrawn in place. */
export interface LiveLine {
  /** False without a terminal, or under `--json`: then nothing is ever drawn. */
  readonly isShown: boolean;
  /** Draws what `text` says, unless the line was drawn a moment ago and this is not the last word. */
  show(text: () => string, isLast?: boolean): void;
  /** Takes the line away. Safe to repeat. */
  stop(): void;
}

export interface LineEnvironment {
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  /** False under `--json`. */
  readonly isAllowed: boolean;
  /** ms since the epoch. */
  readonly now: () => number;
}

/** Redrawing more often than this is not seen, and costs: ms. */
const REDRAW_MS = 100;

/** Makes a line on `output` that is cut to the terminal, so that it never takes a second row. */
export function createLiveLine({ output, isAllowed, now }: LineEnvironment): LiveLine {
  const isShown = isAllowed && output.isTTY === true;
  if (!isShown) return { isShown, show: () => undefined, stop: () => undefined };
  let drawnAt = 0;
  let isDrawn = false;
  return {
    isShown,
    show(text, isLast = false) {
      const at = now();
      if (at - drawnAt < REDRAW_MS && !isLast) return;
      drawnAt = at;
      isDrawn = true;
      output.write(`\r\u001b[2K${cutText(text(), (output.columns || 80) - 1)}`);
    },
    stop() {
      if (isDrawn) output.write('\r\u001b[2K');
      isDrawn = false;
    },
  };
}
