import { resolve } from 'node:path';
import type { PublishInputRequest } from '../app/publish/publish-input.ts';
import { CUD_OPERATIONS, type CudOperation, type JsonObject, type JsonValue } from '../domain/event.ts';
import { attributeFault, type InputEvent } from '../domain/input-line.ts';
import { parseJsonObjectText } from '../domain/parse-json.ts';
import { Unreadable } from '../domain/unreadable.ts';
import { canonicalUuid } from '../domain/uuid.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { Prompts } from './prompts.ts';

interface EventArgs {
  readonly operation?: string | undefined;
  readonly userId?: string | undefined;
}

interface EventFlags {
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly set?: readonly string[] | undefined;
  readonly data?: string | undefined;
  readonly 'event-id'?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly 'causation-id'?: string | undefined;
}

/**
 * The event that arguments and flags describe; what is missing of operation and user id is asked for on a terminal, and
 * then the fields too. Throws USAGE.
 */
async function readEvent(args: EventArgs, flags: EventFlags, prompts: Prompts): Promise<InputEvent> {
  const given = readFields(flags);
  const attributes = readAttributes(flags);
  const { operation, userId } = args;
  if (operation !== undefined && userId !== undefined) {
    return complete({
      kind: 'cud',
      operation: readOperation(operation),
      userId,
      fields: given,
      ...attributes,
    });
  }
  if (!prompts.isAvailable) {
    throw new UserEventsError('USAGE', 'Nothing to publish: operation and user id are missing', {
      hint: 'Say `publish create USER_ID --name …`, or --from-file FILE (- reads the standard input).',
    });
  }
  const chosen =
    operation === undefined ? await prompts.choose('Operation', OPERATION_CHOICES) : readOperation(operation);
  const asked = userId ?? (await prompts.ask('User id'));
  const fields = chosen === 'delete' ? given : { ...given, ...(await askForFields(given, prompts)) };
  return complete({ kind: 'cud', operation: chosen, userId: asked, fields, ...attributes });
}

/** What `publish` was told to do. */
export type PublishJob =
  | { readonly kind: 'event'; readonly event: InputEvent }
  | { readonly kind: 'input'; readonly input: InputOptions };

type InputOptions = Pick<PublishInputRequest, 'from' | 'runId' | 'skipLines' | 'rejectsFile'>;

/** Reads what `publish` was told to do, before anything connects; asks on a terminal. Throws USAGE. */
export async function readJob(
  args: EventArgs,
  flags: EventFlags & InputFlags,
  prompts: Prompts,
): Promise<PublishJob> {
  const file = flags['from-file'];
  if (file === undefined) return { kind: 'event', event: await readEvent(args, flags, prompts) };
  if (args.operation !== undefined)
    throw usage('--from-file takes no operation and no user: the lines say both');
  return { kind: 'input', input: readInput(file, flags) };
}

interface InputFlags {
  readonly 'from-file'?: string | undefined;
  readonly 'keep-going': boolean;
  readonly rejects?: string | undefined;
  readonly 'skip-lines'?: number | undefined;
  readonly 'run-id'?: string | undefined;
}

function readInput(file: string, flags: InputFlags): InputOptions {
  const isStdin = file === '-';
  const runId = flags['run-id'] === undefined ? null : canonicalUuid(flags['run-id']);
  if (flags['run-id'] !== undefined && runId?.charAt(14) !== '7') {
    throw usage('--run-id is not the UUIDv7 that an earlier run printed');
  }
  const rejects = flags.rejects ?? (isStdin ? 'rejects.ndjson' : `${file}.rejects.ndjson`);
  if (!isStdin && resolve(rejects) === resolve(file)) throw usage('--rejects is the input itself');
  return {
    from: isStdin ? process.stdin : file,
    runId,
    skipLines: flags['skip-lines'] ?? 0,
    rejectsFile: flags['keep-going'] ? rejects : null,
  };
}

