/** A copy of terraform/ in which Terraform runs with the stub providers. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { packageRoot } from '../../src/domain/packageRoot.ts';
import { stubEnvironment, stubProviders, type Cloud } from './tools.ts';

export const source = join(packageRoot, 'terraform');

export const sampleKey =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Y carol@laptop';

/** What the examples leave to the reader. */
const asked = {
  admin_ssh_keys: { carol: sampleKey },
  allowed_ssh_sources: ['198.51.100.0/24'],
  release_url: 'https://downloads.example.org/containarium.tar.gz',
  release_sha256: '0'.repeat(64),
};
export const given: Readonly<Record<Cloud, Readonly<Record<string, unknown>>>> = {
  gce: { project_id: 'my-project-123', ...asked },
  aws: { subnet_id: 'subnet-0123456789abcdef0', ...asked },
};

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Workspace {
  readonly root: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(root: string, env: Readonly<Record<string, string>>) {
    this.root = root;
    this.#env = env;
  }

  /** Copies `from`, and fetches the modules of the folders that use some. */
  static async open(from: string = source, folders: readonly string[] = ['gce', 'aws']): Promise<Workspace> {
    const work = await mkdtemp(join(tmpdir(), 'containarium-terraform-'));
    const root = join(work, 'terraform');
    await cp(from, root, { recursive: true, filter: (path) => !/\/\.terraform(\/|$)|\.tfstate/.test(path) });
    const stubs = await stubProviders();
    const overrides = ['google', 'aws'].map((name) => `    "hashicorp/${name}" = ${JSON.stringify(stubs)}\n`).join('');
    const config = join(work, 'terraform.rc');
    await writeFile(config, `provider_installation {\n  dev_overrides {\n${overrides}  }\n  direct {}\n}\n`);
    const workspace = new Workspace(root, {
      ...stubEnvironment,
      TF_CLI_CONFIG_FILE: config,
      TF_IN_AUTOMATION: '1',
      TF_INPUT: '0',
      CHECKPOINT_DISABLE: '1',
    });
    for (const folder of folders) await workspace.mustRun(folder, ['get', '-no-color']);
    return workspace;
  }

  async run(folder: string, args: readonly string[]): Promise<Ran> {
    const { exitCode, stdout, stderr } = await execa('terraform', args, {
      cwd: join(this.root, folder),
      env: this.#env,
      reject: false,
    });
    return { code: exitCode ?? -1, stdout, stderr };
  }

  /** Runs Terraform and resolves with its output. Rejects if it fails. */
  async mustRun(folder: string, args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(folder, args);
    if (code !== 0) throw new Error(`terraform ${args.join(' ')} in ${folder}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Writes a file of variables and returns the argument that names it. */
  async variables(folder: string, values: Readonly<Record<string, unknown>>, name = 'given'): Promise<string> {
    await writeFile(join(this.root, folder, `${name}.tfvars.json`), JSON.stringify(values));
    return `-var-file=${name}.tfvars.json`;
  }

  /** Resolves with the errors of `terraform validate`. */
  async validate(folder: string): Promise<readonly string[]> {
    const { stdout } = await this.run(folder, ['validate', '-json']);
    const { diagnostics } = JSON.parse(stdout) as {
      diagnostics: readonly { severity: string; summary: string; detail: string }[];
    };
    return diagnostics
      .filter(({ severity }) => severity === 'error')
      .map(({ summary, detail }) => `${summary}: ${detail}`);
  }

  async close(): Promise<void> {
    await rm(join(this.root, '..'), { recursive: true, force: true });
  }
}
