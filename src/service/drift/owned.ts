import type { Username } from '../../domain/values/username.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';

/** A container and its owner. */
export interface Owned {
  readonly user: Username;
  readonly instance: IncusInstance;
}
