import { describe, expect, test } from 'vitest';
import { bindingOf, bindingsFor, hints, type Place } from '../../../../../src/shell/views/model/bindings.ts';
import { helpBlocks } from '../../../../../src/shell/views/model/helpBlocks.ts';

const places = ['list', 'details', 'text'] as const satisfies readonly Place[];

function keysOf(role: 'admin' | 'operator' | 'viewer' | 'owner', place: Place = 'list'): string[] {
  return bindingsFor({ entryPoint: role === 'owner' ? 'self' : 'manage', role })
    .filter((binding) => binding.verb !== undefined && binding.places.includes(place))
    .flatMap(({ keys }) => keys)
    .sort();
}

describe('bindingsFor', () => {
  test.each([
    ['admin', ['b', 'd', 'e', 'enter', 'l', 'r', 's', 'u', 'x', 'y', 'z']],
    ['operator', ['b', 'd', 'e', 'enter', 'l', 'r', 's', 'u', 'x', 'y', 'z']],
    ['viewer', ['e', 'enter', 'l', 'y']],
    ['owner', ['b', 'e', 'enter', 'l', 'r', 'y']],
  ] as const)('returns only the keys that the role %s may use', (role, keys) => {
    expect(keysOf(role)).toEqual(keys);
    const bindings = bindingsFor({ entryPoint: role === 'owner' ? 'self' : 'manage', role });
    const shown = `${hints(bindings, 'list').join(' ')} ${JSON.stringify(helpBlocks(bindings, 'alice'))}`;
    if (role === 'viewer' || role === 'owner')
      for (const verb of ['delete', 'resize', 'stop']) expect(shown).not.toContain(`${verb} alice`);
  });

  test('binds e to config at self@', () => {
    const bindings = bindingsFor({ entryPoint: 'self', role: 'owner' });
    expect(bindingOf(bindings, 'list', 'e')?.verb?.name).toBe('config');
    expect(hints(bindings, 'list')).toContain('e config');
  });
});

test.each(places)('no key has two meanings in the place "%s"', (place) => {
  const keys = bindingsFor({ entryPoint: 'manage', role: 'admin' })
    .filter((binding) => binding.places.includes(place))
    .flatMap((binding) => binding.keys);
  expect(new Set(keys).size).toBe(keys.length);
});

test('the footer is ordered by use, marks and the filter first', () => {
  const bindings = bindingsFor({ entryPoint: 'manage', role: 'admin' });
  expect(hints(bindings, 'list').slice(0, 6)).toEqual([
    'Space mark',
    '/ filter',
    'Enter info',
    '? help',
    'q close',
    's shell',
  ]);
  expect(hints(bindings, 'details').slice(0, 3)).toEqual(['? help', 'Esc back', 'q close']);
  expect(hints(bindings, 'text')).toEqual(['/ filter', '? help', 'Esc back', 'q close']);
  expect(hints(bindings, 'text', true)).toEqual(['/ filter', '? help', 'Esc back', 'q close', 'y copy']);
});

test('the help has every key of the list, with the command it runs', () => {
  const bindings = bindingsFor({ entryPoint: 'manage', role: 'admin' });
  const help = JSON.stringify(helpBlocks(bindings, 'alice'));
  for (const { shown, places: where } of bindings) if (where.includes('list')) expect(help).toContain(`"${shown}"`);
  for (const line of ['stop alice', 'info alice', 'shell alice', 'delete alice']) expect(help).toContain(line);
});
