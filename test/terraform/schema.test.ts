import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBlock } from './schema/cdktf.ts';
import type { ProviderSchema } from './schema/schema.ts';
import { source } from './workspace.ts';

/** A class as the packages have it, with one of each kind that the reader knows. */
const program = `
function diskKeyToTerraform(struct) { return { link: struct.link }; }
function diskKeyToHclTerraform(struct) {
    const attrs = {
        key_link: {
            value: cdktf.stringToHclTerraform(struct.keyLink),
            isBlock: false,
            type: "simple",
            storageClassType: "string",
        },
    };
    return attrs;
}
class DiskKeyOutputReference extends cdktf.ComplexObject {}
class Disk extends cdktf.TerraformResource {
    constructor(scope, id, config) {
        super(scope, id, {
            terraformResourceType: 'cloud_disk',
            terraformGeneratorMetadata: { providerName: 'cloud' },
        });
        this._effectiveLabels = new cdktf.StringMap(this, "effective_labels");
        this._key = new DiskKeyOutputReference(this, "key");
    }
    get size() { return this.getNumberAttribute('size'); }
    set size(value) { this._size = value; }
    get selfLink() { return this.getStringAttribute('self_link'); }
    synthesizeHclAttributes() {
        const attrs = {
            size: {
                value: cdktf.numberToHclTerraform(this._size),
                isBlock: false,
                type: "simple",
                storageClassType: "number",
            },
            zones: {
                value: cdktf.listMapperHcl(cdktf.stringToHclTerraform, false)(this._zones),
                isBlock: false,
                type: "set",
                storageClassType: "stringList",
            },
            key: {
                value: diskKeyToHclTerraform(this._key.internalValue),
                isBlock: true,
                type: "list",
                storageClassType: "DiskKeyList",
            },
        };
        return attrs;
    }
}
`;

const declarations = (key: string): string => `
export interface DiskConfig {
    readonly size: number;
    readonly zones?: string[];
    readonly key${key};
}
export interface DiskKey {
    readonly keyLink?: string;
}
`;

const keyBlock = { attributes: { key_link: { type: 'string', mode: 'optional' } }, blocks: {} };

describe('the reader of a schema', () => {
  it('finds attributes, what the provider alone sets, and blocks', () => {
    expect(readBlock(program, declarations('?: DiskKey'))).toEqual({
      type: 'cloud_disk',
      block: {
        attributes: {
          effective_labels: { type: ['map', 'string'], mode: 'computed' },
          self_link: { type: 'string', mode: 'computed' },
          size: { type: 'number', mode: 'required' },
          zones: { type: ['set', 'string'], mode: 'optional' },
        },
        blocks: { key: { nesting: 'list', min: 0, max: 1, block: keyBlock } },
      },
    });
  });

  it.each([
    [': DiskKey', { nesting: 'list', min: 1, max: 1, block: keyBlock }],
    ['?: DiskKey[] | cdktf.IResolvable', { nesting: 'list', min: 0, max: 0, block: keyBlock }],
    [': DiskKey[] | cdktf.IResolvable', { nesting: 'list', min: 1, max: 0, block: keyBlock }],
  ])('reads how many blocks there may be: key%s', (declared, block) => {
    expect(readBlock(program, declarations(declared)).block.blocks).toEqual({ key: block });
  });

  it('fails for what it does not understand, and writes no half of a schema', () => {
    expect(() => readBlock(program.replace('"stringList"', '"matrix"'), declarations('?: DiskKey'))).toThrow(
      /zones: no type for set of matrix/,
    );
    expect(() => readBlock(program, declarations('?: DiskKey').replace('zones', 'regions'))).toThrow(
      /DiskConfig has no zones/,
    );
  });
});

describe('the schemas of the tests', () => {
  it.each([
    ['google', 'gce'],
    ['aws', 'aws'],
  ])('are of a version of %s that terraform/%s allows', (provider, folder) => {
    const { source: origin } = JSON.parse(
      readFileSync(join(import.meta.dirname, 'schema', `${provider}.json`), 'utf8'),
    ) as ProviderSchema;
    const version = /hashicorp\/\w+ (\d+)\.(\d+)\.\d+$/.exec(origin);
    const allowed = /version = "~> (\d+)\.(\d+)"/.exec(readFileSync(join(source, folder, 'versions.tf'), 'utf8'));
    expect([version?.[1], version?.[2]]).toEqual([allowed?.[1], allowed?.[2]]);
  });
});
