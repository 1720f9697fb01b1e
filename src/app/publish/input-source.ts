import { constants, openSync } from 'node:fs';
import { mkdtemp, open, rm, stat, type FileHandle } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { UserEventsError } from '../../errors/user-events-error.ts';

/** Bytes of one read of a file: some 2,000 events. */
const CHUNK_BYTES = 256 * 1024;

/** The bytes of an input. */
export interface InputSource {
  /** Reads it from its start. A second time only where it was opened so. A chunk is valid until the next one. */
  chunks(): AsyncIterable<Buffer>;
  /** Throws INPUT_INVALID where a file was written to since it was opened. */
  assertUnchanged(): Promise<void>;
  close(): Promise<void>;
}

export interface InputRequest {
  /** A path, or the stream that stands for `-`. */
  readonly from: string | Readable;
  /** It is read twice: what cannot be (a pipe) is kept in a temporary file, so that memory stays flat. */
  readonly isReadTwice: boolean;
  readonly signal: AbortSignal;
}

/** Opens an input. Throws USAGE where a file cannot be opened. */
export async function openInput({ from, isReadTwice, signal }: InputRequest): Promise<InputSource> {
  if (typeof from !== 'string') return isReadTwice ? spooled(from, signal) : streamed(from, signal);
  const found = await openable(from, () => stat(from));
  if (found.isDirectory()) throw new UserEventsError('USAGE', `${from} is a directory`);
  if (found.isFIFO()) {
    const stream = await openable(from, () => openPipe(from));
    return isReadTwice ? spooled(stream, signal) : streamed(stream, signal);
  }
  const file = await openable(from, () => open(from));
  if (found.isFile()) return regular(file, from);
  const stream = file.createReadStream();
  return isReadTwice ? spooled(stream, signal) : streamed(stream, signal);
}

async function openable<T>(path: string, open: () => Promise<T>): Promise<T> {
  return open().catch((error: unknown) => {
    throw unreadable(path, error);
  });
}

function unreadable(what: string, cause: unknown): UserEventsError {
  return new UserEventsError('USAGE', `${what} cannot be read (${codeOf(cause)})`, { cause });
}

/**
 * A pipe by name, read through the event loop: a read that waits in a thread for its writer could not be interrupted, and
 * would keep the process from ending. Opened without waiting; what it reads waits for the writer.
 */
function openPipe(path: string): Promise<Readable> {
  return new Promise((resolve) => {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    resolve(new Socket({ fd, readable: true, writable: false }));
  });
}

async function regular(file: FileHandle, path: string): Promise<InputSource> {
  const stamp = async (): Promise<string> => {
    const { size, mtimeNs } = await file.stat({ bigint: true });
    return `${String(size)} ${String(mtimeNs)}`;
  };
  const opened = await stamp();
  const { size } = await file.stat();
  return {
    chunks: () => readAll(file, size),
    async assertUnchanged() {
      if ((await stamp()) === opened) return;
      throw new UserEventsError('INPUT_INVALID', `${path} was written to while it was being read`, {
        hint: 'Publish it when it is complete.',
      });
    },
    close: () => file.close(),
  };
}

/** Up to `end`: a file that grows as fast as it is read would have none. */
async function* readAll(file: FileHandle, end = Infinity): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let position = 0; position < end;) {
    const wanted = Math.min(buffer.length, end - position);
    const { bytesRead } = await file.read(buffer, 0, wanted, position).catch((error: unknown) => {
      throw unreadable('The input', error);
    });
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}

function streamed(stream: Readable, signal: AbortSignal): InputSource {
  return {
    chunks: () => readStream(stream, signal),
    assertUnchanged: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

async function* readStream(stream: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of addAbortSignal(signal, stream)) {
      yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    }
  } catch (error) {
    throw signal.aborted ? error : unreadable('The input', error);
  }
}

/** The first reading keeps what it reads in a temporary file of this user alone, the second one reads that. */
async function spooled(stream: Readable, signal: AbortSignal): Promise<InputSource> {
  const folder = await mkdtemp(join(tmpdir(), 'user-events-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const file = await open(join(folder, 'input'), 'wx+', 0o600);
  // With the name gone not even kill -9 leaves the users' data behind. Windows does not remove what is open.
  if (process.platform !== 'win32') await remove();
  let isKept = false;
  return {
    async *chunks() {
      if (isKept) yield* readAll(file);
      else yield* keep(stream, file, signal);
      isKept = true;
    },
    assertUnchanged: () => Promise.resolve(),
    async close() {
      await file.close();
      await remove();
    },
  };
}

async function* keep(stream: Readable, file: FileHandle, signal: AbortSignal): AsyncGenerator<Buffer> {
  for await (const chunk of readStream(stream, signal)) {
    await file.appendFile(chunk).catch((error: unknown) => {
      throw new UserEventsError(
        'INPUT_INVALID',
        `The input cannot be kept in ${tmpdir()} (${codeOf(error)})`,
        {
          hint: 'Set TMPDIR to a folder with room for it, or publish from a file.',
          cause: error,
        },
      );
    });
    yield chunk;
  }
}

function codeOf(error: unknown): string {
  const isCoded = typeof error === 'object' && error !== null && 'code' in error;
  return isCoded ? String(error.code) : 'unknown error';
}