const OPERATION_CHOICES = [
  { value: 'create', label: 'create', hint: 'The user is new.' },
  { value: 'update', label: 'update', hint: 'Some fields of a user that exists.' },
  { value: 'delete', label: 'delete', hint: 'The user goes.' },
  { value: 'put', label: 'put', hint: 'Create the user, or change the fields given.' },
] as const;

function readOperation(text: string): CudOperation {
  const operation = CUD_OPERATIONS.find((each) => each === text);
  if (operation === undefined) throw usage(`${text} is no operation: ${CUD_OPERATIONS.join(', ')}`);
  return operation;
}

function complete(event: InputEvent): InputEvent {
  const isEmpty = Object.keys(event.fields).length === 0;
  if (event.operation === 'delete' && !isEmpty) throw usage('A delete carries no fields');
  if (event.operation === 'update' && isEmpty) {
    throw usage('An update needs a field: --name, --email, --set FIELD=VALUE or --data JSON');
  }
  return event;
}

function readFields({ name, email, set = [], data }: EventFlags): JsonObject {
  const { userId, ...fields } = data === undefined ? {} : parseObject(data, '--data');
  if (userId !== undefined) throw usage('--data must not carry userId: it is the argument');
  const pairs: (readonly [string, JsonValue])[] = [];
  if (name !== undefined) pairs.push(['name', name]);
  if (email !== undefined) pairs.push(['email', email]);
  pairs.push(...set.map(readPair));
  for (const [field, value] of pairs) {
    if (Object.hasOwn(fields, field)) throw usage(`The field ${field} is given twice`);
    fields[field] = value;
  }
  return fields;
}

/** `field=value`: the value is JSON where it is JSON, else the text itself. */
function readPair(pair: string): readonly [string, JsonValue] {
  const equals = pair.indexOf('=');
  const field = pair.slice(0, equals);
  if (equals < 1) throw usage('--set takes FIELD=VALUE');
  if (field === 'userId') throw usage('--set must not carry userId: it is the argument');
  const text = pair.slice(equals + 1);
  if (!isJson(text)) return [field, text];
  // Parsed as an object, so that a number that parsing would change is refused, not changed.
  return [field, parseObject(`{"value":${text}}`, `--set ${field}`)['value'] ?? null];
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parseObject(text: string, flag: string): JsonObject {
  const object = parseJsonObjectText(text);
  if (object instanceof Unreadable) throw usage(`${flag}: ${object.reason}`);
  return object;
}

function readAttributes(flags: EventFlags): Pick<InputEvent, 'eventId' | 'traceparent' | 'causationId'> {
  const { 'event-id': eventId, traceparent, 'causation-id': causationId } = flags;
  const given = Object.entries({ eventId, traceparent, causationId });
  for (const [name, text] of given) {
    if (text === undefined) continue;
    const fault = attributeFault(name === 'traceparent' || name === 'eventId' ? name : 'causationId', text);
    if (fault !== null) throw usage(fault);
  }
  return {
    ...(eventId === undefined ? {} : { eventId }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(causationId === undefined ? {} : { causationId }),
  };
}

async function askForFields(given: JsonObject, prompts: Prompts): Promise<JsonObject> {
  const fields: JsonObject = {};
  for (const field of ['name', 'email']) {
    if (Object.hasOwn(given, field)) continue;
    const answer = await prompts.ask(`${field} (empty: leave out)`, { isOptional: true });
    if (answer !== '') fields[field] = answer;
  }
  const check = (answer: string): string | null =>
    answer === '' || answer.indexOf('=') > 0 ? null : 'FIELD=VALUE, or nothing.';
  for (;;) {
    const answer = await prompts.ask('Another field, FIELD=VALUE (empty: done)', { isOptional: true, check });
    if (answer === '') return fields;
    const [field, value] = readPair(answer);
    fields[field] = value;
  }
}

function usage(message: string): UserEventsError {
  return new UserEventsError('USAGE', message);
}
