/**
 * Answers GET /metrics over HTTP on a port that core has bound. It is a process of its own, running as nobody: core is
 * root and must not parse HTTP, and the front may not open other sockets. It stores nothing. For every answer it asks
 * core with a line on standard output, and receives the text as one JSON string on standard input.
 */
import { createServer, type ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { uid: { type: 'string' }, gid: { type: 'string' } } });
if (values.uid !== undefined && values.gid !== undefined) {
  process.setgroups?.([]);
  process.setgid?.(Number(values.gid));
  process.setuid?.(Number(values.uid));
}
if (process.getuid?.() === 0) throw new Error('the metrics process must not run as root');
// Ctrl-C in the terminal of `npm start` reaches the whole process group; core ends this process itself.
process.on('SIGINT', () => undefined);

/** The file descriptor of the port, as src/metrics/metricsProcess.ts passes it. */
const listenerFd = 3;
const contentType = 'text/plain; version=0.0.4; charset=utf-8';
/** Number of requests that may wait for an answer. One or two Prometheus servers ask every few seconds. */
const maxWaiting = 16;

let waiting: ServerResponse[] = [];

const server = createServer(
  {
    maxHeaderSize: 4096,
    headersTimeout: 3000,
    requestTimeout: 5000,
    connectionsCheckingInterval: 1000,
    keepAliveTimeout: 1000,
  },
  (request, response) => {
    response.setHeader('Connection', 'close');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    const refuse = (status: number, allow?: string): void => {
      if (allow !== undefined) response.setHeader('Allow', allow);
      response.writeHead(status, { 'Content-Length': 0 }).end();
      request.socket.destroySoon();
    };
    const length = request.headers['content-length'];
    if ((length !== undefined && length !== '0') || request.headers['transfer-encoding'] !== undefined)
      return refuse(413);
    if (request.url !== '/metrics') return refuse(404);
    if (request.method !== 'GET') return refuse(405, 'GET');
    // Against DNS rebinding: a web page that points its own name at this address sends that name as Host.
    if (!/^(localhost|127\.[\d.]+|\[[\da-f:.]+\]|[\d.]+)(:\d+)?$/i.test(request.headers.host ?? '')) return refuse(421);
    if (waiting.length >= maxWaiting) return refuse(503);
    waiting.push(response);
    if (waiting.length === 1) process.stdout.write('\n');
  },
);
server.maxConnections = 32;
server.on('clientError', (_, socket) => void socket.destroy());

createInterface({ input: process.stdin }).on('line', (line) => {
  const text = JSON.parse(line) as string;
  const responses = waiting;
  waiting = [];
  for (const response of responses)
    response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(text) }).end(text);
});
// Standard input closes when core ends.
process.stdin.on('close', () => process.exit(0));
server.listen({ fd: listenerFd });
