/**
 * The semantics of DESIGN 4 and 5 for one service, written down a second time and as plainly as possible: no batches,
 * no SQL. Of every applied event it remembers the row that the event met: what a rewind goes back to, and what tells that
 * somebody else has changed the row since. Strict rules.
 */
export interface ModelEvent {
  readonly id: number;
  readonly user: string;
  readonly kind: 'create' | 'update' | 'delete' | 'put' | 'rollback';
  readonly fields: Readonly<Record<string, string | number | null>>;
  readonly targets: readonly number[];
  readonly mode: 'only' | 'cascade';
  /** The newest event that the plan showed; null: none was shown. */
  readonly upTo: number | null;
  /** Over drift. */
  readonly force: boolean;
}

interface Entry {
  readonly event: ModelEvent;
  status: string;
  /** What an accepted rollback withdraws. */
  list: readonly number[] | null;
  /** The row that it met when it was applied. */
  met: Row | null;
}

type Row = Readonly<Record<string, string | number | null>>;

export class ReferenceModel {
  readonly #histories = new Map<string, Entry[]>();
  readonly #rows = new Map<string, Row | null>();
  readonly #order: Entry[] = [];
  readonly #seen = new Set<number>();
  /** What the database refuses: asked of the row that an event would leave. */
  readonly #refuses: (row: Row) => boolean;

  constructor(refuses: (row: Row) => boolean) {
    this.#refuses = refuses;
  }

  /** Decides on the next event of the log. */
  take(event: ModelEvent): void {
    if (this.#seen.has(event.id)) return;
    this.#seen.add(event.id);
    const history = this.#history(event.user);
    const entry: Entry = { event, status: '', list: null, met: null };
    if (event.kind === 'rollback') this.#decide(history, entry);
    history.push(entry);
    this.#order.push(entry);
    if (event.kind !== 'rollback') this.#runFrom(history, history.length - 1, 'leave');
    else if (entry.list !== null && !this.#follow(history, event.force)) entry.status = 'failed';
  }

  /** A rollback that could not be executed is executed as if it came now; any other event alone, and what it held back. */
  retry(id: number, force = false): void {
    this.#choose(id, (history, index) => {
      if (history[index]?.event.kind === 'rollback') this.#follow(history, force);
      else this.#runFrom(history, index, 'leave');
    });
  }

