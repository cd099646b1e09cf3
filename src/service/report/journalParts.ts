/** The parts of the report that the journal knows. */
import { failedLogins } from '../../domain/access/refusal.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../domain/json.ts';
import type { ContainerChanges, LoginCounts } from '../../domain/results/report.ts';
import { queryJournal } from '../../journal/query.ts';
import { schedule } from '../instances/schedule.ts';

/** What happened in a time. */
export interface Happened {
  readonly changes: ContainerChanges;
  readonly logins: LoginCounts;
  readonly backups: { readonly made: number; readonly failed: readonly string[] };
  /** Texts of alerts. */
  readonly begun: readonly string[];
  readonly over: readonly string[];
}

const types = ['operation-end', 'job', 'alert', 'login', 'refusals', 'penalty', 'penalties', 'outcome'];

/** Number of names and texts that are kept, whatever happened. */
const maxKept = 1000;

/** Reads the journal from `since` on. The memory used does not depend on how much happened. */
export async function happenedSince(folder: string, since: Date, signal?: AbortSignal): Promise<Happened> {
  const tally = new Tally();
  for await (const record of queryJournal(folder, { since, types }, signal)) tally.add(record);
  return tally.result();
}

type Kept = keyof ContainerChanges | 'failed' | 'begun' | 'over';

class Tally {
  readonly #names: Record<Kept, Set<string>> = {
    created: new Set(),
    deleted: new Set(),
    expired: new Set(),
    purged: new Set(),
    failed: new Set(),
    begun: new Set(),
    over: new Set(),
  };
  #made = 0;
  #logins = 0;
  #failedLogins = 0;
  #sources = 0;
  #penalties = 0;
  #bans = 0;

  add(record: JsonObject): void {
    switch (record['type']) {
      case 'operation-end':
        this.#operation(record);
        break;
      case 'alert':
        this.#keep(record['outcome'] === 'over' ? 'over' : 'begun', record['text']);
        break;
      case 'login':
        this.#logins += 1;
        break;
      case 'refusals':
        this.#refusals(record);
        break;
      case 'penalty':
        this.#penalties += 1;
        break;
      case 'penalties':
        this.#penalties += count(record['more']);
        break;
      case 'outcome':
        if (record['verb'] === 'ban add' && record['outcome'] === 'ok') this.#bans += 1;
        break;
      default:
        break;
    }
  }

  result(): Happened {
    const list = (kind: Kept): string[] => [...this.#names[kind]];
    return {
      changes: {
        created: list('created'),
        deleted: list('deleted'),
        expired: list('expired'),
        purged: list('purged'),
      },
      logins: {
        logins: this.#logins,
        failed: this.#failedLogins,
        sources: this.#sources,
        penalties: this.#penalties,
        bans: this.#bans,
      },
      backups: { made: this.#made, failed: list('failed') },
      begun: list('begun'),
      over: list('over'),
    };
  }

  #operation({ verb, target, outcome, actor }: JsonObject): void {
    // One that was interrupted and took effect all the same is finished.
    const isDone = outcome === 'done' || outcome === 'finished';
    if (verb === 'backup create') {
      if (isDone) this.#made += 1;
      else this.#keep('failed', target);
      return;
    }
    if (!isDone) return;
    const isBySchedule = isJsonObject(actor) && actor['name'] === schedule.name && actor['entryPoint'] === 'local';
    if (verb === 'create') this.#keep('created', target);
    else if (verb === 'delete') this.#keep(isBySchedule ? 'expired' : 'deleted', target);
    else if (verb === 'trash purge') this.#keep('purged', target);
  }

  #refusals({ reasons, sources }: JsonObject): void {
    const kinds = isJsonObject(reasons) ? Object.entries(reasons) : [];
    const failed = kinds.reduce(
      (sum, [kind, number]) => sum + (failedLogins.has(kind as never) ? count(number) : 0),
      0,
    );
    this.#failedLogins += failed;
    // The same sources may be in many records, so their greatest number is what is certain.
    if (failed > 0) this.#sources = Math.max(this.#sources, count(sources));
  }

  #keep(kind: Kept, value: JsonValue | undefined): void {
    if (typeof value === 'string' && this.#names[kind].size < maxKept) this.#names[kind].add(value);
  }
}

function count(value: JsonValue | undefined): number {
  return typeof value === 'number' && value > 0 ? value : 0;
}
