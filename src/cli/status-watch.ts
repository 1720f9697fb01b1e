import { setTimeout as delay } from 'node:timers/promises';
import { exitOf, lookAtServices, type Service, type ServicesStatus } from '../app/status/services.ts';
import type { LiveScreen } from './live-screen.ts';
import type { Style } from './theme.ts';
import { renderServices } from './views/status-services.ts';

/** One look, and when it was, ISO 8601. */
export interface SeenServices extends ServicesStatus {
  readonly at: string;
}

interface WatchOptions {
  /** From the beginning of a look to the beginning of the next; one that takes longer is followed at once. */
  readonly intervalS: number;
  readonly signal: AbortSignal;
  /** Null: every look is printed. */
  readonly screen: LiveScreen | null;
  readonly print: (seen: SeenServices) => Promise<void>;
  /** Asked whenever something is drawn: the terminal may have changed its width. */
  readonly style: () => Style;
  readonly now: () => number;
}

/**
 * Looks at the services again and again, until the signal aborts or somebody leaves the screen: in place on a screen,
 * else each look is printed. Returns the exit code of the last look.
 */
export async function watchServices(
  services: readonly Service[],
  { intervalS, signal, screen, print, style, now }: WatchOptions,
): Promise<ReturnType<typeof exitOf>> {
  const end = AbortSignal.any(screen === null ? [signal] : [signal, screen.left]);
  try {
    for (;;) {
      const startedAt = performance.now();
      const seen = { at: new Date(now()).toISOString(), ...(await lookAtServices(services)) };
      if (screen === null) await print(seen);
      else screen.draw(() => renderScreen(seen, intervalS, style()));
      const left = Math.max(0, intervalS * 1000 - (performance.now() - startedAt));
      const isOver = await delay(left, false, { signal: end }).catch(() => true);
      if (isOver) return exitOf(seen);
    }
  } finally {
    screen?.close();
  }
}

function renderScreen(seen: SeenServices, intervalS: number, style: Style): string {
  const head = `Every ${String(intervalS)} s, ${seen.at.slice(11, 19)}Z, q leaves`;
  return `${style.theme.dim(head)}\n\n${renderServices(seen, style)}`;
}
