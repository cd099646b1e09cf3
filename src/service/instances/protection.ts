/** Whether an instance is protected from being deleted (Incus documentation, "Instance options"). */
import { isTrue } from '../../host/incus/booleans.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';

export const protectionKey = 'security.protection.delete';

export function isProtected({
  config,
  expanded_config: expanded,
}: Pick<IncusInstance, 'config' | 'expanded_config'>): boolean {
  return isTrue(config[protectionKey] ?? expanded?.[protectionKey]);
}
