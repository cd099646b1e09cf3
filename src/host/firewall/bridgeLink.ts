/**
 * The option of a bridge that no rule of nftables can replace, through ip-link(8).
 *
 * A bridge handles frames to the reserved addresses 01:80:c2:00:00:00 to 0f, such as LLDP, before any rule for bridges,
 * and learns their source (br_handle_frame in net/bridge/br_input.c). With `no_linklocal_learn` it does not. Incus
 * makes the bridge, so the option is set again after each start of it; systemd/80-containarium.rules does that at once.
 */
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import type { Runner } from '../runner.ts';

const limitMs = 10_000;

const links = z.tuple([
  z.object({
    linkinfo: z.object({ info_data: z.object({ no_linklocal_learn: z.union([z.literal(0), z.literal(1)]) }) }),
  }),
]);

export class BridgeLink {
  readonly #runner: Runner;

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  /** Reports whether the bridge learns sources of frames to reserved addresses. */
  async learnsFromReserved(bridge: string, signal?: AbortSignal): Promise<boolean> {
    const args = ['-details', '-json', 'link', 'show', 'dev', bridge];
    const { stdout } = await this.#runner.run({ program: 'ip', args, timeoutMs: limitMs, signal });
    const parsed = links.safeParse(parseJson(stdout));
    if (parsed.success) return parsed.data[0].linkinfo.info_data.no_linklocal_learn === 0;
    throw new Failure('unexpected-output', {
      what: `"ip link show dev ${bridge}"`,
      why: 'it does not say whether the bridge learns from frames to reserved addresses',
      next: `ip -details link show dev ${bridge}`,
    });
  }

  /** Stops the bridge from learning them. */
  async stopLearningFromReserved(bridge: string): Promise<void> {
    const args = ['link', 'set', 'dev', bridge, 'type', 'bridge', 'no_linklocal_learn', '1'];
    await this.#runner.run({ program: 'ip', args, timeoutMs: limitMs });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
