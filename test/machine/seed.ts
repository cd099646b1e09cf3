/** What a cloud gives a machine: user-data as terraform/ renders it, and a server with releases. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { repository } from '../support/server.ts';
import type { Releases } from '../support/releases.ts';

/** The address of this machine for a machine of qemu (user networking). */
const hostAddress = '10.0.2.2';

export interface SeedOptions {
  /** A folder for Terraform. */
  readonly folder: string;
  /** The machines install `release`, and can fetch the others. */
  readonly releases: Releases;
  /** Public keys of the admin `carol`. */
  readonly adminKeys: string;
  readonly hostname: string;
  readonly dataDisk: string;
  /** Text of containarium.yaml. */
  readonly settings: string;
}

export class Seed {
  readonly #server: Server;
  readonly #port: number;
  #machines = 0;
  #userData = '';

  private constructor(server: Server) {
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Makes the user-data, and serves it and the releases. */
  static async start({ folder, releases, adminKeys, hostname, dataDisk, settings }: SeedOptions): Promise<Seed> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const seed = new Seed(server);
    server.on('request', ({ url = '' }, response) => {
      if (url.endsWith('.tar.gz')) createReadStream(join(releases.folder, basename(url))).pipe(response);
      else if (url.endsWith('/user-data')) response.end(seed.#userData);
      // A new machine has a new id, and so cloud-init begins anew.
      else if (url.endsWith('/meta-data')) response.end(`instance-id: machine-${url.split('/')[1] ?? ''}\n`);
      else response.writeHead(404).end();
    });
    seed.#userData = await rendered(folder, {
      instance_name: 'jump',
      hostnames: { jump: hostname },
      data_disk_devices: { jump: dataDisk },
      admin_ssh_keys: { carol: adminKeys },
      release_url: seed.archive('release'),
      release_sha256: await checksumOf(releases, 'release'),
      settings,
      memory_gib: 4,
      prices: {
        currency: 'USD',
        as_of: 'a test',
        machine_hour: 0,
        spot_machine_hour: 0,
        data_disk_month: 0,
        boot_disk_month: 0,
        snapshot_month: 0,
        address_hour: 0,
      },
    });
    return seed;
  }

  /** Returns the address of a release's archive for a machine. */
  archive(name: string): string {
    return `http://${hostAddress}:${this.#port}/${name}.tar.gz`;
  }

  /** Returns the address from which the next machine gets its user-data (cloud-init, NoCloud). */
  next(): string {
    this.#machines += 1;
    return `http://${hostAddress}:${this.#port}/${this.#machines}/`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

export async function checksumOf({ folder }: Releases, name: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(join(folder, `${name}.tar.gz`)))
    .digest('hex');
}

/** Applies the module, which needs no provider, and returns the user-data of its server. */
async function rendered(folder: string, variables: Readonly<Record<string, unknown>>): Promise<string> {
  await cp(join(repository, 'terraform', 'modules', 'jump-host'), folder, { recursive: true });
  await writeFile(join(folder, 'given.tfvars.json'), JSON.stringify(variables));
  const options = { cwd: folder, env: { TF_IN_AUTOMATION: '1', TF_INPUT: '0', CHECKPOINT_DISABLE: '1' } };
  await execa('terraform', ['init', '-no-color'], options);
  await execa('terraform', ['apply', '-auto-approve', '-no-color', '-var-file=given.tfvars.json'], options);
  const { stdout } = await execa('terraform', ['output', '-json', 'user_data'], options);
  return (JSON.parse(stdout) as { jump: string }).jump;
}
