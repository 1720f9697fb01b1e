import net from 'node:net';

/**
 * Two different ports of 127.0.0.1 that nobody listens on at this moment. Another process may take one before it is
 * used: the caller tries again.
 * @returns {Promise<[number, number]>}
 */
export async function twoFreePorts() {
  const [first, second] = await Promise.all([listen(), listen()]);
  await Promise.all([first.close(), second.close()]);
  return [first.port, second.port];
}

/** True when somebody listens on the port of 127.0.0.1. @param {number} port */
export function isTaken(port) {
  return listen(port).then(
    async (listener) => {
      await listener.close();
      return false;
    },
    () => true,
  );
}

/** @param {number} [wanted] @returns {Promise<{port: number, close: () => Promise<void>}>} */
function listen(wanted = 0) {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen({ host: '127.0.0.1', port: wanted }, () => {
      const address = server.address();
      const port = address === null || typeof address === 'string' ? 0 : address.port;
      const close = () =>
        new Promise((/** @type {(value: void) => void} */ done) => server.close(() => done()));
      resolve({ port, close });
    });
  });
}
