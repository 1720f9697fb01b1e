import { types } from 'node:util';

/** The first error that `matches` in the chain of causes (at most eight deep); a host of several addresses has several. */
export function inChain(error: unknown, matches: (link: Error) => boolean, depth = 8): Error | null {
  if (!types.isNativeError(error) || depth === 0) return null;
  if (matches(error)) return error;
  const nested: readonly unknown[] = 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
  for (const each of [...nested, error.cause]) {
    const found = inChain(each, matches, depth - 1);
    if (found !== null) return found;
  }
  return null;
}
