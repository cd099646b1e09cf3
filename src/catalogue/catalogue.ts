/** The catalogue of all verbs, and the permission check. */
import type * as z from 'zod';
import type { Actor, EntryPoint, Role } from '../domain/access/actor.ts';
import { roles } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/text.ts';
import type { Example, Parameter, Verb } from './declaration/verb.ts';
import { help, version, whoami } from './verbs/about.ts';
import { backupCreate, backupDelete, backupList } from './verbs/backups.ts';
import { backupDownload, backupRebuild, backupRestore, backupVerify } from './verbs/backupUses.ts';
import { alertList, alertTest, report } from './verbs/alerts.ts';
import { adminAdd, adminList, adminRemove, adminRole } from './verbs/admins.ts';
import { audit, auditExport, auditVerify } from './verbs/audit.ts';
import { caAdd, caList, caRemove, caRevoke } from './verbs/cas.ts';
import { banAdd, banLift, banList } from './verbs/bans.ts';
import { certGenerate, certGenerateWithCa } from './verbs/certGenerate.ts';
import { certIssue, certList, certRenew, certRevoke } from './verbs/certs.ts';
import { changingOne } from './declaration/several.ts';
import { create } from './verbs/create.ts';
import { debug } from './verbs/debug.ts';
import { deleteVerb } from './verbs/delete.ts';
import { config, exportVerb } from './verbs/export.ts';
import { hostKey, hostKeyRotate, hostKeySwitch } from './verbs/hostKeys.ts';
import { info } from './verbs/info.ts';
import { adminInvite, inviteCancel, inviteList, keyInvite } from './verbs/invitations.ts';
import { keyAdd, keyList, keyRemove, keyReplace } from './verbs/keys.ts';
import { labelRemove, labelSet } from './verbs/labels.ts';
import { list } from './verbs/list.ts';
import { keys, keysAdd, keysInvite, keysRemove } from './verbs/ownKeys.ts';
import { restart, start, stop } from './verbs/power.ts';
import { protect, unprotect } from './verbs/protect.ts';
import { resize } from './verbs/resize.ts';
import { say, who } from './verbs/room.ts';
import { security } from './verbs/security.ts';
import { sessionKick, sessionList } from './verbs/sessions.ts';
import {
  snapshotCreate,
  snapshotDelete,
  snapshotList,
  snapshotRename,
  snapshotRestore,
  snapshotSchedule,
} from './verbs/snapshots.ts';
import { scheduleList, scheduleRun } from './verbs/schedule.ts';
import { logs, shell } from './verbs/terminal.ts';
import { trashList, trashPurge, trashRestore } from './verbs/trash.ts';
import { ttlClear, ttlSet } from './verbs/ttl.ts';
import { undo } from './verbs/undo.ts';
import { doctor, imageBuild, imageList, reconcile } from './verbs/upkeep.ts';

/** All verbs, in the order of help. */
export const catalogue = {
  create: create,
  list: list,
  info: info,
  resize: resize,
  delete: deleteVerb,
  protect: protect,
  unprotect: unprotect,
  'label set': labelSet,
  'label remove': labelRemove,
  'ttl set': ttlSet,
  'ttl clear': ttlClear,
  'trash list': trashList,
  'trash restore': trashRestore,
  'trash purge': trashPurge,
  undo: undo,
  start: start,
  stop: stop,
  restart: restart,
  'snapshot create': snapshotCreate,
  'snapshot list': snapshotList,
  'snapshot restore': snapshotRestore,
  'snapshot delete': snapshotDelete,
  'snapshot rename': snapshotRename,
  'snapshot schedule': snapshotSchedule,
  'backup create': backupCreate,
  'backup list': backupList,
  'backup verify': backupVerify,
  'backup restore': backupRestore,
  'backup download': backupDownload,
  'backup rebuild': backupRebuild,
  'backup delete': backupDelete,
  shell: shell,
  logs: logs,
  export: exportVerb,
  config: config,
  keys: keys,
  'keys add': keysAdd,
  'keys invite': keysInvite,
  'keys remove': keysRemove,
  'key add': keyAdd,
  'key list': keyList,
  'key remove': keyRemove,
  'key replace': keyReplace,
  'key invite': keyInvite,
  'admin add': adminAdd,
  'admin list': adminList,
  'admin role': adminRole,
  'admin remove': adminRemove,
  'admin invite': adminInvite,
  'invite list': inviteList,
  'invite cancel': inviteCancel,
  'ca add': caAdd,
  'ca list': caList,
  'ca revoke': caRevoke,
  'ca remove': caRemove,
  'cert generate': certGenerate,
  'cert generate-with-ca': certGenerateWithCa,
  'cert issue': certIssue,
  'cert list': certList,
  'cert revoke': certRevoke,
  'cert renew': certRenew,
  audit: audit,
  'audit verify': auditVerify,
  'audit export': auditExport,
  reconcile: reconcile,
  'image build': imageBuild,
  'image list': imageList,
  'schedule list': scheduleList,
  'schedule run': scheduleRun,
  'alert list': alertList,
  'alert test': alertTest,
  report: report,
  doctor: doctor,
  debug: debug,
  'host-key': hostKey,
  'host-key rotate': hostKeyRotate,
  'host-key switch': hostKeySwitch,
  security: security,
  'session list': sessionList,
  'session kick': sessionKick,
  'ban list': banList,
  'ban add': banAdd,
  'ban lift': banLift,
  who: who,
  say: say,
  whoami: whoami,
  version: version,
  help: help,
} as const;

