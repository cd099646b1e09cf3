/**
 * The keys of the live list: one table, from which the keys themselves, the footer and the help come. What an actor may
 * not use is not in it.
 */
import { mayUse, verbNamed, type AnyVerb, type VerbName } from '../../../catalogue/catalogue.ts';
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

/** Where a key counts: in the list, or in what is opened on top of it. */
export type Place = 'list' | 'details' | 'text';

interface Declared {
  readonly action: ActionName;
  /** Names of keys; a printable character is its own name. */
  readonly keys: readonly string[];
  /** How the keys are written in the help. */
  readonly shown: string;
  readonly says: string;
  /** What the footer says behind the key; the word of the command where the key stands for one. */
  readonly hint?: string;
  /** The command it stands for: the first of these that the actor may use. */
  readonly verbs?: readonly VerbName[];
  /** It acts on all that are marked. */
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
    says: 'a shell in the container',
    hint: 'shell',
    verbs: ['shell'],
    places: about,
  },
  { action: 'look', keys: ['l'], shown: 'l', says: 'its console log', hint: 'logs', verbs: ['logs'], places: about },
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
    action: 'delete',
    keys: ['d'],
    shown: 'd',
    says: 'delete it; asks first',
    hint: 'delete',
    verbs: ['delete'],
    many: true,
    places: about,
  },
  {
    action: 'look',
    keys: ['e'],
    shown: 'e',
    says: 'its ssh configuration',
    hint: 'export',
    verbs: ['export', 'config'],
    places: about,
  },
  {
    action: 'copy',
    keys: ['y'],
    shown: 'y',
    says: 'put the ssh command that leads there on your clipboard',
    hint: 'copy',
    verbs: ['export', 'config'],
    places: about,
  },
  {
    action: 'copyShown',
    keys: ['y'],
    shown: 'y',
    says: 'put this text on your clipboard',
    hint: 'copy',
    places: ['text'],
  },
  {
    action: 'mark',
    keys: [' '],
    shown: 'Space',
    says: 'mark or unmark it; keys then act on all that are marked',
    hint: 'mark',
    places: list,
  },
  { action: 'markShown', keys: ['a'], shown: 'a', says: 'mark all that are shown, or none', places: list },
  {
    action: 'filter',
    keys: ['/'],
    shown: '/',
    says: 'filter: text in any column, !text, label:key=value',
    hint: 'filter',
    places: list,
  },
  { action: 'nextSort', keys: ['o'], shown: 'o', says: 'sort by the next column', hint: 'sort', places: list },
  { action: 'turnSort', keys: ['O'], shown: 'O', says: 'turn the order around', places: list },
  { action: 'down', keys: ['down', 'j'], shown: 'j Down', says: 'down', places: everywhere },
  { action: 'up', keys: ['up', 'k'], shown: 'k Up', says: 'up', places: everywhere },
  { action: 'pageDown', keys: ['page-down', 'ctrl-f'], shown: 'PgDn', says: 'a page down', places: everywhere },
  { action: 'pageUp', keys: ['page-up', 'ctrl-b'], shown: 'PgUp', says: 'a page up', places: everywhere },
  { action: 'first', keys: ['home', 'g'], shown: 'g Home', says: 'to the first', places: everywhere },
  { action: 'last', keys: ['end', 'G'], shown: 'G End', says: 'to the last', places: everywhere },
  { action: 'help', keys: ['?'], shown: '?', says: 'these keys', hint: 'help', places: about },
  {
    action: 'back',
    keys: ['escape'],
    shown: 'Esc',
    says: 'back: out of what is open, then the filter, then the list',
    hint: 'back',
    places: everywhere,
  },
  {
    action: 'quit',
    keys: ['q', 'ctrl-c', 'ctrl-o'],
    shown: 'q',
    says: 'back to the conversation',
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
      { ...declared, verb, ...(declared.action === 'look' && declared.hint !== undefined ? { hint: verb.name } : {}) },
    ];
  });
}

export function bindingOf(bindings: readonly Binding[], place: Place, key: string): Binding | undefined {
  return bindings.find(({ keys, places }) => keys.includes(key) && places.includes(place));
}

/**
 * The footer, most wanted first: where the window is narrow the others are left to the help. `copies`: whether a text
 * is shown that can be copied.
 */
export function hints(bindings: readonly Binding[], place: Place, copies = false): string[] {
  const here = bindings.filter(
    ({ hint, places, action }) =>
      hint !== undefined &&
      places.includes(place) &&
      (action !== 'back' || place !== 'list') &&
      (action !== 'copyShown' || copies),
  );
  const first = here.filter(({ action }) => action === 'help' || action === 'back' || action === 'quit');
  return [...first, ...here.filter((binding) => !first.includes(binding))].map(
    ({ shown, hint }) => `${shown} ${hint ?? ''}`,
  );
}
