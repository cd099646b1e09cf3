/** SSH features that this server does not offer. The front refuses requests for them and reports the count to core. */

/** Unsupported requests, with the options of ssh(1) that make them. */
export const unsupportedRequests = {
  'tcp-local': 'local TCP forwarding (-L, -D, -W, -J)',
  'tcp-remote': 'remote TCP forwarding (-R)',
  'socket-local': 'local forwarding of a Unix socket (-L)',
  'socket-remote': 'remote forwarding of a Unix socket (-R)',
  agent: 'agent forwarding (-A)',
  x11: 'X11 forwarding (-X, -Y)',
  tunnel: 'a tunnel (-w)',
  subsystem: 'a subsystem (-s, sftp, scp)',
  channel: 'an unknown channel type',
} as const;

export type UnsupportedRequest = keyof typeof unsupportedRequests;

export const unsupportedRequestNames = Object.keys(unsupportedRequests) as UnsupportedRequest[];

/** Number of requests by kind. */
export type UnsupportedRequestCounts = Readonly<Partial<Record<UnsupportedRequest, number>>>;
