import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { isTransient } from '../../postgres/errors.ts';
import { Alarm } from './alarm.ts';
import type { Arrivals } from './arrivals.ts';
import type { LogConnection, OnTrouble } from './connection.ts';
import { toLogError } from './errors.ts';
import { fairShare, type Share } from './fair-share.ts';
import {
  beat,
  claimPartitions,
  groupNotice,
  joinGroup,
  leaveGroup,
  releasePartitions,
  type GroupView,
  type Membership,
} from './group.ts';

interface MemberCallbacks {
  /** Its heartbeat was answered: this is its share of the partitions. */
  readonly onShare: (partitions: readonly number[]) => void;
  /** They are this member's. Settles when it has begun to read them. */
  readonly onGained: (partitions: readonly number[]) => Promise<void>;
  /** They are this member's no more: from its return on nothing of them may be delivered. */
  readonly onStop: (partitions: readonly number[]) => void;
  /** Comes after `onStop`. Where others have not taken them yet, they wait until this has settled. */
  readonly onLost: (partitions: readonly number[]) => Promise<void>;
  readonly onTrouble: OnTrouble;
  /** The membership has ended by an error. */
  readonly onError: (error: unknown) => void;
}

/** Heartbeats within one session time-out: several may fail before the others think the member dead. */
const BEATS_A_SESSION = 6;
/** How long callbacks under way, and leaving the group, may each hold up `close`, ms. */
const CLOSE_MS = 3_000;

/**
 * One member of a group: says that it lives, takes its fair share of the partitions and gives up what is beyond it.
 * A partition is taken only when nobody owns it: its former owner has given it up, after its own work on it had ended,
 * or has not been heard of for the session's time-out. A member that cannot reach the log for that long counts itself
 * out, by its own clock, before the others can: so no two own a partition at a time.
 */
export class Member {
  readonly #log: LogConnection;
  readonly #arrivals: Arrivals;
  readonly #callbacks: MemberCallbacks;
  readonly #closing = new AbortController();
  readonly #alarm = new Alarm();
  readonly #owned = new Set<number>();
  #membership: Membership;
  /** Whom it was before it counted itself out; still in the group's tables. */
  #former: Membership | undefined;
  #isJoined = false;
  #watchdog: NodeJS.Timeout | undefined;
  /** What is done about partitions, one after the other. */
  #work: Promise<void> = Promise.resolve();
  #isRebalancing = false;
  #run: Promise<void> = Promise.resolve();

  constructor(
    log: LogConnection,
    arrivals: Arrivals,
    membership: Omit<Membership, 'memberId'>,
    callbacks: MemberCallbacks,
  ) {
    this.#log = log;
    this.#arrivals = arrivals;
    this.#membership = { ...membership, memberId: randomUUID() };
    this.#callbacks = callbacks;
  }

  /** The membership under which partitions are owned at this moment. */
  get membership(): Membership {
    return this.#membership;
  }

