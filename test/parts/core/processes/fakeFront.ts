/** A front that a test controls. */
import { duplexPair, type Duplex } from 'node:stream';
import type { ProcessEnd, ProcessRun, ProcessStarter } from '../../../../src/core/processes/processStarter.ts';
import type { Listener } from '../../../../src/core/processes/listener.ts';
import { connectOver, notify } from '../../../../src/protocol/connection.ts';
import { messages } from '../../../../src/protocol/messages.ts';

export class FakeFront implements ProcessRun {
  readonly channel: Duplex;
  readonly ended: Promise<ProcessEnd>;
  readonly connection;
  readonly raw: (text: string) => void;
  kills = 0;
  drained = false;
  end: (end: Partial<ProcessEnd>) => void = () => undefined;
  hang: () => void = () => undefined;

  constructor() {
    const [mine, theirs] = duplexPair();
    this.raw = (text) => void theirs.write(text);
    this.channel = mine;
    this.ended = new Promise(
      (resolve) => (this.end = (end) => resolve({ code: null, signal: null, lastLine: '', ...end })),
    );
    this.connection = connectOver(theirs);
    this.connection.onNotification(messages.drain, () => {
      this.drained = true;
      this.end({ code: 0 });
    });
    this.connection.listen();
  }

  serves(): Promise<void> {
    return this.connection.sendNotification(messages.listening);
  }

  /** Sends signs of life, until `hang` is called. */
  live(): void {
    const timer = setInterval(() => notify(this.connection, messages.alive), 1000);
    this.hang = () => clearInterval(timer);
  }

  kill(): void {
    this.kills++;
    this.end({ signal: 'SIGKILL' });
  }
}

/** Starts such fronts. */
export class FakeStarter implements ProcessStarter {
  readonly fronts: FakeFront[] = [];
  start(): Promise<ProcessRun> {
    const front = new FakeFront();
    this.fronts.push(front);
    return Promise.resolve(front);
  }
}

/** A port that nobody needs to bind. */
export const listener: Listener = {
  handle: undefined,
  where: { address: '127.0.0.1', port: 1 },
  close: () => undefined,
};
