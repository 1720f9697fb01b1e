import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { canonicalUuid } from '../domain/uuid.ts';
import { UserEventsError } from '../errors/user-events-error.ts';

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
