import { keepsRecord, ownHeaders } from '../../domain/dead-letter.ts';
import { OWN_HEADER } from '../../domain/dead-letter-headers.ts';
import type { EnvelopeContext } from '../../domain/envelope.ts';
import { readEnvelope } from '../../domain/read-envelope.ts';
import type { LogRecord, NewRecord, RecordHeader } from '../../domain/record.ts';
import type { EventLog, RecordPosition } from '../../log/event-log.ts';
import { isLetterWanted, type Letter, type LetterFilter } from './read-letters.ts';
import { placeName, readPlaces } from '../log/read-places.ts';

export interface LetterRules {
  /** Only letters of this topic are put back. */
  readonly topic: string;
  readonly filter: LetterFilter;
  readonly maxPutBacks: number;
}

/** A letter that is to be put back, and the record that goes. */
export interface SortedLetter {
  readonly record: LogRecord;
  readonly origin: NewRecord;
}

/** A letter that may not be put back. */
export interface RefusedLetter {
  readonly partition: number;
  readonly offset: bigint;
  readonly userId: string | null;
  readonly reason: RefusalReason;
}

/**
 * `too often`: it came back as often as it may. `original gone`: the letter does not keep its record, and the topic has it
 * no longer. `behind refused`: an earlier letter of its key is refused, and it may not overtake it. `no dead letter`: it
 * carries the headers of no known system.
 */
export type RefusalReason = 'too often' | 'original gone' | 'behind refused' | 'no dead letter';

/** Sorts letters, in their order, into those that are due and the rest, and counts the rest. */
export class LetterSorter {
  readonly #rules: LetterRules;
  readonly #log: EventLog;
  readonly #envelope: EnvelopeContext;
  already = 0;
  notWanted = 0;
  overtaking = 0;
  own = 0;
  readonly refused: RefusedLetter[] = [];
  readonly otherTopics = new Map<string, number>();
  /** Keys, as hex, with an earlier letter that is refused, or left out. */
  readonly #refusedKeys = new Set<string>();
  readonly #leftOutKeys = new Set<string>();

  constructor(rules: LetterRules, log: EventLog, envelope: EnvelopeContext) {
    this.#rules = rules;
    this.#log = log;
    this.#envelope = envelope;
  }

