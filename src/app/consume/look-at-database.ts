import { readServer } from '../../postgres/sql/read-server.ts';
import type { Pool } from '../../postgres/transaction.ts';

/** Whether the database takes writes: false on a standby. Rejects where it does not answer. */
export async function takesWrites(pool: Pool): Promise<boolean> {
  return (await readServer(pool))?.isReadOnly === false;
}
