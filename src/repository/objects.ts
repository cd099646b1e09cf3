/** What a store has, by backup. */
import { layout, type BackupName, type Part } from './layout.ts';
import type { StoredObject } from './stores/store.ts';

/** Groups keys by backup, and leaves out those that no backup has. */
export function byBackup(
  objects: readonly StoredObject[],
): Map<string, { readonly name: BackupName; readonly objects: Map<Part, StoredObject> }> {
  const found = new Map<string, { readonly name: BackupName; readonly objects: Map<Part, StoredObject> }>();
  for (const object of objects) {
    const parsed = layout.parseKey(object.key);
    if (parsed === undefined) continue;
    const { container, id, part } = parsed;
    const prefix = layout.prefixOf(parsed);
    const known = found.get(prefix) ?? { name: { container, id }, objects: new Map<Part, StoredObject>() };
    known.objects.set(part, object);
    found.set(prefix, known);
  }
  return found;
}
