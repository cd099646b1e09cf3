/** The types of settings. docs/configuration.md shows their titles. */
import { isIP } from 'node:net';
import * as z from 'zod';
import { parsedText } from '../domain/check.ts';
import { parseSpan } from '../domain/values/duration.ts';
import { parseImage } from '../domain/values/image.ts';
import { isLoopback, parseNetwork } from '../domain/values/network.ts';
import { parseSize } from '../domain/values/size.ts';

export const size = parsedText(parseSize, 'a size with a unit, such as 4GiB').meta({ title: 'size' });
/** A duration of the configuration, as it is written there: `30d`. */
export const span = parsedText((text) => (parseSpan(text), text), 'a duration with a unit, such as 30d or 12h').meta({
  title: 'duration',
});
export const image = parsedText(parseImage).meta({ title: 'image' });
export const name = z
  .string()
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/,
    'may contain only letters, digits, dots, hyphens and underscores, 63 characters at most',
  )
  .meta({ title: 'name' });
/** A bit rate as Incus writes it (`limits.egress`). Incus itself checks it only when the container starts. */
export const bitRate = z
  .string()
  .regex(/^[1-9]\d{0,8}(?:k|M|G)?bit$/, 'must be a whole number of bit, kbit, Mbit or Gbit, for example 200Mbit')
  .meta({ title: 'bit rate' });
export const groupPattern = /^[a-z_][a-z0-9_-]{0,31}$/;
export const groupName = z
  .string()
  .regex(groupPattern, 'must be a group name as in group(5)')
  .meta({ title: 'group name' });
export const networkText = z
  .string()
  .refine((text) => {
    try {
      return parseNetwork(text).text !== '';
    } catch {
      return false;
    }
  }, 'must be an address or a network, for example 192.0.2.0/24 or 2001:db8::/64')
  .meta({ title: 'network' });
/** A time in milliseconds that may be 0. */
export const timeMs = z.number().int().min(0).max(31_536_000_000);
/** The configuration of the host's own sshd, which includes the drop-ins. */
export const defaultSshdConfig = '/etc/ssh/sshd_config';
/** Number of connections of one source to the host's own sshd that have not logged in yet. */
export const defaultPendingLoginsPerSource = 20;
export const absolutePath = z.string().startsWith('/', 'must be an absolute path').meta({ title: 'absolute path' });

/** The address to which something is sent. What it says is for its receiver alone, so it is encrypted on the way. */
export const webUrl = z
  .string()
  .max(2000)
  .refine(isWebUrl, 'must be an https address without a password, or http to a loopback address')
  .meta({ title: 'URL' });

function isWebUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false;
  // The host of an IPv6 address has brackets.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return url.protocol === 'https:' || (url.protocol === 'http:' && isIP(host) !== 0 && isLoopback(host));
}
