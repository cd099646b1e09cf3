/** Which capability answers which verb. The type holds both ends together: a verb without a handler does not compile. */
import type { z } from 'zod';
import type { Catalogue, VerbName } from '../catalogue/catalogue.ts';
import type { Verb } from '../catalogue/verb.ts';
import { defaultListColumns, sortContainers } from '../catalogue/verbs/list.ts';
import type { ContainerDetails } from '../domain/container.ts';
import { Failure } from '../domain/failure.ts';
import { parseUsername, type Username } from '../domain/username.ts';
import type { Admins } from '../service/admins.ts';
import { findRecords, verifyRecords } from '../service/audit.ts';
import type { Bans } from '../service/bans.ts';
import { containerDetails, listContainers, notFound } from '../service/containers.ts';
import type { Call, ServiceContext } from '../service/context.ts';
import { createContainer } from '../service/create.ts';
import { deleteContainer } from '../service/delete.ts';
import { diagnose, type DoctorTools } from '../service/doctor.ts';
import { exportAccess } from '../service/export.ts';
import { hostInfo } from '../service/hostInfo.ts';
import { buildImage, listImages } from '../service/image.ts';
import { addKeys, listKeys, removeKey, replaceKeys } from '../service/keys.ts';
import { changePower } from '../service/power.ts';
import type { ContainerFeed } from '../service/feed.ts';
import { reconcile } from '../service/reconcile.ts';
import { resizeContainer } from '../service/resize.ts';
import { consoleLog, openShell } from '../service/terminal.ts';
import type { Logins } from './logins.ts';
import type { Room } from './room.ts';

export interface HandlerContext {
  readonly service: ServiceContext;
  readonly admins: Admins;
  readonly doctor: DoctorTools;
  readonly room: Room;
  readonly logins: Logins;
  readonly bans: Bans;
  readonly feed: Pick<ContainerFeed, 'samples'>;
  readonly journalFolder: string;
  readonly version: string;
}

type Answered = Exclude<VerbName, 'help'>;
type InputOf<V extends VerbName> = Catalogue[V] extends Verb<infer I, never> | Verb<infer I, infer _R> ? z.output<I> : never;
type ResultOf<V extends VerbName> = Parameters<Catalogue[V]['view']>[0];

export type Handlers = { readonly [V in Answered]: (input: InputOf<V>, call: Call) => Promise<ResultOf<V>> };

/**
 * The container an owner means: the one they name, or their only one. A name that is not theirs gives exactly the answer of a name that
 * does not exist.
 */
function ownContainer(user: Username | undefined, call: Call): Username {
  const owns = call.actor.owns ?? [];
  if (user !== undefined) {
    if (!owns.includes(user)) throw new Failure('not-found', { what: `container of "${user}"`, why: 'there is no such container' });
    return user;
  }
  const [only, ...more] = owns;
  if (only === undefined) throw notFound(call.actor.name);
  if (more.length > 0) {
    throw new Failure('usage', { what: 'the container', why: 'your key opens several', next: `name one: ${owns.join(', ')}` });
  }
  return parseUsername(only);
}

/** The container that a verb of both doors means: at self@ one's own, elsewhere it has to be named. */
function named(verb: string, user: Username | undefined, call: Call): Username {
  if (call.actor.door === 'self') return ownContainer(user, call);
  if (user === undefined) throw new Failure('usage', { what: `"${verb}"`, why: 'the argument <user> is missing', next: `help ${verb}` });
  return user;
}

function recentUse(feed: Pick<ContainerFeed, 'samples'>, user: string): ContainerDetails['recent'] {
  const samples = feed.samples(user);
  return { cpuPercent: samples.map(({ cpuPercent }) => cpuPercent ?? 0), memoryBytes: samples.map(({ memoryBytes }) => memoryBytes ?? 0) };
}

const auditLimit = 50;
const exportLimit = 100_000;

