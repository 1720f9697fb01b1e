/**
 * A JSON text that is printed as it was written: numbers beyond a double's digits (int8, numeric) would not survive
 * parsing. Line feeds, which JSON has between its parts only, become blanks, so that it fits into one line.
 */
export class RawJson {
  readonly text: string;

  /** `text` must be valid JSON. */
  constructor(text: string) {
    this.text = text.replace(/[\r\n]+/g, ' ');
  }
}
