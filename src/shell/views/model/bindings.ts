/**
 * The keys of the live list. Key handling, the footer and the help all come from one table, without the verbs that the
 * actor may not use.
 */
import { mayUse, verbAt, verbNamed, type AnyVerb, type VerbName } from '../../../catalogue/catalogue.ts';
import type { Actor } from '../../../domain/access/actor.ts';

export type ActionName =
  | 'down'
  | 'up'
  | 'pageDown'
  | 'pageUp'
  | 'first'
  | 'last'
  | 'filter'
  | 'nextSort'
  | 'turnSort'
  | 'mark'
  | 'markShown'
  | 'details'
  | 'run'
  | 'resize'
  | 'delete'
  | 'look'
  | 'copy'
  | 'copyShown'
  | 'help'
  | 'back'
  | 'quit';

/** Where a key works: in the list, or in a pane above it. */
export type Place = 'list' | 'details' | 'text';

interface Declared {
  readonly action: ActionName;
  /** Names of the keys. A printable character is its own name. */
  readonly keys: readonly string[];
  /** The keys as the help shows them. */
  readonly shown: string;
  readonly says: string;
  /** The word after the key in the footer. */
  readonly hint?: string;
  /** The verb that the key runs: the first of these that the actor may use. */
  readonly verbs?: readonly VerbName[];
  /** Whether it acts on all marked containers. */
  readonly many?: boolean;
  readonly places: readonly Place[];
}

export interface Binding extends Omit<Declared, 'verbs'> {
  readonly verb: AnyVerb | undefined;
}

const list = ['list'] as const;
const about = ['list', 'details'] as const;
const everywhere = ['list', 'details', 'text'] as const;

const table: readonly Declared[] = [
  {
    action: 'details',
    keys: ['enter'],
    shown: 'Enter',
    says: 'show everything about the container',
    hint: 'info',
    verbs: ['info'],
    places: list,
  },
  {
    action: 'run',
    keys: ['s'],
    shown: 's',
    says: 'open a shell in the container',
    hint: 'shell',
    verbs: ['shell'],
    places: about,
  },
  {
    action: 'look',
    keys: ['l'],
    shown: 'l',
    says: 'show its console log',
    hint: 'logs',
    verbs: ['logs'],
    places: about,
  },
  {
    action: 'run',
    keys: ['u'],
    shown: 'u',
    says: 'start it',
    hint: 'start',
    verbs: ['start'],
    many: true,
    places: about,
  },
  { action: 'run', keys: ['x'], shown: 'x', says: 'stop it', hint: 'stop', verbs: ['stop'], many: true, places: about },
  {
    action: 'run',
    keys: ['r'],
    shown: 'r',
    says: 'restart it',
    hint: 'restart',
    verbs: ['restart'],
    many: true,
    places: about,
  },
  {
    action: 'resize',
    keys: ['z'],
    shown: 'z',
    says: 'change its size',
    hint: 'resize',
    verbs: ['resize'],
    many: true,
    places: about,
  },
  {
    action: 'run',
    keys: ['b'],
    shown: 'b',
    says: 'keep its present files in a snapshot',
    hint: 'snapshot',
    verbs: ['snapshot create'],
    many: true,
    places: about,
  },
  {
    action: 'delete',
    keys: ['d'],
    shown: 'd',
    says: 'delete it, after asking',
    hint: 'delete',
    verbs: ['delete'],
    many: true,
    places: about,
  },
  {
    action: 'look',
    keys: ['e'],
    shown: 'e',
    says: 'show its ssh configuration',
    hint: 'export',
    verbs: ['export', 'config'],
    places: about,
  },
  {
    action: 'copy',
    keys: ['y'],
    shown: 'y',
    says: 'copy its ssh command to your clipboard',
    hint: 'copy',
    verbs: ['export', 'config'],
    places: about,
  },
  {
    action: 'copyShown',
    keys: ['y'],
    shown: 'y',
    says: 'copy this text to your clipboard',
    hint: 'copy',
    places: ['text'],
  },
  {
    action: 'mark',
    keys: [' '],
    shown: 'Space',
    says: 'mark or unmark it; keys then act on all marked containers',
    hint: 'mark',
    places: list,
  },
  { action: 'markShown', keys: ['a'], shown: 'a', says: 'mark or unmark all shown containers', places: list },
  {
    action: 'filter',
    keys: ['/'],
    shown: '/',
    says: 'filter: text in any column or line, !text, label:key=value',
    hint: 'filter',
    places: ['list', 'text'],
  },
  { action: 'nextSort', keys: ['o'], shown: 'o', says: 'sort by the next column', hint: 'sort', places: list },
  { action: 'turnSort', keys: ['O'], shown: 'O', says: 'reverse the order', places: list },
  { action: 'down', keys: ['down', 'j'], shown: 'j Down', says: 'down', places: everywhere },
  { action: 'up', keys: ['up', 'k'], shown: 'k Up', says: 'up', places: everywhere },
  { action: 'pageDown', keys: ['page-down', 'ctrl-f'], shown: 'PgDn', says: 'a page down', places: everywhere },
  { action: 'pageUp', keys: ['page-up', 'ctrl-b'], shown: 'PgUp', says: 'a page up', places: everywhere },
  { action: 'first', keys: ['home', 'g'], shown: 'g Home', says: 'go to the top', places: everywhere },
  { action: 'last', keys: ['end', 'G'], shown: 'G End', says: 'go to the end', places: everywhere },
  { action: 'help', keys: ['?'], shown: '?', says: 'show these keys, or close them', hint: 'help', places: everywhere },
  {
    action: 'back',
    keys: ['escape'],
    shown: 'Esc',
    says: 'go back: close the pane, clear the filter, or close the list',
    hint: 'back',
    places: everywhere,
  },
  {
    action: 'quit',
    keys: ['q', 'ctrl-c', 'ctrl-o'],
    shown: 'q',
    says: 'close the list',
    hint: 'close',
    places: everywhere,
  },
];

export function bindingsFor({ entryPoint, role }: Pick<Actor, 'entryPoint' | 'role'>): Binding[] {
  return table.flatMap(({ verbs, ...declared }): Binding[] => {
    if (verbs === undefined) return [{ ...declared, verb: undefined }];
    const verb = verbs.map(verbNamed).find((each) => mayUse(each, entryPoint, role));
    if (verb === undefined) return [];
    return [
      {
        ...declared,
        verb: verbAt(verb, entryPoint),
        ...(declared.action === 'look' && declared.hint !== undefined ? { hint: verb.name } : {}),
      },
    ];
  });
}

export function bindingOf(bindings: readonly Binding[], place: Place, key: string): Binding | undefined {
  return bindings.find(({ keys, places }) => keys.includes(key) && places.includes(place));
}

/** The actions that the footer names first, by how much they are used. The others follow in the order of the table. */
const firstInFooter: readonly ActionName[] = ['mark', 'filter', 'details', 'help', 'back', 'quit'];

/**
 * Returns the footer's hints, most important first, because a narrow window cuts off the rest. `copies` is true if the
 * shown text can be copied.
 */
export function hints(bindings: readonly Binding[], place: Place, copies = false): string[] {
  const here = bindings.filter(
    ({ hint, places, action }) =>
      hint !== undefined &&
      places.includes(place) &&
      (action !== 'back' || place !== 'list') &&
      (action !== 'copyShown' || copies),
  );
  const ranks = firstInFooter.flatMap((action) => here.filter((binding) => binding.action === action));
  return [...new Set([...ranks, ...here])].map(({ shown, hint }) => `${shown} ${hint ?? ''}`);
}
