/**
 * The work behind `host-key`, `host-key rotate` and `host-key switch`: compares the key files with the keys that the
 * running server was started with.
 */
import { isIP } from 'node:net';
import PQueue from 'p-queue';
import { unknownHost } from '../../domain/results/access.ts';
import type { HostKeyChange, HostKeyInfo, HostKeyList } from '../../domain/results/hostKeys.ts';
import { Failure } from '../../domain/failure.ts';
import { listHostKeys, rotateHostKey, switchHostKey, type ListedHostKey } from './hostKeyFiles.ts';

export interface HostKeyStoreOptions {
  readonly folder: string;
  /** Fingerprints of the keys that the running server presents and announces. */
  readonly running: { readonly current: string; readonly next: string | undefined };
  readonly port: () => number;
}

export class HostKeyStore {
  readonly #options: HostKeyStoreOptions;
  /** Changes run one at a time: two at once would both find no next key. */
  readonly #changes = new PQueue({ concurrency: 1 });

  constructor(options: HostKeyStoreOptions) {
    this.#options = options;
  }

  /**
   * Lists the host keys. `host` is the name or address by which clients reach this server, if known. Throws as
   * `listHostKeys` does.
   */
  async list(host: string | undefined): Promise<HostKeyList> {
    const keys = await listHostKeys(this.#options.folder);
    return { keys: keys.map((key) => this.#info(key, host)), named: host !== undefined };
  }

  /** Throws as `rotateHostKey` does. */
  rotate(host: string | undefined): Promise<HostKeyChange> {
    return this.#changes.add(async () => {
      const { fingerprint } = await rotateHostKey(this.#options.folder);
      return { did: 'rotated', fingerprint, ...(await this.list(host)) };
    });
  }

  /** Throws as `switchHostKey` does, and `confirmation-required` without `yes`. */
  switch(host: string | undefined, yes: boolean): Promise<HostKeyChange> {
    return this.#changes.add(async () => {
      const next = (await listHostKeys(this.#options.folder)).find(({ which }) => which === 'next');
      if (next !== undefined && !yes) {
        const announced = next.fingerprint === this.#options.running.next;
        throw new Failure('confirmation-required', {
          what: `host key ${next.fingerprint}`,
          why: announced
            ? 'clients that have not logged in since it was first announced will warn about it'
            : 'it has not been announced by the running server, so every client will warn about it',
          next: announced
            ? '"host-key switch --yes" switches all the same'
            : 'restart the server (systemctl restart containarium) and give clients time to log in, or switch all the same: "host-key switch --yes"',
        });
      }
      const { fingerprint } = await switchHostKey(this.#options.folder);
      return { did: 'switched', fingerprint, ...(await this.list(host)) };
    });
  }

  #info({ which, publicKey, fingerprint, sshfp, madeAt }: ListedHostKey, host = unknownHost): HostKeyInfo {
    const port = this.#options.port();
    return {
      which: which === 'current' ? 'present' : 'next',
      type: publicKey.split(' ')[0] ?? '',
      fingerprint,
      madeAt,
      inUse: fingerprint === this.#options.running[which],
      knownHosts: `${port === 22 ? host : `[${host}]:${port}`} ${publicKey}`,
      // SSHFP records belong to a name, never to an address.
      sshfp: `${isIP(host) === 0 ? host : unknownHost} IN SSHFP ${sshfp.algorithm} ${sshfp.type} ${sshfp.fingerprint}`,
    };
  }
}
