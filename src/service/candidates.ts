/** Completion candidates for values that only the host knows. */
import type { Actor } from '../domain/access/actor.ts';
import { findUsername, userOf } from '../domain/values/username.ts';
import { infoOf } from './access/invitationStore.ts';
import { instanceOf } from './instances/containers.ts';
import type { ServiceContext } from './context.ts';
import { listImages } from './images/preparedImage.ts';
import { decodeKeys, field, keyInfo, labelsOf, ownerOfInstance } from './instances/metadata.ts';
import { snapshotsOf } from './snapshots/generations.ts';
import { trashedAmong } from './trash/record.ts';
import type { Candidate, CandidateKind } from '../domain/events/candidate.ts';

export interface CandidatesRequest {
  readonly what: CandidateKind;
  /** The user whose keys or snapshots are wanted. */
  readonly user?: string | undefined;
  readonly actor: Actor;
}

/** A longer list is of no use to a reader. */
const maxCandidates = 200;

/**
 * Returns candidates of one kind; for owners, only those of their own containers. Rejects if the host does not answer.
 */
export async function candidates(
  context: ServiceContext,
  request: CandidatesRequest,
  signal: AbortSignal,
): Promise<Candidate[]> {
  return (await allCandidates(context, request, signal)).slice(0, maxCandidates);
}

async function allCandidates(
  context: ServiceContext,
  request: CandidatesRequest,
  signal: AbortSignal,
): Promise<Candidate[]> {
  const { what, actor } = request;
  const owner = actor.entryPoint === 'self';
  switch (what) {
    case 'users': {
      if (owner) return (actor.owns ?? []).map((value) => ({ value }));
      const instances = await context.mirror.instances(signal);
      return instances.flatMap((instance) => {
        const value = ownerOfInstance(instance);
        return value === undefined ? [] : [{ value, says: instance.status.toLowerCase() }];
      });
    }
    case 'fingerprints': {
      const user = request.user === undefined ? onlyOwned(actor) : userOf(request.user);
      if (user === undefined || (owner && actor.owns?.includes(user) !== true)) return [];
      const instance = await instanceOf(context, findUsername(user), signal);
      const invited = owner ? context.invitations.ofOwner(user).map(infoOf) : [];
      return [
        ...decodeKeys(instance.config[field.keys]).map(keyInfo),
        ...invited.map(({ id, fingerprint, comment }) => ({
          fingerprint: fingerprint ?? id,
          comment: comment ?? '',
          type: 'invitation',
        })),
      ].map(({ fingerprint, comment, type }) => ({ value: fingerprint, says: comment === '' ? type : comment }));
    }
    case 'snapshots': {
      const user = request.user === undefined ? onlyOwned(actor) : userOf(request.user);
      if (user === undefined || (owner && actor.owns?.includes(user) !== true)) return [];
      await instanceOf(context, findUsername(user), signal);
      const found = await snapshotsOf(context, findUsername(user), signal);
      return found.map(({ name, createdAt }) => ({ value: name, says: createdAt })).reverse();
    }
    case 'trashUsers': {
      if (owner) return [];
      const trashed = trashedAmong(await context.mirror.instances(signal));
      const users = new Map(trashed.map(({ record }) => [record.user, `until ${record.until.slice(0, 10)}`]));
      return [...users].map(([value, says]) => ({ value, says }));
    }
    case 'trashNames': {
      if (owner || request.user === undefined) return [];
      const trashed = trashedAmong(await context.mirror.instances(signal), userOf(request.user));
      return trashed.map(({ instance, record }) => ({ value: instance.name, says: `deleted ${record.at}` })).reverse();
    }
    case 'jobs':
      return owner ? [] : context.schedule.list().jobs.map(({ name, summary }) => ({ value: name, says: summary }));
    case 'admins':
      return owner ? [] : context.admins.list().map(({ name, role }) => ({ value: name, says: role }));
    case 'cas':
      return owner
        ? []
        : context.cas.list().map(({ name, entryPoints }) => ({ value: name, says: entryPoints.join(', ') }));
    case 'sessions':
      return owner
        ? []
        : context.logins.list().map(({ login, name, address }) => ({
            value: login,
            says: `${name}, ${address ?? 'this host'}`,
          }));
    case 'images':
      if (owner) return [];
      return [
        { value: context.settings.image.base, says: 'the default' },
        ...(await listImages(context, signal)).map(({ alias, base }) => ({ value: alias, says: base })),
      ];
    case 'labels': {
      if (owner) return [];
      const labels = (await context.mirror.instances(signal)).flatMap((instance) =>
        Object.entries(labelsOf(instance)).map(([key, value]) => `${key}=${value}`),
      );
      return [...new Set(labels)].sort().map((value) => ({ value }));
    }
  }
}

function onlyOwned({ owns = [] }: Actor): string | undefined {
  return owns.length === 1 ? owns[0] : undefined;
}
