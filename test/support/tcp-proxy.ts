import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server that can fail as networks do. */
export interface TcpProxy {
  readonly port: number;
  /** What `cutAt` was asked for has not come yet. */
  readonly isToCut: boolean;
  /** From now on nothing passes and nothing is closed: the other side seems to think. Undone by `heal`. */
  swallow(): void;
  heal(): void;
  /**
   * Cuts the connection whose client sends `text` next: before the server has it, or when the server has answered it
   * and the client has not heard. `silence`: the server has it, and nothing passes on this connection any more.
   */
  cutAt(text: string, moment: 'before' | 'after' | 'silence'): void;
  close(): Promise<void>;
}

/** Listens on a free port of the loopback interface and passes everything on to `target`. */
export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  const state: State = { isSwallowing: false, cut: null };
  const server = createServer((client) => {
    const to = connect(target);
    const pair = new Pair(client, to, state);
    pairs.add(pair);
    // Of a client that went away while nothing passes, the server has not heard yet.
    to.on('close', () => pairs.delete(pair));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    get isToCut() {
      return state.cut !== null;
    },
    swallow() {
      state.isSwallowing = true;
    },
    heal() {
      state.isSwallowing = false;
      for (const pair of pairs) pair.flush();
    },
    cutAt(text, moment) {
      state.cut = { text, moment };
    },
    async close() {
      for (const pair of pairs) pair.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

interface State {
  isSwallowing: boolean;
  cut: { readonly text: string; readonly moment: 'before' | 'after' | 'silence' } | null;
}

class Pair {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #state: State;
  readonly #held: (() => void)[] = [];
  #isCutAtAnswer = false;
  #isSilent = false;

  constructor(client: Socket, server: Socket, state: State) {
    this.#client = client;
    this.#server = server;
    this.#state = state;
    client.on('data', (bytes) => {
      this.#toServer(bytes);
    });
    server.on('data', (bytes) => {
      if (this.#isCutAtAnswer) this.destroy();
      else this.#pass(() => client.write(bytes));
    });
    for (const socket of [client, server]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#pass(() => {
          this.destroy();
        });
      });
    }
  }

  #toServer(bytes: Buffer): void {
    const { cut } = this.#state;
    if (cut !== null && bytes.includes(cut.text)) {
      this.#state.cut = null;
      if (cut.moment === 'before') {
        this.destroy();
        return;
      }
      if (cut.moment === 'silence') {
        this.#server.write(bytes);
        this.#isSilent = true;
        return;
      }
      this.#isCutAtAnswer = true;
    }
    this.#pass(() => this.#server.write(bytes));
  }

  #pass(action: () => void): void {
    if (this.#isSilent || this.#state.isSwallowing) this.#held.push(action);
    else action();
  }

  flush(): void {
    for (const action of this.#held.splice(0)) action();
  }

  destroy(): void {
    this.#client.destroy();
    this.#server.destroy();
  }
}
