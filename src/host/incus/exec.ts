/**
 * Opens a terminal in a container: POST `/1.0/instances/NAME/exec`, then the websockets of its operation (REST API
 * of Incus 6.0).
 */
import pRetry from 'p-retry';
import * as z from 'zod';
import { Failure, isFailure } from '../../domain/failure.ts';
import { printable, quoted } from '../../domain/text.ts';
import { callIncus, opened, webSocket } from './socket.ts';
import type { Reply } from './socket.ts';
import { characters, IncusTerminal } from './terminal.ts';
import type { ExecResult, HostTerminal, TerminalLimits, TerminalRequest } from './terminal.ts';

/**
 * Maximum size of one message of a terminal, in bytes; a larger one ends it. Incus sends at most 32 KiB at a time
 * (observed).
 */
const maxDataBytes = 4 * 1024 * 1024;
const maxControlBytes = 64 * 1024;

const secret = z.string().regex(/^[0-9a-f]{16,128}$/);

const started = z.object({
  id: z.uuid(),
  metadata: z.object({ fds: z.object({ 0: secret, control: secret }) }),
});

const finished = z.object({
  err: z.string().nullish(),
  metadata: z.object({ return: z.number().int().optional() }).nullish(),
});

export interface ExecLimits extends TerminalLimits {
  /** How long each step of opening may take, in milliseconds. */
  readonly openMs: number;
  /** How long a program may print nothing before it counts as started, in milliseconds. */
  readonly beginMs: number;
}

function unexpected(why: string, cause?: unknown): Failure {
  return new Failure('unexpected-output', { what: 'the Incus exec', why }, cause);
}

/** Returns the failure for an exec that Incus refused to begin. */
function refused({ instance }: TerminalRequest, { error, error_code: status }: Reply): Failure {
  const what = `instance ${quoted(instance)}`;
  if (status === 404) return new Failure('not-found', { what, why: 'no such instance', next: 'see "list"' });
  if (/not running|is frozen/i.test(error)) {
    return new Failure('wrong-state', {
      what,
      why: /frozen/i.test(error) ? 'it is frozen' : 'it is not running',
      next: 'start it first',
    });
  }
  return new Failure('program-failed', { what, why: printable(error), details: { status } });
}

/** Seen while a container changes: nothing was started, and a retry helps (see `Incus.exec`). */
const neverStarted = /Failed to retrieve PID of executing child process/;

/**
 * Returns the exit status of a program. Incus 6.0 reports exit codes 126 and 127 as failures to start it (observed).
 * But a shell also exits with 127 if its last command was not found; unlike a missing program, it has printed
 * something.
 */
function exitStatusOf(
  { argv, instance }: TerminalRequest,
  { exitStatus, error }: ExecResult,
  hasPrinted: boolean,
): number {
  if (exitStatus !== undefined && exitStatus >= 0) return exitStatus;
  const isMissing = /command not found/i.test(error);
  const isStarted = isMissing || /command not executable/i.test(error);
  if (isStarted && hasPrinted) return isMissing ? 127 : 126;
  throw isStarted
    ? missing(argv, `it ${isMissing ? 'does not exist' : 'cannot be executed'} in instance ${quoted(instance)}`)
    : failed(argv, error);
}

function missing(argv: readonly string[], why: string): Failure {
  return new Failure('program-missing', {
    what: `program ${quoted(argv[0] ?? '')}`,
    why,
    next: 'name a program that is installed in the container',
  });
}

function failed(argv: readonly string[], error: string): Failure {
  const why = error === '' ? 'Incus did not report how it ended' : printable(error);
  return new Failure('program-failed', { what: `program ${quoted(argv[0] ?? '')}`, why, details: { error } });
}

async function resultOf(socketPath: string, id: string, signal: AbortSignal): Promise<ExecResult> {
  // Sent before the program can end: Incus forgets a finished operation after a few seconds.
  const { metadata, error } = await callIncus(socketPath, {
    method: 'GET',
    path: `/1.0/operations/${id}/wait`,
    signal,
  });
  if (error !== '') return { exitStatus: undefined, error };
  const { data, error: misfit } = finished.safeParse(metadata);
  if (data === undefined) throw unexpected('the result of its operation has an unexpected format', misfit);
  return { exitStatus: data.metadata?.return, error: data.err ?? '' };
}

async function openOnce(socketPath: string, limits: ExecLimits, request: TerminalRequest): Promise<HostTerminal> {
  if (request.argv.length === 0) throw missing(request.argv, 'no program was given');
  const answer = await callIncus(socketPath, {
    method: 'POST',
    path: `/1.0/instances/${encodeURIComponent(request.instance)}/exec`,
    body: {
      command: request.argv,
      environment: request.environment,
      interactive: true,
      'wait-for-websocket': true,
      width: characters(request.columns),
      height: characters(request.rows),
    },
    timeoutMs: limits.openMs,
  });
  if (answer.error !== '') throw refused(request, answer);
  const { data: operation, error: misfit } = started.safeParse(answer.metadata);
  if (operation === undefined) throw unexpected('its operation has an unexpected format', misfit);

  const { id } = operation;
  const abandoned = new AbortController();
  const open = (fd: '0' | 'control', maxBytes: number) =>
    webSocket(socketPath, `/1.0/operations/${id}/websocket?secret=${operation.metadata.fds[fd]}`, maxBytes);
  const data = open('0', maxDataBytes);
  const control = open('control', maxControlBytes);
  const result = resultOf(socketPath, id, abandoned.signal);
  const terminal = new IncusTerminal(
    {
      data,
      control,
      result,
      abandon: (reason) => abandoned.abort(reason),
      exitStatus: (how, hasPrinted) => exitStatusOf(request, how, hasPrinted),
    },
    limits,
  );
  try {
    await Promise.all([opened(data, limits.openMs), opened(control, limits.openMs)]);
    await terminal.begin(limits.beginMs);
  } catch (error) {
    // Without its websockets Incus starts nothing, and kills a program that it has started.
    abandoned.abort(error);
    throw error;
  }
  return terminal;
}

/** See `IncusStreams.terminal`. */
export function openTerminal(socketPath: string, limits: ExecLimits, request: TerminalRequest): Promise<HostTerminal> {
  return pRetry(() => openOnce(socketPath, limits, request), {
    retries: 4,
    minTimeout: 150,
    shouldRetry: ({ error }) =>
      isFailure(error, 'program-failed') && neverStarted.test(String(error.details?.['error'])),
  });
}
