/**
 * Writes bytes as they are; resolves when the stream takes more. A reader that has gone (EPIPE) is told by the stream's
 * own error event, which base-command listens to.
 */
export function writeBytes(stream: NodeJS.WritableStream, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (stream.write(bytes, () => resolve())) resolve();
  });
}
