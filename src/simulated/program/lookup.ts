import { incusRefusal } from './answer.ts';
import type { World } from './answer.ts';
import type { InstanceRecord } from '../state/state.ts';

/** Returns the record of an instance. Throws the client's refusal if there is none. */
export function instanceNamed({ state }: World, name: string): InstanceRecord {
  const found = Object.hasOwn(state.instances, name) ? state.instances[name] : undefined;
  if (found !== undefined) return found;
  throw incusRefusal(`Failed to fetch instance "${name}" in project "default": Instance not found`);
}
