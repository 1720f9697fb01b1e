import { types } from 'node:util';
import pg from 'pg';

/** What a watch says of a statement that has no answer yet. */
export type StatementState =
  /** Nobody answers, not on another connection either. */
  | { readonly kind: 'silent'; readonly forMs: number }
  /** The server works on it, or lets it wait for a lock. */
  | { readonly kind: 'busy'; readonly forMs: number }
  /** What was told is over: it was answered, or its connection was cut. */
  | { readonly kind: 'over'; readonly isAnswered: boolean };

export interface StatementWatch {
  /** Aborted when the process is to end: a statement without an answer is then not waited for much longer. */
  readonly signal: AbortSignal;
  readonly onState: (state: StatementState) => void;
  readonly times?: Partial<WatchTimes>;
}

/** All ms. */
export interface WatchTimes {
  /** A statement without an answer for so long is looked after. */
  readonly lookAfterMs: number;
  readonly lookEveryMs: number;
  /** A statement that the server works on is told of after so long. */
  readonly busyAfterMs: number;
  /** A server that answers nobody has lost the connection after so long; TCP would notice after a quarter of an hour. */
  readonly cutAfterMs: number;
  /** How long one look may take. */
  readonly askWithinMs: number;
  /** How long a statement may still take when the process is to end. */
  readonly endWithinMs: number;
}

const TIMES: WatchTimes = {
  lookAfterMs: 3_000,
  lookEveryMs: 5_000,
  busyAfterMs: 10_000,
  cutAfterMs: 30_000,
  askWithinMs: 3_000,
  endWithinMs: 10_000,
};

/** How soon a server notices that the client of a running statement is gone: its locks are free then. */
const SERVER_CHECKS_CLIENT = '2s';

type Answer = 'running' | 'not running' | 'no answer';

/**
 * Watches the statements of a connection: a host that vanished says nothing, and the driver would wait for it. What has
 * no answer is asked after on another connection. What the server works on is left alone, however long it takes; what
 * it does not know of, or has not been heard of for `cutAfterMs`, is cut off: the statement fails, its outcome unknown.
 * Also asks the server to look after its side, so that a connection that was cut does not hold locks for long.
 */
export async function watchConnection(
  client: pg.ClientBase,
  address: pg.ClientConfig,
  watch: StatementWatch,
): Promise<void> {
  const send = (...request: unknown[]): unknown => Reflect.apply(original, client, request);
  // eslint-disable-next-line @typescript-eslint/unbound-method -- applied to its own client, with whatever overload was meant
  const original = client.query;
  const query = (...request: unknown[]): unknown => {
    const answer = send(...request);
    if (types.isPromise(answer)) void new WatchedStatement(client, address, watch).follow(answer);
    return answer;
  };
  Object.defineProperty(client, 'query', { value: query });
  // Not known to servers before 14, and refused on systems where it cannot work: then TCP's own time-outs have to do.
  await client
    .query(
      `select set_config(name, $1, false) from pg_settings where name = 'client_connection_check_interval'`,
      [SERVER_CHECKS_CLIENT],
    )
    .catch(() => undefined);
}

class WatchedStatement {
  readonly #client: pg.ClientBase;
  readonly #address: pg.ClientConfig;
  readonly #watch: StatementWatch;
  readonly #times: WatchTimes;
  readonly #sentAt = performance.now();
  /** When the server was last known to be there. */
  #heardAt = this.#sentAt;
  #endAt: number | null = null;
  #told: 'silent' | 'busy' | null = null;
  #notRunning = 0;

  constructor(client: pg.ClientBase, address: pg.ClientConfig, watch: StatementWatch) {
    this.#client = client;
    this.#address = address;
    this.#watch = watch;
    this.#times = { ...TIMES, ...watch.times };
  }

