/** Whether a container that should run is stopped, as after a crash, or by `incus stop`. */
import type { Found } from '../../domain/results/found.ts';
import { isAlready } from '../../host/incus/incus.ts';
import type { HostContext } from '../instances/context.ts';
import { field } from '../instances/metadata.ts';
import { shiftsIds } from '../isolation/config.ts';
import type { Owned } from './owned.ts';

export function powerDifferences({ incus }: HostContext, { user, instance }: Owned): Found[] {
  // Containers of earlier versions do not say whether they should run.
  if (instance.config[field.runs] !== 'yes' || instance.status !== 'Stopped') return [];
  const { name } = instance;
  return [
    {
      kind: 'container-stopped',
      target: user,
      detail: `${name} is stopped, but nobody has stopped it here`,
      fix: 'start it',
      repair: () =>
        incus.start(name, { shiftsIds: shiftsIds(instance) }).catch((error: unknown) => {
          if (!isAlready('running', error)) throw error;
        }),
    },
  ];
}
