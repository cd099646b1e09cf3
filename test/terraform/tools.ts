/**
 * The programs of these tests: Terraform from the machine, and what Go builds once into the cache of the tests: tflint,
 * and a stub in place of the providers of Google and AWS (provider/).
 */
import { createHash } from 'node:crypto';
import { copyFile, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cached } from '../support/downloads.ts';

export const clouds = ['gce', 'aws'] as const;
export type Cloud = (typeof clouds)[number];

/** Why these tests are skipped, or `undefined`. */
export const skipReason = process.env['CONTAINARIUM_TEST_TERRAFORM_SKIP'];

const tflintVersion = '0.64.0';
const providerSource = join(import.meta.dirname, 'provider');
const providers = ['google', 'aws'] as const;

/** Returns the path of tflint. It has the rules of the language; those of a cloud are downloads of their own. */
export async function tflint(): Promise<string> {
  const folder = await cached(`tflint-${tflintVersion}`, async (work) => {
    const env = { GOBIN: work, CGO_ENABLED: '0' };
    await execa('go', ['install', `github.com/terraform-linters/tflint@v${tflintVersion}`], { env });
  });
  return join(folder, 'tflint');
}

/** Returns the folder with the stub, under the name of each provider. */
export async function stubProviders(): Promise<string> {
  const sources = (await readdir(providerSource)).sort();
  const hash = createHash('sha256');
  for (const name of sources) hash.update(`${name}\n`).update(await readFile(join(providerSource, name)));
  return cached(`terraform-providers-${hash.digest('hex').slice(0, 16)}`, async (work) => {
    const built = join(work, 'built');
    const env = { CGO_ENABLED: '0' };
    await execa('go', ['build', '-trimpath', '-ldflags=-s -w', '-o', built, '.'], { cwd: providerSource, env });
    for (const name of providers) await copyFile(built, join(work, `terraform-provider-${name}`));
    await rm(built);
  });
}

/** Environment in which the stub serves the schemas of the providers. */
export const stubEnvironment: Readonly<Record<string, string>> = Object.fromEntries(
  providers.map((name) => [`STUB_SCHEMA_${name.toUpperCase()}`, join(import.meta.dirname, 'schema', `${name}.json`)]),
);
