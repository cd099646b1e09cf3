/** `whoami` and `version`. */
import { shownActor } from '../domain/access/actor.ts';
import type { VersionInfo, WhoAmI } from '../domain/results/about.ts';
import type { ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';

export function whoAmI({ host }: ServiceContext, _input: object, { actor }: Call): Promise<WhoAmI> {
  return Promise.resolve({ ...shownActor(actor), containers: actor.owns ?? [], host });
}

export function versionInfo({ host, version }: ServiceContext): Promise<VersionInfo> {
  return Promise.resolve({ version, node: process.version, platform: `${process.platform} ${process.arch}`, host });
}
