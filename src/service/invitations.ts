/** `admin invite`, `key invite`, `invite list`, `invite cancel`. */
import { invitationLogin } from '../domain/access/invitation.ts';
import { unknownHost } from '../domain/results/access.ts';
import { Failure } from '../domain/failure.ts';
import type { InvitationInfo, InvitationMade } from '../domain/results/invitations.ts';
import { quoted } from '../domain/text.ts';
import type { Username } from '../domain/values/username.ts';
import type { AdminRole } from './access/adminStore.ts';
import type { Invitation } from './access/invitationStore.ts';
import type { ServiceContext } from './context.ts';
import { instanceOf } from './instances/containers.ts';
import type { Call } from './instances/context.ts';
import { jumpHost } from './instances/jumpHost.ts';

/** Invites an admin. Rejects with `exists` if the admin already has another role. */
export async function inviteAdmin(
  context: ServiceContext,
  { name, role }: { readonly name: string; readonly role?: AdminRole | undefined },
  call: Call,
): Promise<InvitationMade> {
  const present = context.admins.named(name)?.role;
  if (present !== undefined && role !== undefined && role !== present) {
    throw new Failure('exists', {
      what: `admin ${quoted(name)}`,
      why: `the role is already ${present}, and an invitation does not change it`,
      next: `"admin role ${name} ${role}" changes it`,
    });
  }
  // The role of a new admin is fixed now, so that `invite list` can show it. That of a present one may change
  // meanwhile, and does not come back with the invitation once the admin is removed.
  const fixed = present === undefined ? { role: role ?? 'admin' } : {};
  return invite(context, { kind: 'admin', name, ...fixed }, call);
}

export async function inviteUser(
  context: ServiceContext,
  { user }: { readonly user: Username },
  call: Call,
): Promise<InvitationMade> {
  const { created_at: container } = await instanceOf(context, user, call.signal);
  return invite(context, { kind: 'user', name: user, container }, call);
}

export function listInvitations({
  invitations,
}: ServiceContext): Promise<{ readonly invitations: readonly InvitationInfo[] }> {
  return Promise.resolve({ invitations: invitations.list() });
}

/** Cancels invitations by id, or by the name that they are for. */
export async function cancelInvitation(
  { invitations }: ServiceContext,
  { invitation }: { readonly invitation: string },
): Promise<{ readonly cancelled: readonly InvitationInfo[] }> {
  return { cancelled: await invitations.cancel(invitation) };
}

async function invite(context: ServiceContext, invitee: Invitation['for'], call: Call): Promise<InvitationMade> {
  const made = await context.invitations.make(invitee, {
    name: call.actor.name,
    root: call.actor.entryPoint === 'local',
  });
  return { ...made, command: invitationCommand(context, call, made.token) };
}

/** Returns the command that uses an invitation. */
export function invitationCommand(context: ServiceContext, call: Call, token: string): string {
  return `ssh -p ${context.port()} ${invitationLogin(token)}@${jumpHost(context, call) ?? unknownHost}`;
}
