/** Seconds of each unit, the largest first, and from how many on it is used. */
const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/** How long ago: `8 s ago`, `5 min ago`, `3 h ago`, `12 d ago`. A moment that is yet to come (clocks differ) is `now`. */
export function ageText(timestampMs: number, nowMs: number): string {
  const seconds = Math.floor((nowMs - timestampMs) / 1000);
  const unit = UNITS.find(([, size]) => seconds >= size);
  return unit === undefined
    ? 'now'
    : `${Math.floor(seconds / unit[1]).toLocaleString('en-US')} ${unit[0]} ago`;
}

/** How long something takes: `8 s`, `5 min`, `3 h`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [name, size] = UNITS.find(([, least]) => seconds >= least) ?? ['s', 1];
  return `${Math.round(seconds / size).toLocaleString('en-US')} ${name}`;
}

/** `2026-01-31 08:00:00Z` of an ISO 8601 time in UTC: for lists, where milliseconds would be in the way. */
export function shortTime(iso: string): string {
  return iso.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
}
