/** `protect` and `unprotect`: whether a container can be deleted. Incus refuses it too. */
import { Failure } from '../domain/failure.ts';
import type { ProtectionChange } from '../domain/results/changes.ts';
import type { Username } from '../domain/values/username.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import { changeableInstanceOf } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { isProtected, protectionKey } from './instances/protection.ts';

type Change = (context: HostContext, request: { readonly user: Username }, call: Call) => Promise<ProtectionChange>;

export const protectContainer: Change = (context, { user }, call) => setProtection(context, 'protect', user, call);
export const unprotectContainer: Change = (context, { user }, call) => setProtection(context, 'unprotect', user, call);

async function setProtection(
  context: HostContext,
  verb: 'protect' | 'unprotect',
  user: Username,
  call: Call,
): Promise<ProtectionChange> {
  const wanted = verb === 'protect';
  const now = await changeableInstanceOf(context, user, { stored: true });
  if (isProtected(now) === wanted)
    return { user, container: now.name, protected: wanted, changed: false, operation: null };
  return context.operations.run(
    { verb, target: user, actor: call.actor, input: {} },
    () => changeableInstanceOf(context, user, { own: true, stored: true }),
    async (operation, { name, config }) => {
      const previous = JSON.stringify({ config: { [protectionKey]: config[protectionKey] ?? '' } });
      await operation.step(context.steps.patchInstance, { instance: name, previous }, () =>
        context.incus.patch(name, { config: { [protectionKey]: wanted ? 'true' : '' } }),
      );
      return { user, container: name, protected: wanted, changed: true, operation: operation.id };
    },
  );
}

/** Throws `wrong-state` if the container is protected. */
export function refuseProtected(user: Username, instance: IncusInstance): void {
  if (!isProtected(instance)) return;
  throw new Failure('wrong-state', {
    what: `container "${instance.name}"`,
    why: 'it is protected from being deleted',
    next: `"unprotect ${user}" first`,
  });
}
