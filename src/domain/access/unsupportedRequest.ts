/**
 * What SSH has and this server does not, when somebody who is logged in asks for it: refused, counted, and told to
 * core.
 */

/** By what sshd_config(5) calls each, and how ssh(1) asks for it. */
export const unsupportedRequests = {
  'tcp-local': 'a connection to a port (-L, -D, -W, -J)',
  'tcp-remote': 'a port here (-R)',
  'socket-local': 'a connection to a socket file (-L)',
  'socket-remote': 'a socket file here (-R)',
  agent: 'an agent (-A)',
  x11: 'X11 (-X, -Y)',
  tunnel: 'a tunnel (-w)',
  subsystem: 'a subsystem (-s, sftp, scp)',
  channel: 'a channel of another kind',
} as const;

export type UnsupportedRequest = keyof typeof unsupportedRequests;

export const unsupportedRequestNames = Object.keys(unsupportedRequests) as UnsupportedRequest[];

/** How often each was asked for. */
export type UnsupportedRequestCounts = Readonly<Partial<Record<UnsupportedRequest, number>>>;
