/** The simulated host's {@link JumpKeys}: stores the authorized_keys texts of jump accounts in the state file. */
import { Failure } from '../../domain/failure.ts';
import { durationInWords } from '../../domain/values/duration.ts';
import type { JumpKeys } from '../../host/jumpKeys.ts';
import type { World } from '../program/answer.ts';
import type { Gate } from '../faults/gate.ts';

/** Program name in the command log and in fault plans. The arguments are the action and the user. */
const jumpKeysProgram = 'jump-keys';

type Action = 'read' | 'write' | 'remove' | 'users';

const titles: Readonly<Record<Action, string>> = {
  read: 'reading jump account keys',
  write: 'writing jump account keys',
  remove: 'removing jump account keys',
  users: 'listing jump account keys',
};

/** Time limit of a call that a fault makes hang. */
const limitMs = 30_000;

const fileName = /^[a-z][a-z0-9-]{0,31}$/;

interface Result<T> {
  readonly changed: boolean;
  readonly value: T;
}

export class SimulatedJumpKeys implements JumpKeys {
  readonly #gate: Gate;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  read(user: string): Promise<string | undefined> {
    return this.#call('read', user, ({ state }) => ({
      changed: false,
      value: Object.hasOwn(state.jumpKeys, user) ? state.jumpKeys[user] : undefined,
    }));
  }

  write(user: string, text: string): Promise<void> {
    return this.#call('write', user, ({ state }) => {
      state.jumpKeys[user] = text;
      return { changed: true, value: undefined };
    });
  }

  remove(user: string): Promise<void> {
    return this.#call('remove', user, ({ state }) => {
      const changed = Object.hasOwn(state.jumpKeys, user);
      delete state.jumpKeys[user];
      return { changed, value: undefined };
    });
  }

  users(): Promise<string[]> {
    return this.#call('users', undefined, ({ state }) => ({
      changed: false,
      value: Object.keys(state.jumpKeys).sort(),
    }));
  }

  async #call<T>(action: Action, user: string | undefined, effect: (world: World) => Result<T>): Promise<T> {
    if (user !== undefined && !fileName.test(user)) {
      throw new Failure('invalid-user', { what: `"${user}"`, why: 'it cannot be a file name' });
    }
    const { value } = await this.#gate.pass<Result<T>>({
      subject: {
        program: jumpKeysProgram,
        args: user === undefined ? [action] : [action, user],
        changes: action === 'write' || action === 'remove',
      },
      isLong: false,
      limitMs,
      effect,
      failed: () => {
        throw new Failure('program-failed', { what: titles[action], why: 'simulated fault' });
      },
      timedOut: () =>
        new Failure('timeout', {
          what: titles[action],
          why: `no answer within ${durationInWords(limitMs)}`,
        }),
      cancelled: () => new Failure('cancelled', { what: titles[action], why: 'it was cancelled' }),
    });
    return value;
  }
}
