/** Server reflection (grpc.reflection.v1 and v1alpha), with which grpcurl and others find the services. */
import type { Server } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { protoPath as healthProto } from 'grpc-health-check';
import descriptor from 'protobufjs/ext/descriptor/index.js';
import { definition } from '../../grpc/protos.ts';

interface File {
  readonly messageType: Message[];
  readonly dependency: string[];
}

/** The file of google.protobuf.Any, as protobufjs names it. It leaves it out of the files that google.rpc imports. */
const anyFile = 'google_protobuf.proto';

interface Message {
  name: string;
  readonly field: { readonly name: string; typeName: string; jsonName: string }[];
  readonly nestedType: Message[];
  readonly options?: { readonly mapEntry?: boolean } | null;
}

/**
 * Makes the services, and returns what adds them to a server. Making them reads files of the checkout, which the user
 * of the remote process may be unable to read: call it while modules are loaded.
 */
export function reflectionOf(services: readonly string[]): (server: Pick<Server, 'addService'>) => void {
  const all = { ...definition, ...loadSync(healthProto, { keepCase: true }) };
  const made: Parameters<Server['addService']>[] = [];
  const reflection = new ReflectionService(corrected(all), { services: [...services, 'grpc.health.v1.Health'] });
  reflection.addToServer({ addService: (...service) => made.push(service) });
  return (server) => {
    for (const service of made) server.addService(...service);
  };
}

/**
 * Names the entries of maps and the fields in JSON as protoc does (descriptor.proto, map_entry and json_name);
 * protobufjs 7.6 does not.
 */
function corrected(all: PackageDefinition): PackageDefinition {
  const made: PackageDefinition = {};
  for (const [name, entry] of Object.entries(all)) {
    made[name] = entry;
    // Services have no files, messages and enumerations have.
    if ('format' in entry && Array.isArray(entry.fileDescriptorProtos))
      made[name] = Object.assign({ ...entry }, { fileDescriptorProtos: entry.fileDescriptorProtos.map(asOfProtoc) });
  }
  return made;
}

function asOfProtoc(file: Buffer): Buffer {
  const decoded = descriptor.FileDescriptorProto.decode(file) as unknown as File;
  decoded.messageType.forEach(correct);
  const usesAny = decoded.messageType.some(({ field }) => field.some(({ typeName }) => typeName === 'protobuf.Any'));
  if (usesAny && !decoded.dependency.includes(anyFile)) decoded.dependency.push(anyFile);
  return Buffer.from(descriptor.FileDescriptorProto.encode(decoded).finish());
}

function correct({ field, nestedType }: Message): void {
  for (const each of field) each.jsonName = camel(each.name);
  for (const nested of nestedType) {
    correct(nested);
    const owner = field.find(({ typeName }) => typeName.split('.').at(-1) === nested.name);
    if (nested.options?.mapEntry !== true || owner === undefined) continue;
    const name = `${camel(`_${owner.name}`)}Entry`;
    owner.typeName = owner.typeName.replace(/[^.]*$/, name);
    nested.name = name;
  }
}

function camel(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
