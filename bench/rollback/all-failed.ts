import type { CudOperation, JsonObject } from '../../src/domain/event.ts';
import type { NewRecord } from '../../src/domain/record.ts';
import { uuidV7 } from '../../src/domain/uuid.ts';
import { writeEnvelope } from '../../src/domain/write-envelope.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { consumeOnce } from '../consume/throughput.ts';
import { corpus, REFUSED_NAME } from '../consume/corpus.ts';
import { openService, SCHEMA, type BenchService } from '../consume/service.ts';
import type { BenchArguments } from '../frame/arguments.ts';
import { runCommand, startCommand } from '../frame/command.ts';
import { atLeast, figure, ratioOf, type Figure } from '../frame/figure.ts';
import { seededRandom } from '../frame/random.ts';
import type { Stage } from '../frame/stage.ts';
import { startUpMs } from './start-up.ts';

/** Rolled back at once: one event each of so many users. */
const USERS = 10_000;
const PARTITIONS = 4;
/** The least share of the consume rate. */
const BAR = 0.25;
const DECIDED_WITHIN_MS = 120_000;

export interface AllFailedPart {
  readonly name: string;
  /** Later events of each user, held back by the failed one: executed when it is withdrawn. */
  readonly parked: number;
  readonly bar: boolean;
}

/** ms. */
interface Taken {
  /** What the command took, its start-up left out: planned and published. */
  readonly command: number;
  /** From where the command had started up to the commit of the last rollback: the consumer executes as they come. */
  readonly whole: number;
}

/** `rollback --all-failed` beside a running consumer, and the consume rate of the same run. */
export async function measureAllFailed(
  stage: Stage,
  { events, runs }: BenchArguments,
  part: AllFailedPart,
): Promise<readonly Figure[]> {
  const plain = await openService(stage, PARTITIONS, corpus({ events }));
  const rates: number[] = [];
  const taken: Taken[] = [];
  for (let round = 0; round <= runs; round++) {
    stage.say(`${part.name}: ${round === 0 ? 'warming up' : `run ${String(round)} of ${String(runs)}`}`);
    const { rate } = await consumeOnce(stage, plain, events);
    const one = await rollBackOnce(stage, part);
    if (round === 0) continue;
    rates.push(rate);
    taken.push(one);
  }
  const rate = (ms: number): number => (USERS / ms) * 1000;
  const whole = taken.map((each) => rate(each.whole));
  const ratio = ratioOf(whole, rates);
  return [
    figure(part.name, 'consume', 'events/s', rates),
    figure(
      part.name,
      'plan and publish',
      'events/s',
      taken.map(({ command }) => rate(command)),
    ),
    figure(part.name, 'roll back, up to the last commit', 'events/s', whole, {
      ratio,
      bar: part.bar ? atLeast(ratio.median, BAR, ' of consume') : null,
    }),
  ];
}

/** On a new topic each time: what was published for one run would be executed in the next. */
async function rollBackOnce(stage: Stage, { parked }: AllFailedPart): Promise<Taken> {
  const service = await openService(stage, PARTITIONS, refusedCorpus(parked));
  const consumer = startCommand(stage, ['consume', '--json'], service.env, { exits: [0, 7] });
  await untilDecided(service, USERS * (2 + parked), '');
  await service.pool.query('checkpoint');
  const idleMs = await startUpMs(stage, service.env);
  const { spawnedMs } = await runCommand(stage, ['rollback', '--all-failed', '--only', '--yes'], service.env);
  const endedMs = performance.timeOrigin + performance.now();
  await untilDecided(service, USERS, `where operation = 'rollback' and status = 'applied'`);
  consumer.stop();
  await consumer.ended;
  const startedMs = spawnedMs + idleMs;
  return { command: endedMs - startedMs, whole: (await lastCommitMs(service)) - startedMs };
}

async function untilDecided({ pool }: BenchService, events: number, where: string): Promise<void> {
  const count = async (): Promise<number> => {
    const { rows } = await pool.query<{ n: number }>(
      `select count(*)::int as n from ${SCHEMA}.ledger ${where}`,
    );
    return rows[0]?.n ?? 0;
  };
  let last = 0;
  await waitFor(async () => (last = await count()) >= events, {
    timeoutMs: DECIDED_WITHIN_MS,
    describe: () => `${String(events)} events to be decided: ${String(last)}`,
  });
}

/** By the database's clock, which is this machine's: ms since the epoch. */
async function lastCommitMs({ pool }: BenchService): Promise<number> {
  const { rows } = await pool.query<{ ms: number }>(
    `select (extract(epoch from max(pg_xact_commit_timestamp(xmin))) * 1000)::float8 as ms
     from ${SCHEMA}.ledger where operation = 'rollback'`,
  );
  return rows[0]?.ms ?? Number.NaN;
}

/** Of every user a create, an update that the table refuses, and `parked` more. */
function* refusedCorpus(parked: number): Generator<NewRecord, void> {
  const random = seededRandom(1);
  let at = Date.UTC(2026, 0, 1);
  const event = (userId: string, operation: CudOperation, fields: JsonObject): NewRecord => {
    const noise = Uint8Array.from({ length: 10 }, () => Math.floor(random() * 256));
    const eventId = uuidV7(++at, noise);
    return writeEnvelope({ kind: 'cud', eventId, userId, timestamp: at, operation, fields }, '/bench');
  };
  for (let n = 0; n < USERS; n++)
    yield event(`u${String(n)}`, 'create', { name: `Zoë ${String(n)}`, email: `u${String(n)}@example.com` });
  for (let n = 0; n < USERS; n++) yield event(`u${String(n)}`, 'update', { name: REFUSED_NAME });
  for (let n = 0; n < USERS * parked; n++)
    yield event(`u${String(n % USERS)}`, 'update', { name: `Zoë again ${String(n)}` });
}
