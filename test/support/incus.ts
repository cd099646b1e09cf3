/** An Incus of which only the runner is known. */
import { ClientReads } from '../../src/host/incus/clientReads.ts';
import type { IncusLimits } from '../../src/host/incus/client.ts';
import { Incus } from '../../src/host/incus/incus.ts';
import type { Runner } from '../../src/host/runner.ts';

/** Returns an Incus that reads with this runner too. */
export function incusBy(runner: Runner, limits?: IncusLimits): Incus {
  return new Incus({ runner, reads: new ClientReads(runner) }, limits);
}
