/** The check of `doctor` for the remote interface: whether it listens, and certificates that end soon. */
import { endsSoon } from '../../domain/access/certificateEnd.ts';
import { plural } from '../../domain/text.ts';
import { endOf, type CertificateStore } from '../certificates/certificateStore.ts';
import type { Settings } from '../../settings/settings.ts';
import { ok, problem, warning, type Outcome } from './outcome.ts';

export function checkRemote({
  certificates,
  settings,
  now,
}: {
  readonly certificates: Pick<CertificateStore, 'server' | 'issued'>;
  readonly settings: Pick<Settings, 'remote'>;
  readonly now: () => Date;
}): Outcome {
  const { listen, insecureAs } = settings.remote;
  const { server } = certificates;
  if (listen === undefined) return ok('off (remote.listen is not set)');
  const address = `${listen.address}:${listen.port}`;
  if (insecureAs !== undefined)
    return warning(
      `${address} has no TLS: every account of this host acts there as ${insecureAs}`,
      'unset remote.insecureAs, and "cert generate"',
    );
  if (server === undefined)
    return warning(`${address} is configured, but there are no certificates`, '"cert generate" makes them');
  const leftMs = (at: Date): number => at.getTime() - now().getTime();
  const authorityLeftMs = leftMs(endOf(server.authority));
  if (authorityLeftMs <= 0)
    return problem(
      'the CA has expired, so nobody can connect',
      '"cert generate --replace", then "cert issue" for each admin',
    );
  if (leftMs(endOf(server.certificate)) <= 0)
    return problem('the server certificate has expired, so nobody can connect', '"cert renew"');
  const authorityEnds = endsSoon(endOf(server.authority), now());
  if (authorityEnds !== undefined)
    return warning(`the CA ${authorityEnds}`, '"cert generate --replace", then "cert issue" for each admin');
  const valid = certificates.issued.filter(
    ({ notAfter, revokedAt }) => revokedAt === null && leftMs(new Date(notAfter)) > 0,
  );
  const ending = valid.filter(({ notAfter }) => endsSoon(new Date(notAfter), now()) !== undefined);
  const text = `${address}; ${plural(valid.length, 'client certificate')}`;
  const [first] = ending;
  return first === undefined
    ? ok(text)
    : warning(
        `${text}; soon without one: ${[...new Set(ending.map(({ admin }) => admin))].join(', ')}`,
        `"cert issue ${first.admin}"`,
      );
}
