import { CONSUMER_DATABASE } from '../../src/cli/consume-options.ts';
import { fold, type FoldInput, type UserFacts } from '../../src/domain/fold.ts';
import type { EventError } from '../../src/domain/column-values.ts';
import type { LogEvent } from '../../src/domain/event.ts';
import { readEnvelope } from '../../src/domain/read-envelope.ts';
import { openGroup } from '../../src/app/consume/open-group.ts';
import { applyBatch, type Claim } from '../../src/postgres/sql/apply-batch.ts';
import { raiseEpochs, startPositions } from '../../src/postgres/sql/positions.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import { REFUSED_NAME } from './corpus.ts';
import { readTimeline, reset, SCHEMA, type BenchService } from './service.ts';

/** As `consume` has it. */
const BATCH_SIZE = 2_000;
const REFUSED: EventError = { code: 'DATABASE_CONSTRAINT', sqlState: '23514', message: 'refused' };

/** One batch in the staging table. */
interface Chunk {
  readonly chunk: number;
  readonly partition: number;
  readonly nextOffset: bigint;
  readonly duplicates: number;
}

/**
 * The floor: THE batch statement itself, with the arrays of its parameters kept in a staging table instead of coming
 * from a consumer. No log, no decoding, no fold, no parameters on the wire: what PostgreSQL does at the least.
 */
export class Floor {
  readonly #service: BenchService;
  readonly #chunks: readonly Chunk[];
  readonly #text: string;

  private constructor(service: BenchService, chunks: readonly Chunk[], text: string) {
    this.#service = service;
    this.#chunks = chunks;
    this.#text = text;
  }

  /** Folds the whole log into batches, as the consumer would, and stages the parameters of each. */
  static async stage(service: BenchService): Promise<Floor> {
    const staging = new Staging(service.pool);
    const chunks: Chunk[] = [];
    for (const batch of await foldLog(service)) chunks.push(await staging.add(batch));
    await service.pool.query('create index on bench.staging (chunk); analyze bench.staging');
    return new Floor(service, chunks, staging.floorText());
  }

