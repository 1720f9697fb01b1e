/** Signals that ask a command to stop. */
export const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** Of a command that a signal ended before it had done all. */
export const INTERRUPTED_EXIT = 130;

let handlers: readonly { readonly name: StopSignal; readonly handler: () => void }[] = [];
let kept: StopSignal | null = null;

/** Ends the process at once, as a second signal wants it. */
export function leave(): never {
  process.exit(INTERRUPTED_EXIT);
}

/**
 * Keeps the first signal for the command, which listens only when its modules are loaded (some 0.3 s): a supervisor may
 * stop a process as soon as it has begun it, and is answered by the same exit as later. A second one leaves at once.
 */
export function keepEarlySignals(): void {
  handlers = STOP_SIGNALS.map((name) => ({
    name,
    handler: () => {
      if (kept !== null) leave();
      kept = name;
    },
  }));
  for (const { name, handler } of handlers) process.on(name, handler);
}

/** The signal that was kept, once: from here on whoever takes it listens himself. Null where none came. */
export function takeEarlySignal(): StopSignal | null {
  for (const { name, handler } of handlers) process.off(name, handler);
  const taken = kept;
  [handlers, kept] = [[], null];
  return taken;
}
