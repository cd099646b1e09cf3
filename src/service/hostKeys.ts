/** `host-key`, `host-key rotate`, `host-key switch`. */
import type { HostKeyChange, HostKeyList } from '../domain/results/hostKeys.ts';
import type { ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';
import { jumpHost } from './instances/jumpHost.ts';

export function listHostKeys(context: ServiceContext, _input: object, call: Call): Promise<HostKeyList> {
  return context.hostKeys.list(jumpHost(context, call));
}

export function rotateHostKey(context: ServiceContext, _input: object, call: Call): Promise<HostKeyChange> {
  return context.hostKeys.rotate(jumpHost(context, call));
}

export function switchHostKey(
  context: ServiceContext,
  { yes = false }: { readonly yes?: boolean | undefined },
  call: Call,
): Promise<HostKeyChange> {
  return context.hostKeys.switch(jumpHost(context, call), yes);
}
