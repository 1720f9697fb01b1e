import type { RollbackTerms } from './envelope.ts';
import { ROLLBACK_MODES, type JsonObject, type JsonValue, type Rules } from './event.ts';
import { Unreadable } from './unreadable.ts';
import { canonicalUuid } from './uuid.ts';

const RULES: readonly Rules[] = ['strict', 'lenient'];

/**
 * The terms of a rollback as its value states them, or what is wrong. `targets` and `mode` are required; absent or
 * null, `upTo`, `reason` and `operator` are null, `force` is false and `rules` is strict. Ids come out in lower case.
 * No target at all is readable: the decision refuses it.
 */
export function readRollbackValue(value: JsonObject): RollbackTerms | Unreadable {
  const targets = readTargets(value['targets']);
  if (targets === null) return new Unreadable('targets is not a list of event ids');
  const mode = ROLLBACK_MODES.find((known) => known === value['mode']);
  if (mode === undefined) return new Unreadable('mode is neither only nor cascade');
  const upTo = value['upTo'] == null ? null : readEventId(value['upTo']);
  if (upTo === null && value['upTo'] != null) return new Unreadable('upTo is not an event id');
  const force = value['force'] ?? false;
  if (typeof force !== 'boolean') return new Unreadable('force is not a boolean');
  const rules = RULES.find((known) => known === (value['rules'] ?? 'strict'));
  if (rules === undefined) return new Unreadable('rules is neither strict nor lenient');
  const reason = readText(value['reason']);
  if (reason === undefined) return new Unreadable('reason is not a text without NUL');
  const operator = readText(value['operator']);
  if (operator === undefined) return new Unreadable('operator is not a text without NUL');
  return { targets, mode, upTo, force, reason, operator, rules };
}

function readTargets(value: JsonValue | undefined): string[] | null {
  if (!Array.isArray(value)) return null;
  const targets: string[] = [];
  for (const target of value) {
    const eventId = readEventId(target);
    if (eventId === null) return null;
    targets.push(eventId);
  }
  return targets;
}

function readEventId(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? canonicalUuid(value) : null;
}

/** Undefined where it is neither absent nor a text that PostgreSQL can hold. */
function readText(value: JsonValue | undefined): string | null | undefined {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' && !value.includes('\0') ? value : undefined;
}
