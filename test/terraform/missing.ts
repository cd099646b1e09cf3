/** Says why the tests of terraform/ cannot run on this machine. */
import { execa } from 'execa';

const needed = {
  terraform: { args: ['version'], source: 'https://developer.hashicorp.com/terraform/install' },
  go: { args: ['version'], source: 'https://go.dev/dl' },
} as const;

/** Resolves with the reason, or undefined if Terraform and Go are there. */
export async function missingForTerraform(): Promise<string | undefined> {
  const missing: string[] = [];
  for (const [program, { args, source }] of Object.entries(needed)) {
    const { failed } = await execa(program, args, { reject: false, timeout: 30_000 });
    if (failed) missing.push(`${program} (${source})`);
  }
  return missing.length === 0 ? undefined : `the tests of terraform/ need ${missing.join(' and ')}`;
}
