import type { Pace, ServiceStatus } from '../../app/status.ts';
import { spanText } from '../age-text.ts';
import { renderFields, renderTable, type Cell } from '../table.ts';
import type { Style, Theme, View } from '../theme.ts';

const count = (value: number | bigint): string => value.toLocaleString('en-US');

/** A summary, a row a partition, as rpk lays it out, and a row a member. */
export const renderStatus: View<ServiceStatus> = (status, style) =>
  [renderSummary(status, style), renderPartitions(status, style), renderMembers(status, style)]
    .filter((part) => part !== '')
    .join('\n\n');

function renderSummary(status: ServiceStatus, style: Style): string {
  const { theme } = style;
  const { members, partitions } = status;
  const age = status.lagSeconds === null ? '' : `, the oldest ${secondsText(status.lagSeconds)}`;
  const idle = members.filter((member) => member.partitions.length === 0).length;
  const waiting = idle === 0 ? '' : `, ${count(idle)} without a partition`;
  const open = status.failed + status.parked > 0;
  return renderFields(
    [
      [status.engine === 'kafka' ? 'brokers' : 'log', status.log],
      [
        'topic',
        `${status.topic}, ${count(partitions.length)} partition${partitions.length === 1 ? '' : 's'}`,
      ],
      ['service', `${status.database}, schema ${status.schema}`],
      ['group', status.group],
      [
        'members',
        members.length === 0
          ? { text: 'none: no consumer is running', paint: theme.warn }
          : `${count(members.length)}${waiting}`,
      ],
      ['lag', { text: `${count(status.lag)}${age}`, paint: status.lag === 0n ? theme.good : theme.warn }],
      ['rate', paceCell(status, theme)],
      ['failed', open ? { text: openText(status), paint: theme.bad } : { text: 'none', paint: theme.good }],
    ],
    style,
  );
}

function renderPartitions({ partitions }: ServiceStatus, style: Style): string {
  const titles = [
    'PARTITION',
    'LOW',
    'HIGH',
    'POSITION',
    'LAG',
    'AGE',
    'RATE',
    'CATCH-UP',
    'FAILED',
    'PARKED',
  ];
  const rows = partitions.map((each): Cell[] => [
    String(each.partition),
    String(each.low),
    String(each.high),
    each.position === null ? 'never' : String(each.position),
    count(each.lag),
    each.lagSeconds === null ? '' : secondsText(each.lagSeconds),
    rateText(each.rate, each.lag),
    each.lag === 0n ? '' : catchUpText(each),
    count(each.failed),
    count(each.parked),
  ]);
  return renderTable(
    titles.map((title) => ({ title, align: 'right' as const })),
    rows,
    style,
  );
}

function renderMembers({ members }: ServiceStatus, style: Style): string {
  if (members.length === 0) return '';
  const rows = members.map(({ memberId, clientId, host, partitions }): Cell[] => [
    memberId,
    clientId ?? '',
    host ?? 'local',
    partitions.length === 0 ? 'none' : partitions.join(','),
  ]);
  const titles = ['MEMBER', 'CLIENT', 'HOST', 'PARTITIONS'];
  return renderTable(
    titles.map((title) => ({ title })),
    rows,
    style,
  );
}

/** `8 s`, `1 min 40 s`. */
export function secondsText(seconds: number): string {
  return spanText(seconds * 1000);
}

/** `1,200/s, caught up in 3 s`, or what keeps it from that. Empty where nothing was measured. */
export function paceText(pace: Pace, lag: bigint): string {
  if (pace.rate === null) return '';
  const rate = rateText(pace.rate, lag);
  if (lag === 0n || pace.rate === 0) return rate;
  const { catchUpSeconds, inflow } = pace;
  if (catchUpSeconds !== null) return `${rate}, caught up in ${catchUpText(pace)}`;
  return pace.rate <= (inflow ?? 0)
    ? `${rate}, falling behind ${count(inflow ?? 0)}/s that are written`
    : `${rate}, but not every partition gets on`;
}

function paceCell(status: ServiceStatus, theme: Theme): Cell {
  const { lag, members, rate, catchUpSeconds } = status;
  if (rate === null && lag === 0n) return 'caught up';
  if (rate === null && members.length > 0) return 'not measured';
  if (rate === null) return { text: 'not moving', paint: theme.warn };
  const isBad = lag > 0n && catchUpSeconds === null;
  return { text: paceText(status, lag), paint: isBad ? theme.warn : (text) => text };
}

function rateText(rate: number | null, lag: bigint): string {
  if (rate === null) return '';
  return rate === 0 && lag > 0n ? 'not moving' : `${count(rate < 10 ? rate : Math.round(rate))}/s`;
}

function catchUpText({ rate, catchUpSeconds }: Pace): string {
  if (catchUpSeconds !== null) return secondsText(catchUpSeconds);
  return rate === null || rate === 0 ? '' : 'never so';
}

function openText({ failed, parked }: ServiceStatus): string {
  return parked > 0 ? `${count(failed)}, holding back ${count(parked)}` : count(failed);
}
