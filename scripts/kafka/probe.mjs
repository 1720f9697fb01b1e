import net from 'node:net';

const METADATA_API_KEY = 3;
// The newest version without tagged fields: readable with two reads at fixed places.
const METADATA_VERSION = 8;
const CLIENT_ID = 'probe';

/**
 * Asks the broker for its cluster's metadata. Resolves to the cluster's id when it lists at least one live broker, i.e.
 * when it takes requests and has been let in by its controller (a listening socket alone comes seconds earlier);
 * to null otherwise.
 * @param {number} port on 127.0.0.1
 * @param {number} timeoutMs
 * @returns {Promise<string | null>}
 */
export function answeringCluster(port, timeoutMs) {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    let response = Buffer.alloc(0);
    /** @param {string | null} clusterId */
    const settle = (clusterId) => {
      socket.destroy();
      resolve(clusterId);
    };
    socket.setTimeout(timeoutMs, () => settle(null));
    socket.on('error', () => settle(null));
    socket.on('close', () => settle(null));
    socket.on('connect', () => socket.write(metadataRequest()));
    socket.on('data', (chunk) => {
      response = Buffer.concat([response, chunk]);
      if (response.length >= 4 && response.length >= 4 + response.readInt32BE(0)) settle(clusterId(response));
    });
  });
}

/** The cluster id of a whole metadata response; null when it lists no broker. @param {Buffer} response */
function clusterId(response) {
  let at = 12; // size, correlation id, throttle time: int32 each
  const string = () => {
    const length = response.readInt16BE(at);
    at += 2 + Math.max(length, 0); // -1 is null
    return length < 0 ? null : response.toString('utf8', at - length, at);
  };
  const brokers = response.readInt32BE(at);
  at += 4;
  for (let i = 0; i < brokers; i++) {
    at += 4; // node id
    string(); // host
    at += 4; // port
    string(); // rack
  }
  return brokers === 0 ? null : string();
}

function metadataRequest() {
  const header = Buffer.alloc(10 + CLIENT_ID.length);
  header.writeInt16BE(METADATA_API_KEY, 0);
  header.writeInt16BE(METADATA_VERSION, 2);
  header.writeInt32BE(1, 4);
  header.writeInt16BE(CLIENT_ID.length, 8);
  header.write(CLIENT_ID, 10);
  // An empty list of topics; no auto-creation; no authorized operations of cluster and topics.
  const body = Buffer.from([0, 0, 0, 0, 0, 0, 0]);
  const size = Buffer.alloc(4);
  size.writeInt32BE(header.length + body.length);
  return Buffer.concat([size, header, body]);
}
