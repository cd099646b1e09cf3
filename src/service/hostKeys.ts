/** `host-key`, `host-key rotate`, `host-key switch`. */
import type { HostKeyChange, HostKeyList } from '../domain/results/hostKeys.ts';
import { reachedBy, type ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';

export function listHostKeys(context: ServiceContext, _input: object, { reachedAt }: Call): Promise<HostKeyList> {
  return context.hostKeys.list(reachedBy(context, reachedAt));
}

export function rotateHostKey(context: ServiceContext, _input: object, { reachedAt }: Call): Promise<HostKeyChange> {
  return context.hostKeys.rotate(reachedBy(context, reachedAt));
}

export function switchHostKey(
  context: ServiceContext,
  { yes = false }: { readonly yes?: boolean | undefined },
  { reachedAt }: Call,
): Promise<HostKeyChange> {
  return context.hostKeys.switch(reachedBy(context, reachedAt), yes);
}
