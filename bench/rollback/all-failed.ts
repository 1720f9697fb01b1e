import type { CudOperation, JsonObject } from '../../src/domain/event.ts';
import type { NewRecord } from '../../src/domain/record.ts';
import { uuidV7 } from '../../src/domain/uuid.ts';
import { writeEnvelope } from '../../src/domain/write-envelope.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { consumeOnce } from '../consume/throughput.ts';
import { corpus, REFUSED_NAME } from '../consume/corpus.ts';
import { append, openService, readTimeline, SCHEMA, type BenchService } from '../consume/service.ts';
import type { BenchArguments } from '../frame/arguments.ts';
import { runCommand, startCommand } from '../frame/command.ts';
import { atLeast, figure, ratioOf, type Figure } from '../frame/figure.ts';
import { seededRandom } from '../frame/random.ts';
import type { Stage } from '../frame/stage.ts';
import { idleBulkMs } from './start-up.ts';

/** Rolled back at once: one event each of so many users. */
const USERS = 10_000;
const PARTITIONS = 4;
/** The least share of the consume rate. */
const BAR = 0.25;
const DECIDED_WITHIN_MS = 120_000;
const CONSUME = ['consume', '--json'];
/** `consume` ends with 7 where events failed. */
const EXITS = [0, 7];
const ROLLBACK = ['rollback', '--all-failed', '--only', '--yes'];

export interface AllFailedPart {
  readonly name: string;
  /** Later events of each user, held back by the failed one: executed when it is withdrawn. */
  readonly parked: number;
  readonly bar: boolean;
}

/** ms, each from where the command had started up. */
interface Taken {
  /** What the command took: planned and published. */
  readonly command: number;
  /** Up to the commit of the last rollback, by a consumer that runs beside it. */
  readonly beside: number;
  /** The same where the consumer is started when the command has ended: both one after the other. */
  readonly inTurn: number;
}

/**
 * `rollback --all-failed` beside a running consumer, as an operator has it, and the consume rate of the same run; and both
 * one after the other, for what each takes alone.
 */
export async function measureAllFailed(
  stage: Stage,
  { events, runs }: BenchArguments,
  part: AllFailedPart,
): Promise<readonly Figure[]> {
  const plain = await openService(stage, PARTITIONS, corpus({ events }));
  const service = await openService(stage, PARTITIONS, []);
  const consumer = startCommand(stage, CONSUME, service.env, { exits: EXITS });
  const rates: number[] = [];
  const taken: Taken[] = [];
  for (let round = 0; round <= runs; round++) {
    stage.say(`${part.name}: ${round === 0 ? 'warming up' : `run ${String(round)} of ${String(runs)}`}`);
    const { rate } = await consumeOnce(stage, plain, events);
    const beside = await rollBackBeside(stage, service, round, part);
    const inTurn = await rollBackInTurn(stage, part);
    if (round === 0) continue;
    rates.push(rate);
    taken.push({ ...beside, inTurn });
  }
  consumer.stop();
  await consumer.ended;
  return figuresOf(part, rates, taken);
}

function figuresOf(
  { name, bar }: AllFailedPart,
  rates: readonly number[],
  taken: readonly Taken[],
): readonly Figure[] {
  const rateOf = (what: keyof Taken): number[] => taken.map((each) => (USERS / each[what]) * 1000);
  const beside = rateOf('beside');
  const ratio = ratioOf(beside, rates);
  const inTurn = rateOf('inTurn');
  return [
    figure(name, 'consume', 'events/s', rates),
    figure(name, 'plan and publish', 'events/s', rateOf('command')),
    figure(name, 'roll back, beside the consumer', 'events/s', beside, {
      ratio,
      bar: bar ? atLeast(ratio.median, BAR, ' of consume') : null,
    }),
    figure(name, 'roll back, then consume', 'events/s', inTurn, {
      ratio: ratioOf(inTurn, rates),
      bar: null,
    }),
  ];
}

