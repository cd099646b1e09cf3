/** `label set` and `label remove`. */
import type { LabelChange } from '../domain/results/changes.ts';
import { own } from '../domain/own.ts';
import type { Label } from '../domain/values/label.ts';
import type { Username } from '../domain/values/username.ts';
import { changeableInstanceOf } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { labelKey, labelsOf } from './instances/metadata.ts';

export function setLabels(
  context: HostContext,
  { user, labels }: { readonly user: Username; readonly labels: readonly Label[] },
  call: Call,
): Promise<LabelChange> {
  return changeLabels(context, 'label set', user, new Map(labels.map(({ key, value }) => [key, value])), call);
}

/** Removes labels. One that the container does not have is no error. */
export function removeLabels(
  context: HostContext,
  { user, keys }: { readonly user: Username; readonly keys: readonly string[] },
  call: Call,
): Promise<LabelChange> {
  return changeLabels(context, 'label remove', user, new Map(keys.map((key) => [key, ''])), call);
}

/** Gives labels their values. An empty value removes a label. */
export async function changeLabels(
  context: HostContext,
  verb: string,
  user: Username,
  wanted: ReadonlyMap<string, string>,
  call: Call,
): Promise<LabelChange> {
  const now = await changeableInstanceOf(context, user, { stored: true });
  const differs = (has: Record<string, string>): boolean =>
    [...wanted].some(([key, value]) => (own(has, key) ?? '') !== value);
  if (!differs(labelsOf(now)))
    return { user, container: now.name, labels: labelsOf(now), changed: false, operation: null };
  return context.operations.run(
    { verb, target: user, actor: call.actor, input: { labels: Object.fromEntries(wanted) } },
    () => changeableInstanceOf(context, user, { own: true, stored: true }),
    async (operation, instance) => {
      const { name } = instance;
      const config = Object.fromEntries([...wanted].map(([key, value]) => [labelKey(key), value]));
      const before = Object.fromEntries(Object.keys(config).map((key) => [key, instance.config[key] ?? '']));
      const previous = JSON.stringify({ config: before });
      await operation.step(context.steps.patchInstance, { instance: name, previous }, () =>
        context.incus.patch(name, { config }),
      );
      const labels = labelsOf({ ...instance, config: { ...instance.config, ...config } });
      return { user, container: name, labels, changed: true, operation: operation.id };
    },
  );
}
