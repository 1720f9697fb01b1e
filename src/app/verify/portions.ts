import { historyBytes } from '../../postgres/sql/read-history.ts';
import type { Queryable } from '../../postgres/pool.ts';

/** Users at once: of a table that was emptied every user is suspect. */
const USERS_AT_ONCE = 500;
/** What their events carry, as text; in memory it is some times as much. One user's history comes whole, however long. */
const BYTES_AT_ONCE = 4 * 1024 * 1024;

/** Splits users into portions whose histories fit into memory together. No locks. */
export async function* portionsOf(
  db: Queryable,
  schema: string,
  userIds: readonly string[],
): AsyncGenerator<readonly string[], void> {
  for (let from = 0; from < userIds.length; from += USERS_AT_ONCE) {
    const ids = userIds.slice(from, from + USERS_AT_ONCE);
    const bytes = await historyBytes(db, schema, ids);
    let portion: string[] = [];
    let sum = 0;
    for (const userId of ids) {
      const more = bytes.get(userId) ?? 0;
      if (portion.length > 0 && sum + more > BYTES_AT_ONCE) {
        yield portion;
        [portion, sum] = [[], 0];
      }
      portion.push(userId);
      sum += more;
    }
    yield portion;
  }
}
