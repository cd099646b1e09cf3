/** One command line for several servers: their answers together, each with its host. */
import { parseCommandLine } from '../catalogue/parse.ts';
import { renderBlocks, renderDocument } from '../catalogue/render.ts';
import type { AnyVerb } from '../catalogue/catalogue.ts';
import type { Block } from '../catalogue/declaration/view.ts';
import { exitCodes, Failure, failureCodes } from '../domain/failure.ts';
import { joinChoices, quoted } from '../domain/text.ts';
import { readIdentity } from './certificates.ts';
import { remoteCore } from './remoteCore.ts';
import type { RemoteHost } from './servers.ts';

/** Verbs that read, and whose answers make sense side by side. */
const verbsForSeveral = ['list', 'info', 'doctor', 'audit'];

/** A server's answer: a result, or the failure of that server alone. */
interface HostAnswer {
  readonly host: string;
  readonly result?: unknown;
  readonly failure?: Failure;
}

/** Resolves with the exit code: that of the worst answer, `partial` if some of the servers did not answer. */
export async function runOnSeveral(hosts: readonly RemoteHost[], words: readonly string[]): Promise<number> {
  const actor = { role: 'admin', entryPoint: 'remote' } as const;
  const { verb, input, format } = parseCommandLine(words, actor);
  if (!verbsForSeveral.includes(verb.name))
    throw new Failure('usage', {
      what: `${quoted(verb.name)} on several servers`,
      why: `only ${joinChoices(verbsForSeveral)} can ask several at once`,
      next: 'name one server: --on NAME',
    });
  const answers = await Promise.all(hosts.map((host) => ask(host, verb.name, input)));
  const failed = answers.filter(({ failure }) => failure !== undefined);
  if (format === 'csv')
    throw new Failure('usage', {
      what: '--format csv',
      why: 'the answers of several servers are one table or one document',
      next: 'use --json, or --on NAME',
    });
  if (format === 'table') {
    process.stdout.write(renderBlocks(together(verb, answers)));
    for (const { host, failure } of failed)
      process.stderr.write(`${host}: ${failure?.what ?? ''}: ${failure?.why ?? ''}\n`);
  } else {
    const document = {
      ok: failed.length === 0,
      command: verb.name,
      hosts: answers.map(({ host, result, failure }) =>
        failure === undefined ? { host, ok: true, result } : { host, ok: false, error: failure.toData() },
      ),
    };
    process.stdout.write(renderDocument(document, format));
  }
  if (failed.length === answers.length) return exitCodes[failureCodes[failed[0]?.failure?.code ?? 'internal']];
  if (failed.length > 0) return exitCodes.partial;
  const worst = answers.map(({ result }) => exitCodes[verb.exit?.(result as never) ?? 'ok']);
  return Math.max(...worst);
}

async function ask(
  { name, address, certificatesFolder }: RemoteHost,
  verb: string,
  input: Readonly<Record<string, unknown>>,
): Promise<HostAnswer> {
  try {
    const identity = await readIdentity(certificatesFolder);
    const core = remoteCore(address, identity);
    try {
      const actor = { name: identity.name, role: 'admin', entryPoint: 'remote' } as const;
      const { result } = await core.call({ actor, verb, input }, () => undefined, new AbortController().signal);
      return { host: name, result };
    } finally {
      core.close();
    }
  } catch (error) {
    return { host: name, failure: Failure.from(error) };
  }
}

/** Returns the views of all answers. Tables with the same columns become one, with a column for the host. */
function together(verb: AnyVerb, answers: readonly HostAnswer[]): Block[] {
  const context = { now: new Date(), terminal: process.stdout.isTTY };
  const views = answers.flatMap(({ host, result, failure }) =>
    failure === undefined ? [{ host, blocks: verb.view(result as never, context) }] : [],
  );
  const tables = views.flatMap(({ host, blocks }) =>
    blocks.flatMap((block) => (block.kind === 'table' ? [{ host, block }] : [])),
  );
  const [first] = tables;
  const merged: Block[] =
    first === undefined
      ? []
      : [
          {
            ...first.block,
            columns: [{ title: 'HOST', priority: 0 }, ...first.block.columns],
            rows: tables.flatMap(({ host, block }) => block.rows.map((row) => [host, ...row])),
          },
        ];
  const others = views.flatMap(({ host, blocks }) =>
    blocks.flatMap((block): Block[] => {
      if (block.kind === 'table') return [];
      if (block.kind === 'text') return [{ ...block, text: `${host}: ${block.text}` }];
      return [{ ...block, title: block.title === undefined ? host : `${host}: ${block.title}` }];
    }),
  );
  return [...merged, ...others];
}
