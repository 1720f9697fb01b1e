import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog, Watermarks } from '../../log/event-log.ts';
import { lockPutBack, readPutBack, recordPutBack, type PutBackTerms } from '../../postgres/sql/put-back.ts';
import { inTransaction, type Database } from '../../postgres/transaction.ts';
import { requireBoundTopic } from '../bound-topic.ts';
import { envelopeContext, findKeyType, type TypeSettings } from '../envelope-context.ts';
import { LetterSorter, type LetterRules, type RefusedLetter, type SortedLetter } from './letter-sorter.ts';
import { orderOfLetters, readInOrder, type LetterOrder } from './letter-order.ts';
import type { LetterFilter } from './read-letters.ts';

export interface PutBackRequest extends PutBackTerms {
  readonly filter: LetterFilter;
  /** A record that was put back so often is refused. */
  readonly maxPutBacks: number;
  readonly isDryRun: boolean;
  readonly types: TypeSettings;
  readonly signal: AbortSignal;
  /** Throws DECLINED or NO_TERMINAL where it is not confirmed. Not called where nothing is to be put back. */
  readonly confirm: (plan: PutBackResult) => Promise<void>;
  readonly onProgress: (done: number, total: number) => void;
}

export interface PutBackResult {
  readonly deadLetterTopic: string;
  /** Where the records go: the topic of this service. */
  readonly topic: string;
  readonly isDryRun: boolean;
  /** Records that were put back now; of a dry run, that would be. */
  readonly putBack: number;
  /** Letters that were put back before. */
  readonly already: number;
  readonly refused: readonly RefusedLetter[];
  /** Letters that the filters leave out. */
  readonly notWanted: number;
  /** Letters among those put back that overtake an earlier one of their key, since the filters leave that out. */
  readonly overtaking: number;
  /** Letters among those put back that we wrote: who runs user-events knows their events, and passes over them. */
  readonly own: number;
  /** Letters of other topics, which are left alone: topic → how many. */
  readonly otherTopics: Readonly<Record<string, number>>;
}

/** Letters a transaction: a run that is killed repeats so many at the most. */
const LETTERS_AT_ONCE = 200;

/**
 * Puts the records of dead letters back into the topic that they come from, in the order in which they lay there, each key
 * to the partition that the partitioner says. A letter is marked once its record is in the log: a run that is killed loses none
 * and repeats some, which ids make harmless. Only letters of this service's own topic: where a letter says that it comes
 * from is another's word, and not a reason to write there. Throws BINDING_MISMATCH, TOPIC_NOT_FOUND, DECLINED.
 */
export async function putBack(
  log: EventLog,
  letters: EventLog,
  database: Database,
  request: PutBackRequest,
): Promise<PutBackResult> {
  const [origin, description] = await Promise.all([log.describe(), letters.describe()]);
  if (origin.topic === description.topic)
    throw new UserEventsError('USAGE', `${origin.topic} is the topic itself, not one of dead letters`);
  await requireBoundTopic(database, origin.topic);
  const keyType = (await findKeyType(database)) ?? 'text';
  const envelope = envelopeContext(origin, keyType, request.types);
  // What fails again meanwhile is for the next run: this one ends.
  const ends = await letters.watermarks();
  const run: Run = {
    log,
    letters,
    database,
    request,
    rules: { topic: origin.topic, filter: request.filter, maxPutBacks: request.maxPutBacks },
    from: { clusterId: description.clusterId, topic: description.topic },
    envelope,
    ends,
    order: await orderOfLetters(letters, ends, origin.topic, request.signal),
  };
  const plan = await walk(
    run,
    (due) => Promise.resolve(due.length),
    () => undefined,
  );
  if (request.isDryRun || plan.putBack === 0) return { ...plan, isDryRun: request.isDryRun };
  await request.confirm({ ...plan, isDryRun: false });
  const done = await walk(
    run,
    (due) => send(run, due),
    (count) => {
      request.onProgress(count, plan.putBack);
    },
  );
  return { ...done, isDryRun: false };
}

interface Run {
  readonly log: EventLog;
  readonly letters: EventLog;
  readonly database: Database;
  readonly request: PutBackRequest;
  readonly rules: LetterRules;
  readonly from: { readonly clusterId: string; readonly topic: string };
  readonly envelope: ReturnType<typeof envelopeContext>;
  readonly ends: readonly Watermarks[];
  readonly order: LetterOrder;
}

/** Goes through the letters once; `act` says how many of those due were put back. */
async function walk(
  run: Run,
  act: (due: readonly SortedLetter[]) => Promise<number>,
  onProgress: (putBack: number) => void,
): Promise<Omit<PutBackResult, 'isDryRun'>> {
  const { letters, order, ends, envelope, request, rules, log, database, from } = run;
  const sorter = new LetterSorter(rules, log, envelope);
  let putBackNow = 0;
  let missed = 0;
  for await (const page of readInOrder(letters, order, ends, envelope, request.signal)) {
    for (let at = 0; at < page.length; at += LETTERS_AT_ONCE) {
      if (request.signal.aborted) throw new UserEventsError('INTERRUPTED', interruption(putBackNow));
      const some = page.slice(at, at + LETTERS_AT_ONCE);
      const places = some.map(({ record }) => record);
      const marks = await readPutBack(database.pool, database.schema, from, places);
      const due = await sorter.sort(
        some,
        marks.map((mark) => mark !== null),
      );
      const count = due.length === 0 ? 0 : await act(due);
      putBackNow += count;
      // Another run put them back between our look and our turn.
      missed += due.length - count;
      onProgress(putBackNow);
    }
  }
  const { already, refused, notWanted, overtaking, own, otherTopics } = sorter;
  return {
    deadLetterTopic: from.topic,
    topic: rules.topic,
    putBack: putBackNow,
    already: already + missed,
    refused,
    notWanted,
    overtaking,
    own,
    otherTopics: Object.fromEntries(otherTopics),
  };
}

function interruption(putBackNow: number): string {
  return `Interrupted: ${String(putBackNow)} records were put back; run it again for the rest`;
}

/** Sends those that no other run has sent, and marks them: one transaction, one run at a time. */
async function send({ log, database, from, request }: Run, due: readonly SortedLetter[]): Promise<number> {
  const { pool, schema } = database;
  return inTransaction(pool, 'read committed', async (client) => {
    await lockPutBack(client, schema);
    const marks = await readPutBack(
      client,
      schema,
      from,
      due.map(({ record }) => record),
    );
    const open = due.filter((_, index) => marks[index] === null);
    if (open.length === 0) return 0;
    const positions = await log.append(open.map(({ origin }) => origin));
    const put = open.flatMap(({ record: { partition, offset, timestamp } }, index) => {
      const position = positions[index];
      if (position === undefined) return [];
      return [{ partition, offset, timestamp, toPartition: position.partition, toOffset: position.offset }];
    });
    await recordPutBack(client, schema, from, put, request);
    return put.length;
  });
}
