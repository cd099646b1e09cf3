/** What a container in the trash means for new ones. */
import type { IncusInstance } from '../../host/incus/documents.ts';
import { trashedAmong, type TrashRecord } from './record.ts';

/** Returns the address that a container had before it was deleted. */
export function addressBefore({ before }: TrashRecord): string | undefined {
  return Object.values(before.devices).flatMap((device) => device['ipv4.address'] ?? [])[0];
}

/** Returns the addresses that deleted containers would like to have back. */
export function addressesInTrash(instances: readonly IncusInstance[]): Set<string> {
  return new Set(trashedAmong(instances).flatMap(({ record }) => addressBefore(record) ?? []));
}

/** Returns what the creator of a container should know if the trash has another of the same user. */
export function trashWarnings(instances: readonly IncusInstance[], user: string): string[] {
  const newest = trashedAmong(instances, user).at(-1)?.record;
  return newest === undefined
    ? []
    : [
        `a container of ${user} that was deleted is in the trash until ${newest.until.slice(0, 10)}; while the new one exists it cannot be restored`,
      ];
}
