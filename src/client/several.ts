/** One command line for several servers: their answers together, each with its host. */
import { loadFormat } from '../catalogue/loadFormat.ts';
import { loadTextWidth } from '../catalogue/output/textWidth.ts';
import { renderBlocks, renderDocument } from '../catalogue/render.ts';
import { wantedFormat, type Format } from '../catalogue/format.ts';
import type { Block } from '../catalogue/declaration/view.ts';
import { exitCodes, Failure, failureCodes } from '../domain/failure.ts';
import { printableLines } from '../domain/text.ts';
import { readIdentity } from './certificates.ts';
import { VerbService } from '../grpc/generated/containarium/v1/verbs_pb.ts';
import { Channel } from './grpc/channel.ts';
import type { RemoteHost } from './servers.ts';

/** What a server says: an answer, or the failure of that server alone. */
type HostAnswer = { readonly host: string } & (
  { readonly answer: Answer; readonly failure?: undefined } | { readonly answer?: undefined; readonly failure: Failure }
);

interface Answer {
  readonly verb: string;
  readonly format: Format;
  readonly result: unknown;
  readonly blocks: readonly Block[];
  readonly exit: number;
}

/** Resolves with the exit code: that of the worst answer, `partial` if some of the servers did not answer. */
export async function runOnSeveral(hosts: readonly RemoteHost[], words: readonly string[]): Promise<number> {
  const said = await Promise.all(hosts.map((host) => ask(host, words)));
  const answers = said.flatMap(({ host, answer }) => (answer === undefined ? [] : [{ host, ...answer }]));
  const failed = said.flatMap(({ host, failure }) => (failure === undefined ? [] : [{ host, failure }]));
  const [first] = answers;
  // What is wrong with the words is wrong everywhere.
  const misused = failed.find(({ failure }) => failure.code === 'usage');
  if (misused !== undefined && first === undefined) throw misused.failure;
  const format = first?.format ?? wantedFormat(words);
  if (format === 'csv')
    throw new Failure('usage', {
      what: '--format csv',
      why: 'the answers of several servers are one table or one document',
      next: 'use --json, or --on NAME',
    });
  if (format === 'table') {
    await loadTextWidth();
    process.stdout.write(renderBlocks(together(answers)));
    for (const { host, failure } of failed)
      process.stderr.write(printableLines(`${host}: ${failure.message} (${failure.code})\n`));
  } else {
    const document = {
      ok: failed.length === 0,
      command: first?.verb ?? words[0] ?? '',
      hosts: said.map(({ host, answer, failure }) =>
        failure === undefined
          ? { host, ok: true, result: answer.result }
          : { host, ok: false, error: { ...failure.toData(), exitCode: failure.exitCode } },
      ),
    };
    await loadFormat(format);
    process.stdout.write(renderDocument(document, format));
  }
  if (first === undefined) return exitCodes[failureCodes[failed[0]?.failure.code ?? 'internal']];
  return failed.length > 0 ? exitCodes.partial : Math.max(...answers.map(({ exit }) => exit));
}

async function ask({ name, address, certificatesFolder }: RemoteHost, words: readonly string[]): Promise<HostAnswer> {
  try {
    const identity = certificatesFolder === undefined ? undefined : await readIdentity(certificatesFolder);
    const channel = await Channel.open(address, identity);
    try {
      const request = { words: [...words], terminal: process.stdout.isTTY };
      const { verb, format, resultJson, blocksJson, exit } = await channel.ask(VerbService.method.view, request);
      const result: unknown = JSON.parse(resultJson);
      const blocks = JSON.parse(blocksJson) as Block[];
      return { host: name, answer: { verb, format: format as Format, result, blocks, exit } };
    } finally {
      channel.close();
    }
  } catch (error) {
    return { host: name, failure: Failure.from(error) };
  }
}

/** Returns the views of all answers. Tables with the same columns become one, with a column for the host. */
function together(answers: readonly { readonly host: string; readonly blocks: readonly Block[] }[]): Block[] {
  const tables = answers.flatMap(({ host, blocks }) =>
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
  const others = answers.flatMap(({ host, blocks }) =>
    blocks.flatMap((block): Block[] => {
      if (block.kind === 'table') return [];
      if (block.kind === 'text') return [{ ...block, text: `${host}: ${block.text}` }];
      return [{ ...block, title: block.title === undefined ? host : `${host}: ${block.title}` }];
    }),
  );
  return [...merged, ...others];
}
