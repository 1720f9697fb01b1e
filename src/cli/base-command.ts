import { Command, Errors, type Interfaces } from '@oclif/core';
import { SETTINGS } from '../config/settings.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import { createContext, type Context, type Needs } from './context.ts';
import { leave, INTERRUPTED_EXIT, takeEarlySignal } from './early-signals.ts';
import { tellError } from './error-report.ts';
import { everyFlag } from './flags.ts';
import { JSON_VERSION, toJson, toResultJson } from './json.ts';
import { createOutput, type Output } from './output.ts';
import type { LiveLine } from './live-line.ts';
import { createLiveLines } from './live-lines.ts';
import type { Progress } from './progress.ts';
import { createPrompts, type Prompts } from './prompts.ts';
import { visible } from './sanitize.ts';
import { isInterruption, listenToSignals, type StopRequest } from './stop-signals.ts';
import { createStyle, type Style, type View } from './theme.ts';

/** The exits of a command that printed its result: 0 done, 5 a part was not found, 6 refused, 7 failed, 3 and 4 doctor. */
export type ResultExit = 0 | 3 | 4 | 5 | 6 | 7;

/** Leaving a consumer group and closing a pool take some ms where all is well. */
const CLOSE_TIMEOUT_MS = 3000;

/**
 * What every command is built on. A command parses its flags, asks for the context, makes one call and reports:
 *
 *   protected async execute(): Promise<UserResult> {
 *     const { args, flags } = await this.parse(UsersGet);
 *     const context = await this.context(flags, 'database');
 *     return this.report(await getUser(await context.database(), args.userId), renderUser);
 *   }
 *
 * This is the one place where an error becomes an exit code and text (or one JSON line) on stderr, and where signals
 * are listened to. `Result` is the object that `--json` prints.
 */
export abstract class BaseCommand<Result extends object> extends Command {
  static override baseFlags = everyFlag;
  // oclif's own --json prints errors on stdout and swallows them: ours is a plain flag.
  static override enableJsonFlag = false;
  /**
   * What SIGINT and SIGTERM do. False: the command is left at once (it only reads, or its transaction is aborted by
   * leaving). True: it watches `this.signal`, finishes what is under way, and returns.
   */
  protected readonly drains: boolean = false;

  private readonly stopRequest: StopRequest = listenToSignals(process, leave, takeEarlySignal());
  private readonly output: Output = createOutput(process.stdout, () => {
    this.stopRequest.stop('reader gone');
  });
  private readonly contexts: Context[] = [];
  private readonly lines = createLiveLines(process.stderr, !this.isJson);
  private resultExit: ResultExit = 0;

  /** The command itself: returns what `report` printed, or nothing where it printed a stream. */
  protected abstract execute(): Promise<Result | undefined>;

  /** Aborts when the command is asked to stop. */
  protected get signal(): AbortSignal {
    return this.stopRequest.signal;
  }

  /** `--json` was given (and not behind `--`). */
  protected get isJson(): boolean {
    const end = this.argv.indexOf('--');
    return this.argv.slice(0, end === -1 ? undefined : end).includes('--json');
  }

  /** Colours and width of stdout, for what `printLine` prints. */
  protected get style(): Style {
    return createStyle(process.stdout, process.env);
  }

  /** Questions, on stderr. */
  protected get prompts(): Prompts {
    const { signal } = this;
    return createPrompts({ input: process.stdin, output: process.stderr, isAllowed: !this.isJson, signal });
  }

  /** A progress line, on stderr; nothing without a terminal or under `--json`. */
  protected progress(label: string): Progress {
    return this.lines.progress(label);
  }

  /** The same for any text. */
  protected liveLine(): LiveLine {
    return this.lines.line();
  }

  /**
   * Settings and connections for the flags given. `needs` says which half of the system the command uses: a half that
   * is not configured beside one that is, is CONFIG_HALF here, before anything connects.
   */
  protected context(
    flags: Readonly<Record<string, unknown>>,
    needs: Needs = 'both',
    profile?: string,
  ): Context {
    const context = createContext({
      flags,
      needs,
      env: process.env,
      signal: this.signal,
      isTerminal: this.prompts.isAvailable,
      notify: (text) => {
        this.notice(text);
      },
      ...(profile === undefined ? {} : { profile }),
    });
    this.contexts.push(context);
    return context;
  }

  /**
   * Prints a result: by the view, or as one versioned JSON line. `exit` is the exit code that the result stands for:
   * 7 where an event failed, 6 where one was refused, in text and JSON alike.
   */
  protected async report<R extends Result>(result: R, view: View<R>, exit: ResultExit = 0): Promise<R> {
    this.resultExit = exit;
    await this.printLine(this.isJson ? toResultJson(this.commandName, result) : view(result, this.style));
    return result;
  }

