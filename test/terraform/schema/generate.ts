/**
 * Writes google.json and aws.json: the schemas of the resources that terraform/ uses, as the stub provider serves them.
 *
 *   node test/terraform/schema/generate.ts
 *
 * The source are npm packages that are generated from the real providers. They are 300 MB and more each, so they are
 * no dependencies: this script downloads them, and what it writes is kept. To use another resource, add it to
 * `wanted`; for another version of a provider, change `packages`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readBlock } from './cdktf.ts';
import type { Block, ProviderSchema } from './schema.ts';

const packages = {
  google: { name: '@cdktf/provider-google', version: '16.12.1' },
  aws: { name: '@cdktf/provider-aws', version: '21.22.1' },
} as const;

/** Folders of the packages: those of data sources begin with `data-`. */
const wanted = {
  google: [
    'compute-address',
    'compute-disk',
    'compute-disk-resource-policy-attachment',
    'compute-firewall',
    'compute-health-check',
    'compute-instance-group-manager',
    'compute-instance-template',
    'compute-per-instance-config',
    'compute-resource-policy',
    'dns-record-set',
  ],
  aws: [
    'autoscaling-group',
    'data-aws-ssm-parameter',
    'data-aws-subnet',
    'dlm-lifecycle-policy',
    'ebs-volume',
    'eip',
    'iam-instance-profile',
    'iam-role',
    'iam-role-policy',
    'launch-template',
    'network-interface',
    'route53-record',
    'security-group',
    'vpc-security-group-egress-rule',
    'vpc-security-group-ingress-rule',
  ],
} as const;

type ProviderName = keyof typeof packages;

/** Returns the package's folder, unpacked below `work`. */
function unpack(provider: ProviderName, work: string): string {
  const { name, version } = packages[provider];
  const packed = execFileSync('npm', ['pack', '--silent', `${name}@${version}`], { cwd: work, encoding: 'utf8' });
  const folders = ['provider', ...wanted[provider]].map((folder) => `package/lib/${folder}`);
  const target = join(work, provider);
  execFileSync('mkdir', [target]);
  execFileSync('tar', ['-xzf', join(work, packed.trim()), '-C', target, 'package/README.md', ...folders]);
  return join(target, 'package');
}

function readFolder(folder: string): { readonly type: string | undefined; readonly block: Block } {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  return readBlock(read('index.js'), read('index.d.ts'));
}

function readSchema(provider: ProviderName, folder: string): ProviderSchema {
  const version = /provider version (\d+\.\d+\.\d+)/.exec(readFileSync(join(folder, 'README.md'), 'utf8'))?.[1];
  if (version === undefined) throw new Error(`${folder}: README.md names no version of the provider`);
  const resources: Record<string, Block> = {};
  const dataSources: Record<string, Block> = {};
  for (const each of wanted[provider]) {
    const { type, block } = readFolder(join(folder, 'lib', each));
    if (type === undefined) throw new Error(`${each}: no terraformResourceType`);
    (each.startsWith('data-') ? dataSources : resources)[type] = block;
  }
  const { name, version: packageVersion } = packages[provider];
  return {
    source: `${name} ${packageVersion}, generated from hashicorp/${provider} ${version}`,
    provider: readFolder(join(folder, 'lib', 'provider')).block,
    resources,
    dataSources,
  };
}

const work = mkdtempSync(join(tmpdir(), 'containarium-schema-'));
try {
  for (const provider of Object.keys(packages) as ProviderName[]) {
    const schema = readSchema(provider, unpack(provider, work));
    writeFileSync(join(import.meta.dirname, `${provider}.json`), `${JSON.stringify(schema, null, 1)}\n`);
    console.log(`${provider}.json: ${schema.source}`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
