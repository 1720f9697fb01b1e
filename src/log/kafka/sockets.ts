import net from 'node:net';
import tls from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

const DEFAULT_PORT = 9092;
const KEEP_ALIVE_DELAY_MS = 60_000;
/** kafkajs splits a broker's address at its first colon, so that an IPv6 literal travels through it under a name. */
const IPV6_NAME_END = '.ipv6-literal';

/** The address in the form that kafkajs can split; `Sockets` turns an IPv6 literal back. */
export function splittableAddress(broker: string): string {
  const ipv6 = /^\[([0-9a-fA-F:.]+)\](?::(\d+))?$/.exec(broker);
  if (ipv6?.[1] !== undefined) {
    return `${ipv6[1].replaceAll(':', '-')}${IPV6_NAME_END}:${ipv6[2] ?? DEFAULT_PORT}`;
  }
  return broker.includes(':') ? broker : `${broker}:${DEFAULT_PORT}`;
}

function hostToConnect(host: string): string {
  return host.endsWith(IPV6_NAME_END) ? host.slice(0, -IPV6_NAME_END.length).replaceAll('-', ':') : host;
}

/**
 * The sockets of one kafkajs client. kafkajs alone cannot be stopped at once: it waits for what is under way, and a
 * consumer that was disconnected may join again. Without sockets it can do neither.
 */
export class Sockets {
  readonly #open = new Set<net.Socket>();
  #isClosed = false;

  readonly factory: ISocketFactory = ({ host: name, port, ssl, onConnect }) => {
    if (this.#isClosed) throw new Error('the client is closed');
    const host = hostToConnect(name);
    const socket = isTls(ssl)
      ? tls.connect({ host, port, ...(net.isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
      : net.connect({ host, port }, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
    socket.setNoDelay(true);
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    return socket;
  };

  /** Breaks every connection: what waits for an answer fails now, and the client connects anew. */
  drop(reason: string): void {
    for (const socket of this.#open) socket.destroy(new Error(reason));
  }

  /** Breaks every connection and allows no new one. */
  close(): void {
    this.#isClosed = true;
    this.drop('the client is closed');
  }
}

/** kafkajs types it as always there; without TLS it is not. */
function isTls(ssl: tls.ConnectionOptions | undefined | null): ssl is tls.ConnectionOptions {
  return ssl !== undefined && ssl !== null;
}
