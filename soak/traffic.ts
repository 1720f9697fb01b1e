import { seededRandom } from '../bench/frame/random.ts';
import type { NewRecord } from '../src/domain/record.ts';
import { partitionFor } from '../src/domain/partitioner.ts';
import { writeEnvelope } from '../src/domain/write-envelope.ts';
import { ReferenceModel, type ModelEvent } from '../test/support/reference-model.ts';
import { POISON, poisonRecord, SOURCE, type Poison } from './poison.ts';

/** A record, and what it is for the count. */
export interface Sent {
  readonly record: NewRecord;
  readonly what: 'valid' | 'rollback' | 'any order' | 'duplicate' | Poison;
}

/** What has to come of a user whose events all are in order: the second, plain model of the semantics says it. */
export interface OrderlyUser {
  readonly userId: string;
  readonly model: ReferenceModel;
  /** Event ids; a model's event is known by its place here. */
  readonly ids: string[];
  /** Of the topic, when the newest one was sent. */
  partitions: number;
}

/** At a time. */
const ORDERLY_USERS = 400;
/** A user with so many events is followed by a new one: the model looks at all of a history again and again. */
const LONGEST_HISTORY = 40;
const WILD_USERS = 100;
/** No plan was shown before it, and nothing has drifted. */
const UNCONDITIONAL = { upTo: null, force: false } as const;
/** So many of the newest records can be sent again. */
const KEPT = 4_000;

/**
 * What one producer sends, as a function of its seed: orderly users, whose events strict rules accept (rollbacks and
 * redos of any depth among them), and wild ones, whose events come in any order and are every kind of poison.
 */
export class Traffic {
  /** All that there ever were. */
  readonly orderly: OrderlyUser[] = [];
  readonly #active: OrderlyUser[];
  readonly #name: string;
  readonly #random: () => number;
  readonly #kept: NewRecord[] = [];
  readonly #wildIds = new Map<string, string>();
  /** Of the topic. */
  partitions: number;

  constructor(seed: number, producer: number, partitions: number) {
    this.partitions = partitions;
    this.#name = String(producer);
    this.#random = seededRandom(seed * 31 + producer);
    this.#active = Array.from({ length: ORDERLY_USERS }, () => this.#newUser());
  }

  /** The next records, in the order in which they have to be sent. */
  next(count: number): readonly Sent[] {
    return Array.from({ length: count }, () => {
      const sent = this.#one();
      this.#kept.push(sent.record);
      if (this.#kept.length > KEPT) this.#kept.splice(0, KEPT / 2);
      return sent;
    });
  }

  /** The newest records once more, in their order. */
  again(count: number): readonly NewRecord[] {
    return this.#kept.slice(-count);
  }

  /**
   * Rollbacks of up to so many users, each in the partition of the user's newest event as the product sends it
   * (docs/adr/0006). After a growth nothing newer of the user may be sent before they are decided.
   */
  rollbacks(most: number): readonly (Sent & { readonly eventId: string })[] {
    const users = this.#active.filter(({ ids }) => ids.length > 0).slice(0, most);
    return users.map((user) => {
      const eventId = this.#newId();
      const partition = partitionFor(Buffer.from(user.userId), user.partitions);
      const { record } = this.#rollback(user, eventId);
      return { record: { ...record, partition }, what: 'rollback', eventId };
    });
  }

  #one(): Sent {
    const dice = this.#random();
    const old = this.#kept[this.#below(this.#kept.length)];
    if (dice < 0.02 && old !== undefined) return { record: old, what: 'duplicate' };
    if (dice < 0.12) return this.#wild();
    const place = this.#below(ORDERLY_USERS);
    const known = this.#active[place] ?? this.#newUser();
    const user = known.ids.length < LONGEST_HISTORY ? known : this.#newUser();
    this.#active[place] = user;
    return this.#inOrder(user);
  }

