import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { reservedNames } from '../../src/domain/values/reservedNames.ts';
import { source } from './workspace.ts';

/** Default accounts of cloud images. An admin may have such a name: cloud-init makes that account, and no other. */
const defaultAccounts =
  'ubuntu debian admin administrator centos fedora rocky almalinux ec2-user azureuser cloud-user opc vagrant'.split(
    ' ',
  );

it('an admin on a machine of Terraform has none of the names that are reserved, but may have that of an image', () => {
  const listed = readFileSync(join(source, 'modules/jump-host/files/reserved-names.txt'), 'utf8').trimEnd().split('\n');
  const expected = reservedNames.filter((name) => !defaultAccounts.includes(name));
  expect(listed).toEqual([...new Set(expected)].sort());
});
