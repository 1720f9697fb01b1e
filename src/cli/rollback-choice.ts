import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { RollbackMode } from '../domain/event.ts';
import { canonicalUuid } from '../domain/uuid.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { UserPlan } from '../app/rollback/plan.ts';
import type { Prompts } from './prompts.ts';

/** Reads ids from flags and from a file (one a line, or the NDJSON of `failures --json`). Throws USAGE, naming the line. */
export async function readEventIds(
  flags: readonly string[],
  file: string | undefined,
): Promise<readonly string[]> {
  const ids = flags.map((id) => requireUuid(id, null));
  if (file !== undefined) {
    const input = file === '-' ? process.stdin : createReadStream(file);
    let number = 0;
    try {
      for await (const line of createInterface({ input, crlfDelay: Infinity })) {
        number++;
        if (line.trim() !== '')
          ids.push(requireUuid(idOfLine(line.trim()), `line ${String(number)} of ${file}`));
      }
    } catch (error) {
      if (error instanceof UserEventsError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new UserEventsError('USAGE', `${file} cannot be read: ${why}`, { cause: error });
    }
  }
  return [...new Set(ids)];
}

function idOfLine(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === 'object' && parsed !== null && 'eventId' in parsed) return String(parsed.eventId);
  } catch {
    // Not JSON: told as no event id, with its line.
  }
  return line;
}

/** `where` it stood, for the message: null where it was typed itself. */
function requireUuid(text: string, where: string | null): string {
  const id = canonicalUuid(text);
  if (id !== null) return id;
  throw new UserEventsError(
    'USAGE',
    where === null ? `${text} is no event id` : `${where} is no event id: ${text}`,
    {
      hint: 'An event id is a UUID, as `user-events failures` and `log` print it.',
    },
  );
}

/** `--only`, `--cascade`, or null where neither was given. */
export function readMode(flags: { readonly only: boolean; readonly cascade: boolean }): RollbackMode | null {
  return flags.only ? 'only' : flags.cascade ? 'cascade' : null;
}

/**
 * Asks what to do about later events in the way. Without a terminal LATER_EVENTS (exit 6), naming both flags; DECLINED
 * where it is cancelled.
 */
export async function chooseMode(prompts: Prompts, plans: readonly UserPlan[]): Promise<RollbackMode> {
  const later = plans.reduce((sum, { outlook }) => sum + outlook.later.length, 0);
  const events = `${String(later)} later ${later === 1 ? 'event' : 'events'}`;
  if (!prompts.isAvailable) {
    const eventIds = plans.flatMap(({ outlook }) => outlook.later);
    throw new UserEventsError(
      'LATER_EVENTS',
      `${events} of the same user came after what is to be rolled back`,
      {
        facts: { eventIds },
      },
    );
  }
  const choice = await prompts.choose(`${events} came after. What is to be rolled back?`, [
    { value: 'only', label: 'only', hint: 'The event alone: what came after is executed again without it.' },
    { value: 'cascade', label: 'cascade', hint: 'The event and everything of this user that came after it.' },
    { value: 'cancel', label: 'cancel', hint: 'Nothing is sent.' },
  ]);
  if (choice === 'cancel') throw new UserEventsError('DECLINED', 'Cancelled');
  return choice;
}

/** Told before a rollback is sent that this service could not execute as things are; others may. */
export function obstacleWarnings(plans: readonly UserPlan[]): readonly string[] {
  return plans.flatMap(({ userId, obstacle }) => {
    if (obstacle === null) return [];
    const force = obstacle.code === 'DRIFT' ? '; --force sets the row back all the same' : '';
    return [
      `User ${userId}: this service cannot execute it as things are (${obstacle.code})${force}. Other services may.`,
    ];
  });
}
