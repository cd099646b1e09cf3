/**
 * The table from verbs to capabilities. Its type ties both ends together: a verb without a capability does not compile,
 * nor does a capability whose input or result differs from the catalogue's.
 */
import type { z } from 'zod';
import { stepFor } from '../../catalogue/advice.ts';
import { isVerbName, verbNamed, type Catalogue, type VerbName } from '../../catalogue/catalogue.ts';
import type { Verb } from '../../catalogue/declaration/verb.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { Check } from '../../domain/results/upkeep.ts';
import { defaultListColumns, sortContainers } from '../../catalogue/verbs/list.ts';
import { securityEvent, securityEventTypes } from '../../catalogue/verbs/security.ts';
import { versionInfo, whoAmI } from '../../service/about.ts';
import { addAdmin, listAdmins, removeAdmin, setAdminRole } from '../../service/admins.ts';
import { listAlerts, testAlerts } from '../../service/alerts.ts';
import { audit, exportAudit, verifyAudit } from '../../service/audit.ts';
import { restoreBackup } from '../../service/backupRestore.ts';
import { createBackup, deleteBackup, listBackups } from '../../service/backups.ts';
import { downloadBackup } from '../../service/backups/download.ts';
import { verifyBackup } from '../../service/backups/verify.ts';
import { addBan, liftBan, listBans } from '../../service/bans.ts';
import { addCa, listCas, removeCa, revokeCertificates } from '../../service/cas.ts';
import { generateCertificates, generateWithCa } from '../../service/certGenerate.ts';
import {
  issueCertificate,
  listCertificates,
  renewServerCertificate,
  revokeRemoteCertificates,
} from '../../service/certs.ts';
import { auditConnections } from '../../service/connections.ts';
import type { ServiceContext } from '../../service/context.ts';
import { createContainer } from '../../service/create.ts';
import { debugAccess } from '../../service/debug.ts';
import { deleteContainer } from '../../service/delete.ts';
import { diagnose } from '../../service/doctor.ts';
import { exportAccess } from '../../service/export.ts';
import { listHostKeys, rotateHostKey, switchHostKey } from '../../service/hostKeys.ts';
import { buildImage, listImages } from '../../service/images.ts';
import { info } from '../../service/info.ts';
import type { Call } from '../../service/instances/context.ts';
import { cancelInvitation, inviteAdmin, inviteUser, listInvitations } from '../../service/invitations.ts';
import { addKeys, listKeys, removeKey, replaceKeys } from '../../service/keys.ts';
import { addOwnKeys, inviteOwnKey, listOwnKeys, removeOwnKey } from '../../service/ownKeys.ts';
import { listContainers } from '../../service/list.ts';
import { restartContainer, startContainer, stopContainer } from '../../service/power.ts';
import { protectContainer, unprotectContainer } from '../../service/protect.ts';
import { reconcile } from '../../service/reconcile.ts';
import { report } from '../../service/report.ts';
import { resizeContainer } from '../../service/resize.ts';
import { say, whoIsHere } from '../../service/room.ts';
import { followEvents, securityOverview } from '../../service/security.ts';
import { kickSession, listSessions } from '../../service/sessions.ts';
import { restoreSnapshot } from '../../service/restore.ts';
import {
  createSnapshot,
  deleteSnapshot,
  listSnapshots,
  renameSnapshot,
  scheduleSnapshots,
} from '../../service/snapshots.ts';
import { listSchedule, runJob } from '../../service/schedule.ts';
import { listTrash, purgeTrash, restoreFromTrash } from '../../service/trash.ts';
import { clearTtl, setTtl } from '../../service/ttl.ts';
import { undo } from '../../service/undo/undo.ts';
import { removeLabels, setLabels } from '../../service/labels.ts';
import { rebuildHost } from '../../service/backupRebuild.ts';
import { consoleLog, openShell } from '../../service/terminal.ts';
import { withKnownVerb } from './knownVerb.ts';
import { oneOrSeveral } from './several.ts';

/** The verbs that core answers. `help` is answered from the catalogue alone. */
export type AnsweredVerb = Exclude<VerbName, 'help'>;
type InputOf<V extends VerbName> = Catalogue[V] extends Verb<infer I, never> | Verb<infer I, infer _R>
  ? z.output<I>
  : never;
type ResultOf<V extends VerbName> = Parameters<Catalogue[V]['view']>[0];

export type Capabilities = {
  readonly [V in AnsweredVerb]: (context: ServiceContext, input: InputOf<V>, call: Call) => Promise<ResultOf<V>>;
};

