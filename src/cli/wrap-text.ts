import { beginningOf, cutText, displayWidth } from './text-width.ts';

/** A terminal narrower than that breaks lines by itself. */
const LEAST = 8;

/**
 * Breaks text into lines of `columns` at the most, between words where it can. Of more than `mostLines` the rest is cut
 * off, shown by `…`. The text must have been made safe before.
 */
export function wrapText(text: string, columns: number, mostLines = Infinity): readonly string[] {
  const room = Math.max(LEAST, columns);
  if (displayWidth(text) <= room) return [text];
  const lines: string[] = [];
  let rest = text;
  while (rest !== '') {
    if (lines.length + 1 >= mostLines) {
      lines.push(cutText(rest, room));
      break;
    }
    const line = firstLine(rest, room);
    lines.push(line.trimEnd());
    rest = rest.slice(line.length).trimStart();
  }
  return lines;
}

function firstLine(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  const cut = beginningOf(text, columns);
  // At least one character, however wide.
  const fitting = cut === '' ? String.fromCodePoint(text.codePointAt(0) ?? 0) : cut;
  const space = fitting.lastIndexOf(' ');
  const isAtWord = text.startsWith(`${fitting} `);
  return isAtWord || space < columns / 2 ? fitting : fitting.slice(0, space + 1);
}
