import { describe, expect, it } from 'vitest';
import {
  authorise,
  catalogue,
  isVerbName,
  mayUse,
  verbNamed,
  verbNames,
  verbsFor,
} from '../../../src/catalogue/catalogue.ts';
import { verbForHelp } from '../../../src/catalogue/help.ts';
import { entryPoints, roles, type EntryPoint, type Role } from '../../../src/domain/access/actor.ts';
import { Failure } from '../../../src/domain/failure.ts';

/**
 * The access of every verb, written by hand, so that adding a verb or changing its access needs a deliberate edit here.
 * Columns: viewer, operator and admin at manage@, owner of a container at self@, root on the host.
 */
const matrix = `
                viewer operator admin owner root
create             -      x       x     -    x
list               x      x       x     -    x
info               x      x       x     x    x
resize             -      x       x     -    x
delete             -      x       x     -    x
snapshot create    -      x       x     x    x
snapshot list      x      x       x     x    x
snapshot restore   -      x       x     x    x
snapshot delete    -      x       x     x    x
snapshot rename    -      x       x     -    x
snapshot schedule  -      x       x     -    x
backup create      -      x       x     -    x
backup list        x      x       x     x    x
backup verify      -      x       x     -    x
backup restore     -      x       x     -    x
backup download    -      -       x     -    x
backup delete      -      x       x     -    x
backup rebuild     -      -       x     -    x
protect            -      x       x     -    x
unprotect          -      x       x     -    x
label set          -      x       x     -    x
label remove       -      x       x     -    x
ttl set            -      x       x     -    x
ttl clear          -      x       x     -    x
trash list         x      x       x     -    x
trash restore      -      x       x     -    x
trash purge        -      x       x     -    x
undo               -      x       x     x    x
schedule list      x      x       x     -    x
schedule run       -      x       x     -    x
alert list         x      x       x     -    x
alert test         -      x       x     -    x
report             x      x       x     -    x
start              -      x       x     -    x
stop               -      x       x     -    x
restart            -      x       x     x    x
shell              -      x       x     -    x
logs               x      x       x     x    x
export             x      x       x     -    x
config             -      -       -     x    -
keys               -      -       -     x    -
keys add           -      -       -     x    -
keys invite        -      -       -     x    -
keys remove        -      -       -     x    -
key add            -      x       x     -    x
key list           x      x       x     -    x
key remove         -      x       x     -    x
key replace        -      x       x     -    x
admin add          -      -       x     -    x
admin list         x      x       x     -    x
admin role         -      -       x     -    x
admin remove       -      -       x     -    x
admin invite       -      -       x     -    x
key invite         -      x       x     -    x
invite list        x      x       x     -    x
invite cancel      -      x       x     -    x
ca add             -      -       x     -    x
ca list            x      x       x     -    x
ca revoke          -      -       x     -    x
ca remove          -      -       x     -    x
cert generate      -      -       x     -    x
cert generate-with-ca -      -       x     -    x
cert issue         -      -       x     -    x
cert list          x      x       x     -    x
cert revoke        -      -       x     -    x
cert renew         -      -       x     -    x
audit              x      x       x     -    x
audit verify       x      x       x     -    x
audit export       x      x       x     -    x
reconcile          -      x       x     -    x
image build        -      x       x     -    x
image list         x      x       x     -    x
doctor             x      x       x     -    x
debug              x      x       x     x    x
host-key           x      x       x     -    x
host-key rotate    -      -       x     -    x
host-key switch    -      -       x     -    x
security           x      x       x     -    x
session list       x      x       x     -    x
session kick       -      -       x     -    x
ban list           x      x       x     -    x
ban add            -      x       x     -    x
ban lift           -      x       x     -    x
who                x      x       x     -    x
say                x      x       x     -    x
whoami             x      x       x     x    x
version            x      x       x     -    x
help               x      x       x     x    x
`;

const columns: readonly (readonly [EntryPoint, Role])[] = [
  ['manage', 'viewer'],
  ['manage', 'operator'],
  ['manage', 'admin'],
  ['self', 'owner'],
  ['local', 'root'],
];

const expected = new Map(
  matrix
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => {
      const marks = row.match(/[x-](?=\s|$)/g) ?? [];
      return [row.replace(/(\s+[x-])+$/, '').trim(), marks.slice(-columns.length).map((mark) => mark === 'x')] as const;
    }),
);

