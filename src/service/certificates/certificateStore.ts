/**
 * The certificates of the remote interface. The folder has the names of the original's files, each key with mode 0600:
 *
 *   ca.crt ca.key           the CA, which signs the others
 *   server.crt server.key   what the remote interface presents
 *
 * The state file says which client certificates were issued and which are revoked; their keys are never stored.
 */
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { Low } from 'lowdb';
import PQueue from 'p-queue';
import * as z from 'zod';
import type { RemoteTrust } from '../../domain/access/directory.ts';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { openState } from '../../journal/jsonState.ts';
import { FileSet } from './fileSet.ts';
import type { CertifiedKey, IssuedCertificate, ServerNames } from './x509.ts';

const schema = z.object({
  issued: z.array(
    z.object({
      admin: z.string(),
      serial: z.string(),
      notAfter: z.string(),
      issuedAt: z.string(),
      issuedBy: z.string(),
    }),
  ),
  revoked: z.array(z.object({ serial: z.string(), at: z.string(), by: z.string() })),
});
type State = z.infer<typeof schema>;
export type IssuedRecord = State['issued'][number];

/** What the remote interface presents, and whose clients it accepts. All PEM. */
export interface ServerIdentity {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Expired certificates are forgotten after this time, in milliseconds. */
const forgottenAfterMs = 90 * 86_400_000;

/** Maximum number of certificates that are remembered. */
const maxIssued = 10_000;

export class CertificateStore {
  readonly #files: FileSet;
  readonly #db: Low<State>;
  /** Changes run one at a time: one whose write fails restores the state from before it, and must lose no other. */
  readonly #changes = new PQueue({ concurrency: 1 });
  #authority: string | undefined;
  #server: CertifiedKey | undefined;

  private constructor(folder: string, db: Low<State>) {
    this.#files = new FileSet(folder);
    this.#db = db;
  }

  get folder(): string {
    return this.#files.folder;
  }

  /** Opens the store. Rejects with `settings` if a file is damaged: it is never replaced. */
  static async open(folder: string, statePath: string): Promise<CertificateStore> {
    const store = new CertificateStore(folder, await openState(statePath, schema, { issued: [], revoked: [] }));
    await store.#files.recover();
    await store.#load();
    return store;
  }

  /** Whose certificates are accepted; undefined while there are none. */
  get trust(): RemoteTrust | undefined {
    return this.#authority === undefined
      ? undefined
      : { authority: this.#authority, revoked: this.#db.data.revoked.map(({ serial }) => serial) };
  }

  /** What the remote interface presents; undefined while there are no certificates. */
  get server(): ServerIdentity | undefined {
    return this.#authority === undefined || this.#server === undefined
      ? undefined
      : { authority: this.#authority, ...this.#server };
  }

  get issued(): readonly (IssuedRecord & { readonly revokedAt: string | null })[] {
    const revoked = new Map(this.#db.data.revoked.map(({ serial, at }) => [serial, at]));
    return this.#db.data.issued.map((record) => ({ ...record, revokedAt: revoked.get(record.serial) ?? null }));
  }

  /** Returns the CA with its key. Rejects with `not-found` if there is none, or if its key is kept elsewhere. */
  async authority(): Promise<CertifiedKey> {
    if (this.#authority === undefined) throw noCertificates();
    const key = await this.#files.read('ca.key');
    if (key === undefined)
      throw new Failure('not-found', {
        what: `the key of the CA, ${join(this.folder, 'ca.key')}`,
        why: 'it is not on this machine, so it signs nothing here',
        next: 'put it back, or make a new CA: "cert generate --replace"',
      });
    return { certificate: this.#authority, key };
  }

  /** Stores a new CA with its server certificate. Certificates of an earlier CA are no longer accepted. */
  async replaceAuthority(authority: CertifiedKey, server: CertifiedKey): Promise<void> {
    await this.#files.replace({
      'ca.key': authority.key,
      'ca.crt': authority.certificate,
      'server.key': server.key,
      'server.crt': server.certificate,
    });
    // Revocations stay, because the CA may be the same again (`cert generate-with-ca`).
    await this.#change(({ revoked }) => ({ issued: [], revoked }));
    await this.#load();
  }

  /** Stores a new server certificate of the same CA. */
  async replaceServer({ certificate, key }: CertifiedKey): Promise<void> {
    await this.#files.replace({ 'server.key': key, 'server.crt': certificate });
    await this.#load();
  }

  /** Records a client certificate. Rejects with `no-space` if there are too many. */
  async add(admin: string, { serial, notAfter }: IssuedCertificate, by: string, now: Date): Promise<void> {
    await this.#change((state) => {
      const keptFrom = new Date(now.getTime() - forgottenAfterMs).toISOString();
      const issued = state.issued.filter((record) => record.notAfter > keptFrom);
      if (issued.length >= maxIssued)
        throw new Failure('no-space', {
          what: 'the list of certificates',
          why: `there are ${issued.length} already`,
          next: 'make a new CA: "cert generate --replace"',
        });
      const record = { admin, serial, notAfter: notAfter.toISOString(), issuedAt: now.toISOString(), issuedBy: by };
      return { ...state, issued: [...issued, record] };
    });
  }

  /** Revokes certificates by serial. Those that are revoked stay as they are. */
  async revoke(serials: readonly string[], by: string, now: Date): Promise<void> {
    await this.#change((state) => {
      const known = new Set(state.revoked.map(({ serial }) => serial));
      const added = serials.filter((serial) => !known.has(serial));
      return {
        ...state,
        revoked: [...state.revoked, ...added.map((serial) => ({ serial, at: now.toISOString(), by }))],
      };
    });
  }

