/** The schema of a provider, as the stub provider reads it. */

/** A type of the Terraform language; `any` stands for what the packages do not describe. */
export type AttributeType = 'string' | 'number' | 'bool' | 'any' | readonly ['list' | 'set' | 'map', AttributeType];

export interface Attribute {
  readonly type: AttributeType;
  /** The packages do not say which optional attributes the provider fills: all of them count as such. */
  readonly mode: 'required' | 'optional' | 'computed';
}

export interface NestedBlock {
  readonly nesting: 'list' | 'set' | 'single';
  /** Number of blocks: at least, and at most; 0 is no limit. */
  readonly min: number;
  readonly max: number;
  readonly block: Block;
}

export interface Block {
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly blocks: Readonly<Record<string, NestedBlock>>;
}

export interface ProviderSchema {
  /** Package and provider that it was generated from, with their versions. */
  readonly source: string;
  readonly provider: Block;
  readonly resources: Readonly<Record<string, Block>>;
  readonly dataSources: Readonly<Record<string, Block>>;
}