  /** Executes all batches on as many connections as the consumer has: events a second. */
  async run(): Promise<number> {
    const { pool, connectionString } = this.#service;
    await reset(this.#service);
    const partitions = [...new Set(this.#chunks.map(({ partition }) => partition))];
    await startPositions(
      pool,
      SCHEMA,
      partitions.map((partition) => ({ partition, offset: 0n, generation: 0 })),
    );
    const { maxConnections: max = 1, settings = {} } = CONSUMER_DATABASE;
    const session = createPool({ connectionString, max, settings });
    try {
      await Promise.all(Array.from({ length: max }, () => session.query('select 1')));
      const claims = await raiseEpochs(pool, SCHEMA, partitions);
      await Promise.all(claims.map((claim) => this.#runPartition(session, claim)));
    } finally {
      await session.end();
    }
    const { events, assignedMs, lastCommitMs } = await readTimeline(this.#service);
    return (events / (lastCommitMs - assignedMs)) * 1000;
  }

  async #runPartition(session: Pool, start: Claim): Promise<void> {
    let claim = start;
    for (const { chunk, partition, nextOffset, duplicates } of this.#chunks) {
      if (partition !== claim.partition) continue;
      const { epoch, revision, generation } = claim;
      const values = [
        partition,
        epoch,
        claim.nextOffset,
        revision,
        nextOffset,
        generation,
        duplicates,
        chunk,
      ];
      await session.query({ name: 'floor', text: this.#text, values });
      claim = { ...claim, nextOffset };
    }
  }
}

interface StagedBatch extends Omit<Chunk, 'chunk'> {
  /** THE statement, and the values of its parameters. */
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What the consumer would send for this log, batch by batch; what the constraint refuses is known beforehand. */
async function foldLog({ log, pool, topic }: BenchService): Promise<readonly StagedBatch[]> {
  const options = {
    group: topic,
    acceptGap: false,
    operator: 'bench',
    ignoreTypes: new Set<string>(),
    mapTypes: new Map(),
  };
  const group = await openGroup(log, { pool, schema: SCHEMA, address: '' }, options);
  const statement = applyBatch(SCHEMA, group.mapper.table);
  const events = new Map<number, LogEvent[]>();
  const ranges = (await log.watermarks()).map(({ partition, low }) => ({ partition, from: low }));
  for await (const { partition, records } of log.read(ranges)) {
    const read = events.get(partition) ?? [];
    for (const record of records) read.push(readEnvelope(record, group.envelope));
    events.set(partition, read);
  }
  const batches: StagedBatch[] = [];
  for (const [partition, all] of events) {
    const users = new Map<string, UserFacts>();
    let claim: Claim = { partition, epoch: 0n, revision: 0n, generation: 0, nextOffset: 0n };
    for (let at = 0; at < all.length;) {
      const portion = all.slice(at, at + BATCH_SIZE);
      const facts: FoldInput['facts'] = { areRead: false, users, events: new Map() };
      const folded = fold({ ...group, events: portion, facts, refused: refusedOf(portion) });
      for (const [userId, after] of folded.after) users.set(userId, after);
      for (const { event, status } of folded.decisions) {
        if (status !== 'failed' || event.userId === null) continue;
        users.set(event.userId, { exists: true, blockedBy: event.eventId });
      }
      at += folded.taken;
      const nextOffset = all[at]?.offset ?? (all.at(-1)?.offset ?? 0n) + 1n;
      const values = statement.parameters(claim, { ...folded, nextOffset });
      const { duplicates } = folded;
      batches.push({ partition, nextOffset, duplicates, text: statement.text, values });
      claim = { ...claim, nextOffset };
    }
  }
  return batches;
}

function refusedOf(events: readonly LogEvent[]): ReadonlyMap<string, EventError> {
  const refused = events.filter((event) => event.kind === 'cud' && event.fields['name'] === REFUSED_NAME);
  return new Map(refused.map(({ eventId }) => [eventId, REFUSED]));
}

/** The parameters of the statement, kept in a table; made for whatever shape the statement has. */
class Staging {
  readonly #pool: Pool;
  #text: string | null = null;
  #chunks = 0;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async add({ text, values, ...batch }: StagedBatch): Promise<Chunk> {
    const chunk = this.#chunks++;
    const { unnest, names } = partsOf(text);
    if (this.#text === null) {
      this.#text = text;
      await this.#pool.query(`create table bench.staging as
        select ${String(chunk)}::int as chunk, * from ${emptied(unnest)} as b(${names})`);
    }
    const arrays = values.slice(values.length - parametersIn(unnest));
    await this.#pool.query(
      `insert into bench.staging select ${String(chunk)}, * from ${renumbered(unnest)} as b(${names})`,
      arrays,
    );
    return { chunk, ...batch };
  }

  /** The statement with its `unnest(…)` replaced by the staged rows of chunk $8. */
  floorText(): string {
    const { unnest, names, whole } = partsOf(this.#text ?? '');
    const staged = `(select ${names} from bench.staging where chunk = $8::int) as b(${names})`;
    if (!/^unnest\(\$8::/.test(unnest))
      throw new Error('The batch statement has other parameters than expected');
    return (this.#text ?? '').replace(whole, staged);
  }
}

function partsOf(text: string): { whole: string; unnest: string; names: string } {
  const match = /(unnest\([^)]*\))\s+as b\(([^)]*)\)/.exec(text);
  if (match === null) throw new Error('The batch statement is not one over unnest(…) as b(…) any more');
  const [whole, unnest = '', names = ''] = match;
  return { whole, unnest, names };
}

function parametersIn(unnest: string): number {
  return unnest.split('$').length - 1;
}

function renumbered(unnest: string): string {
  let n = 0;
  return unnest.replaceAll(/\$\d+/g, () => `$${String(++n)}`);
}

function emptied(unnest: string): string {
  return unnest.replaceAll(/\$\d+::/g, `'{}'::`);
}
