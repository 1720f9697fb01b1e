import { UserEventsError } from '../../errors/user-events-error.ts';
import type { Environment } from '../../config/settings.ts';
import type { Style } from '../theme.ts';
import { runOurselves } from './shell.ts';
import type { Service, Stage } from './stage.ts';

export interface TourResult {
  /** Whether both services ended with the same users. */
  readonly isEqual: boolean;
  readonly users: Readonly<Record<Service, readonly unknown[]>>;
}

export interface TourOptions {
  readonly style: Style;
  readonly signal: AbortSignal;
  readonly newId: () => string;
  /** Prints a paragraph of the tour. */
  readonly tell: (text: string) => Promise<void>;
}

const FIRST_USERS = [
  {
    operation: 'create',
    userId: 'ada',
    data: { name: 'Ada Lovelace', email: 'ada@example.com', city: 'London' },
  },
  {
    operation: 'create',
    userId: 'grace',
    data: { name: 'Grace Hopper', email: 'grace@example.com', city: 'New York' },
  },
  {
    operation: 'create',
    userId: 'linus',
    data: { name: 'Linus Pauling', email: 'linus@example.com', city: 'Portland' },
  },
  { operation: 'update', userId: 'linus', data: { city: 'Big Sur' } },
];

type Say = (text: string) => Promise<void>;
type Run = (service: Service, args: readonly string[], exit?: number, input?: string) => Promise<void>;

/** The tour: every command is really run, by this program, and what it prints is printed. */
export async function tour({ environments }: Stage, options: TourOptions): Promise<TourResult> {
  const { theme } = options.style;
  const say: Say = (text) => options.tell(`\n${theme.accent('▸')} ${theme.title(text)}`);
  const run: Run = (service, args, exit = 0, input = '') =>
    show(environments[service], service, args, exit, input, options);
  const wrongId = options.newId();

  await stayInSync(say, run);
  await failInOne(say, run, wrongId);
  await rollBackInBoth(say, run, wrongId);

  await say('Both tables, after it:');
  await run('orders', ['users', 'list']);
  await run('billing', ['users', 'list']);
  const users = {
    orders: await readUsers(environments.orders, options.signal),
    billing: await readUsers(environments.billing, options.signal),
  };
  const isEqual = JSON.stringify(users.orders) === JSON.stringify(users.billing);
  await options.tell(
    isEqual ? theme.good('\n✓ Both tables are equal.') : theme.bad('\n✗ The tables differ.'),
  );

  await say('The same rollback again changes nothing.');
  await run('billing', ['rollback', '--event-id', wrongId, '--only', '--yes']);
  return { isEqual, users };
}

async function stayInSync(say: Say, run: Run): Promise<void> {
  await say('Two services, orders and billing. Each owns a database; they share nothing but one event log.');
  await run('orders', ['init']);
  await run('billing', ['init']);

  await say('Users are created and changed: each change is an event in the log.');
  const lines = FIRST_USERS.map((line) => JSON.stringify(line)).join('\n');
  await run('orders', ['publish', '--from-file', '-'], 0, lines);

  await say('Each service executes the events on its own table.');
  await run('orders', ['consume', '--until-end']);
  await run('billing', ['consume', '--until-end']);
  await run('billing', ['users', 'list']);
}

async function failInOne(say: Say, run: Run, wrongId: string): Promise<void> {
  await say('Then somebody publishes an address without an @, and later changes of Ada and Grace follow.');
  await run('orders', ['publish', 'update', 'ada', '--email', 'ada at example.com', '--event-id', wrongId]);
  await run('orders', ['publish', 'update', 'ada', '--name', 'Ada King']);
  await run('orders', ['publish', 'update', 'grace', '--set', 'city=Arlington']);

  await say(
    'Orders takes it. Billing has a rule against it: it fails, Ada’s later event waits, Grace goes on.',
  );
  await run('orders', ['consume', '--until-end']);
  await run('billing', ['consume', '--until-end'], 7);
  await run('billing', ['failures']);

  await say('What happened? One screen tells.');
  await run('billing', ['trace', wrongId]);
}

async function rollBackInBoth(say: Say, run: Run, wrongId: string): Promise<void> {
  await say('The operator rolls the event back: one compensating event, which every service executes.');
  await run('billing', ['rollback', '--event-id', wrongId, '--only', '--dry-run']);
  await run('billing', ['rollback', '--event-id', wrongId, '--only', '--reason', 'no address', '--yes']);
  await run('orders', ['consume', '--until-end']);
  await run('billing', ['consume', '--until-end']);
}

/** A service's users as scripts get them. */
async function readUsers(env: Environment, signal: AbortSignal): Promise<readonly unknown[]> {
  const { stdout } = await runOurselves(['users', 'list', '--json'], env, signal);
  return stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

/** Prints the command as it would be typed, runs it, prints what it printed. UNEXPECTED where it ends otherwise. */
async function show(
  env: Environment,
  service: Service,
  args: readonly string[],
  exit: number,
  input: string,
  { style, signal, tell }: TourOptions,
): Promise<void> {
  const { theme } = style;
  const typed = args.map((arg) => (/^[\w=./:@-]+$/.test(arg) ? arg : `"${arg}"`)).join(' ');
  await tell(`\n${theme.dim(`${service}$`)} user-events ${typed}`);
  if (input !== '') await tell(theme.dim(indent(input)));
  const colour = style.theme.title('x') === 'x' ? {} : { FORCE_COLOR: '1' };
  const result = await runOurselves(args, { ...env, ...colour }, signal, input);
  if (result.output.trim() !== '') await tell(indent(result.output.trimEnd()));
  if (result.exitCode !== exit) {
    const found = result.exitCode === null ? 'a signal' : `exit code ${String(result.exitCode)}`;
    throw new UserEventsError(
      'UNEXPECTED',
      `\`user-events ${typed}\` ended with ${found}, not with ${String(exit)}`,
    );
  }
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
