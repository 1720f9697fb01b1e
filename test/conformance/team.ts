import { afterEach } from '@jest/globals';
import type { LogRecord } from '../../src/domain/record.ts';
import type { EventLog, RecordBatch, SubscribeOptions, Subscription } from '../../src/log/event-log.ts';

/**
 * The members of one consumer group as a careful application has them: the positions are kept outside the log, and
 * what is against the port's promises is noted in `violations`.
 */
export class Team {
  readonly group: string;
  /** Partition → the offset to read next. */
  readonly positions = new Map<number, bigint>();
  /** In the order delivered, from all members. */
  readonly received: LogRecord[] = [];
  readonly violations: string[] = [];
  readonly #owners = new Map<number, string>();
  readonly #members: Member[] = [];

  constructor(group: string) {
    this.group = group;
  }

  async join(name: string, log: EventLog, options: Partial<SubscribeOptions> = {}): Promise<Member> {
    const member = new Member(name, this);
    this.#members.push(member);
    await member.subscribe(log, options);
    return member;
  }

  /** The partitions of one member, ascending. */
  partitionsOf(name: string): readonly number[] {
    return [...this.#owners].filter(([, owner]) => owner === name).map(([partition]) => partition);
  }

  get valuesReceived(): readonly string[] {
    return this.received.map(({ value }) => value?.toString() ?? '');
  }

  assigned(name: string, partitions: readonly number[]): ReadonlyMap<number, bigint> {
    for (const partition of partitions) {
      const owner = this.#owners.get(partition);
      if (owner !== undefined && owner !== name) {
        this.violations.push(`${partition} is given to ${name} while ${owner} has it`);
      }
      this.#owners.set(partition, name);
    }
    return new Map(partitions.map((partition) => [partition, this.positions.get(partition) ?? 0n]));
  }

  lost(name: string, partitions: readonly number[]): void {
    for (const partition of partitions) {
      if (this.#owners.get(partition) === name) this.#owners.delete(partition);
    }
  }

  receive(name: string, batch: RecordBatch): void {
    const { partition, nextOffset } = batch;
    if (this.#owners.get(partition) !== name) {
      this.violations.push(`${name} receives of ${partition}, which is not its own`);
    }
    let expected = this.positions.get(partition) ?? 0n;
    for (const record of batch.records) {
      if (record.offset < expected) this.violations.push(`${partition}@${record.offset} comes again`);
      if (record.partition !== partition) this.violations.push(`${partition} has a record of another`);
      expected = record.offset + 1n;
    }
    if (nextOffset < expected)
      this.violations.push(`${partition} goes on at ${nextOffset}, before ${expected}`);
    this.received.push(...batch.records);
    this.positions.set(partition, nextOffset);
  }

  async leaveAll(): Promise<void> {
    await Promise.all(this.#members.splice(0).map((member) => member.leave()));
  }
}

export class Member {
  readonly name: string;
  readonly #team: Team;
  #subscription: Subscription | undefined;
  #isLeaving = false;

  constructor(name: string, team: Team) {
    this.name = name;
    this.#team = team;
  }

  get partitions(): readonly number[] {
    return this.#team.partitionsOf(this.name);
  }

  get subscription(): Subscription {
    if (this.#subscription === undefined) throw new Error(`${this.name} has not subscribed`);
    return this.#subscription;
  }

  async subscribe(log: EventLog, options: Partial<SubscribeOptions>): Promise<void> {
    const team = this.#team;
    this.#subscription = await log.subscribe({
      group: team.group,
      onAssigned: (partitions) => Promise.resolve(team.assigned(this.name, partitions)),
      onRevoked: (partitions) => {
        team.lost(this.name, partitions);
        return Promise.resolve();
      },
      onBatch: (batch) => {
        if (!this.#isLeaving) team.receive(this.name, batch);
      },
      ...options,
    });
  }

  /** It has stopped its work when it leaves: from here on its partitions may be another's. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    this.#team.lost(this.name, this.partitions);
    await this.#subscription?.close();
  }
}

/** Teams whose members leave after the test; to be called before `useLogs`, so that they leave before the logs close. */
export function useTeams(): (group: string) => Team {
  const teams: Team[] = [];
  afterEach(async () => {
    await Promise.all(teams.splice(0).map((team) => team.leaveAll()));
  });
  return (group) => {
    const team = new Team(group);
    teams.push(team);
    return team;
  };
}