export type Catalogue = typeof catalogue;
export type VerbName = keyof Catalogue;

/** A verb without its type parameters, for the parser, help and the renderers. */
export type AnyVerb = Verb<z.ZodType, never>;

export function isVerbName(name: string): name is VerbName {
  return Object.hasOwn(catalogue, name);
}

export function verbNamed(name: VerbName): AnyVerb {
  return catalogue[name];
}

export const verbNames = Object.keys(catalogue) as VerbName[];

export const allVerbs: readonly AnyVerb[] = Object.values(catalogue);

/** Returns the verb with this name or alias. */
export function verbCalled(name: string, verbs = allVerbs): AnyVerb | undefined {
  return verbs.find((verb) => verb.name === name || verb.aliases?.includes(name));
}

/** Returns the verb that a command line of these words runs. */
export function verbOf([first = '', second = '']: readonly string[], verbs = allVerbs): AnyVerb | undefined {
  return verbCalled(`${first} ${second}`, verbs) ?? verbCalled(first, verbs);
}

/**
 * Reports whether a role may use a verb at an entry point. An entry point that the verb does not name is closed. Root
 * on the host may use every verb of manage@. The remote interface has those of manage@; core refuses some of them there
 * (src/core/calls/safeguards.ts).
 */
export function mayUse(verb: Pick<AnyVerb, 'access'>, entryPoint: EntryPoint, role: Role): boolean {
  switch (entryPoint) {
    case 'local':
      return role === 'root' && verb.access.manage !== undefined;
    case 'manage':
    case 'remote':
      return (
        verb.access.manage !== undefined &&
        role !== 'owner' &&
        role !== 'root' &&
        roles.indexOf(role) >= roles.indexOf(verb.access.manage)
      );
    case 'self':
      return role === 'owner' && verb.access.self === true;
  }
}

/** Returns the verbs that a role may use at an entry point, with the parameters that they have there. */
export function verbsFor(entryPoint: EntryPoint, role: Role): readonly AnyVerb[] {
  const key = `${entryPoint} ${role}`;
  const known = verbsByCaller.get(key);
  if (known !== undefined) return known;
  const verbs = allVerbs.filter((verb) => mayUse(verb, entryPoint, role)).map((verb) => verbAt(verb, entryPoint));
  verbsByCaller.set(key, verbs);
  return verbs;
}

const verbsByCaller = new Map<string, readonly AnyVerb[]>();

/** Returns a verb with the parameters that it has at an entry point. */
export function verbAt(verb: AnyVerb, entryPoint: EntryPoint): AnyVerb {
  return entryPoint === 'self' ? (atSelf.get(verb) ?? verb) : verb;
}

const atSelf: ReadonlyMap<AnyVerb, AnyVerb> = new Map(
  allVerbs
    .filter(
      ({ several, parameters }) =>
        several === true || parameters.some((parameter) => parameter.kind === 'argument' && parameter.optionAtSelf),
    )
    .map((verb) => [verb, verb.several === true ? changingOne(verb) : withOptionsAtSelf(verb)]),
);

function withOptionsAtSelf(verb: AnyVerb): AnyVerb {
  const { parameters, examples } = verb;
  return { ...verb, parameters: parameters.map(parameterAtSelf), examples: examples.map(exampleAtSelf(verb)) };
}

/** Returns what leaves the first argument out of an example. */
function exampleAtSelf({ name }: AnyVerb): (example: Example) => Example {
  return ({ line, says }) => ({ line: [name, ...line.slice(name.length).trim().split(' ').slice(1)].join(' '), says });
}

function parameterAtSelf(parameter: Parameter): Parameter {
  if (parameter.kind === 'option' || parameter.optionAtSelf !== true) return parameter;
  const { name, complete } = parameter;
  return {
    kind: 'option',
    name,
    long: [name],
    value: name,
    summary: 'one of your containers, if you have several',
    ...(complete === undefined ? {} : { complete }),
  };
}

/** Refuses a verb that the actor may not use. Throws `denied`. */
export function authorise(verb: AnyVerb, actor: Actor): void {
  if (mayUse(verb, actor.entryPoint, actor.role)) return;
  throw new Failure('denied', { what: quoted(verb.name), ...whyDenied(verb, actor) });
}

const askAnAdmin = 'ask an admin; "help" lists your verbs';

function whyDenied({ access, elsewhere }: AnyVerb, { entryPoint, role }: Actor): { why: string; next: string } {
  const instead = elsewhere === undefined ? undefined : `use "${elsewhere}"`;
  if (entryPoint === 'self') return { why: 'it is for admins, at manage@', next: instead ?? askAnAdmin };
  if (access.manage === undefined)
    return { why: 'it is for users, at self@', next: instead ?? '"help" lists your verbs' };
  return {
    why: `your role is ${role}, and it needs ${access.manage === 'admin' ? 'admin' : `${access.manage} or higher`}`,
    next: askAnAdmin,
  };
}
