import type { Progress } from './progress.ts';

/** The progress of a job with several parts, one line after the other. */
export interface Phases {
  readonly update: (label: string, done: number, total: number | null) => void;
  /** Takes the line away. Safe to repeat. */
  readonly stop: () => void;
}

/** `start` makes a part's line when it begins, so that its rate is its own. */
export function createPhases(start: (label: string) => Progress): Phases {
  let current: { label: string; progress: Progress } | null = null;
  return {
    update(label, done, total) {
      if (current?.label !== label) {
        current?.progress.stop();
        current = { label, progress: start(label) };
      }
      current.progress.update(done, total);
    },
    stop() {
      current?.progress.stop();
    },
  };
}