  skip(id: number): void {
    this.#choose(id, (history, index) => {
      const entry = history[index];
      if (entry !== undefined) entry.status = 'skipped';
      this.#runFrom(history, index + 1, 'leave');
    });
  }

  /** Somebody else changes a user's row. */
  meddle(user: string, change: (row: Row | null) => Row | null): void {
    this.#rows.set(user, change(this.#rows.get(user) ?? null));
  }

  /** Failed events, by id. */
  get failed(): readonly number[] {
    return this.#order.filter(({ status }) => status === 'failed').map(({ event }) => event.id);
  }

  /** Every event's status, in log order. */
  get statuses(): readonly (readonly [number, string])[] {
    return this.#order.map(({ event, status }) => [event.id, status] as const);
  }

  get rows(): Readonly<Record<string, Row>> {
    return Object.fromEntries(
      [...this.#rows].flatMap(([user, row]) => (row === null ? [] : [[user, row] as const])),
    );
  }

  #history(user: string): Entry[] {
    const history = this.#histories.get(user) ?? [];
    this.#histories.set(user, history);
    return history;
  }

  #choose(id: number, act: (history: Entry[], index: number) => void): void {
    for (const history of this.#histories.values()) {
      const index = history.findIndex(({ event, status }) => event.id === id && status === 'failed');
      if (index >= 0) act(history, index);
    }
  }

  #decide(history: readonly Entry[], rollback: Entry): void {
    const { targets, mode, upTo } = rollback.event;
    const first = history.findIndex(({ event }) => targets.includes(event.id));
    rollback.status = 'refused';
    if (first < 0) return;
    const before = standing(history);
    const list = history.flatMap(({ event }, index) => {
      const isCascaded =
        mode === 'cascade' && index > first && event.kind !== 'rollback' && before.has(event.id);
      return targets.includes(event.id) || isCascaded ? [event.id] : [];
    });
    const shown = history.findIndex(({ event }) => event.id === upTo);
    const isNewer = history.some(
      ({ event }, index) => index > shown && list.includes(event.id) && !targets.includes(event.id),
    );
    if (mode === 'cascade' && upTo !== null && isNewer) return;
    const after = standing([...history, { ...rollback, list }]);
    const broken = invalid(history, after).filter((id) => !invalid(history, before).includes(id));
    if (broken.length > 0) return;
    rollback.status = 'applied';
    rollback.list = list;
  }

  /**
   * Rollbacks take effect, those too that could not before: everything from the first event whose standing changed is done
   * anew, on the row that the first applied one of them had met. False: somebody changed the row, and nothing was done.
   */
  #follow(history: Entry[], force: boolean): boolean {
    const stands = standing(history, isSkippedRollback);
    const from = history.findIndex(({ event, status }) =>
      stands.has(event.id) ? status === 'rolled_back' : status !== 'rolled_back' && status !== 'refused',
    );
    if (from < 0) return true;
    const first = history.slice(from).find(isApplied);
    if (first !== undefined) {
      const { user } = first.event;
      if (!force && isChanged(history.filter(isApplied), this.#rows.get(user) ?? null)) return false;
      this.#rows.set(user, first.met);
    }
    this.#runFrom(history, from, 'execute');
    return true;
  }

  /** What becomes of rollbacks that could not be executed: left as they are, or executed with the rest. */
  #runFrom(history: readonly Entry[], from: number, failedRollbacks: 'leave' | 'execute'): void {
    const isLeft = ({ event, status }: Entry): boolean =>
      failedRollbacks === 'leave' && event.kind === 'rollback' && status === 'failed';
    const stands = standing(history, (entry) => isSkippedRollback(entry) || isLeft(entry));
    const old = history.map(({ status }) => status);
    for (const entry of history.slice(from)) if (!isLeft(entry)) entry.status = '';
    history.forEach((entry, index) => {
      const { event } = entry;
      const was = old[index] ?? '';
      if (index < from || isLeft(entry)) return;
      if (was === 'refused' || (was === 'skipped' && stands.has(event.id))) entry.status = was;
      else if (!stands.has(event.id)) entry.status = 'rolled_back';
      else if (event.kind === 'rollback') entry.status = 'applied';
      else if (history.slice(0, index).some(({ status }) => status === 'failed')) entry.status = 'parked';
      else entry.status = this.#execute(entry) ? 'applied' : 'failed';
    });
  }

  #execute(entry: Entry): boolean {
    const { event } = entry;
    const { kind, user } = event;
    const row = this.#rows.get(user) ?? null;
    if (kind === 'create' && row !== null) return false;
    if ((kind === 'update' || kind === 'delete') && row === null) return false;
    const next = step(row, event);
    if (next !== null && this.#refuses(next)) return false;
    entry.met = row;
    this.#rows.set(user, next);
    return true;
  }
}

function isApplied({ event, status }: Entry): boolean {
  return event.kind !== 'rollback' && status === 'applied';
}

function isSkippedRollback({ event, status }: Entry): boolean {
  return event.kind === 'rollback' && status === 'skipped';
}

/** Whether a row is not what the newest applied event made of it, in what the applied events have carried. */
function isChanged(applied: readonly Entry[], row: Row | null): boolean {
  const newest = applied.at(-1);
  if (newest === undefined) return false;
  const made = step(newest.met, newest.event);
  if (made === null || row === null) return made !== row;
  const carried = new Set(
    applied.flatMap(({ event }) => Object.keys(event.kind === 'delete' ? {} : event.fields)),
  );
  return [...carried].some((name) => (made[name] ?? null) !== (row[name] ?? null));
}

function standing(
  history: readonly Entry[],
  passOver: (entry: Entry) => boolean = () => false,
): ReadonlySet<number> {
  const withdrawn = new Set<number>();
  const stands = new Set<number>();
  for (const entry of history.toReversed()) {
    const { event, list } = entry;
    if (withdrawn.has(event.id)) continue;
    stands.add(event.id);
    if (!passOver(entry)) for (const id of list ?? []) withdrawn.add(id);
  }
  return stands;
}

/** Standing events that strict rules would refuse, by existence alone. */
function invalid(history: readonly Entry[], stands: ReadonlySet<number>): readonly number[] {
  const cud = history.filter(({ event }) => event.kind !== 'rollback').map(({ event }) => event);
  let exists: 'yes' | 'no' | 'who knows' =
    cud[0]?.kind === 'create' ? 'no' : cud[0]?.kind === 'put' ? 'who knows' : 'yes';
  const found: number[] = [];
  for (const { id, kind } of cud) {
    if (!stands.has(id)) continue;
    const isWrong = kind === 'create' ? exists === 'yes' : kind === 'put' ? false : exists === 'no';
    if (isWrong) found.push(id);
    exists = kind === 'delete' ? 'no' : kind === 'update' ? exists : 'yes';
  }
  return found;
}

function step(row: Row | null, event: ModelEvent): Row | null {
  if (event.kind === 'rollback') return row;
  return event.kind === 'delete' ? null : { ...row, ...event.fields };
}
