/** A command's stdout: results, and nothing else. */
export interface Output {
  /** Writes a line; resolves when the stream takes more. A reader that has gone (EPIPE) makes it do nothing. */
  line(text: string): Promise<void>;
  /** Resolves when all that was written has left the process. */
  flush(): Promise<void>;
}

/**
 * Wraps stdout. `onReaderGone` is called once when the reader has closed its end (`| head`): that is the reader's
 * right and no error; whoever writes a stream of results may stop.
 */
export function createOutput(stream: NodeJS.WriteStream, onReaderGone: () => void): Output {
  let isGone = false;
  const onError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE' || isGone) return;
    isGone = true;
    onReaderGone();
  };
  stream.on('error', onError);

  const write = (text: string): Promise<void> =>
    isGone
      ? Promise.resolve()
      : // The callback runs with the error too: a reader that has gone is told by the event above.
        new Promise((resolve) => stream.write(text, () => resolve()));

  return {
    line: (text) => {
      // Awaiting the callback of every line would cost a turn of the event loop each: only a full buffer is awaited.
      if (isGone || stream.write(`${text}\n`)) return Promise.resolve();
      return write('');
    },
    flush: () => write(''),
  };
}
