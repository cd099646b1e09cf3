/** Generator of the verb pages and their index, from the catalogue. */
import { groups } from '../catalogue/groups.ts';
import { mayUse, verbAt, verbNamed, verbNames, type AnyVerb } from '../catalogue/catalogue.ts';
import { commandPrefix, commonOptionsOf, optionSyntax, parameterHelp, usageLine } from '../catalogue/help.ts';
import { formats } from '../catalogue/format.ts';
import type { Option } from '../catalogue/declaration/verb.ts';
import { roles, type Role } from '../domain/access/actor.ts';
import { exitCodes, type ExitName } from '../domain/failure.ts';
import { joinChoices } from '../domain/text.ts';
import { code, inline, page, section, sentence, table } from './markdown.ts';

function verbFile(name: string): string {
  return `${name.replaceAll(' ', '-')}.md`;
}

const local = `sudo ${commandPrefix('local')}`;

function entryPoints(verb: AnyVerb): readonly ('manage' | 'self')[] {
  return (['manage', 'self'] as const).filter((entryPoint) =>
    entryPoint === 'manage' ? verb.access.manage !== undefined : verb.access.self === true,
  );
}

/** Returns `line` as typed at the verb's first entry point over ssh. */
function overSsh(verb: AnyVerb, line: string): string[] {
  const [first] = entryPoints(verb);
  return first === undefined ? [] : [`${commandPrefix(first)} ${line}`];
}

function usage(verb: AnyVerb): string {
  return code([
    ...entryPoints(verb).map(
      (entryPoint) => `${commandPrefix(entryPoint)} ${usageLine(verbAt(verb, entryPoint), entryPoint)}`,
    ),
    ...(mayUse(verb, 'local', 'root') ? [`${local} ${usageLine(verb)}`] : []),
  ]);
}

function parameters(verb: AnyVerb): string[] {
  const given = verb.parameters.filter((parameter) => parameter.kind === 'argument');
  const options = verb.parameters.filter((parameter) => parameter.kind === 'option');
  return [
    given.length === 0
      ? ''
      : section(
          'Arguments',
          table(
            ['Argument', 'Meaning'],
            given.map((argument) => [
              inline(parameterHelp(argument)[0]),
              `${argument.summary}${argument.required ? '' : ' (optional)'}`,
            ]),
          ),
        ),
    section(
      'Options',
      table(
        ['Option', 'Meaning'],
        [
          ...options.map((option) => [inline(optionSyntax(option)), meaning(option)]),
          ...commonOptionsOf(verb).map(([syntax, summary]) => [inline(syntax), summary]),
        ],
      ),
    ),
  ];
}

function meaning(option: Option): string {
  const choices = option.choices === undefined ? '' : `: ${option.choices.map(inline).join(', ')}`;
  return `${option.summary}${choices}${option.repeatable === true ? ' (may be repeated)' : ''}`;
}

function standardInput(verb: AnyVerb): string {
  if (verb.stdin === undefined) return '';
  const option = verb.parameters.find(
    (parameter) => parameter.kind === 'option' && parameter.name === verb.stdin?.into,
  );
  const file = option?.kind === 'option' ? `--${option.long[0]}` : '';
  if (verb.stdin.onlyAsked === true)
    return section(
      'Standard input',
      `${sentence(`${verb.stdin.for}, with ${inline(`${file} -`)}; else standard input is not read`)} At most 64 KiB. The text of the key is accepted in place of the file, but then other users of the machine see it in the list of processes.`,
    );
  const unless = (verb.stdin.unless ?? []).flatMap((name) =>
    verb.parameters.flatMap((p) => (p.kind === 'option' && p.name === name ? [inline(`--${p.long[0]}`)] : [])),
  );
  const needless = unless.length === 0 ? '' : `; not read with ${joinChoices(unless)}`;
  const instead = `${option?.kind === 'option' ? `, unless given with ${inline(`--${option.long[0]}`)}` : ''}${needless}`;
  return section('Standard input', `${sentence(`${verb.stdin.for}${instead}`)} At most 64 KiB.`);
}

/** Returns the roles that may use the verb at manage@, weakest first. */
function rolesAt(verb: AnyVerb): Role[] {
  return roles.filter((role) => mayUse(verb, 'manage', role));
}

function access(verb: AnyVerb): string {
  const all = rolesAt(verb);
  return section(
    'Who may use it',
    table(
      ['Where', 'Who'],
      [
        ['`manage@`', all.length === 0 ? 'nobody' : all.join(', ')],
        ['`self@`', verb.access.self === true ? 'owners, for their own containers' : 'nobody'],
        ['on the host', mayUse(verb, 'local', 'root') ? 'root' : 'nobody'],
      ],
    ),
    ...(verb.changes
      ? [
          'This verb makes changes. It is recorded in the journal before it runs and when it ends, and refused if it cannot be recorded.',
        ]
      : []),
    interruption(verb),
    confirmation(verb),
  );
}

