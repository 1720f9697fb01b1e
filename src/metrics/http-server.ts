import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { UserEventsError } from '../errors/user-events-error.ts';

/** Where to listen: null is every address of this machine, port 0 any free port. */
export interface ListenOn {
  readonly host: string | null;
  readonly port: number;
}

export interface Answer {
  readonly status: number;
  readonly contentType?: string;
  readonly body: string;
}

export interface HttpServer {
  /** `http://127.0.0.1:9464`. */
  readonly url: string;
  /** Takes no more requests, and cuts the ones under way. */
  close(): Promise<void>;
}

const TEXT = 'text/plain; charset=utf-8';

/** Serves GET and HEAD of the paths given; 404 elsewhere, 405 for other methods. METRICS_NOT_SERVED where it cannot listen. */
export async function serveHttp(
  { host, port }: ListenOn,
  routes: ReadonlyMap<string, () => Promise<Answer>>,
): Promise<HttpServer> {
  const server = createServer((request, response) => void answer(routes, request, response));
  await listening(server, host, port);
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${urlHost(host)}:${String(bound)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, host: string | null, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(cannotListen(error, host, port));
    });
    server.listen({ port, ...(host === null ? {} : { host }) }, () => resolve());
  });
}

function cannotListen(error: NodeJS.ErrnoException, host: string | null, port: number): UserEventsError {
  const place = host === null ? `port ${String(port)}` : `${urlHost(host)}:${String(port)}`;
  const why = new Map([
    ['EADDRINUSE', 'another program listens there'],
    ['EACCES', 'this account may not listen there'],
    ['EADDRNOTAVAIL', 'this machine has no such address'],
    ['ENOTFOUND', 'the host is not known'],
  ]).get(error.code ?? '');
  const message = `Metrics cannot be served on ${place}: ${why ?? error.message}`;
  return new UserEventsError('METRICS_NOT_SERVED', message, { cause: error });
}

/** What a browser on this machine can open. */
function urlHost(host: string | null): string {
  if (host === null) return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

async function answer(
  routes: ReadonlyMap<string, () => Promise<Answer>>,
  { method, url = '/' }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, contentType = TEXT, body } = await answerTo(routes.get(url.split('?')[0] ?? ''), method);
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(method === 'HEAD' ? undefined : body);
}

async function answerTo(
  route: (() => Promise<Answer>) | undefined,
  method: string | undefined,
): Promise<Answer> {
  if (route === undefined) return { status: 404, body: 'Here are /metrics, /healthz and /readyz\n' };
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: 'GET or HEAD\n' };
  // The consumer goes on, whatever becomes of a scrape.
  return route().catch(() => ({ status: 500, body: 'The metrics could not be put together\n' }));
}
