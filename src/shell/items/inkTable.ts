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

function load(): React.ComponentType<InkTableProps> {
  const file = createRequire(import.meta.url).resolve('ink-table');
  const module = new ModuleClass(file);
  module.filename = file;
  module.paths = ModuleClass._nodeModulePaths(dirname(file));
  const native = module.require.bind(module);
  module.require = (id) => (id === 'ink' ? ink : id === 'react' ? React : native(id));
  module._compile(readFileSync(file, 'utf8'), file);
  return module.exports.default as React.ComponentType<InkTableProps>;
}

export const InkTable = load();