export function makeHandlers({ service, admins, doctor, room, logins, bans, feed, journalFolder, version }: HandlerContext): Handlers {
  return {
    'create': (input, call) => createContainer(service, input, call),
    'list': async (input, call) => {
      const found = await listContainers(service, input, call);
      return { ...found, containers: sortContainers(found.containers, input.sort ?? 'name'), columns: input.columns ?? defaultListColumns };
    },
    'info': async ({ user }, call) => {
      const whose = call.actor.door === 'self' ? ownContainer(user, call) : user;
      if (whose === undefined) return { hostInfo: await hostInfo(service, call.signal) };
      return { container: { ...(await containerDetails(service, whose, call)), recent: recentUse(feed, whose) } };
    },
    'resize': (input, call) => resizeContainer(service, input, call),
    'delete': ({ user }, call) => deleteContainer(service, user, call),
    'start': ({ user }, call) => changePower(service, 'start', user, false, call),
    'stop': ({ user, force }, call) => changePower(service, 'stop', user, force ?? false, call),
    'restart': ({ user, force }, call) => changePower(service, 'restart', named('restart', user, call), force ?? false, call),
    'shell': ({ user, root }, call) => openShell(service, user, root ?? false, call),
    'logs': ({ user, follow, lines }, call) => consoleLog(service, named('logs', user, call), { follow: follow ?? false, lines }, call),
    'export': async ({ user, knownHosts, ...options }, call) => ({
      ...(await exportAccess(service, user, { ...options, reachedAt: call.reachedAt }, call.signal)),
      part: knownHosts ? 'known-hosts' : 'config',
    }),
    'config': async ({ user, knownHosts, ...options }, call) => ({
      ...(await exportAccess(service, ownContainer(user, call), { ...options, reachedAt: call.reachedAt }, call.signal)),
      part: knownHosts ? 'known-hosts' : 'config',
    }),
    'keys add': ({ user, keys }, call) => addKeys(service, ownContainer(user, call), keys, call),
    'keys remove': ({ user, key, yes }, call) => removeKey(service, ownContainer(user, call), key, yes ?? false, call),
    'keys': ({ user }, call) => listKeys(service, ownContainer(user, call), call.signal),
    'key add': ({ user, keys }, call) => addKeys(service, user, keys, call),
    'key list': ({ user }, call) => listKeys(service, user, call.signal),
    'key remove': ({ user, key, yes }, call) => removeKey(service, user, key, yes ?? false, call),
    'key replace': ({ user, keys }, call) => replaceKeys(service, user, keys, call),
    'admin add': ({ name, keys }, call) => admins.add(name, keys, call.actor.name, service.now()),
    'admin list': () => Promise.resolve({ admins: admins.list() }),
    'admin remove': ({ admin }) => admins.remove(admin),
    'audit': (input, call) => findRecords(journalFolder, input, auditLimit, service.now(), call.signal),
    'audit export': (input, call) => findRecords(journalFolder, input, exportLimit, service.now(), call.signal),
    'audit verify': (_, call) => verifyRecords(journalFolder, call.signal),
    'reconcile': ({ apply }, call) => reconcile(service, apply ?? false, call),
    'image build': ({ image }, call) => buildImage(service, image ?? service.settings.image.base, call),
    'image list': async (_, call) => ({ images: await listImages(service, call.signal) }),
    'doctor': (_, call) => diagnose(service, doctor, call.actor.login === undefined ? undefined : logins.means(call.actor.login)?.transport, call.signal),
    'session list': () => Promise.resolve({ sessions: logins.list().filter(({ door }) => door !== 'local') }),
    'session kick': ({ session, reason }, { actor }) => Promise.resolve({ ended: logins.kick(session, `${actor.name} ended it${reason === undefined ? '' : `: ${reason}`}`) }),
    'ban list': () => Promise.resolve({ bans: bans.list() }),
    'ban add': ({ network, for: forMs, reason, yes }, { actor }) => bans.add(network, { forMs, reason, by: actor.name, yes: yes ?? false, own: actor.address }),
    'ban lift': ({ network }) => bans.lift(network),
    'who': (_, { actor }) => Promise.resolve({ present: room.present(actor) }),
    'say': ({ text }, { actor, session }) => Promise.resolve({ heardBy: room.say(actor, text, session ?? null) }),
    'whoami': (_, { actor }) =>
      Promise.resolve({
        name: actor.name,
        role: actor.role,
        door: actor.door,
        fingerprint: actor.fingerprint ?? null,
        address: actor.address ?? null,
        containers: actor.owns ?? [],
        host: service.host,
      }),
    'version': () =>
      Promise.resolve({ version, node: process.version, platform: `${process.platform} ${process.arch}`, host: service.host }),
  };
}