  #newUser(): OrderlyUser {
    const userId = `orderly-${this.#name}-${String(this.orderly.length)}`;
    const user = { userId, model: new ReferenceModel(() => false), ids: [], partitions: this.partitions };
    this.orderly.push(user);
    return user;
  }

  #inOrder(user: OrderlyUser): Sent {
    const { userId, model, ids } = user;
    const isThere = model.rows[userId] !== undefined;
    const id = ids.length;
    const dice = this.#random();
    const eventId = this.#newId();
    // In an older partition than the user's next event a rollback could be overtaken by it.
    const isWhereKeyGoes = user.partitions === this.partitions;
    if (id > 0 && dice < 0.1 && isWhereKeyGoes) return this.#rollback(user, eventId);
    ids.push(eventId);
    user.partitions = this.partitions;
    // Before the first event a put would presume nothing, and leave a rollback of it undecided by existence.
    const kind = isThere ? this.#change(dice) : id === 0 || dice < 0.9 ? 'create' : 'put';
    const fields = kind === 'delete' ? {} : this.#fields(userId, kind === 'create');
    model.take({ id, user: userId, kind, fields, targets: [], mode: 'only', ...UNCONDITIONAL });
    return {
      record: writeEnvelope({ kind: 'cud', operation: kind, eventId, userId, fields }, SOURCE),
      what: 'valid',
    };
  }

  #change(dice: number): 'delete' | 'put' | 'update' {
    return dice < 0.2 ? 'delete' : dice < 0.3 ? 'put' : 'update';
  }

  /** Withdraws one or two of the user's newest events: rollbacks among them, which is a redo. */
  #rollback({ userId, model, ids }: OrderlyUser, eventId: string): Sent {
    const id = ids.push(eventId) - 1;
    const pick = (): number => Math.max(0, id - 1 - this.#below(6));
    const targets = [...new Set(this.#random() < 0.7 ? [pick()] : [pick(), pick()])];
    const mode: ModelEvent['mode'] = this.#random() < 0.5 ? 'only' : 'cascade';
    model.take({ id, user: userId, kind: 'rollback', fields: {}, targets, mode, ...UNCONDITIONAL });
    const terms = {
      mode,
      upTo: null,
      force: false,
      reason: null,
      operator: 'soak',
      rules: 'strict',
    } as const;
    const targetIds = targets.map((target) => ids[target] ?? '');
    const event = { kind: 'rollback', partition: 0, eventId, userId, targets: targetIds, ...terms } as const;
    // Where its key goes.
    const { partition: _, ...record } = writeEnvelope(event, SOURCE);
    return { record, what: 'rollback' };
  }

  #wild(): Sent {
    const userId = `wild-${this.#name}-${String(this.#below(WILD_USERS))}`;
    const newId = (): string => {
      const id = this.#newId();
      this.#wildIds.set(userId, id);
      return id;
    };
    if (this.#random() < 0.5) {
      const operation = (['create', 'update', 'delete', 'put'] as const)[this.#below(4)] ?? 'put';
      const fields = operation === 'delete' ? {} : this.#fields(userId, operation === 'create');
      return {
        record: writeEnvelope({ kind: 'cud', operation, eventId: newId(), userId, fields }, SOURCE),
        what: 'any order',
      };
    }
    const what = POISON[this.#below(POISON.length)] ?? 'bad JSON';
    const usedId = this.#wildIds.get(userId) ?? null;
    return {
      record: poisonRecord(what, { userId, newId, usedId, below: (limit) => this.#below(limit) }),
      what,
    };
  }

  #fields(userId: string, isWhole: boolean): Record<string, string | number> {
    const all = {
      name: `Name ${String(this.#below(1e6))}`,
      email: `${userId}@example.com`,
      age: this.#below(100),
    };
    if (isWhole) return all;
    const { name, age } = all;
    return this.#random() < 0.5 ? { name } : { age };
  }

  #newId(): string {
    const hex = Array.from({ length: 32 }, () => this.#below(16).toString(16)).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}
