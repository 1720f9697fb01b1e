import stringWidth from 'string-width';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Columns that a terminal needs for the text (wide characters take two, combining ones none). */
export function displayWidth(text: string): number {
  return isAscii(text) ? text.length : stringWidth(text);
}

/** Cuts text to `columns` at the most, between graphemes; what was cut is shown by `…`, which takes one column. */
export function cutText(text: string, columns: number): string {
  // Every column needs at least one code unit, so shorter text that is plain ASCII is never measured.
  if (text.length <= columns && isAscii(text)) return text;
  let kept = '';
  let used = 0;
  let keptWithEllipsis = '';
  for (const { segment } of graphemes.segment(text)) {
    const width = displayWidth(segment);
    if (used + width > columns) return columns < 1 ? '' : `${keptWithEllipsis}…`;
    kept += segment;
    used += width;
    if (used <= columns - 1) keptWithEllipsis = kept;
  }
  return kept;
}

/** The longest beginning of the text, of whole graphemes, that takes `columns` at the most. */
export function beginningOf(text: string, columns: number): string {
  let kept = '';
  for (const { segment } of graphemes.segment(text)) {
    if (displayWidth(kept + segment) > columns) break;
    kept += segment;
  }
  return kept;
}

/** Fills text with spaces to `columns`; longer text stays as it is. */
export function padText(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const gap = ' '.repeat(Math.max(0, columns - displayWidth(text)));
  return align === 'right' ? gap + text : text + gap;
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}