  #change(change: (state: State) => State): Promise<void> {
    return this.#changes.add(() => this.#apply(change));
  }

  async #apply(change: (state: State) => State): Promise<void> {
    const before = this.#db.data;
    this.#db.data = change(before);
    try {
      await this.#db.write();
    } catch (error) {
      this.#db.data = before;
      throw error;
    }
  }

  async #load(): Promise<void> {
    const [authority, certificate, key] = await Promise.all(
      ['ca.crt', 'server.crt', 'server.key'].map((name) => this.#files.read(name)),
    );
    for (const [name, text] of [
      ['ca.crt', authority],
      ['server.crt', certificate],
    ] as const)
      if (text !== undefined) requireCertificate(join(this.folder, name), text);
    this.#authority = authority;
    this.#server = certificate === undefined || key === undefined ? undefined : { certificate, key };
  }
}

function requireCertificate(path: string, text: string): void {
  try {
    new X509Certificate(text);
  } catch (error) {
    throw new Failure(
      'settings',
      { what: path, why: 'it is not a certificate', next: 'restore it from a backup, or remove the folder' },
      error,
    );
  }
}

/** Returns the failure for a server without certificates. */
export function noCertificates(): Failure {
  return new Failure('not-found', {
    what: 'certificates of the remote interface',
    why: 'there are none yet',
    next: 'make them: "cert generate --server-ip ADDRESS"',
  });
}

/** Returns the end of a certificate's validity. */
export function endOf(certificate: string): Date {
  return new X509Certificate(certificate).validToDate;
}

/** Returns the names of a server certificate. */
export function namesOf(certificate: string): ServerNames {
  const entries = (new X509Certificate(certificate).subjectAltName ?? '').split(', ');
  const of = (prefix: string): string[] =>
    entries.filter((entry) => entry.startsWith(prefix)).map((entry) => entry.slice(prefix.length));
  return { dns: of('DNS:'), ips: of('IP Address:') };
}

/** Returns the serials of an admin's certificates that are still accepted, or the one that was named. */
export function serialsOf(store: Pick<CertificateStore, 'issued'>, named: string): string[] {
  const serial = named.toLowerCase().replaceAll(':', '');
  const found = store.issued.filter((record) => record.admin === named || record.serial === serial);
  if (found.length > 0) return found.map((record) => record.serial);
  if (/^[0-9a-f]{16,40}$/.test(serial)) return [serial];
  throw new Failure('not-found', {
    what: `certificate ${quoted(named)}`,
    why: 'no such admin or serial',
    next: 'see "cert list"',
  });
}
