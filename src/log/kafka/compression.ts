import type * as Zstd from '@bokuweb/zstd-wasm';
// Node finds only some of kafkajs's names in its CommonJS: the codecs are reached through the whole module.
import kafkajs, { CompressionTypes } from 'kafkajs';
import type { Compression } from './wire/produce-request.ts';

/** What kafkajs asks of a codec; its encoder has the bytes under `buffer`. */
interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

/** The largest batch that a zstd frame without a size is tried with: the broker takes 1 MB, compressed. */
const MAX_ZSTD_BYTES = 256 * 1024 * 1024;
const FIRST_ZSTD_BYTES = 1024 * 1024;

const snappy: Codec = {
  async compress(encoder) {
    return (await snappyCodec()).compress(encoder);
  },
  async decompress(buffer) {
    const plain = await (await snappyCodec()).decompress(buffer);
    return typeof plain === 'string' ? Buffer.from(plain) : plain;
  },
};

const lz4: Codec = {
  async compress({ buffer }) {
    return (await import('lz4-napi')).compressFrame(buffer);
  },
  async decompress(buffer) {
    return (await import('lz4-napi')).decompressFrame(buffer);
  },
};

const zstd: Codec = {
  async compress({ buffer }) {
    return Buffer.from((await zstdModule()).compress(buffer));
  },
  async decompress(buffer) {
    const { decompress } = await zstdModule();
    // Java streams its frames, so that they do not say how much they hold: the room is doubled until it is enough.
    for (let bytes = FIRST_ZSTD_BYTES; ; bytes *= 4) {
      try {
        const plain = decompress(buffer, { defaultHeapSize: bytes });
        return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength);
      } catch (error) {
        if (bytes >= MAX_ZSTD_BYTES) throw error;
      }
    }
  },
};

/**
 * Makes the compression of other producers readable: kafkajs brings gzip alone. The codecs are native code and
 * WebAssembly, loaded when the first batch needs them. May be called many times: kafkajs has one list for all clients.
 */
export function registerCodecs(): void {
  kafkajs.CompressionCodecs[CompressionTypes.Snappy] = () => snappy;
  kafkajs.CompressionCodecs[CompressionTypes.LZ4] = () => lz4;
  kafkajs.CompressionCodecs[CompressionTypes.ZSTD] = () => zstd;
}

/** What kafkajs has registered for a compression of the protocol (1 gzip, 2 snappy, 3 lz4, 4 zstd); null for 0, none. */
export function compressionOf(type: number): Compression | null {
  if (type === 0) return null;
  const codec = codecOf(type);
  return { type, compress: (records) => codec.compress({ buffer: records }) };
}

/** Decompresses with what kafkajs has registered for that compression (1 to 4). */
export async function decompress(type: number, bytes: Buffer): Promise<Buffer> {
  return codecOf(type).decompress(bytes);
}

function codecOf(type: number): Codec {
  const make: unknown = Reflect.get(kafkajs.CompressionCodecs, type);
  const codec: unknown = typeof make === 'function' ? Reflect.apply(make, undefined, []) : undefined;
  if (!isCodec(codec)) throw new RangeError(`There is no compression ${type}`);
  return codec;
}

function isCodec(value: unknown): value is Codec {
  return typeof value === 'object' && value !== null && 'compress' in value && 'decompress' in value;
}

async function snappyCodec() {
  const { SnappyCodec } = await import('kafkajs-snappy-typescript');
  return new SnappyCodec().codec();
}

let zstdReady: Promise<typeof Zstd> | undefined;

function zstdModule(): Promise<typeof Zstd> {
  zstdReady ??= import('@bokuweb/zstd-wasm').then(async (module) => {
    await module.init();
    return module;
  });
  return zstdReady;
}
