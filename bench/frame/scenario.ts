import type { BenchArguments } from './arguments.ts';
import type { Figure } from './figure.ts';
import type { Stage } from './stage.ts';

/** A part of a bench, measured on servers that the stage gives it. `--only` names it. */
export interface Part {
  readonly name: string;
  /** Its figures, in the order of the table. */
  readonly measure: (stage: Stage, asked: BenchArguments) => Promise<readonly Figure[]>;
}

/** One bench: its parts, in the order in which they are measured and printed. */
export interface Scenario {
  /** Events of the corpus where nobody says how many: 200,000 without it. */
  readonly events?: number;
  readonly parts: readonly Part[];
}

/** The parts that were asked for; all where none was named. A text: what is wrong with the names. */
export function chosenParts({ parts }: Scenario, only: readonly string[]): readonly Part[] | string {
  const names = parts.map(({ name }) => name);
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length > 0) return `Parts of this bench: ${names.join(', ')}`;
  return only.length === 0 ? parts : parts.filter(({ name }) => only.includes(name));
}