/** The consumer runs on from round to round, as it does in production; users and events are new in each. */
async function rollBackBeside(
  stage: Stage,
  service: BenchService,
  round: number,
  { parked }: AllFailedPart,
): Promise<Omit<Taken, 'inTurn'>> {
  await append(stage, service.log, refusedCorpus(round, parked));
  await untilRead(service);
  await service.pool.query('checkpoint');
  const idleMs = await idleBulkMs(stage, service.env);
  const { spawnedMs } = await runCommand(stage, ROLLBACK, service.env);
  const endedMs = performance.timeOrigin + performance.now();
  await untilRead(service);
  const startedMs = spawnedMs + idleMs;
  return {
    command: endedMs - startedMs,
    beside: (await lastCommitMs(service, (round + 1) * USERS)) - startedMs,
  };
}

/** In a service of its own: what was published for one run would be executed in the next. */
async function rollBackInTurn(stage: Stage, { parked }: AllFailedPart): Promise<number> {
  const service = await openService(stage, PARTITIONS, refusedCorpus(0, parked));
  await runCommand(stage, [...CONSUME, '--until-end'], service.env, { exits: EXITS });
  await service.pool.query('delete from bench.assigned; checkpoint');
  const idleMs = await idleBulkMs(stage, service.env);
  const startedMs = performance.now();
  await runCommand(stage, ROLLBACK, service.env);
  const commandMs = performance.now() - startedMs - idleMs;
  await runCommand(stage, [...CONSUME, '--until-end'], service.env);
  const { assignedMs } = await readTimeline(service);
  return commandMs + (await lastCommitMs(service, USERS)) - assignedMs;
}

/** Until everything in the log is decided on. The positions are asked, which costs the server nothing worth measuring. */
async function untilRead({ log, pool }: BenchService): Promise<void> {
  const end = (await log.watermarks()).reduce((sum, { high }) => sum + high, 0n);
  let position = 0n;
  const look = async (): Promise<boolean> => {
    const { rows } = await pool.query<{ at: bigint }>(
      `select coalesce(sum(next_offset), 0)::int8 as at from ${SCHEMA}.position`,
    );
    position = rows[0]?.at ?? 0n;
    return position >= end;
  };
  await waitFor(look, {
    timeoutMs: DECIDED_WITHIN_MS,
    describe: () => `offset ${String(end)} of all partitions together: at ${String(position)}`,
  });
}

/** By the database's clock, which is this machine's: ms since the epoch. Throws where not all are executed. */
async function lastCommitMs({ pool }: BenchService, rollbacks: number): Promise<number> {
  const { rows } = await pool.query<{ n: number; ms: number }>(
    `select count(*)::int as n, (extract(epoch from max(pg_xact_commit_timestamp(xmin))) * 1000)::float8 as ms
     from ${SCHEMA}.ledger where operation = 'rollback' and status = 'applied'`,
  );
  const [row] = rows;
  if (row?.n !== rollbacks)
    throw new Error(`${String(row?.n)} of ${String(rollbacks)} rollbacks were executed`);
  return row.ms;
}

/** Of every user of this round a create, an update that the table refuses, and `parked` more. */
function* refusedCorpus(round: number, parked: number): Generator<NewRecord, void> {
  const random = seededRandom(round + 1);
  let at = Date.UTC(2026, 0, 1 + round);
  const user = (n: number): string => `r${String(round)}u${String(n % USERS)}`;
  const event = (userId: string, operation: CudOperation, fields: JsonObject): NewRecord => {
    const noise = Uint8Array.from({ length: 10 }, () => Math.floor(random() * 256));
    const eventId = uuidV7(++at, noise);
    return writeEnvelope({ kind: 'cud', eventId, userId, timestamp: at, operation, fields }, '/bench');
  };
  for (let n = 0; n < USERS; n++)
    yield event(user(n), 'create', { name: `Zoë ${String(n)}`, email: `${user(n)}@example.com` });
  for (let n = 0; n < USERS; n++) yield event(user(n), 'update', { name: REFUSED_NAME });
  for (let n = 0; n < USERS * parked; n++) yield event(user(n), 'update', { name: `Zoë again ${String(n)}` });
}
