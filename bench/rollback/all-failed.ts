import type { CudOperation, JsonObject } from '../../src/domain/event.ts';
import type { NewRecord } from '../../src/domain/record.ts';
import { uuidV7 } from '../../src/domain/uuid.ts';
import { writeEnvelope } from '../../src/domain/write-envelope.ts';
import { consumeOnce } from '../consume/throughput.ts';
import { corpus, REFUSED_NAME } from '../consume/corpus.ts';
import { openService, SCHEMA, type BenchService } from '../consume/service.ts';
import type { BenchArguments } from '../frame/arguments.ts';
import { runCommand } from '../frame/command.ts';
import { atLeast, figure, ratioOf, type Figure } from '../frame/figure.ts';
import { seededRandom } from '../frame/random.ts';
import type { Stage } from '../frame/stage.ts';
import { startUpMs } from './start-up.ts';

/** Rolled back at once: one event each of so many users. */
const USERS = 10_000;
const PARTITIONS = 4;
/** The least share of the consume rate. */
const BAR = 0.25;

export interface AllFailedPart {
  readonly name: string;
  /** Later events of each user, held back by the failed one: executed when it is withdrawn. */
  readonly parked: number;
  readonly bar: boolean;
}

interface Taken {
  readonly publish: number;
  readonly execute: number;
  readonly both: number;
}

/** `rollback --all-failed` and what it leads to in the consumer, beside the consume rate of the same run. */
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
  const both = taken.map((each) => each.both);
  const ratio = ratioOf(both, rates);
  return [
    figure(part.name, 'consume', 'events/s', rates),
    figure(
      part.name,
      'plan and publish',
      'events/s',
      taken.map(({ publish }) => publish),
    ),
    figure(
      part.name,
      'execute',
      'events/s',
      taken.map(({ execute }) => execute),
    ),
    figure(part.name, 'plan, publish and execute', 'events/s', both, {
      ratio,
      bar: part.bar ? atLeast(ratio.median, BAR, ' of consume') : null,
    }),
  ];
}

/** On a new topic each time: what was published for one run would be executed in the next. */
async function rollBackOnce(stage: Stage, { parked }: AllFailedPart): Promise<Taken> {
  const service = await openService(stage, PARTITIONS, refusedCorpus(parked));
  const consume = ['consume', '--until-end', '--json'];
  await runCommand(stage, consume, service.env, { exits: [7] });
  await service.pool.query('delete from bench.assigned; checkpoint');
  const idleMs = await startUpMs(stage, service.env);
  const startedMs = performance.now();
  await runCommand(stage, ['rollback', '--all-failed', '--only', '--yes'], service.env);
  const publishMs = performance.now() - startedMs - idleMs;
  await runCommand(stage, consume, service.env);
  const executeMs = await executionMs(service);
  const rate = (ms: number): number => (USERS / ms) * 1000;
  return { publish: rate(publishMs), execute: rate(executeMs), both: rate(publishMs + executeMs) };
}

/** From the assignment to the last commit. Throws where not every rollback was executed. */
async function executionMs({ pool }: BenchService): Promise<number> {
  const { rows } = await pool.query<{ n: number; ms: number }>(
    `select count(*)::int as n, (extract(epoch from max(pg_xact_commit_timestamp(xmin))
        - (select min(at) from bench.assigned)) * 1000)::float8 as ms
      from ${SCHEMA}.ledger where operation = 'rollback' and status = 'applied'`,
  );
  const [row] = rows;
  if (row?.n !== USERS) throw new Error(`${String(row?.n)} of ${String(USERS)} rollbacks were executed`);
  return row.ms;
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
