/** A list controller on a fake shell that records its calls. */
import type { AnyVerb } from '../../../../src/catalogue/catalogue.ts';
import type { Actor } from '../../../../src/domain/access/actor.ts';
import type { Key } from '../../../../src/shell/composer/keys.ts';
import { LiveCalls } from '../../../../src/shell/model/liveCalls.ts';
import type { ShellModel } from '../../../../src/shell/model/shellModel.ts';
import type { CallEnd } from '../../../../src/shell/model/verbCall.ts';
import { ListController } from '../../../../src/shell/views/control/listController.ts';

/** Returns keys by name. A single character is a text key. */
function keys(...names: readonly string[]): Key[] {
  return names.map((name) => ([...name].length === 1 ? { name: 'text', text: name } : { name, text: '' }));
}

export const admin: Actor = { name: 'tester', role: 'admin', entryPoint: 'manage' };

export interface Calls {
  /** Command lines of the calls in the transcript. */
  readonly lines: string[];
  readonly inputs: Readonly<Record<string, unknown>>[];
  /** Verbs called without an entry in the transcript. */
  readonly asked: string[];
  readonly copied: string[];
  closed: number;
}

export interface World {
  readonly controller: ListController;
  readonly liveCalls: LiveCalls;
  readonly calls: Calls;
  /** Presses keys, one a second. */
  press(...names: readonly string[]): void;
  /** Presses keys so many milliseconds after one another. */
  type(everyMs: number, ...names: readonly string[]): void;
  /** The message in the footer. */
  message(): string | undefined;
  /** Waits until pending promises have settled. */
  settle(): Promise<void>;
}

export interface WorldOptions {
  readonly actor?: Actor;
  readonly run?: (verb: AnyVerb, input: Readonly<Record<string, unknown>>) => Promise<CallEnd>;
  readonly answer?: (verb: string, input: Readonly<Record<string, unknown>>) => unknown;
}

export function world({ actor = admin, run, answer }: WorldOptions = {}): World {
  const calls: Calls = { lines: [], inputs: [], asked: [], copied: [], closed: 0 };
  const liveCalls = new LiveCalls();
  const shell = {
    liveCalls,
    options: {
      actor,
      reachedAt: 'jump.example.org',
      core: {
        call: ({ verb, input }: { verb: string; input: Readonly<Record<string, unknown>> }) => {
          calls.asked.push(verb);
          return Promise.resolve({ result: answer?.(verb, input) });
        },
      },
      ui: { copy: (text: string) => calls.copied.push(text) },
    },
    runDirectly: (verb: AnyVerb, input: Readonly<Record<string, unknown>>, line: string) => {
      calls.lines.push(line);
      calls.inputs.push(input);
      return run?.(verb, input) ?? Promise.resolve({ kind: 'done', result: undefined, blocks: [] });
    },
  } as unknown as ShellModel;
  let nowMs = 0;
  const type = (everyMs: number, ...names: readonly string[]): void => {
    for (const key of keys(...names)) {
      nowMs += everyMs;
      controller.key(key);
    }
  };
  const controller = new ListController({
    shell,
    page: () => 5,
    width: () => 79,
    close: () => calls.closed++,
    nowMs: () => nowMs,
  });
  return {
    controller,
    liveCalls,
    calls,
    press: (...names) => type(1000, ...names),
    type,
    message: () => controller.store.get().message?.text,
    settle: () => new Promise((resolve) => setImmediate(resolve)),
  };
}
