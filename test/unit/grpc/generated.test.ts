/** The types of the client are those of the proto files: `npm run generate` was run after the last change. */
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { file_containarium_v1_verbs } from '../../../src/grpc/generated/containarium/v1/verbs_pb.ts';
import { file_google_rpc_status } from '../../../src/grpc/generated/google/rpc/status_pb.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'proto');

function read(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => (target.startsWith('google/protobuf/') ? target : join(folder, target));
  root.loadSync(['containarium/v1/verbs.proto', 'google/rpc/status.proto'], { keepCase: true });
  root.resolveAll();
  return root;
}

function typeOf(field: DescField): string {
  if (field.fieldKind === 'scalar') return ScalarType[field.scalar].toLowerCase();
  if (field.fieldKind === 'message') return field.message.typeName;
  if (field.fieldKind === 'list')
    return `repeated ${field.listKind === 'scalar' ? ScalarType[field.scalar].toLowerCase() : (field.message?.typeName ?? '')}`;
  return field.fieldKind;
}

function generated(messages: readonly DescMessage[]): Record<string, string[]> {
  return Object.fromEntries(
    messages.flatMap((message) => [
      [
        message.typeName,
        message.fields.map((field) =>
          `${field.number} ${field.name}: ${typeOf(field)} ${field.oneof?.name ?? ''}`.trim(),
        ),
      ],
      ...Object.entries(generated(message.nestedMessages)),
    ]),
  );
}

function defined(types: readonly protobuf.ReflectionObject[]): Record<string, string[]> {
  return Object.fromEntries(
    types
      .filter((type) => type instanceof protobuf.Type)
      .flatMap((type) => [
        [
          type.fullName.slice(1),
          type.fieldsArray.map((field) => {
            const name = field.resolvedType?.fullName.slice(1) ?? field.type;
            const kind = field instanceof protobuf.MapField ? 'map' : field.repeated ? `repeated ${name}` : name;
            // proto3's "optional" is a oneof of its own for protobufjs.
            const { partOf } = field;
            const oneof = partOf === null || partOf.name.startsWith('_') ? '' : partOf.name;
            return `${field.id} ${field.name}: ${kind} ${oneof}`.trim();
          }),
        ],
        ...Object.entries(defined(type.nestedArray)),
      ]),
  );
}

test('the generated messages are those of the proto files', () => {
  const root = read();
  const nested = (name: string): protobuf.ReflectionObject[] => (root.lookup(name) as protobuf.Namespace).nestedArray;
  expect(generated(file_containarium_v1_verbs.messages)).toEqual(defined(nested('containarium.v1')));
  expect(generated(file_google_rpc_status.messages)).toEqual(defined(nested('google.rpc')));
});

test('the generated service is that of the proto file', () => {
  const service = read().lookupService('containarium.v1.VerbService');
  const [made] = file_containarium_v1_verbs.services;
  expect(
    made?.methods.map(({ name, methodKind, input, output }) => [name, methodKind, input.typeName, output.typeName]),
  ).toEqual(
    service.methodsArray.map((method) => [
      method.name,
      method.requestStream ? 'bidi_streaming' : method.responseStream ? 'server_streaming' : 'unary',
      method.resolvedRequestType?.fullName.slice(1),
      method.resolvedResponseType?.fullName.slice(1),
    ]),
  );
});
