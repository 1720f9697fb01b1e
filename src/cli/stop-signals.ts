import { UserEventsError } from '../errors/user-events-error.ts';
import { STOP_SIGNALS, type StopSignal } from './early-signals.ts';

/** Why a command is asked to stop: a signal, or the reader of its output has gone. */
export type StopReason = StopSignal | 'reader gone';

/** What asks one command to stop. */
export interface StopRequest {
  /** Aborts with an INTERRUPTED error at the first signal, or when the reader of stdout has gone. */
  readonly signal: AbortSignal;
  /** Null until it is asked to stop. */
  readonly reason: StopReason | null;
  stop(reason: StopReason): void;
  /** Takes the handlers away. */
  dispose(): void;
}

/**
 * Listens to SIGINT and SIGTERM: the first one aborts, so that the command drains; the second one calls `leave`,
 * which ends the process at once. `early` is one that came before anybody listened: it is the first.
 */
export function listenToSignals(
  emitter: NodeJS.EventEmitter,
  leave: () => void,
  early: StopSignal | null = null,
): StopRequest {
  const controller = new AbortController();
  let reason: StopReason | null = null;
  const stop = (asked: StopReason): void => {
    // A signal says more than a reader that has gone.
    if (reason === null || reason === 'reader gone') reason = asked;
    controller.abort(new UserEventsError('INTERRUPTED', `Stopped: ${reason}`));
  };
  const onSignal = (name: StopSignal) => (): void => {
    if (reason === 'SIGINT' || reason === 'SIGTERM') leave();
    else stop(name);
  };
  const handlers = STOP_SIGNALS.map((name) => ({ name, handler: onSignal(name) }));
  for (const { name, handler } of handlers) emitter.on(name, handler);
  if (early !== null) stop(early);
  return {
    signal: controller.signal,
    get reason() {
      return reason;
    },
    stop,
    dispose() {
      for (const { name, handler } of handlers) emitter.off(name, handler);
    },
  };
}

/** True for what an aborted wait throws: our own INTERRUPTED, or the platform's AbortError. */
export function isInterruption(error: unknown): boolean {
  if (error instanceof UserEventsError) return error.code === 'INTERRUPTED';
  return (
    error instanceof Error && (error.name === 'AbortError' || ('code' in error && error.code === 'ABORT_ERR'))
  );
}
