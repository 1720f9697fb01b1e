export interface BackOffOptions {
  /** The ceiling of the first wait, ms. @default 100 */
  readonly initialMs?: number;
  /** The ceiling of every wait, ms. @default 5000 */
  readonly maxMs?: number;
}

/**
 * How long to wait before trying again, whole ms. `attempt` counts what has failed, from 1; `random01` is in [0, 1).
 * The ceiling doubles with every attempt up to `maxMs`; the wait is drawn from its upper half, so that consumers that
 * failed together do not come back together, and none comes back at once.
 */
export function backOffMs(attempt: number, random01: number, options: BackOffOptions = {}): number {
  const { initialMs = 100, maxMs = 5000 } = options;
  const ceiling = Math.min(maxMs, initialMs * 2 ** Math.max(0, attempt - 1));
  return Math.round(ceiling / 2 + (ceiling / 2) * random01);
}
