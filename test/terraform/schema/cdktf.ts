/**
 * Reads the schema of one resource out of its class in a package of prebuilt bindings
 * (https://developer.hashicorp.com/terraform/cdktf/concepts/providers): index.js has the names and types that are sent to
 * Terraform, index.d.ts says which are required.
 */
import ts from 'typescript';
import type { Attribute, AttributeType, Block, NestedBlock } from './schema.ts';

/** How index.js describes one attribute or block. */
interface Described {
  /** Name in Terraform. */
  readonly name: string;
  /** Name in TypeScript. */
  readonly property: string;
  readonly isBlock: boolean;
  readonly type: string;
  readonly storage: string;
}

const scalars: Readonly<Record<string, AttributeType>> = {
  string: 'string',
  number: 'number',
  boolean: 'bool',
  any: 'any',
};

const getters: Readonly<Record<string, AttributeType>> = {
  getStringAttribute: 'string',
  getNumberAttribute: 'number',
  getBooleanAttribute: 'bool',
  getListAttribute: ['list', 'string'],
  getNumberListAttribute: ['list', 'number'],
  getStringMapAttribute: ['map', 'string'],
};

/** Returns the block of the resource, and its type in Terraform, which the class of a provider does not have. */
export function readBlock(program: string, declarations: string): { readonly type: string | undefined; block: Block } {
  const script = parse('index.js', program);
  const types = parse('index.d.ts', declarations);
  const shapes = new Map<string, readonly Described[]>();
  let main: ts.ClassDeclaration | undefined;
  for (const statement of script.statements) {
    if (ts.isFunctionDeclaration(statement) && statement.name?.text.endsWith('ToHclTerraform') === true)
      shapes.set(statement.name.text.slice(0, -'ToHclTerraform'.length).toLowerCase(), describedIn(statement, 'attrs'));
    if (ts.isClassDeclaration(statement) && extendsTerraformElement(statement)) main = statement;
  }
  if (main?.name === undefined) throw new Error('index.js has no class of a resource');
  const synthesize = main.members.find((each) => each.name?.getText() === 'synthesizeHclAttributes');
  if (synthesize === undefined) throw new Error(`${main.name.text} has no synthesizeHclAttributes`);
  const own = describedIn(synthesize, 'attrs');

  const build = (described: readonly Described[], interfaceName: string): Block => {
    const members = membersOf(types, interfaceName);
    const attributes: Record<string, Attribute> = {};
    const blocks: Record<string, NestedBlock> = {};
    for (const each of described) {
      const member = members.get(each.property);
      if (member === undefined) throw new Error(`${interfaceName} has no ${each.property}`);
      const required = member.questionToken === undefined;
      if (!each.isBlock) {
        attributes[each.name] = { type: typeOf(each), mode: required ? 'required' : 'optional' };
        continue;
      }
      const single = each.type === 'struct';
      const structure = single ? each.storage : each.storage.replace(/List$/, '');
      const shape = shapes.get(structure.toLowerCase());
      if (shape === undefined) throw new Error(`${interfaceName}: no structure of ${structure}`);
      const many = member.type?.getText().includes('[]') === true;
      blocks[each.name] = {
        nesting: single ? 'single' : each.type === 'set' ? 'set' : 'list',
        min: required ? 1 : 0,
        max: many || single ? 0 : 1,
        block: build(shape, structure),
      };
    }
    return { attributes, blocks };
  };

  const block = build(own, `${main.name.text}Config`);
  const computed = Object.fromEntries(
    [...computedIn(main)].filter(([name]) => !(name in block.attributes) && !(name in block.blocks)),
  );
  const found = /terraformResourceType: ['"](\w+)['"],\s+terraformGeneratorMetadata: \{[^}]*\}/.exec(
    main.getText(),
  )?.[1];
  const isProvider = main.name.text.endsWith('Provider');
  return {
    type: isProvider ? undefined : found,
    block: isProvider ? block : { attributes: { ...computed, ...block.attributes }, blocks: block.blocks },
  };
}

function parse(name: string, text: string): ts.SourceFile {
  return ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
}

function extendsTerraformElement(declaration: ts.ClassDeclaration): boolean {
  return /^extends cdktf\.Terraform(Resource|DataSource|Provider)$/.test(
    declaration.heritageClauses?.[0]?.getText() ?? '',
  );
}

/** Returns what the object literal of the variable describes. */
function describedIn(node: ts.Node, variable: string): readonly Described[] {
  const found: Described[] = [];
  const visit = (each: ts.Node): void => {
    if (
      ts.isVariableDeclaration(each) &&
      each.name.getText() === variable &&
      each.initializer !== undefined &&
      ts.isObjectLiteralExpression(each.initializer)
    )
      found.push(...each.initializer.properties.map(describe));
    else ts.forEachChild(each, visit);
  };
  visit(node);
  return found;
}

function describe(property: ts.ObjectLiteralElementLike): Described {
  const text = property.getText();
  const name = property.name?.getText().replaceAll(/['"]/g, '');
  const value = /struct\.(\w+)|this\._(\w+)/.exec(text);
  const of = (key: string): string | undefined => new RegExp(`\\n\\s+${key}: "?(\\w+)"?`).exec(text)?.[1];
  const type = of('type');
  const storage = of('storageClassType');
  const variable = value?.[1] ?? value?.[2];
  if (name === undefined || type === undefined || storage === undefined || variable === undefined)
    throw new Error(`not understood: ${text}`);
  return { name, property: variable, isBlock: of('isBlock') === 'true', type, storage };
}

function typeOf({ name, type, storage }: Described): AttributeType {
  const scalar = scalars[storage];
  if (type === 'simple' && scalar !== undefined) return scalar;
  const element = scalars[storage.replace(/(List|Map)$/, '')];
  if (element !== undefined && (type === 'list' || type === 'set' || type === 'map')) return [type, element];
  throw new Error(`${name}: no type for ${type} of ${storage}`);
}

/** Returns the properties of an interface of index.d.ts. */
function membersOf(types: ts.SourceFile, name: string): ReadonlyMap<string, ts.PropertySignature> {
  const found = types.statements.find(
    (each): each is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(each) && each.name.text === name,
  );
  if (found === undefined) throw new Error(`index.d.ts has no ${name}`);
  return new Map(found.members.filter(ts.isPropertySignature).map((each) => [each.name.getText(), each]));
}

/** Returns the attributes that the provider alone sets: what the class reads and nobody can set. */
function computedIn(declaration: ts.ClassDeclaration): ReadonlyMap<string, Attribute> {
  const found = new Map<string, Attribute>();
  const settable = new Set(declaration.members.filter(ts.isSetAccessor).map((each) => each.name.getText()));
  for (const member of declaration.members) {
    if (!ts.isGetAccessor(member) || settable.has(member.name.getText())) continue;
    const read = /this\.(get\w+Attribute)\(['"](\w+)['"]\)/.exec(member.getText());
    if (read?.[1] === undefined || read[2] === undefined) continue;
    const type = getters[read[1]];
    if (type !== undefined) found.set(read[2], { type, mode: 'computed' });
  }
  const constructed = /new (cdktf\.)?(\w+)\(this, "(\w+)"/g;
  for (const [, library, type, name] of declaration.getText().matchAll(constructed)) {
    if (name === undefined) continue;
    found.set(name, {
      type: library !== undefined && type === 'StringMap' ? ['map', 'string'] : 'any',
      mode: 'computed',
    });
  }
  return found;
}
