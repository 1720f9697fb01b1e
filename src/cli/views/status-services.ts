import type { LookError, ServiceLook, ServicesStatus } from '../../app/status/services.ts';
import { visible } from '../sanitize.ts';
import { renderFields, renderTable, type Cell } from '../table.ts';
import type { Style, View } from '../theme.ts';
import { paceText, renderStatus, secondsText } from './status.ts';

const count = (value: number | bigint): string => value.toLocaleString('en-US');

/** A row a service, then each of them; one alone is shown without either. */
export const renderServices: View<ServicesStatus> = ({ services }, style) => {
  const [first] = services;
  if (first !== undefined && services.length === 1) return renderLook(first, style);
  const each = services.map(
    (look) => `${style.theme.title(visible(nameOf(look)))}\n${renderLook(look, style)}`,
  );
  return [renderSummary(services, style), ...each].join('\n\n');
};

/** One line a service and a look, for pipes: `TIME  [profile]  lag 12 (3 s)  …`, or what is the matter. */
export const renderLines: View<ServicesStatus & { readonly at: string }> = ({ at, services }) =>
  services
    .map((look) => [at, ...(look.profile === null ? [] : [look.profile]), ...lineOf(look)])
    .map((parts) =>
      parts
        .filter((part) => part !== '')
        .map(visible)
        .join('  '),
    )
    .join('\n');

function lineOf({ status, error }: ServiceLook): readonly string[] {
  if (status === null) return [`${error.code}: ${error.message}`];
  const { lag, lagSeconds, members, failed, parked } = status;
  return [
    `lag ${count(lag)}${lagSeconds === null ? '' : ` (${secondsText(lagSeconds)})`}`,
    paceText(status, lag),
    `members ${count(members.length)}`,
    `failed ${count(failed)}`,
    `parked ${count(parked)}`,
  ];
}

function renderSummary(services: readonly ServiceLook[], style: Style): string {
  const titles = ['SERVICE', 'TOPIC', 'MEMBERS', 'LAG', 'AGE', 'FAILED', 'PARKED', 'RATE'];
  const rows = services.map((look): Cell[] => {
    const { status, error } = look;
    if (status === null) return [nameOf(look), { text: headline(error), paint: style.theme.bad }];
    const { topic, members, lag, lagSeconds, failed, parked } = status;
    return [
      nameOf(look),
      topic,
      count(members.length),
      { text: count(lag), paint: lag === 0n ? style.theme.good : style.theme.warn },
      lagSeconds === null ? '' : secondsText(lagSeconds),
      { text: count(failed), paint: failed > 0 ? style.theme.bad : (text) => text },
      count(parked),
      paceText(status, lag),
    ];
  });
  const isLeft = (title: string): boolean => ['SERVICE', 'TOPIC', 'RATE'].includes(title);
  return renderTable(
    titles.map((title) => ({ title, align: isLeft(title) ? ('left' as const) : ('right' as const) })),
    rows,
    style,
  );
}

function renderLook({ status, error }: ServiceLook, style: Style): string {
  if (status !== null) return renderStatus(status, style);
  const { bad } = style.theme;
  return renderFields(
    [
      [headline(error), { text: `${error.message} (${error.code})`, paint: bad }],
      ['→', error.hint],
    ],
    style,
  );
}

/** `away` for what is out of reach. */
function headline({ code, exitCode }: LookError): string {
  return exitCode === 4 ? 'away' : code;
}

function nameOf({ profile }: ServiceLook): string {
  return profile ?? 'this service';
}
