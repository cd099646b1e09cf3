/**
 * Which capability answers which verb. The type holds both ends together: a verb without a handler does not compile.
 */
import type { z } from 'zod';
import type { Catalogue, VerbName } from '../catalogue/catalogue.ts';
import type { Verb } from '../catalogue/verb.ts';
import { defaultListColumns, sortContainers } from '../catalogue/verbs/list.ts';
import { shownActor } from '../domain/actor.ts';
import type { ContainerDetails } from '../domain/container.ts';
import { Failure } from '../domain/failure.ts';
import { parseUsername, type Username } from '../domain/username.ts';
import { invitationLogin } from '../domain/invitation.ts';
import type { AdminChange, InvitationMade } from '../domain/results.ts';
import { quoted } from '../domain/text.ts';
import type { Admins } from '../service/admins.ts';
import type { Authorities } from '../service/authorities.ts';
import type { Invitation, Invitations } from '../service/invitations.ts';
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
import type { HostKeyService } from './hostKeyService.ts';
import type { Logins } from './logins.ts';
import type { Room } from './room.ts';

export interface HandlerContext {
  readonly service: ServiceContext;
  readonly admins: Admins;
  readonly authorities: Authorities;
  readonly invitations: Invitations;
  /** Port of this server: what invited people are told. */
  readonly port: () => number;
  readonly doctor: DoctorTools;
  readonly room: Room;
  readonly logins: Logins;
  readonly bans: Bans;
  readonly hostKeys: HostKeyService;
  readonly feed: Pick<ContainerFeed, 'samples'>;
  readonly journalFolder: string;
  readonly version: string;
}

type Answered = Exclude<VerbName, 'help'>;
type InputOf<V extends VerbName> = Catalogue[V] extends Verb<infer I, never> | Verb<infer I, infer _R>
  ? z.output<I>
  : never;
type ResultOf<V extends VerbName> = Parameters<Catalogue[V]['view']>[0];

export type Handlers = { readonly [V in Answered]: (input: InputOf<V>, call: Call) => Promise<ResultOf<V>> };

/**
 * The container an owner means: the one they name, or their only one. A name that is not theirs gives exactly the
 * answer of a name that does not exist.
 */
function ownContainer(user: Username | undefined, call: Call): Username {
  const owns = call.actor.owns ?? [];
  if (user !== undefined) {
    if (!owns.includes(user))
      throw new Failure('not-found', { what: `container of "${user}"`, why: 'there is no such container' });
    return user;
  }
  const [only, ...more] = owns;
  if (only === undefined) throw notFound(call.actor.name);
  if (more.length > 0) {
    throw new Failure('usage', {
      what: 'the container',
      why: 'your key opens several',
      next: `name one: ${owns.join(', ')}`,
    });
  }
  return parseUsername(only);
}

/** The container that a verb of both doors means: at self@ one's own, elsewhere it has to be named. */
function named(verb: string, user: Username | undefined, call: Call): Username {
  if (call.actor.door === 'self') return ownContainer(user, call);
  if (user === undefined)
    throw new Failure('usage', { what: `"${verb}"`, why: 'the argument <user> is missing', next: `help ${verb}` });
  return user;
}

function recentUse(feed: Pick<ContainerFeed, 'samples'>, user: string): ContainerDetails['recent'] {
  const samples = feed.samples(user);
  return {
    cpuPercent: samples.map(({ cpuPercent }) => cpuPercent ?? 0),
    memoryBytes: samples.map(({ memoryBytes }) => memoryBytes ?? 0),
  };
}

const auditLimit = 50;
const exportLimit = 100_000;

