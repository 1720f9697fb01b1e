/** A line longer than this is refused: 1 MiB, about what a broker takes in one record (message.max.bytes). */
export const MAX_LINE_BYTES = 1024 * 1024;

/** A line as it stands in the input, without its line feed. */
export interface RawLine {
  /** From 1. */
  readonly number: number;
  /** Of a line that is too long the first `MAX_LINE_BYTES`. */
  readonly bytes: Buffer;
  readonly isTooLong: boolean;
}

/**
 * Splits chunks into lines, a list of lines a chunk, so that no line costs a turn of the event loop. Lines end with LF
 * or CRLF, the last one also with the input. A byte order mark at the input's start is dropped. Holds one line.
 */
export async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly RawLine[]> {
  const kept = new OpenLine();
  let number = 0;
  for await (const chunk of chunks) {
    const lines: RawLine[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, from)) {
      number += 1;
      lines.push(kept.close(number, chunk.subarray(from, end)));
      from = end + 1;
    }
    kept.append(chunk.subarray(from));
    if (lines.length > 0) yield lines;
  }
  if (!kept.isEmpty) yield [kept.close(number + 1, Buffer.alloc(0))];
}

/** The line that has begun in an earlier chunk, up to the limit. */
class OpenLine {
  private parts: Buffer[] = [];
  private length = 0;

  get isEmpty(): boolean {
    return this.length === 0;
  }

  append(part: Buffer): void {
    if (part.length === 0) return;
    // A copy: the chunk's memory may be used again. Of a line that is too long no more is kept.
    if (this.length <= MAX_LINE_BYTES) this.parts.push(Buffer.from(part.subarray(0, MAX_LINE_BYTES + 1)));
    this.length += part.length;
  }

  close(number: number, part: Buffer): RawLine {
    const whole = this.length === 0 ? part : Buffer.concat([...this.parts, part]);
    const length = this.length + part.length;
    this.parts = [];
    this.length = 0;
    const isTooLong = length > MAX_LINE_BYTES;
    const from = number === 1 && whole.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
    const end = isTooLong ? MAX_LINE_BYTES : whole.at(-1) === CR ? whole.length - 1 : whole.length;
    return { number, bytes: whole.subarray(from, Math.max(from, end)), isTooLong };
  }
}

const LF = 0x0a;
const CR = 0x0d;
const BOM = Buffer.from('\ufeff');