  /** Prints one item of a stream: by the view, or as one plain NDJSON line. Await it: it waits for a slow reader. */
  protected printItem<Item extends object>(item: Item, view: View<Item>): Promise<void> {
    return this.isJson ? this.printJson(item) : this.printLine(view(item, this.style));
  }

  /** Prints one line of NDJSON. */
  protected printJson(item: object): Promise<void> {
    return this.printLine(toJson(item));
  }

  /** Prints a line of result on stdout. Its data must have been made safe (`visible`, or a table's cells). */
  protected printLine(text: string): Promise<void> {
    return text === '' ? Promise.resolve() : this.output.line(text);
  }

  /** The exit code of a command that prints a stream and ends well. */
  protected endWith(exit: ResultExit): void {
    this.resultExit = exit;
  }

  /** Says something on stderr that is no result and no error: what was started, what is worth knowing. */
  protected notice(text: string): void {
    this.lines.takeAway();
    process.stderr.write(
      this.isJson
        ? `${toJson({ _command: this.commandName, _version: JSON_VERSION, notice: text })}\n`
        : `${createStyle(process.stderr, process.env).theme.dim(visible(text))}\n`,
    );
  }

  /** Shows something rendered on stderr, beside a question: a plan, say. Nothing under `--json`. */
  protected show<Thing>(thing: Thing, view: View<Thing>): void {
    this.lines.takeAway();
    if (!this.isJson) process.stderr.write(`${view(thing, createStyle(process.stderr, process.env))}\n`);
  }

  /** oclif's entry. A command implements `execute`. */
  async run(): Promise<Result | undefined> {
    const work = this.execute();
    if (this.drains) return work;
    // Left at the signal, the work may still fail: that is nobody's concern any more.
    work.catch(() => undefined);
    return Promise.race([work, rejectWhenAborted(this.signal)]);
  }

  protected override async parse<
    F extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    B extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    A extends Interfaces.OutputArgs<Interfaces.ArgInput>,
  >(options?: Interfaces.Input<F, B, A>, argv = this.argv): Promise<Interfaces.ParserOutput<F, B, A>> {
    // One table reads settings from the environment (config/settings.ts); in oclif's flags the name is help text.
    // One list, not one object: a command's own --profile (for several services) is not the one that all have.
    for (const flags of [options?.flags, options?.baseFlags])
      for (const flag of Object.values<{ env?: string }>({ ...flags })) leaveEnvironmentAlone(flag);
    // oclif reads a missing argument from stdin, where that is no terminal: a pipe held open would hang the command.
    for (const argument of Object.values<{ ignoreStdin?: boolean }>(options?.args ?? {}))
      argument.ignoreStdin = true;
    return super.parse(options, argv);
  }

  protected override async catch(error: unknown): Promise<void> {
    this.parsed = true;
    this.lines.takeAway();
    if (error instanceof Errors.ExitError) {
      process.exitCode = error.oclif.exit ?? 0;
      return;
    }
    if (this.stopRequest.reason === 'reader gone' && isInterruption(error)) return;
    const known = await this.explain(error);
    process.exitCode = tellError(known, this.commandName, this.isJson);
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    await this.closeContexts();
    this.stopRequest.dispose();
    await this.output.flush();
    if (error === undefined) {
      process.exitCode = this.stopRequest.reason === 'SIGINT' ? INTERRUPTED_EXIT : this.resultExit;
    }
  }

  /**
   * A command that was left does not wait for the query that it was left in: the process ends, and the server aborts
   * it. Nor does a connection that will not close keep the others waiting.
   */
  private async closeContexts(): Promise<void> {
    if (this.signal.aborted && !this.drains) return;
    const closed = Promise.all(this.contexts.map((context) => context.close()));
    const patience = new Promise((resolve) => setTimeout(resolve, CLOSE_TIMEOUT_MS).unref());
    await Promise.race([closed, patience]);
  }

  private get commandName(): string {
    return (this.id ?? '').replaceAll(':', ' ');
  }

  /** Lets the adapters translate what a driver threw, since only they know its codes. */
  private async explain(error: unknown): Promise<unknown> {
    // The platform's AbortError says nothing; an INTERRUPTED of a use case says how far it came.
    const isOurs = error instanceof UserEventsError || this.stopRequest.reason === null;
    if (isInterruption(error)) return isOurs ? error : this.signal.reason;
    let known = error;
    for (const context of this.contexts) known = await context.explain(known);
    return known;
  }
}

const SETTING_VARIABLES: ReadonlySet<string> = new Set([
  'USER_EVENTS_PROFILE',
  ...Object.values(SETTINGS).map(({ env }) => env),
]);

function leaveEnvironmentAlone(flag: { env?: string | undefined }): void {
  if (flag.env !== undefined && SETTING_VARIABLES.has(flag.env)) delete flag.env;
}

function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
