// The one import of node in the domain: SHA-1 is a pure function of its input, without I/O, clock or randomness.
import { hash } from 'node:crypto';

const CANONICAL_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for the 8-4-4-4-12 form in lower case: what PostgreSQL prints. Any version, nil and max included. */
export function isCanonicalUuid(text: string): boolean {
  return text.length === 36 && CANONICAL_UUID.test(text);
}

/** The UUID in lower case, or null where the text is not the 8-4-4-4-12 form (braces, `urn:uuid:` and the rest). */
export function canonicalUuid(text: string): string | null {
  if (isCanonicalUuid(text)) return text;
  const lower = text.toLowerCase();
  return isCanonicalUuid(lower) ? lower : null;
}

/** The UUID of a name in a namespace (RFC 9562, version 5: SHA-1). `namespace` is a UUID, the name's bytes are UTF-8. */
export function uuidV5(namespace: string, name: string): string {
  const bytes = Buffer.concat([Buffer.from(namespace.replaceAll('-', ''), 'hex'), Buffer.from(name)]);
  return stamped(hash('sha1', bytes, 'hex'), '5');
}

/**
 * A UUID ordered by time (RFC 9562, version 7) of `nowMs`, ms since the epoch, and ten random bytes, of which 74 bits
 * are used. Two calls of one millisecond have no order between them.
 */
export function uuidV7(nowMs: number, random: Uint8Array): string {
  if (random.length < 10)
    throw new RangeError(`A UUIDv7 needs 10 random bytes, not ${String(random.length)}`);
  const time = nowMs.toString(16).padStart(12, '0');
  return stamped(time + Buffer.from(random.subarray(0, 10)).toString('hex'), '7');
}

/** The first 32 hex digits as a UUID, with the version's digit and the variant's two bits set. */
function stamped(hex: string, version: string): string {
  const variant = ((parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  const [a, b] = [hex.slice(0, 8), hex.slice(8, 12)];
  return `${a}-${b}-${version}${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