  start(): void {
    this.#run = this.#live().catch((error: unknown) => {
      this.#callbacks.onError(error);
    });
  }

  /** Whether it owns a partition at this moment. */
  owns(partition: number): boolean {
    return this.#owned.has(partition);
  }

  /** Leaves the group. Settles when no callback runs any more, or after `CLOSE_MS`. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#watchdog);
    await withinMs(CLOSE_MS, Promise.all([this.#run, this.#work]));
    // Best effort: where the log is away, the others find out by the time-out.
    if (this.#isJoined)
      await withinMs(
        CLOSE_MS,
        leaveGroup(this.#log, this.#membership).catch(() => undefined),
      );
  }

  async #live(): Promise<void> {
    const stopListening = this.#arrivals.listen((payload) => {
      if (payload === groupNotice(this.#membership)) this.#alarm.wake();
    });
    const { signal } = this.#closing;
    try {
      while (!signal.aborted) {
        await this.#inLog(() => this.#liveOnce());
        await this.#alarm.wait(signal, this.#membership.sessionTimeoutMs / BEATS_A_SESSION);
      }
    } finally {
      stopListening();
    }
  }

  async #liveOnce(): Promise<void> {
    if (!this.#isJoined) {
      // What it was told to stop working on has to be let go first.
      await this.#work;
      if (this.#closing.signal.aborted) return;
      if (this.#former !== undefined) await leaveGroup(this.#log, this.#former);
      this.#former = undefined;
      await joinGroup(this.#log, this.#membership);
      this.#isJoined = true;
    }
    const { memberId } = this.#membership;
    const sentAt = performance.now();
    const view = await beat(this.#log, this.#membership);
    if (memberId !== this.#membership.memberId || this.#closing.signal.aborted) return;
    if (view === null) {
      this.#countOut();
      return;
    }
    this.#watch(sentAt);
    this.#callbacks.onTrouble(null);
    this.#rebalance(view);
  }

  /** Counted from when the heartbeat was sent: the server counts from when it came. */
  #watch(sentAt: number): void {
    clearTimeout(this.#watchdog);
    const left = sentAt + this.#membership.sessionTimeoutMs - performance.now();
    this.#watchdog = setTimeout(() => {
      const seconds = String(this.#membership.sessionTimeoutMs / 1000);
      this.#callbacks.onTrouble({ message: `${this.#log.address} has not answered for ${seconds} s` });
      this.#countOut();
    }, left);
  }

  /** The others may have taken over: everything is lost, and it joins again as somebody else. */
  #countOut(): void {
    clearTimeout(this.#watchdog);
    const lost = [...this.#owned];
    this.#owned.clear();
    this.#isJoined = false;
    this.#former ??= this.#membership;
    this.#membership = { ...this.#membership, memberId: randomUUID() };
    this.#callbacks.onStop(lost);
    if (lost.length > 0) this.#queue(() => this.#callbacks.onLost(lost));
    this.#alarm.wake();
  }

  #rebalance(view: GroupView): void {
    if (this.#isRebalancing) return;
    const { memberId } = this.#membership;
    const share = fairShare(view, memberId);
    // Claimed, but the answer was lost: given up, and taken again in its turn.
    const strays = view.owners.filter(
      ({ partition, owner }) => owner === memberId && !this.#owned.has(partition),
    );
    const kept = [...this.#owned].filter((partition) => !share.release.includes(partition));
    this.#callbacks.onShare([...kept, ...share.claim]);
    const release = [...new Set([...share.release, ...strays.map(({ partition }) => partition)])];
    if (release.length === 0 && share.claim.length === 0) return;
    this.#isRebalancing = true;
    this.#queue(async () => {
      try {
        await this.#carryOut({ release, claim: share.claim }, memberId);
      } finally {
        this.#isRebalancing = false;
        this.#alarm.wake();
      }
    });
  }

  async #carryOut({ release, claim }: Share, memberId: string): Promise<void> {
    const isCurrent = (): boolean => memberId === this.#membership.memberId && !this.#closing.signal.aborted;
    const lost = release.filter((partition) => this.#owned.delete(partition));
    this.#callbacks.onStop(lost);
    if (lost.length > 0) await this.#callbacks.onLost(lost);
    if (!isCurrent()) return;
    if (release.length > 0) await this.#inLog(() => releasePartitions(this.#log, this.#membership, release));
    if (claim.length === 0 || !isCurrent()) return;
    const gained = await this.#inLog(() => claimPartitions(this.#log, this.#membership, claim));
    if (gained === undefined || gained.length === 0 || !isCurrent()) return;
    for (const partition of gained) this.#owned.add(partition);
    await this.#callbacks.onGained(gained);
  }

  /** Undefined where the log is away: the next heartbeat that comes through sees what is to be done. */
  async #inLog<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const translated = toLogError(error, this.#log);
      if (!isTransient(error)) throw translated;
      this.#callbacks.onTrouble({ message: translated.message });
      return undefined;
    }
  }

  #queue(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((error: unknown) => {
      if (!this.#closing.signal.aborted) this.#callbacks.onError(error);
    });
  }
}

/** Settles with `work`, or when time is up. */
async function withinMs(ms: number, work: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  await Promise.race([work, delay(ms, undefined, { signal: over.signal }).catch(() => undefined)]);
  over.abort();
}
