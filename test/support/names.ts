import { randomBytes } from 'node:crypto';

/**
 * A name that no other test, worker or run uses, good for a topic, a group, a database or a schema:
 * lower case, letters, digits and `_`, at most 63 characters for a prefix up to 46.
 */
export function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(8).toString('hex')}`;
}
