/** The shell of one session: it opens when core knows the caller, and ends with its input, its user or its time. */
import type { ServerChannel } from 'ssh2';
import { TimeLimit } from '../../connectionLimits/timeLimit.ts';
import { failureSentences } from '../../catalogue/output/sentences.ts';
import { exitCodes, Failure } from '../../domain/failure.ts';
import { durationInWords, timeLeftInWords } from '../../domain/values/duration.ts';
import type { Actor } from '../../domain/access/actor.ts';
import type { CoreClient } from '../../protocol/client.ts';
import type { ShellClient } from '../../protocol/shellClient.ts';
import type { Shell, ShellOptions } from '../../shell/shell.ts';
import type { ChannelTerminal } from './channelTerminal.ts';
import { loadShell } from './loadShell.ts';
import { exit, type Running } from './exit.ts';

/**
 * How long a shell may go on after the end of its input, in milliseconds, while nothing runs that its user began: it
 * may have a question that nobody will answer.
 */
const endOfInputMs = 3000;

/** How long a client may take to read the last output of a shell that ends from outside, in milliseconds. */
const lastOutputMs = 10_000;

export interface ShellSessionOptions {
  /** Resolves once core has accepted the login. */
  readonly actor: Promise<Actor>;
  readonly core: CoreClient;
  readonly shells: ShellClient;
  /** The address under which the client reached this server. */
  readonly reachedAt: { readonly host: string; readonly port: number };
  /** How long a shell may be idle, in milliseconds; 0 means no limit. */
  readonly idleMs: number;
}

export function runShell(
  channel: ServerChannel,
  port: ChannelTerminal,
  options: ShellSessionOptions,
  shellOptions: Pick<ShellOptions, 'plain' | 'line'>,
): Running {
  const { core, shells, reachedAt } = options;
  channel.stderr.on('error', () => undefined);
  let shell: Shell | undefined;
  let endReason: string | undefined;
  const unread = Promise.withResolvers<number>();
  let late: NodeJS.Timeout | undefined;
  const end = (reason: string, code: number = exitCodes.failed): void => {
    endReason = reason;
    shell?.end(reason, code);
    // A client whose window stays closed would keep its channel for ever.
    late ??= setTimeout(() => unread.resolve(exitCodes.failed), lastOutputMs).unref();
  };
  const idle = new TimeLimit({
    limitMs: options.idleMs,
    isBusy: () => shell?.busy === true,
    warn: (leftMs) =>
      shell?.warn(`No input for a while: this shell ends in ${timeLeftInWords(leftMs)}. Press any key to keep it.`),
    end: () => end(`no input for ${durationInWords(options.idleMs)}`),
  });
  channel.on('data', () => idle.touch());
  let inputLimit: TimeLimit | undefined;
  channel.on('end', () => {
    inputLimit = new TimeLimit({
      limitMs: endOfInputMs,
      isBusy: () => shell === undefined || shell.isWorking,
      warn: () => undefined,
      end: () => port.hangUp(),
    });
  });
  const opened = options.actor.then(async (actor) => {
    const { openShell } = await loadShell();
    if (endReason !== undefined) throw new Failure('cancelled', { what: 'the session', why: endReason });
    shell = openShell({
      port,
      actor,
      core,
      shells,
      reachedAt: reachedAt.host,
      used: () => idle.touch(),
      ...shellOptions,
    });
    return shell.ended;
  });
  const answered = opened.catch(async (error: unknown) => {
    const failure = Failure.from(error);
    port.write(failureSentences(failure.toData()).replaceAll('\n', '\r\n'));
    await port.flushed();
    return failure.exitCode;
  });
  const ended = Promise.race([answered, unread.promise])
    .then((code) => exit(channel, code))
    .catch(() => undefined)
    .finally(() => {
      idle.stop();
      inputLimit?.stop();
      clearTimeout(late);
    });
  return {
    ended,
    warn: (text) => shell?.warn(text),
    end: (reason) => end(reason),
    signal(name) {
      // Whatever has the terminal gets an interrupt as it gets the key.
      if (name === 'INT') port.interrupt();
      else end(`the client sent the signal ${name}`, exitCodes.cancelled);
    },
  };
}
