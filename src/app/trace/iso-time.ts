/** ECMA-262, time values: 8.64e15 ms before and after the epoch. PostgreSQL's timestamps go beyond. */
const MAX_DATE_MS = 8.64e15;

/** ISO 8601 of ms since the epoch; the number itself where a `Date` cannot hold it. */
export function isoTime(timestamp: number): string {
  return Math.abs(timestamp) > MAX_DATE_MS ? String(timestamp) : new Date(timestamp).toISOString();
}
