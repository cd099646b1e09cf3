/**
 * Loads ink-table by hand. It is a CommonJS module that requires ink, but ink 8 is an ES module with top-level await,
 * which require() refuses (ERR_REQUIRE_ASYNC_MODULE). So it is compiled here with a require that returns the ink and
 * react that are already loaded. See docs/design.md.
 */
import { readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname } from 'node:path';
import * as ink from 'ink';
import * as React from 'react';

interface CommonJsModule {
  filename: string;
  paths: string[];
  readonly exports: { readonly default: unknown };
  require(id: string): unknown;
  _compile(source: string, file: string): void;
}

const ModuleClass = Module as unknown as {
  new (id: string): CommonJsModule;
  _nodeModulePaths(folder: string): string[];
};

export interface InkTableProps {
  readonly data: readonly Readonly<Record<string, string>>[];
  readonly columns: readonly string[];
  readonly padding?: number;
  readonly header?: (props: React.PropsWithChildren) => React.ReactElement;
  readonly cell?: (props: React.PropsWithChildren<{ column: number }>) => React.ReactElement;
  readonly skeleton?: (props: React.PropsWithChildren) => React.ReactElement;
}

/** Draws one line of a table. */
type DrawLine = (line: { readonly key: string }) => React.ReactElement | null;

type TableClass = new (props: InkTableProps) => React.Component<InkTableProps> & { separator: DrawLine };

function load(): TableClass {
  const file = createRequire(import.meta.url).resolve('ink-table');
  const module = new ModuleClass(file);
  module.filename = file;
  module.paths = ModuleClass._nodeModulePaths(dirname(file));
  const native = module.require.bind(module);
  module.require = (id) => (id === 'ink' ? ink : id === 'react' ? React : native(id));
  module._compile(readFileSync(file, 'utf8'), file);
  return module.exports.default as TableClass;
}

/** ink-table with one rule, below the titles. By itself it draws one above every row. */
export class InkTable extends load() {
  constructor(props: InkTableProps) {
    super(props);
    const draw = this.separator;
    // The key ends with the number of the row below.
    this.separator = (line) => (line.key.endsWith('-0') ? draw(line) : null);
  }
}
