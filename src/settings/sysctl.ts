/** The kernel limits in the configuration file: a setting for each, named as in sysctl(8). */
import * as z from 'zod';
import { kernelLimits, type KernelLimits } from '../domain/values/kernelLimits.ts';

const fields = Object.entries(kernelLimits).map(([name, { value, why }]) => [
  name,
  z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).default(value).describe(why),
]) as [keyof KernelLimits, z.ZodDefault<z.ZodNumber>][];

export const sysctlSettings = z
  .strictObject(Object.fromEntries(fields) as Record<keyof KernelLimits, z.ZodDefault<z.ZodNumber>>)
  .prefault({})
  .describe(
    'Kernel limits that all containers share. `serve --real` raises a limit that is lower, and lowers none. `doctor` warns of a lower one.',
  );