function interruption({ isCancellable: by }: AnyVerb): string {
  if (by === undefined) return '';
  const when = by === true ? '' : ` with ${inline(`--${by}`)}, until the change itself begins,`;
  return `On a terminal${when === '' ? ',' : when} Ctrl-C cancels it and undoes what it has done. A second Ctrl-C does not wait for that: ${inline('who')} shows it while it runs, and your next shell how it ended.`;
}

function confirmation(verb: AnyVerb): string {
  switch (verb.danger) {
    case 'none':
      return '';
    case 'type-name':
      return 'On a terminal you must type the name to confirm. Without a terminal, `--yes` is required.';
  }
}

function examples(verb: AnyVerb): string {
  const lines = verb.examples.flatMap(({ line, says }, i) => [
    ...(i === 0 ? [] : ['']),
    `# ${says}`,
    ...overSsh(verb, line),
  ]);
  return section('Examples', code(lines));
}

function results(verb: AnyVerb): string {
  const shown = formats.filter((format) => format !== 'table').map((format) => inline(`--format ${format}`));
  const csv =
    verb.rows === undefined
      ? 'With `csv`, the fields of the result form one row; a field of a field has both names: `storage.pool`.'
      : '';
  if (verb.answeredLocally === true)
    return section(
      'Result',
      'Text for people, one document with every verb as data with `--json` or `--format yaml`, or one row for each verb with `--format csv`.',
    );
  const stream =
    verb.streamSwitch === undefined
      ? ''
      : ` With \`--${verb.streamSwitch}\`, \`--json\` prints JSON lines instead: a header document, \`{"line":"…"}\` for each line of the output, and the document of a failure if one ends it.`;
  return section(
    'Result',
    `Text for people, or output for programs with ${joinChoices(shown)}. \`--json\` is short for \`--format json\`: one document on standard output, even if the command fails.${csv === '' ? '' : ` ${csv}`}${stream}`,
  );
}

/** Exit codes that are common to all verbs. */
const everyVerb: Readonly<Partial<Record<ExitName, string>>> = {
  ok: 'the command succeeded',
  failed: 'the server or a program on the host failed; nothing was changed',
  usage: 'the command line or its input is invalid; nothing was attempted',
  denied: 'you may not use this verb',
  unavailable: 'the server, Incus or the journal is unavailable',
};

/** Exit codes of verbs that are answered from the catalogue alone. */
const { ok, usage: notUnderstood, unavailable } = everyVerb;
const withoutHost: typeof everyVerb = { ok, usage: notUnderstood, unavailable };

function exits(verb: AnyVerb): string {
  const ends: Readonly<Partial<Record<ExitName, string>>> = {
    ...(verb.answeredLocally === true ? withoutHost : everyVerb),
    ...(verb.stdin?.onlyAsked === true
      ? { denied: `${everyVerb.denied}, or the secret key is not one of the backup` }
      : {}),
    ...(verb.isCancellable === true ? { cancelled: 'it was cancelled, and what it had done was undone' } : {}),
    ...verb.ends,
  };
  const rows = (Object.keys(exitCodes) as ExitName[]).flatMap((name) =>
    ends[name] === undefined ? [] : [[String(exitCodes[name]), sentence(ends[name])]],
  );
  return section(
    'Exit codes',
    table(['Code', 'When'], rows),
    `For all exit codes, see [exit codes](../exit-codes.md).`,
  );
}

function verbPage(verb: AnyVerb): string {
  return page(
    verb.name,
    sentence(verb.summary),
    usage(verb),
    verb.aliases === undefined ? '' : `Aliases: ${verb.aliases.map(inline).join(', ')}.`,
    ...(verb.description ?? []),
    ...parameters(verb),
    standardInput(verb),
    access(verb),
    examples(verb),
    results(verb),
    exits(verb),
  );
}

function verbIndex(): string {
  const row = (name: string): string[] => {
    const verb = verbNamed(name as (typeof verbNames)[number]);
    const names = [`[${verb.name}](${verbFile(verb.name)})`, ...(verb.aliases ?? [])].join(', ');
    return [
      names,
      verb.summary,
      [...rolesAt(verb).slice(0, 1), ...(verb.access.self === true ? ['owner'] : [])].join(', '),
    ];
  };
  return page(
    'Verbs',
    'Admins type a verb after `ssh -p 2222 manage@jump`, owners of containers after `ssh -p 2222 self@jump`, and root on the host after `sudo containarium`. Every verb accepts `--format table|json|yaml|csv`, `--json` and `--help`.',
    'The last column shows the weakest role that may use a verb at `manage@` (viewer, operator or admin, each with the rights of the one before), and `owner` if the verb is available at `self@`.',
    ...groups.map(([title, verbs]) => section(title, table(['Verb', 'What it does', 'Who'], verbs.map(row)))),
  );
}

/** Returns the verb pages and their index by their path below docs/. */
export function verbPages(): Map<string, string> {
  return new Map([
    ['verbs/README.md', verbIndex()],
    ...verbNames.map((name) => [`verbs/${verbFile(name)}`, verbPage(verbNamed(name))] as const),
  ]);
}
