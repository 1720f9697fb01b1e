import type { UserEventsError } from '../../errors/user-events-error.ts';
import type { KafkaAdmin } from './admin.ts';
import { translateError, type Destination } from './errors.ts';

export interface LogWatcher {
  readonly admin: KafkaAdmin;
  readonly to: Destination;
  readonly onTrouble: (trouble: { readonly message: string } | null) => void;
  /** The topic is gone, or we are not let in any more: waiting does not mend it. */
  readonly onEnd: (error: UserEventsError) => void;
}

const LOOK_EVERY_MS = 500;
/** A consumer that works is heard of several times a second. */
const SILENT_AFTER_MS = 1_500;
/** How often the same end must be told before it is believed: a broker that starts may not know its topics yet. */
const TOLD_TIMES = 3;

/**
 * Looks after a consumer that kafkajs keeps trying for ever: when nothing is heard of it, asks the cluster why. A
 * rebalance that takes long is no trouble; a broker that is away is; a topic that is gone is the end.
 */
export class LogWatch {
  readonly #watcher: LogWatcher;
  #timer: NodeJS.Timeout | undefined;
  #lastHeard = performance.now();
  #isAsking = false;
  #isTroubled = false;
  #told = 0;

  constructor(watcher: LogWatcher) {
    this.#watcher = watcher;
  }

  start(): void {
    this.#lastHeard = performance.now();
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The log has answered. */
  heard(): void {
    this.#lastHeard = performance.now();
    this.#told = 0;
    if (!this.#isTroubled) return;
    this.#isTroubled = false;
    this.#watcher.onTrouble(null);
  }

  async #look(): Promise<void> {
    if (this.#isAsking || performance.now() - this.#lastHeard < SILENT_AFTER_MS) return;
    this.#isAsking = true;
    try {
      await this.#watcher.admin.partitionCount({ patience: 'short' });
      this.heard();
    } catch (error) {
      this.#failed(translateError(error, this.#watcher.to));
    } finally {
      this.#isAsking = false;
    }
  }

  #failed(error: UserEventsError): void {
    if (this.#timer === undefined) return;
    const isEnd = error.code === 'TOPIC_NOT_FOUND' || error.code === 'LOG_AUTH_FAILED';
    this.#told = isEnd ? this.#told + 1 : 0;
    if (this.#told >= TOLD_TIMES) {
      this.#watcher.onEnd(error);
      return;
    }
    if (isEnd || this.#isTroubled) return;
    this.#isTroubled = true;
    this.#watcher.onTrouble({ message: error.message });
  }
}