/** Returns what makes the advice of a check one that the caller can follow. */
function advisedTo({ actor }: Call): (check: Check) => Check {
  return (check) => ({
    ...check,
    detail: actor.entryPoint === 'self' ? stepFor(check.detail, actor) : check.detail,
    next: check.next === null ? null : stepFor(check.next, actor),
  });
}

/** Reports whether a verb changes who may come in, or who is in. */
function isAboutAccess(verb: string): boolean {
  return (isVerbName(verb) && verbNamed(verb).grantsAccess === true) || /^(?:ban|session|key|keys|ca) /.test(verb);
}

export const capabilities: Capabilities = {
  create: createContainer,
  // The catalogue defines the order and the columns; the input only names them.
  list: async (context, input, call) => {
    const found = await listContainers(context, input, call);
    return {
      ...found,
      containers: sortContainers(found.containers, input.sort ?? 'user'),
      columns: input.columns ?? defaultListColumns,
    };
  },
  info,
  resize: oneOrSeveral('resize', resizeContainer),
  delete: oneOrSeveral('delete', deleteContainer),
  protect: protectContainer,
  unprotect: unprotectContainer,
  'label set': setLabels,
  'label remove': removeLabels,
  'ttl set': setTtl,
  'ttl clear': clearTtl,
  'trash list': listTrash,
  'trash restore': restoreFromTrash,
  'trash purge': purgeTrash,
  undo,
  start: oneOrSeveral('start', startContainer),
  stop: oneOrSeveral('stop', stopContainer),
  restart: oneOrSeveral('restart', restartContainer),
  'snapshot create': createSnapshot,
  'snapshot list': listSnapshots,
  'snapshot restore': restoreSnapshot,
  'snapshot delete': deleteSnapshot,
  'snapshot rename': renameSnapshot,
  'snapshot schedule': scheduleSnapshots,
  'backup create': createBackup,
  'backup list': listBackups,
  'backup verify': verifyBackup,
  'backup restore': restoreBackup,
  'backup download': downloadBackup,
  'backup rebuild': rebuildHost,
  'backup delete': deleteBackup,
  shell: openShell,
  logs: consoleLog,
  export: exportAccess,
  config: exportAccess,
  'keys add': addOwnKeys,
  'keys invite': inviteOwnKey,
  'keys remove': removeOwnKey,
  keys: listOwnKeys,
  'key add': addKeys,
  'key list': listKeys,
  'key remove': removeKey,
  'key replace': replaceKeys,
  'key invite': inviteUser,
  'admin add': addAdmin,
  'admin list': listAdmins,
  'admin role': setAdminRole,
  'admin remove': removeAdmin,
  'admin invite': inviteAdmin,
  'cert generate': generateCertificates,
  'cert generate-with-ca': generateWithCa,
  'cert issue': issueCertificate,
  'cert list': listCertificates,
  'cert revoke': revokeRemoteCertificates,
  'cert renew': renewServerCertificate,
  'invite list': listInvitations,
  'invite cancel': cancelInvitation,
  'ca add': addCa,
  'ca list': listCas,
  'ca revoke': revokeCertificates,
  'ca remove': removeCa,
  audit: (context, input, call) =>
    input.connections === true ? auditConnections(context, input, call) : audit(context, withKnownVerb(input), call),
  'audit export': (context, input, call) => exportAudit(context, withKnownVerb(input), call),
  'audit verify': verifyAudit,
  reconcile,
  'image build': buildImage,
  'image list': listImages,
  'schedule list': listSchedule,
  'schedule run': runJob,
  'alert list': listAlerts,
  'alert test': testAlerts,
  report,
  // A check advises a verb, which may not be open to its caller.
  doctor: async (context, input, call) => {
    const found = await diagnose(context, input, call);
    return { ...found, checks: found.checks.map(advisedTo(call)) };
  },
  debug: async (context, input, call) => {
    const found = await debugAccess(context, input, call);
    return { ...found, links: found.links.map(advisedTo(call)) };
  },
  'host-key': listHostKeys,
  'host-key rotate': rotateHostKey,
  'host-key switch': switchHostKey,
  security: async (context, input, call) => {
    if (input.follow !== true) {
      const found = await securityOverview(context, input, call);
      return { ...found, checks: found.checks.map(advisedTo(call)) };
    }
    const line = (record: JsonObject, time: string) => securityEvent(record, time, isAboutAccess);
    await followEvents(context, { types: securityEventTypes, line }, call);
    return { followed: true };
  },
  'session list': listSessions,
  'session kick': kickSession,
  'ban list': listBans,
  'ban add': addBan,
  'ban lift': liftBan,
  who: whoIsHere,
  say,
  whoami: whoAmI,
  version: versionInfo,
};
