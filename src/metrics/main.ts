/**
 * Answers GET /metrics over HTTP on a port that core has bound. A process of its own, nobody's: core is root and parses
 * HTTP from nobody, and the process that speaks SSH may open no other socket. It knows nothing: for every answer it
 * asks core, with a line on standard output, and gets the text as one JSON string on standard input.
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
if (process.getuid?.() === 0) throw new Error('metrics are not answered as root');

/** The port's file descriptor; see src/metrics/metricsProcess.ts. */
const listenerFd = 3;
const contentType = 'text/plain; version=0.0.4; charset=utf-8';
/** Answers that wait at one time; a Prometheus or two ask every few seconds. */
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
    // A page in somebody's browser that leads a name of its own to this address (DNS rebinding) sends that name.
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
  const answered = waiting;
  waiting = [];
  for (const response of answered)
    response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(text) }).end(text);
});
// Without core there is nothing to say.
process.stdin.on('close', () => process.exit(0));
server.listen({ fd: listenerFd });
