import { spanText } from './age-text.ts';
import { cutText } from './text-width.ts';

/** A line that shows how far a long job is. */
export interface Progress {
  /** `done` of `total` (null where the end is not known), and a word on what is under way. */
  update(done: number, total?: number | null, note?: string): void;
  /** Takes the line away. Safe to repeat. */
  stop(): void;
}

interface ProgressEnvironment {
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  /** False under `--json`. */
  readonly isAllowed: boolean;
  /** ms since the epoch. */
  readonly now: () => number;
}

/** Redrawing more often than this is not seen, and costs: ms. */
const REDRAW_MS = 100;

/** A progress line on stderr, redrawn in place; without a terminal, or under `--json`, it prints nothing. */
export function createProgress(label: string, { output, isAllowed, now }: ProgressEnvironment): Progress {
  if (!isAllowed || output.isTTY !== true) return { update: () => undefined, stop: () => undefined };
  const startedAt = now();
  let drawnAt = 0;
  let isDrawn = false;
  return {
    update(done, total = null, note = '') {
      const at = now();
      if (at - drawnAt < REDRAW_MS && done !== total) return;
      drawnAt = at;
      isDrawn = true;
      const line = progressLine({ label, done, total, note, elapsedMs: at - startedAt });
      output.write(`\r\u001b[2K${cutText(line, (output.columns || 80) - 1)}`);
    },
    stop() {
      if (isDrawn) output.write('\r\u001b[2K');
      isDrawn = false;
    },
  };
}

interface ProgressState {
  readonly label: string;
  readonly done: number;
  readonly total: number | null;
  readonly note: string;
  readonly elapsedMs: number;
}

/** `Publishing 1,200 of 5,000 (24 %, 600/s, 6 s left) note`. */
export function progressLine({ label, done, total, note, elapsedMs }: ProgressState): string {
  const count = (value: number): string => value.toLocaleString('en-US');
  const perSecond = elapsedMs < 1000 ? null : `${count(Math.round((done * 1000) / elapsedMs))}/s`;
  const share = total === null || total === 0 ? null : `${Math.floor((done * 100) / total)} %`;
  const leftMs = total === null || done === 0 ? null : (elapsedMs * (total - done)) / done;
  const left = perSecond === null || leftMs === null ? null : `${spanText(leftMs)} left`;
  const details = [share, perSecond, left].filter((part) => part !== null).join(', ');
  const parts = [
    label,
    total === null ? count(done) : `${count(done)} of ${count(total)}`,
    details === '' ? '' : `(${details})`,
    note,
  ];
  return parts.filter((part) => part !== '').join(' ');
}
