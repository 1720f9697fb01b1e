/** The text of UTF-8 bytes, or null where they are not UTF-8. A byte order mark is kept as U+FEFF. */
export function decodeUtf8(bytes: Buffer): string | null {
  const text = bytes.toString();
  // Invalid bytes become U+FFFD. Text that has it is rare: only then is it worth asking whether it was there.
  return text.includes('\ufffd') && !Buffer.from(text).equals(bytes) ? null : text;
}

/** True where half of a surrogate pair stands alone: such text has no UTF-8 form, so that it cannot be kept. */
export function hasLoneSurrogate(text: string): boolean {
  return !text.isWellFormed();
}
