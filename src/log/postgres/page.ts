import type { LogRecord, RecordHeader } from '../../domain/record.ts';
import type { RecordBatch, Watermarks } from '../event-log.ts';
import { queryTexts, withPatience, type Attempts, type LogConnection } from './connection.ts';
import { noSuchPartition, outOfRange } from './errors.ts';
import { parseByteaArray, parseTextArray } from './text-arrays.ts';
import type { Topic } from './topic.ts';

/** A page's bounds: rows, and bytes of keys and values (one record may pass them, or it would never be read). */
const PAGE_RECORDS = 2_000;
const PAGE_BYTES = 2_000_000;

/** Where a page begins and where it ends at the latest. */
export interface PageRequest {
  readonly partition: number;
  readonly from: bigint;
  /** Exclusive; undefined reads on to the high watermark. */
  readonly to: bigint | undefined;
}

/**
 * One round trip: the partition's watermarks and the records of one page, of one snapshot. The lateral join stops at
 * the page's end by the primary key; the running sum stops it at its bytes.
 */
const READ_PAGE = `
  select p.low_offset, p.next_offset, r."offset", r."timestamp", r.key, r.value, r.header_keys, r.header_values
  from topic_partition p
  left join lateral (
    select page.* from (
      select record.*, sum(coalesce(octet_length(key), 0) + coalesce(octet_length(value), 0))
        over (order by "offset") as bytes
      from (select * from record
        where topic_id = $1 and partition = $2 and "offset" >= $3 and "offset" < $4
        order by "offset" limit $5) record
    ) page
    where page.bytes <= $6 or page."offset" = $3
  ) r on true
  where p.topic_id = $1 and p.partition = $2
  order by r."offset"`;

/** As text: the driver reads nothing else. */
type PageRow = [
  low: string,
  high: string,
  offset: string | null,
  timestamp: string,
  key: string | null,
  value: string | null,
  headerKeys: string,
  headerValues: string,
];

const MAX_OFFSET = 2n ** 63n - 1n;

/**
 * Reads a page. Empty where `from` is the high watermark. Throws OFFSET_OUT_OF_RANGE where `from` is outside the
 * watermarks, LOG_REFUSED where there is no such partition.
 */
export async function fetchPage(
  log: LogConnection,
  { topicId, partitionCount }: Topic,
  { partition, from, to }: PageRequest,
  attempts: Attempts,
): Promise<RecordBatch> {
  const rows = await withPatience(log, attempts, () =>
    queryTexts<PageRow>(log, {
      name: 'read-page',
      text: READ_PAGE,
      values: [topicId, partition, from, to ?? MAX_OFFSET, PAGE_RECORDS, PAGE_BYTES],
    }),
  );
  const [first] = rows;
  if (first === undefined) throw noSuchPartition(log, partition, partitionCount);
  const [low, high] = [BigInt(first[0]), BigInt(first[1])];
  if (from < low || from > high) throw outOfRange(log, partition, from, { low, high });
  const readNames = rememberLast(parseTextArray);
  const records = first[2] === null ? [] : rows.map((row) => recordOf(partition, row, readNames));
  const last = records.at(-1);
  return {
    partition,
    records,
    nextOffset: last === undefined ? from : last.offset + 1n,
    highWatermark: high,
  };
}

/** Checks where a range begins against the watermarks, before anything is read; returns the high watermark. */
export function checkStart(
  log: LogConnection,
  { partitionCount }: Topic,
  { partition, from }: { readonly partition: number; readonly from: bigint },
  marks: Watermarks | undefined,
): bigint {
  if (marks === undefined) throw noSuchPartition(log, partition, partitionCount);
  if (from < marks.low || from > marks.high) throw outOfRange(log, partition, from, marks);
  return marks.high;
}

function recordOf(
  partition: number,
  row: PageRow,
  readNames: (literal: string) => readonly string[],
): LogRecord {
  const [, , offset, timestamp, key, value, headerKeys, headerValues] = row;
  return {
    partition,
    offset: BigInt(offset ?? 0),
    timestamp: Number(timestamp),
    key: bytesOf(key),
    value: bytesOf(value),
    headers: headersOf(readNames(headerKeys), parseByteaArray(headerValues)),
  };
}

function headersOf(names: readonly string[], values: readonly (Buffer | null)[]): readonly RecordHeader[] {
  return names.map((key, index) => ({ key, value: values[index] ?? null }));
}

/** `\x` and hex digits: bytea_output is set for the session. */
function bytesOf(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text.slice(2), 'hex');
}

/** Nearly every record of a log has the same header names: they are parsed once. */
function rememberLast<T>(parse: (text: string) => T): (text: string) => T {
  let last: { readonly text: string; readonly parsed: T } | undefined;
  return (text) => {
    if (last?.text !== text) last = { text, parsed: parse(text) };
    return last.parsed;
  };
}
