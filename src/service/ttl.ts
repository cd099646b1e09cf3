/** `ttl set` and `ttl clear`: when a container moves to the trash by itself. */
import type { LifetimeChange } from '../domain/results/lifetime.ts';
import type { Username } from '../domain/values/username.ts';
import { changeableInstanceOf } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { field } from './instances/metadata.ts';

export function setTtl(
  context: HostContext,
  { user, when }: { readonly user: Username; readonly when: string },
  call: Call,
): Promise<LifetimeChange> {
  return changeTtl(context, 'ttl set', user, when, call);
}

export function clearTtl(
  context: HostContext,
  { user }: { readonly user: Username },
  call: Call,
): Promise<LifetimeChange> {
  return changeTtl(context, 'ttl clear', user, null, call);
}

async function changeTtl(
  context: HostContext,
  verb: string,
  user: Username,
  expiresAt: string | null,
  call: Call,
): Promise<LifetimeChange> {
  const wanted = expiresAt ?? '';
  const now = await changeableInstanceOf(context, user, { stored: true });
  if ((now.config[field.expires] ?? '') === wanted)
    return { user, container: now.name, expiresAt, changed: false, operation: null };
  return context.operations.run(
    { verb, target: user, actor: call.actor, input: call.recorded },
    () => changeableInstanceOf(context, user, { own: true, stored: true }),
    async (operation, { name, config }) => {
      const previous = JSON.stringify({ config: { [field.expires]: config[field.expires] ?? '' } });
      await operation.step(context.steps.patchInstance, { instance: name, previous }, () =>
        context.incus.patch(name, { config: { [field.expires]: wanted } }),
      );
      return { user, container: name, expiresAt, changed: true, operation: operation.id };
    },
  );
}