  /** The letters that are due, in order. `areMarked` says of each whether it was put back before. */
  async sort(letters: readonly Letter[], areMarked: readonly boolean[]): Promise<readonly SortedLetter[]> {
    const open = letters.filter((letter, index) => this.#isOpen(letter, areMarked[index] ?? false));
    const originals = await this.#readOriginals(open);
    return open.flatMap(({ record, letter, userId }) => {
      const original = originals.get(record);
      if (original !== undefined && this.#isOthers(letter, original)) return [];
      const reason = this.#refusalOf(isNone(letter) ? null : (original ?? 'gone'));
      if (original !== undefined && reason === null) {
        if (original.key !== null && this.#leftOutKeys.has(keyName(original))) this.overtaking++;
        if (letter?.system === 'user-events') this.own++;
        return [{ record, origin: this.#originOf(original) }];
      }
      this.#refuse(record, original?.key ?? record.key, userId, reason ?? 'original gone');
      return [];
    });
  }

  /** Counts what is left alone: marked, of another topic, not wanted. */
  #isOpen(letter: Letter, isMarked: boolean): boolean {
    const { topic, filter } = this.#rules;
    const from = letter.letter?.topic;
    if (isMarked) this.already++;
    else if (from !== undefined && from !== null && from !== topic)
      this.otherTopics.set(from, (this.otherTopics.get(from) ?? 0) + 1);
    // Whose record it is that a letter does not keep is told by the original, which is read first.
    else if (isLetterWanted(letter, isWithoutRecord(letter) ? { ...filter, userId: null } : filter))
      return true;
    else {
      this.notWanted++;
      this.#leftOutKeys.add(keyName(letter.record));
    }
    return false;
  }

  /** Leaves out a letter that turns out to be another user's. */
  #isOthers(letter: Letter['letter'], original: LogRecord): boolean {
    const { userId } = this.#rules.filter;
    if (userId === null || !isWithoutRecord({ letter })) return false;
    if (readEnvelope(original, this.#envelope).userId === userId) return false;
    this.notWanted++;
    this.#leftOutKeys.add(keyName(original));
    return true;
  }

  #refusalOf(original: LogRecord | 'gone' | null): RefusalReason | null {
    if (original === null) return 'no dead letter';
    if (original === 'gone') return 'original gone';
    if (putBacksOf(original) >= this.#rules.maxPutBacks) return 'too often';
    return original.key !== null && this.#refusedKeys.has(keyName(original)) ? 'behind refused' : null;
  }

  /** `key`: the record's own, where that can be read; a share group's letter has none. */
  #refuse(
    { partition, offset }: LogRecord,
    key: Buffer | null,
    userId: string | null,
    reason: RefusalReason,
  ): void {
    this.refused.push({ partition, offset, userId, reason });
    // A stray record in the topic holds back nobody.
    if (key !== null && reason !== 'no dead letter') this.#refusedKeys.add(keyName({ key }));
  }

  /** The records as they lay in the topic; of letters that do not keep them they are read there. */
  async #readOriginals(open: readonly Letter[]): Promise<ReadonlyMap<LogRecord, LogRecord>> {
    const originals = new Map<LogRecord, LogRecord>();
    const away: { record: LogRecord; place: RecordPosition; writtenAt: number | null }[] = [];
    for (const { record, letter } of open) {
      if (letter === null || isNone(letter)) continue;
      const { partition, offset, timestamp } = letter;
      if (keepsRecord(letter)) {
        originals.set(record, {
          ...record,
          partition: partition ?? record.partition,
          offset: offset ?? record.offset,
          timestamp: timestamp ?? record.timestamp,
          headers: ownHeaders(record.headers),
        });
      } else if (partition !== null && offset !== null)
        away.push({ record, place: { partition, offset }, writtenAt: timestamp });
    }
    if (away.length === 0) return originals;
    const found = await readPlaces(
      this.#log,
      away.map(({ place }) => place),
    );
    for (const { record, place, writtenAt } of away) {
      const original = found.get(placeName(place));
      // In a topic made anew something else lies there.
      const isOther = writtenAt !== null && original?.timestamp !== writtenAt;
      if (original !== undefined && !isOther) originals.set(record, original);
    }
    return originals;
  }

  /** The record that goes: key, value and own headers unchanged, and how often it went. */
  #originOf(original: LogRecord): NewRecord {
    const { key, value } = original;
    const kept = original.headers.filter((header) => header.key !== OWN_HEADER.putBack);
    const hasId = kept.some((header) => header.key === OWN_HEADER.originalId);
    const { eventId, isIdDerived } = readEnvelope(original, this.#envelope);
    const id: RecordHeader[] =
      isIdDerived && !hasId ? [{ key: OWN_HEADER.originalId, value: Buffer.from(eventId) }] : [];
    const count = { key: OWN_HEADER.putBack, value: Buffer.from(String(putBacksOf(original) + 1)) };
    return { key, value, headers: [...kept, ...id, count] };
  }
}

function putBacksOf(record: LogRecord): number {
  const count = record.headers.findLast(({ key }) => key === OWN_HEADER.putBack)?.value?.toString() ?? '0';
  return /^\d{1,9}$/.test(count) ? Number(count) : 0;
}

function keyName({ key }: Pick<LogRecord, 'key'>): string {
  return key?.toString('hex') ?? '';
}

/** A letter whose record has to be read where it lay. */
function isWithoutRecord({ letter }: Pick<Letter, 'letter'>): boolean {
  return letter !== null && !keepsRecord(letter);
}

/** A record without the headers of a dead letter, or whose topic cannot be read. */
function isNone(letter: Letter['letter']): boolean {
  return letter === null || letter.topic === null;
}
