import { open, type FileHandle } from 'node:fs/promises';
import { decodeUtf8 } from '../../domain/utf8.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { Reject } from './prepare-line.ts';
import type { RawLine } from './split-lines.ts';

/** Of a line that is refused for its length this much is kept: enough to recognise it. */
const KEPT_OF_TOO_LONG = 1024;
/** Characters that are gathered before they are written. */
const FLUSH_LENGTH = 64 * 1024;

/** The rejects of `--keep-going`, with their reasons. */
export interface RejectsFile {
  readonly path: string;
  /** Adds a reject and the line itself. */
  add(reject: Reject, raw: RawLine): Promise<void>;
  /** Resolves when all of it is in the file. */
  close(): Promise<void>;
}

/**
 * A file of NDJSON, `{"line", "reason", "input"}`: `input` is the line as text (`inputEncoding` is `base64` where it is
 * not UTF-8, `isCut` where only its beginning is kept), so that `jq -r .input` gives the lines back for mending. Made at the first reject, for this user alone;
 * an older file of that name is replaced. Throws USAGE where it cannot be written.
 */
export function createRejectsFile(path: string): RejectsFile {
  let file: FileHandle | null = null;
  let pending = '';

  async function flush(): Promise<void> {
    if (pending === '') return;
    const lines = pending;
    pending = '';
    try {
      file ??= await open(path, 'w', 0o600);
      await file.appendFile(lines);
    } catch (error) {
      const isCoded = typeof error === 'object' && error !== null && 'code' in error;
      const code = isCoded ? String(error.code) : 'unknown error';
      throw new UserEventsError('USAGE', `The rejects cannot be written to ${path} (${code})`, {
        cause: error,
      });
    }
  }

  return {
    path,
    async add(reject, raw) {
      pending += `${rejectLine(reject, raw)}\n`;
      if (pending.length >= FLUSH_LENGTH || file === null) await flush();
    },
    async close() {
      try {
        await flush();
      } finally {
        await file?.close();
      }
    },
  };
}

function rejectLine({ line, reason }: Reject, { bytes, isTooLong }: RawLine): string {
  if (isTooLong) {
    const input = bytes.toString('latin1', 0, KEPT_OF_TOO_LONG);
    return JSON.stringify({ line, reason, input, isCut: true });
  }
  const text = decodeUtf8(bytes);
  return JSON.stringify(
    text === null
      ? { line, reason, input: bytes.toString('base64'), inputEncoding: 'base64' }
      : { line, reason, input: text },
  );
}
