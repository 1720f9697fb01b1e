/**
 * What a terminal would act on rather than show: C0 and C1 controls, the line and paragraph separators, the
 * bidirectional controls that reorder a line (CVE-2021-42574), invisible format characters, and halves of surrogate
 * pairs. U+200D (zero width joiner) stays: it holds emoji together.
 */
const UNSAFE =
  // eslint-disable-next-line no-control-regex -- control characters are what this looks for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Cs}/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Makes text from the log or the database safe to print: each character that a terminal would act on becomes a
 * visible escape (`\n`, `\x1b`, `\u202e`). Everything else stays as it is.
 */
export function visible(text: string): string {
  return text.replace(UNSAFE, (character) => SHORT[character] ?? escapeOf(character));
}

function escapeOf(character: string): string {
  const code = character.charCodeAt(0);
  return code <= 0xff
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}
