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

/** Questions to the person at the terminal, on stderr. Without a terminal each throws NO_TERMINAL; Ctrl-C throws INTERRUPTED. */
export interface Prompts {
  /** Whether there is somebody to ask. */
  readonly isAvailable: boolean;
  /** Resolves when it is confirmed; throws DECLINED where it is not. */
  confirm(message: string, options: ConfirmOptions): Promise<void>;
  choose<T extends string>(message: string, choices: readonly Choice<T>[]): Promise<T>;
  ask(message: string, options?: AskOptions): Promise<string>;
}

type PromptModule = ReturnType<typeof inquirerModule.createPromptModule>;

interface PromptsEnvironment {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** False under `--json`: a script is not asked. */
  readonly isAllowed: boolean;
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
    choose<T extends string>(question: string, choices: readonly Choice<T>[]) {
      const shown = choices.map(({ value, label, hint }) => ({
        value,
        name: visible(label),
        ...(hint === undefined ? {} : { description: visible(hint) }),
      }));
      return put(question, (prompt, message) =>
        prompt<{ answer: T }>({ type: 'select', name: 'answer', message, choices: shown }),
      );
    },
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
    const { input, output } = environment;
    const { default: inquirer } = await import('inquirer');
    try {
      return (await ask(inquirer.createPromptModule({ input, output }), visible(question))).answer;
    } catch (error) {
      if (error instanceof Error && (error.name === 'ExitPromptError' || error.name === 'AbortPromptError')) {
        throw new UserEventsError('INTERRUPTED', 'Interrupted at a question', { cause: error });
      }
      throw error;
    }
  };
}

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
