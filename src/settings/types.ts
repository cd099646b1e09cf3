/** Types of settings. Their titles are what docs/configuration.md calls them. */
import { z } from 'zod';
import { parseImage } from '../domain/values/image.ts';
import { parseNetwork } from '../domain/values/network.ts';
import { parseSize } from '../domain/values/size.ts';

/** A setting that `parse` reads; what it throws is why the setting is refused. */
export function parsed<T>(parse: (text: string) => T) {
  return z.string().transform((text, context): T => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  });
}

export const size = parsed(parseSize).meta({ title: 'size' });
export const image = parsed(parseImage).meta({ title: 'image' });
export const name = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/, 'letters, digits, dots, hyphens and underscores')
  .meta({ title: 'name' });
export const groupName = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'a group name of group(5)')
  .meta({ title: 'group name' });
export const networkText = z
  .string()
  .refine((text) => {
    try {
      return parseNetwork(text).text !== '';
    } catch {
      return false;
    }
  }, 'an address or a network: 192.0.2.0/24, 2001:db8::/64')
  .meta({ title: 'network' });
/** A time that may be 0: never. */
export const timeMs = z.number().int().min(0).max(31_536_000_000);
export const absolutePath = z.string().startsWith('/', 'an absolute path').meta({ title: 'absolute path' });