  /** Looks after the statement until it is answered or cut. Never rejects. */
  async follow(answer: Promise<unknown>): Promise<void> {
    const answered = new AbortController();
    const settle = (): void => {
      answered.abort();
    };
    answer.then(settle, settle);
    const isAnswered = (): boolean => answered.signal.aborted;
    await this.#pause(this.#times.lookAfterMs, answered.signal);
    while (!isAnswered()) {
      const found = await this.#ask();
      if (isAnswered()) break;
      this.#tell(found);
      if (this.#isLost(found)) {
        cutConnection(this.#client);
        break;
      }
      await this.#pause(this.#times.lookEveryMs, answered.signal);
    }
    if (this.#told !== null) this.#watch.onState({ kind: 'over', isAnswered: isAnswered() });
  }

  /** Waits; less long where the process is asked to end meanwhile. */
  async #pause(ms: number, answered: AbortSignal): Promise<void> {
    const { signal } = this.#watch;
    // When it is to end, every look counts.
    const pause = signal.aborted ? Math.min(ms, this.#times.endWithinMs / 4) : ms;
    await pauseUnless(pause, signal.aborted ? [answered] : [answered, signal]);
    if (signal.aborted) this.#endAt ??= performance.now() + this.#times.endWithinMs;
  }

  get #forMs(): number {
    return performance.now() - this.#sentAt;
  }

  #tell(found: Answer): void {
    const kind = found === 'no answer' ? 'silent' : 'busy';
    if (kind === this.#told || (kind === 'busy' && this.#forMs < this.#times.busyAfterMs)) return;
    this.#told = kind;
    this.#watch.onState({ kind, forMs: this.#forMs });
  }

  #isLost(found: Answer): boolean {
    if (found !== 'no answer') this.#heardAt = performance.now();
    // Once may be an answer on its way.
    this.#notRunning = found === 'not running' ? this.#notRunning + 1 : 0;
    if (this.#notRunning > 1) return true;
    if (this.#endAt !== null && (found === 'no answer' || performance.now() > this.#endAt)) return true;
    return performance.now() - this.#heardAt > this.#times.cutAfterMs;
  }

  /** Asks the server, on a connection of its own, whether it works on the statement. */
  async #ask(): Promise<Answer> {
    const { askWithinMs } = this.#times;
    const client = new pg.Client({
      ...this.#address,
      connectionTimeoutMillis: askWithinMs,
      query_timeout: askWithinMs,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      // With track_activities off the state says nothing: a session that is there counts as at work.
      const text = `select from pg_stat_activity where pid = $1 and coalesce(state, '') not like 'idle%'`;
      const { rowCount } = await client.query(text, [processIdOf(this.#client)]);
      return rowCount === 0 ? 'not running' : 'running';
    } catch (error) {
      // No free connection, or no right: it is there, and that is all that can be known.
      return error instanceof pg.DatabaseError && error.code?.startsWith('57P') !== true
        ? 'running'
        : 'no answer';
    } finally {
      client.end().catch(() => undefined);
    }
  }
}

/**
 * Waits, unless one of the signals is aborted. Takes its listeners away: what AbortSignal.any makes stays known to a signal
 * that lives as long as the process, one entry a statement.
 */
async function pauseUnless(ms: number, signals: readonly AbortSignal[]): Promise<void> {
  if (signals.some(({ aborted }) => aborted)) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms).unref();
    for (const signal of signals) signal.addEventListener('abort', end);
  });
}

/** The server process that a connection talks to: the driver has it from the start-up, its types do not. */
function processIdOf(client: pg.ClientBase): number {
  return 'processID' in client && typeof client.processID === 'number' ? client.processID : 0;
}

/**
 * Cuts the connection of a client that does not answer: its statement fails at once, and the pool drops it when it is
 * given back. What the statement did is unknown.
 */
export function cutConnection(client: pg.ClientBase): void {
  // While a statement runs, the driver's `end` destroys the socket rather than waiting for the answer.
  if (client instanceof pg.Client) client.end().catch(() => undefined);
}
