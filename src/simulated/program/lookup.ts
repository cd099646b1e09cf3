/** Finding instances by name. */
import { incusRefusal } from './answer.ts';
import type { World } from './answer.ts';
import type { InstanceRecord } from '../state/state.ts';

/** The record of an instance, or the client's complaint that there is none. */
export function instanceNamed({ state }: World, name: string): InstanceRecord {
  const found = Object.hasOwn(state.instances, name) ? state.instances[name] : undefined;
  if (found !== undefined) return found;
  throw incusRefusal(`Failed to fetch instance "${name}" in project "default": Instance not found`);
}
