import type { Consumer } from './consumer.ts';

/** As long as a supervisor would take, about. */
const RESTART_AFTER_MS = 300;

/** Where and when a consumer ends itself: `after-commit:3` is the third time that it passes there. */
export type PointInTime = `${string}:${number}`;

type Wait = () => Promise<unknown>;

/**
 * The consumers of the group, kept running as a supervisor keeps them. What is done to one waits for its turn there.
 * Whatever is done resolves to whether it was: a consumer may be gone when its turn has come.
 */
export class Members {
  /** Ends that nobody had asked for: a consumer never dies of an event, nor of a fault that it can ride out. */
  readonly unasked: string[] = [];
  readonly #spawn: (point?: PointInTime) => Consumer;
  readonly #slots: (Consumer | undefined)[] = [];
  readonly #turns = new Map<number, Promise<unknown>>();
  #wanted = 0;
  #isOver = false;

  /** `spawn` starts one more consumer of the group. */
  constructor(spawn: (point?: PointInTime) => Consumer) {
    this.#spawn = spawn;
  }

  /** Starts or stops consumers until there are so many. False: there were already. */
  async setCount(count: number): Promise<boolean> {
    if (count === this.#wanted) return false;
    const slots = Array.from({ length: Math.max(count, this.#wanted) }, (_, slot) => slot);
    this.#wanted = count;
    await Promise.all(
      slots.map((slot) =>
        this.#inTurn(slot, async () => {
          if (slot < this.#wanted) this.#slots[slot] ??= this.#start(slot);
          else await this.#remove(slot);
        }),
      ),
    );
    return true;
  }

  /** Kills one, when it works on partitions and `delay` has resolved; it is started again. */
  kill(index: number, delay: Wait): Promise<boolean> {
    return this.#with(index, async (slot, consumer) => {
      await consumer.works();
      await delay();
      if (!(await consumer.kill())) return false;
      this.#slots[slot] = this.#start(slot);
      return true;
    });
  }

  /** Starts one anew so that it kills itself at that point, and waits until it has. It is started again. */
  killAt(index: number, point: PointInTime): Promise<boolean> {
    return this.#with(index, async (slot, before) => {
      if (!(await before.kill())) return false;
      const doomed = this.#start(slot, point);
      this.#slots[slot] = doomed;
      const isReached = await doomed.reachesPoint();
      if (!isReached) await doomed.kill();
      this.#slots[slot] = this.#start(slot);
      return isReached;
    });
  }

  /** Stops one in order; it is started again. */
  restart(index: number): Promise<boolean> {
    return this.#with(index, async (slot, consumer) => {
      const isDone = await consumer.drain();
      this.#slots[slot] = this.#start(slot);
      return isDone;
    });
  }

  /** Holds one still, when it works on partitions and `delay` has resolved, until `wait` does, and lets it go on. */
  freeze(index: number, delay: Wait, wait: Wait): Promise<boolean> {
    return this.#with(index, async (_, consumer) => {
      await consumer.works();
      await delay();
      return consumer.freeze(wait);
    });
  }

  /** Ends all, whatever they do. */
  async killAll(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#slots.map(async (consumer) => consumer?.kill()));
  }

  async #with(index: number, act: (slot: number, consumer: Consumer) => Promise<boolean>): Promise<boolean> {
    const slot = this.#wanted === 0 ? 0 : index % this.#wanted;
    return this.#inTurn(slot, async () => {
      const consumer = this.#slots[slot];
      return consumer === undefined ? false : act(slot, consumer);
    });
  }

  #inTurn<T>(slot: number, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(slot) ?? Promise.resolve()).then(work);
    this.#turns.set(
      slot,
      turn.catch(() => undefined),
    );
    return turn;
  }

  async #remove(slot: number): Promise<void> {
    const consumer = this.#slots[slot];
    this.#slots[slot] = undefined;
    await consumer?.drain();
  }

  #start(slot: number, point?: PointInTime): Consumer {
    const consumer = this.#spawn(point);
    // Something that was under way when all were killed goes on.
    if (this.#isOver) void consumer.kill();
    void consumer.ended.then((difference) => {
      if (difference === null) return;
      this.unasked.push(difference);
      setTimeout(() => {
        if (this.#slots[slot] === consumer && slot < this.#wanted) this.#slots[slot] = this.#start(slot);
      }, RESTART_AFTER_MS);
    });
    return consumer;
  }
}