/** Limits on the command line are for all the keys; what stands in front of one is for that one. */
function addAdmin(
  admins: Admins,
  { name, keys = [], role, from, expires, certificate }: InputOf<'admin add'>,
  { actor }: Call,
  now: Date,
): Promise<AdminChange> {
  if (keys.length === 0 && certificate !== true) {
    throw new Failure('missing-key', {
      what: 'public key',
      why: 'nothing was sent',
      next: `send it on standard input, or add --certificate: admin add ${name} < ${name}.pub`,
    });
  }
  const common = { ...(from === undefined ? {} : { from }), ...(expires === undefined ? {} : { expiresAt: expires }) };
  return admins.add(
    name,
    { keys: keys.map((one) => ({ ...one, limits: { ...one.limits, ...common } })), role, certificate },
    actor.name,
    now,
  );
}

export function makeHandlers({
  service,
  admins,
  authorities,
  invitations,
  port,
  doctor,
  room,
  logins,
  bans,
  hostKeys,
  feed,
  journalFolder,
  version,
}: HandlerContext): Handlers {
  /** The name or address of this host, for whoever asks. */
  const reachedBy = (reachedAt: string | undefined): string | undefined => service.settings.jump.hostname ?? reachedAt;
  const invite = async (whom: Invitation['for'], { actor, reachedAt }: Call): Promise<InvitationMade> => {
    const { token, invitation } = await invitations.make(whom, { name: actor.name, root: actor.door === 'local' });
    return {
      token,
      invitation,
      command: `ssh -p ${port()} ${invitationLogin(token)}@${reachedBy(reachedAt) ?? 'jump'}`,
    };
  };
  return {
    create: (input, call) => createContainer(service, input, call),
    list: async (input, call) => {
      const found = await listContainers(service, input, call);
      return {
        ...found,
        containers: sortContainers(found.containers, input.sort ?? 'name'),
        columns: input.columns ?? defaultListColumns,
      };
    },
    info: async ({ user }, call) => {
      const whose = call.actor.door === 'self' ? ownContainer(user, call) : user;
      if (whose === undefined) return { hostInfo: await hostInfo(service, call.signal) };
      return { container: { ...(await containerDetails(service, whose, call)), recent: recentUse(feed, whose) } };
    },
    resize: (input, call) => resizeContainer(service, input, call),
    delete: ({ user }, call) => deleteContainer(service, user, call),
    start: ({ user }, call) => changePower(service, 'start', user, false, call),
    stop: ({ user, force }, call) => changePower(service, 'stop', user, force ?? false, call),
    restart: ({ user, force }, call) =>
      changePower(service, 'restart', named('restart', user, call), force ?? false, call),
    shell: ({ user, root }, call) => openShell(service, user, root ?? false, call),
    logs: ({ user, follow, lines }, call) =>
      consoleLog(service, named('logs', user, call), { follow: follow ?? false, lines }, call),
    export: async ({ user, knownHosts, ...options }, call) => ({
      ...(await exportAccess(service, user, { ...options, reachedAt: call.reachedAt }, call.signal)),
      part: knownHosts ? 'known-hosts' : 'config',
    }),
    config: async ({ user, knownHosts, ...options }, call) => ({
      ...(await exportAccess(
        service,
        ownContainer(user, call),
        { ...options, reachedAt: call.reachedAt },
        call.signal,
      )),
      part: knownHosts ? 'known-hosts' : 'config',
    }),
    'keys add': ({ user, keys }, call) => addKeys(service, ownContainer(user, call), keys, call),
    'keys remove': ({ user, key, yes }, call) => removeKey(service, ownContainer(user, call), key, yes ?? false, call),
    keys: ({ user }, call) => listKeys(service, ownContainer(user, call), call.signal),
    'key add': ({ user, keys }, call) => addKeys(service, user, keys, call),
    'key list': ({ user }, call) => listKeys(service, user, call.signal),
    'key remove': ({ user, key, yes }, call) => removeKey(service, user, key, yes ?? false, call),
    'key replace': ({ user, keys }, call) => replaceKeys(service, user, keys, call),
    'admin add': (input, call) => addAdmin(admins, input, call, service.now()),
    'admin role': ({ name, role }) => admins.setRole(name, role),
    'admin invite': ({ name, role }, call) => {
      const there = admins.named(name)?.role;
      if (there !== undefined && role !== undefined && role !== there) {
        throw new Failure('exists', {
          what: `admin ${quoted(name)}`,
          why: `the role is ${there} already, and an invitation does not change it`,
          next: `admin role ${name} ${role}`,
        });
      }
      return invite({ kind: 'admin', name, ...(role === undefined ? {} : { role }) }, call);
    },
    'key invite': async ({ user }, call) => {
      await listKeys(service, user, call.signal);
      return invite({ kind: 'user', name: user }, call);
    },
    'invite list': () => Promise.resolve({ invitations: invitations.list() }),
    'invite cancel': async ({ invitation }) => ({ cancelled: await invitations.cancel(invitation) }),
    'ca add': ({ name, key, for: doors }, { actor }) => {
      if (doors === undefined)
        throw new Failure('usage', {
          what: '"ca add"',
          why: 'the doors are missing that its certificates open',
          next: 'add --for manage, --for self or --for manage,self',
        });
      return authorities.add(name, doors, key, actor.name, service.now());
    },
    'ca list': () => Promise.resolve({ authorities: authorities.list() }),
    'ca remove': ({ name }) => authorities.remove(name),
    'ca revoke': ({ name, serial = [], keyId = [], keys = [] }) =>
      authorities.revoke(name, { serials: serial, keyIds: keyId, fingerprints: keys.map((key) => key.fingerprint) }),
    'admin list': () => Promise.resolve({ admins: admins.list() }),
    'admin remove': ({ admin }) => admins.remove(admin),
    audit: (input, call) => findRecords(journalFolder, input, auditLimit, service.now(), call.signal),
    'audit export': (input, call) => findRecords(journalFolder, input, exportLimit, service.now(), call.signal),
    'audit verify': (_, call) => verifyRecords(journalFolder, call.signal),
    reconcile: ({ apply }, call) => reconcile(service, apply ?? false, call),
    'image build': ({ image }, call) => buildImage(service, image ?? service.settings.image.base, call),
    'image list': async (_, call) => ({ images: await listImages(service, call.signal) }),
    doctor: (_, call) =>
      diagnose(
        service,
        doctor,
        call.actor.login === undefined ? undefined : logins.means(call.actor.login)?.transport,
        call.signal,
      ),
    'host-key': (_, { reachedAt }) => hostKeys.list(reachedBy(reachedAt)),
    'host-key rotate': (_, { reachedAt }) => hostKeys.rotate(reachedBy(reachedAt)),
    'host-key switch': ({ yes }, { reachedAt }) => hostKeys.switch(reachedBy(reachedAt), yes ?? false),
    'session list': () => Promise.resolve({ sessions: logins.list().filter(({ door }) => door !== 'local') }),
    'session kick': ({ session, reason }, { actor }) =>
      Promise.resolve({
        ended: logins.kick(session, `${actor.name} ended it${reason === undefined ? '' : `: ${reason}`}`),
      }),
    'ban list': () => Promise.resolve({ bans: bans.list() }),
    'ban add': ({ network, for: forMs, reason, yes }, { actor }) =>
      bans.add(network, { forMs, reason, by: actor.name, yes: yes ?? false, own: actor.address }),
    'ban lift': ({ network }) => bans.lift(network),
    who: (_, { actor }) => Promise.resolve({ present: room.present(actor) }),
    say: ({ text }, { actor, session }) => Promise.resolve({ heardBy: room.say(actor, text, session ?? null) }),
    whoami: (_, { actor }) =>
      Promise.resolve({ ...shownActor(actor), containers: actor.owns ?? [], host: service.host }),
    version: () =>
      Promise.resolve({
        version,
        node: process.version,
        platform: `${process.platform} ${process.arch}`,
        host: service.host,
      }),
  };
}
