/** `ca add`, `ca list`, `ca revoke`, `ca remove`. */
import { Failure } from '../domain/failure.ts';
import type { PublicKey } from '../domain/keys/publicKey.ts';
import type { CaChange, CaInfo } from '../domain/results/cas.ts';
import type { CaEntryPoints } from './access/caStore.ts';
import type { ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';

export async function addCa(
  { cas, now }: ServiceContext,
  {
    name,
    key,
    for: entryPoints,
  }: { readonly name: string; readonly key: PublicKey; readonly for?: CaEntryPoints | undefined },
  { actor }: Call,
): Promise<CaChange> {
  if (entryPoints === undefined)
    throw new Failure('usage', {
      what: '"ca add"',
      why: 'no entry points given',
      next: 'add --for manage, --for self or --for both',
    });
  return cas.add(name, entryPoints, key, actor.name, now());
}

export function listCas({ cas }: ServiceContext): Promise<{ readonly cas: readonly CaInfo[] }> {
  return Promise.resolve({ cas: cas.list() });
}

export function revokeCertificates(
  { cas }: ServiceContext,
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
): Promise<CaChange> {
  const fingerprints = keys.map(({ fingerprint }) => fingerprint);
  return cas.revoke(name, { serials: serial, keyIds: keyId, fingerprints });
}

export function removeCa({ cas }: ServiceContext, { name }: { readonly name: string }): Promise<CaChange> {
  return cas.remove(name);
}
