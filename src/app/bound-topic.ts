import { UserEventsError } from '../errors/user-events-error.ts';
import { findBinding } from '../postgres/sql/read-binding.ts';
import type { Database } from '../postgres/transaction.ts';

/** The topic that this service's ledger belongs to; null where it has consumed nothing yet, or is not set up. */
export async function boundTopic({ pool, schema }: Database): Promise<string | null> {
  return (await findBinding(pool, schema))?.topic ?? null;
}

/**
 * Whoever joins a ledger with a log has to mean the topic that the ledger belongs to: offsets of another one say nothing,
 * and a rollback sent there would reach nobody. BINDING_MISMATCH otherwise.
 */
export async function requireBoundTopic(database: Database, topic: string): Promise<void> {
  const bound = await boundTopic(database);
  if (bound === null || bound === topic) return;
  const message = `The schema ${database.schema} belongs to topic ${bound}, not to ${topic}`;
  const hint = `Say -t ${bound} (or set KAFKA_TOPIC, or use a profile), or name the --schema of ${topic}.`;
  throw new UserEventsError('BINDING_MISMATCH', message, { hint });
}
