/**
 * The semantics of DESIGN 4 and 5 for one service, written down a second time and as plainly as possible: no batches,
 * no images, no SQL. A user's row is always the fold of the events that are applied. Strict rules.
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
  /** Over drift, of which there is none here. */
  readonly force: boolean;
}

interface Entry {
  readonly event: ModelEvent;
  status: string;
  /** What an accepted rollback withdraws. */
  list: readonly number[] | null;
}

type Row = Record<string, string | number | null>;

export class ReferenceModel {
  readonly #histories = new Map<string, Entry[]>();
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
    const entry: Entry = { event, status: '', list: null };
    if (event.kind === 'rollback') this.#decide(history, entry);
    history.push(entry);
    this.#order.push(entry);
    if (event.kind !== 'rollback') this.#runFrom(history, history.length - 1);
    else if (entry.list !== null) this.#follow(history);
  }

  retry(id: number): void {
    this.#choose(id, (history, index) => {
      this.#runFrom(history, index);
    });
  }

  skip(id: number): void {
    this.#choose(id, (history, index) => {
      const entry = history[index];
      if (entry !== undefined) entry.status = 'skipped';
      this.#runFrom(history, index + 1);
    });
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
    const rows: Record<string, Row> = {};
    for (const [user, history] of this.#histories) {
      const row = rowOf(history, history.length);
      if (row !== null) rows[user] = row;
    }
    return rows;
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

  /** After an accepted rollback: everything from the first event whose standing changed is done anew. */
  #follow(history: Entry[]): void {
    const stands = standing(history);
    const changed = history.findIndex(({ event, status }) =>
      stands.has(event.id) ? status === 'rolled_back' : status !== 'rolled_back' && status !== 'refused',
    );
    if (changed >= 0) this.#runFrom(history, changed);
  }

  #runFrom(history: Entry[], from: number): void {
    const stands = standing(history);
    const old = history.map(({ status }) => status);
    for (const entry of history.slice(from)) if (entry.event.kind !== 'rollback') entry.status = '';
    history.forEach((entry, index) => {
      if (index < from) return;
      const { event } = entry;
      const was = old[index] ?? '';
      if (was === 'refused') return;
      if (!stands.has(event.id)) entry.status = 'rolled_back';
      else if (event.kind === 'rollback') entry.status = 'applied';
      else if (was === 'skipped') entry.status = 'skipped';
      else if (history.slice(0, index).some(({ status }) => status === 'failed')) entry.status = 'parked';
      else entry.status = this.#isExecutable(history, index) ? 'applied' : 'failed';
    });
  }

  #isExecutable(history: readonly Entry[], index: number): boolean {
    const entry = history[index];
    const row = rowOf(history, index);
    if (entry === undefined) return false;
    const { kind } = entry.event;
    if (kind === 'create' && row !== null) return false;
    if ((kind === 'update' || kind === 'delete') && row === null) return false;
    const next = step(row, entry.event);
    return next === null || !this.#refuses(next);
  }
}

function standing(history: readonly Entry[]): ReadonlySet<number> {
  const withdrawn = new Set<number>();
  const stands = new Set<number>();
  for (const { event, list } of history.toReversed()) {
    if (withdrawn.has(event.id)) continue;
    stands.add(event.id);
    for (const id of list ?? []) withdrawn.add(id);
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

function rowOf(history: readonly Entry[], end: number): Row | null {
  let row: Row | null = null;
  for (const { event, status } of history.slice(0, end)) if (status === 'applied') row = step(row, event);
  return row;
}

function step(row: Row | null, event: ModelEvent): Row | null {
  if (event.kind === 'rollback') return row;
  return event.kind === 'delete' ? null : { ...row, ...event.fields };
}
