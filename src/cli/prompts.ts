import type inquirerModule from 'inquirer';
import { UserEventsError } from '../errors/user-events-error.ts';
import { visible } from './sanitize.ts';

export interface Choice<T extends string> {
  readonly value: T;
  readonly label: string;
  readonly hint?: string;
}

export interface ConfirmOptions {
  /** `--yes` was given: nothing is asked. */
  readonly yes: boolean;
  /** Ask for this word to be typed (a profile's name, say) rather than for y or n. */
  readonly typed?: string;
}

export interface AskOptions {
  readonly preset?: string;
  /** An empty answer is taken. Default: it is asked again. */
  readonly isOptional?: boolean;
  /** Returns what is wrong with the answer, or null. */
  readonly check?: (answer: string) => string | null;
}

/**
 * Questions to the person at the terminal, on stderr. Without a terminal each throws NO_TERMINAL; Ctrl-C throws INTERRUPTED,
 * Escape DECLINED.
 */
export interface Prompts {
  /** Whether there is somebody to ask. */
  readonly isAvailable: boolean;
  /** Resolves when it is confirmed; throws DECLINED where it is not. */
  confirm(message: string, options: ConfirmOptions): Promise<void>;
  choose<T extends string>(message: string, choices: readonly Choice<T>[]): Promise<T>;
  ask(message: string, options?: AskOptions): Promise<string>;
  /** Lets one be picked of what `find` finds for what is typed. */
  search(message: string, find: (term: string) => Promise<readonly Choice<string>[]>): Promise<string>;
}

type PromptModule = ReturnType<typeof inquirerModule.createPromptModule>;

interface PromptsEnvironment {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** False under `--json`: a script is not asked. */
  readonly isAllowed: boolean;
  /** Ends a question as Ctrl-C does. */
  readonly signal?: AbortSignal;
}

/** Makes the questions for a terminal. inquirer is loaded when the first question is asked (it takes 100 ms). */
export function createPrompts(environment: PromptsEnvironment): Prompts {
  const put = createQuestioner(environment);
  const ask: Prompts['ask'] = (question, options = {}) =>
    put(question, (prompt, message) => prompt<{ answer: string }>(textQuestion(message, options)));

  return {
    isAvailable: isAvailable(environment),
    ask,
    async confirm(question, { yes, typed }) {
      if (yes) return;
      const isConfirmed =
        typed === undefined
          ? await put(question, (prompt, message) =>
              prompt<{ answer: boolean }>({ type: 'confirm', name: 'answer', message, default: false }),
            )
          : (await ask(`${question} Type ${typed} to go on:`, { isOptional: true })) === typed;
      if (!isConfirmed) throw new UserEventsError('DECLINED', 'Declined');
    },
    search: (question, find) =>
      put(question, (prompt, message) =>
        prompt<{ answer: string }>({
          type: 'search',
          name: 'answer',
          message,
          pageSize: SEARCH_LINES,
          source: async (term?: string) => (await find(term ?? '')).map(shownChoice),
        }),
      ),
    choose<T extends string>(question: string, choices: readonly Choice<T>[]) {
      const shown = choices.map(shownChoice);
      return put(question, (prompt, message) =>
        prompt<{ answer: T }>({ type: 'select', name: 'answer', message, choices: shown }),
      );
    },
  };
}

/** Of a search's results so many lines are shown at once. */
const SEARCH_LINES = 10;

function shownChoice<T extends string>({ value, label, hint }: Choice<T>) {
  return {
    value,
    name: visible(label),
    ...(hint === undefined ? {} : { description: visible(hint) }),
  };
}

type Questioner = <T>(
  question: string,
  ask: (prompt: PromptModule, message: string) => Promise<{ answer: T }>,
) => Promise<T>;

function createQuestioner(environment: PromptsEnvironment): Questioner {
  return async (question, ask) => {
    if (!isAvailable(environment)) {
      throw new UserEventsError('NO_TERMINAL', `There is no terminal to ask: ${question}`);
    }
    const { input, output, signal: outer } = environment;
    const { default: inquirer } = await import('inquirer');
    const escape = new AbortController();
    const onKey = (_: unknown, key?: { readonly name?: string }): void => {
      if (key?.name === 'escape') escape.abort();
    };
    const signal = outer === undefined ? escape.signal : AbortSignal.any([escape.signal, outer]);
    // inquirer's readline makes keys of what the input gives; the key alone is asked for here.
    input.on('keypress', onKey);
    try {
      return (await ask(inquirer.createPromptModule({ input, output, signal }), visible(question))).answer;
    } catch (error) {
      if (!(error instanceof Error) || !ENDED.has(error.name)) throw error;
      if (escape.signal.aborted)
        throw new UserEventsError('DECLINED', 'Left at a question', { cause: error });
      throw new UserEventsError('INTERRUPTED', 'Interrupted at a question', { cause: error });
    } finally {
      input.off('keypress', onKey);
    }
  };
}

/** What inquirer throws where a question ended without an answer. */
const ENDED: ReadonlySet<string> = new Set(['ExitPromptError', 'AbortPromptError']);

function isAvailable({ input, output, isAllowed }: PromptsEnvironment): boolean {
  return isAllowed && input.isTTY === true && output.isTTY === true;
}

function textQuestion(message: string, { preset, isOptional = false, check }: AskOptions) {
  return {
    type: 'input',
    name: 'answer',
    message,
    ...(preset === undefined ? {} : { default: preset }),
    validate: (answer: string) =>
      answer === '' && !isOptional ? 'An answer is needed.' : (check?.(answer) ?? true),
  } as const;
}
