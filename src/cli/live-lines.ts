import { createLiveLine, type LineEnvironment, type LiveLine } from './live-line.ts';
import { createProgress, type Progress } from './progress.ts';

/** The lines that one command redraws. */
export interface LiveLines {
  readonly progress: (label: string) => Progress;
  readonly line: () => LiveLine;
  /** Before anything else is said on that stream: else it would stand behind the line. */
  readonly takeAway: () => void;
}

/** `isAllowed`: false under `--json`. */
export function createLiveLines(output: LineEnvironment['output'], isAllowed: boolean): LiveLines {
  const environment = { output, isAllowed, now: Date.now };
  const made: { stop(): void }[] = [];
  const kept = <Line extends { stop(): void }>(line: Line): Line => {
    made.push(line);
    return line;
  };
  return {
    progress: (label) => kept(createProgress(label, environment)),
    line: () => kept(createLiveLine(environment)),
    takeAway: () => {
      for (const line of made) line.stop();
    },
  };
}
