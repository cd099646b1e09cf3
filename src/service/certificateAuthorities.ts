/** `ca add`, `ca list`, `ca revoke`, `ca remove`. */
import { Failure } from '../domain/failure.ts';
import type { PublicKey } from '../domain/keys/publicKey.ts';
import type { AuthorityChange, AuthorityInfo } from '../domain/results/certificateAuthorities.ts';
import type { AuthorityDoors } from './access/caStore.ts';
import type { ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';

export async function addCa(
  { certificateAuthorities, now }: ServiceContext,
  {
    name,
    key,
    for: doors,
  }: { readonly name: string; readonly key: PublicKey; readonly for?: AuthorityDoors | undefined },
  { actor }: Call,
): Promise<AuthorityChange> {
  if (doors === undefined)
    throw new Failure('usage', {
      what: '"ca add"',
      why: 'the doors are missing that its certificates open',
      next: 'add --for manage, --for self or --for manage,self',
    });
  return certificateAuthorities.add(name, doors, key, actor.name, now());
}

export function listCas({
  certificateAuthorities,
}: ServiceContext): Promise<{ readonly authorities: readonly AuthorityInfo[] }> {
  return Promise.resolve({ authorities: certificateAuthorities.list() });
}

export function revokeCertificates(
  { certificateAuthorities }: ServiceContext,
  {
    name,
    serial = [],
    keyId = [],
    keys = [],
  }: {
    readonly name: string;
    readonly serial?: readonly string[] | undefined;
    readonly keyId?: readonly string[] | undefined;
    readonly keys?: readonly Pick<PublicKey, 'fingerprint'>[] | undefined;
  },
): Promise<AuthorityChange> {
  const fingerprints = keys.map(({ fingerprint }) => fingerprint);
  return certificateAuthorities.revoke(name, { serials: serial, keyIds: keyId, fingerprints });
}

export function removeCa(
  { certificateAuthorities }: ServiceContext,
  { name }: { readonly name: string },
): Promise<AuthorityChange> {
  return certificateAuthorities.remove(name);
}
