import type { Consumer } from 'kafkajs';
import { UserEventsError } from '../../errors/user-events-error.ts';
import { translateError, type Destination } from './errors.ts';
import { withDeadline } from './patience.ts';

/** How long a commit may take, the ones before it included. */
const COMMIT_MS = 5_000;

/**
 * The commits of one consumer, one at a time and in order. kafkajs tries one again for as long as the coordinator is
 * away; those that came after it and were given up meanwhile are not sent.
 */
export class Commits {
  readonly #consumer: Consumer;
  readonly #to: Destination;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(consumer: Consumer, to: Destination) {
    this.#consumer = consumer;
    this.#to = to;
  }

  async commit(offsets: ReadonlyMap<number, bigint>, metadata: string): Promise<void> {
    let isGivenUp = false;
    const turn = this.#turn.then(async () => {
      if (isGivenUp) return;
      await this.#consumer.commitOffsets(
        [...offsets].map(([partition, offset]) => ({
          topic: this.#to.topic,
          partition,
          offset: String(offset),
          metadata,
        })),
      );
    });
    this.#turn = turn.catch(() => undefined);
    try {
      await withDeadline(() => turn, this.#to, COMMIT_MS);
    } catch (error) {
      isGivenUp = true;
      throw error instanceof UserEventsError ? error : translateError(error, this.#to);
    }
  }
}
