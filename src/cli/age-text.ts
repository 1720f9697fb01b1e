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

/** How long something takes: `28 s`, `1 min 40 s`, `2 h 5 min`, `3 d`. Rounded up: what takes time does not take `0 s`. */
export function spanText(ms: number): string {
  let rest = Math.max(1, Math.ceil(ms / 1000));
  const first = UNITS.findIndex(([, size]) => rest >= size);
  const parts: string[] = [];
  for (const [unit, size] of UNITS.slice(first, first + 2)) {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    if (whole > 0) parts.push(`${whole.toLocaleString('en-US')} ${unit}`);
  }
  return parts.join(' ');
}

/** `2026-01-31 08:00:00Z` of an ISO 8601 time in UTC: for lists, where milliseconds would be in the way. */
export function shortTime(iso: string): string {
  return iso.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
}
