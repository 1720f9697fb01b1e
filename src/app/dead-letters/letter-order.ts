import { readDeadLetter } from '../../domain/dead-letter.ts';
import type { EnvelopeContext } from '../../domain/envelope.ts';
import type { EventLog, RecordPosition, Watermarks } from '../../log/event-log.ts';
import { openLetter, readLetterRecords, readLetters, type Letter } from './read-letters.ts';
import { placeName, readPlaces } from '../log/read-places.ts';

/** Where the letters lie, in the order in which their records lay; null where that is the order they are read in. */
export type LetterOrder = readonly RecordPosition[] | null;

/** Letters that are looked up at once, where they are not read as they lie. */
const LETTERS_AT_ONCE = 200;

/**
 * The order in which records are put back: as they lay in each partition of `topic`, whenever their letters came. A share
 * group gives its records up in any order, retry topics let one overtake another. Letters that do not say where
 * their record lay, and those of other topics, keep their turn. Some 100 bytes a letter are held while it is found out.
 */
export async function orderOfLetters(
  letters: EventLog,
  ends: readonly Watermarks[],
  topic: string,
  signal: AbortSignal,
): Promise<LetterOrder> {
  const places: RecordPosition[] = [];
  /** Of each partition of the topic: the turns of its letters, and where their records lay. */
  const lay = new Map<number, { readonly turn: number; readonly offset: bigint }[]>();
  for await (const records of readLetterRecords(letters, ends, signal)) {
    for (const record of records) {
      const letter = readDeadLetter(record);
      if (letter?.topic === topic && letter.partition !== null && letter.offset !== null) {
        const turns = lay.get(letter.partition) ?? [];
        turns.push({ turn: places.length, offset: letter.offset });
        lay.set(letter.partition, turns);
      }
      places.push({ partition: record.partition, offset: record.offset });
    }
  }
  const ordered = [...places];
  let isAsRead = true;
  for (const turns of lay.values()) {
    // Stable: of several letters of one record the first one stays first.
    const sorted = turns.toSorted((a, b) => (a.offset < b.offset ? -1 : a.offset > b.offset ? 1 : 0));
    for (const [at, { turn }] of turns.entries()) {
      const place = places[sorted[at]?.turn ?? turn];
      if (place === undefined || place === ordered[turn]) continue;
      ordered[turn] = place;
      isAsRead = false;
    }
  }
  return isAsRead ? null : ordered;
}

/** Reads the letters by pages, in an order that `orderOfLetters` has found. */
export async function* readInOrder(
  letters: EventLog,
  order: LetterOrder,
  ends: readonly Watermarks[],
  envelope: EnvelopeContext,
  signal: AbortSignal,
): AsyncGenerator<readonly Letter[], void> {
  if (order === null) return yield* readLetters(letters, ends, envelope, signal);
  for (let from = 0; from < order.length; from += LETTERS_AT_ONCE) {
    const places = order.slice(from, from + LETTERS_AT_ONCE);
    const found = await readPlaces(letters, places);
    // One that retention has deleted meanwhile is gone.
    yield places
      .flatMap((place) => found.get(placeName(place)) ?? [])
      .map((one) => openLetter(one, envelope));
  }
}
