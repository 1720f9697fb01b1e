import { OWN_HEADER } from '../../domain/dead-letter-headers.ts';
import type { NewRecord, RecordHeader } from '../../domain/record.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog } from '../../log/event-log.ts';

/** The record of a failed event, and the headers that make a dead letter of it. */
export interface DeadLetterRecord extends Pick<NewRecord, 'key' | 'value' | 'headers'> {
  readonly letterHeaders: readonly RecordHeader[];
}

/** A key that is longer goes with the headers, where a letter has to be small. */
const SMALL_KEY_BYTES = 1_000;

/**
 * Appends dead letters in their order. With our headers a record near the topic's limit is over it: it goes alone and
 * without its value, or without what else is large, and says so in `user_events_left_out`. What was in when the topic
 * refused one may be in twice, under one id. Errors as the port's `append` has them; RECORD_TOO_LARGE only where the
 * topic does not even take our headers.
 */
export async function appendLetters(log: EventLog, letters: readonly DeadLetterRecord[]): Promise<void> {
  try {
    await log.append(letters.map(whole));
  } catch (error) {
    if (!isTooLarge(error)) throw error;
    const { appended } = error.facts;
    for (const letter of letters.slice(typeof appended === 'number' ? appended : 0)) {
      await appendAlone(log, letter);
    }
  }
}

async function appendAlone(log: EventLog, letter: DeadLetterRecord): Promise<void> {
  for (const form of [whole, withoutValue]) {
    try {
      await log.append([form(letter)]);
      return;
    } catch (error) {
      if (!isTooLarge(error)) throw error;
    }
  }
  await log.append([bare(letter)]);
}

function isTooLarge(error: unknown): error is UserEventsError {
  return error instanceof UserEventsError && error.code === 'RECORD_TOO_LARGE';
}

function whole({ key, value, headers, letterHeaders }: DeadLetterRecord): NewRecord {
  return { key, value, headers: [...headers, ...letterHeaders] };
}

function withoutValue({ key, headers, letterHeaders }: DeadLetterRecord): NewRecord {
  return { key, value: null, headers: [...headers, ...letterHeaders, leftOut('value')] };
}

function bare({ key, letterHeaders }: DeadLetterRecord): NewRecord {
  const isKeySmall = key === null || key.length <= SMALL_KEY_BYTES;
  const parts = isKeySmall ? 'value, headers' : 'key, value, headers';
  return { key: isKeySmall ? key : null, value: null, headers: [...letterHeaders, leftOut(parts)] };
}

function leftOut(parts: string): RecordHeader {
  return { key: OWN_HEADER.leftOut, value: Buffer.from(parts) };
}
