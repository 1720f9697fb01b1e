import { spanText } from './age-text.ts';
import { createLiveLine, type LineEnvironment } from './live-line.ts';

/** A line that shows how far a long job is. */
export interface Progress {
  /** `done` of `total` (null where the end is not known), and a word on what is under way. */
  update(done: number, total?: number | null, note?: string): void;
  /** Takes the line away. Safe to repeat. */
  stop(): void;
}

/** A progress line on stderr, redrawn in place; without a terminal, or under `--json`, it prints nothing. */
export function createProgress(label: string, environment: LineEnvironment): Progress {
  const line = createLiveLine(environment);
  const startedAt = environment.now();
  return {
    update(done, total = null, note = '') {
      const text = (): string =>
        progressLine({ label, done, total, note, elapsedMs: environment.now() - startedAt });
      line.show(text, done === total);
    },
    stop() {
      line.stop();
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
  const leftMs = total === null || done === 0 || done >= total ? null : (elapsedMs * (total - done)) / done;
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
