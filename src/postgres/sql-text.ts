// Without the driver: a command that never connects does not load it for the sake of a quoted name.
import { createHash } from 'node:crypto';

/** Quotes an SQL identifier (PostgreSQL documentation, 4.1.1). */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * Quotes an SQL string (4.1.2.1 and 4.1.2.2, so that it reads alike whatever `standard_conforming_strings` says), for
 * names from the catalog inside static text. Values of users are parameters, never this.
 */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? ` E${quoted}` : quoted;
}

/**
 * The name under which a statement is prepared, once a connection: of its text too, since the driver refuses one name
 * for two texts, and a users table may change while a pool lives.
 */
export function statementName(what: string, text: string): string {
  return `user-events ${what} ${createHash('sha1').update(text).digest('hex').slice(0, 12)}`;
}