describe('access', () => {
  it('matches the table for every verb of the catalogue', () => {
    const actual = new Map(
      verbNames.map((name) => [
        name as string,
        columns.map(([entryPoint, role]) => mayUse(verbNamed(name), entryPoint, role)),
      ]),
    );
    expect(Object.fromEntries(actual)).toEqual(Object.fromEntries(expected));
  });

  it('is denied for every role at an entry point of another role', () => {
    const own = new Set(columns.map(([entryPoint, role]) => `${entryPoint} ${role}`));
    for (const role of ['viewer', 'operator', 'admin']) own.add(`remote ${role}`);
    for (const name of verbNames) {
      for (const entryPoint of entryPoints) {
        for (const role of roles)
          if (!own.has(`${entryPoint} ${role}`)) expect(mayUse(verbNamed(name), entryPoint, role)).toBe(false);
      }
    }
  });

  it('over the remote interface is that at manage@', () => {
    for (const name of verbNames)
      for (const role of roles)
        expect(mayUse(verbNamed(name), 'remote', role)).toBe(mayUse(verbNamed(name), 'manage', role));
  });

  it('is denied everywhere for a verb that names no entry point', () => {
    for (const entryPoint of entryPoints)
      for (const role of roles) expect(mayUse({ access: {} }, entryPoint, role)).toBe(false);
  });

  it('to a verb at self@ does not imply access at manage@, nor the reverse', () => {
    expect(
      entryPoints.flatMap((entryPoint) => roles.filter((role) => mayUse({ access: { self: true } }, entryPoint, role))),
    ).toEqual(['owner']);
    expect(roles.filter((role) => mayUse({ access: { manage: 'viewer', self: false } }, 'self', role))).toEqual([]);
  });

  it('to verbs that change something is denied to viewers, and limited to their own container for owners', () => {
    const changes = (entryPoint: EntryPoint, role: Role): string[] =>
      verbsFor(entryPoint, role)
        .filter((verb) => verb.changes)
        .map((verb) => verb.name);
    expect(changes('manage', 'viewer')).toEqual([]);
    expect(changes('self', 'owner')).toEqual([
      'undo',
      'restart',
      'snapshot create',
      'snapshot restore',
      'snapshot delete',
      'keys add',
      'keys invite',
      'keys remove',
    ]);
  });

  it('is refused with a failure that names the verb and who may use it', () => {
    const owner = { name: 'alice', role: 'owner', entryPoint: 'self', owns: ['alice'] } as const;
    expect(() => {
      authorise(verbNamed('delete'), owner);
    }).toThrow(
      expect.objectContaining({
        code: 'denied',
        what: '"delete"',
        why: 'it is for admins, at manage@',
        next: 'ask an admin; "help" lists your verbs',
      }) as Failure,
    );
    expect(() => {
      authorise(verbNamed('info'), owner);
    }).not.toThrow();
  });

  it.each([
    ['config', 'admin', 'it is for users, at self@', 'use "export <user>"'],
    ['keys add', 'viewer', 'it is for users, at self@', 'use "key add <user>"'],
    [
      'create',
      'viewer',
      'your role is viewer, and it needs operator or higher',
      'ask an admin; "help" lists your verbs',
    ],
    ['admin add', 'operator', 'your role is operator, and it needs admin', 'ask an admin; "help" lists your verbs'],
  ] as const)('to %s is refused to the role %s at manage@ with the next step of that role', (verb, role, why, next) => {
    expect(() => {
      authorise(verbNamed(verb), { name: 'carol', role, entryPoint: 'manage' });
    }).toThrow(expect.objectContaining({ code: 'denied', why, next }) as Failure);
  });

  it('determines the verbs that help shows', () => {
    const owner = { entryPoint: 'self', role: 'owner' } as const;
    expect(verbsFor('self', 'owner').map((verb) => verb.name)).toEqual([
      'info',
      'undo',
      'restart',
      'snapshot create',
      'snapshot list',
      'snapshot restore',
      'snapshot delete',
      'backup list',
      'logs',
      'config',
      'keys',
      'keys add',
      'keys invite',
      'keys remove',
      'debug',
      'whoami',
      'help',
    ]);
    expect(() => verbForHelp(['delete'], owner)).toThrow(Failure);
    expect(() => verbForHelp(['key'], owner)).toThrow(Failure);
    expect(verbForHelp(['key'], { entryPoint: 'manage', role: 'viewer' })).toEqual([catalogue['key list']]);
    expect(verbForHelp(['rm'], { entryPoint: 'manage', role: 'admin' })).toBe(catalogue.delete);
  });
});

describe('verb names', () => {
  it('and aliases are unique', () => {
    const names = verbNames.flatMap((name) => [name as string, ...(verbNamed(name).aliases ?? [])]);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  it('are the keys of the catalogue, without inherited properties', () => {
    for (const name of verbNames) expect(verbNamed(name).name).toBe(name);
    for (const name of ['toString', '__proto__', 'constructor', '', 'Create']) expect(isVerbName(name)).toBe(false);
  });
});
