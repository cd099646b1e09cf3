/** The services of the remote interface, for the server and the client. Field names are those of the proto files. */
import { loadPackageDefinition, type GrpcObject, type ServiceClientConstructor } from '@grpc/grpc-js';
import { fromJSON, type PackageDefinition } from '@grpc/proto-loader';
import { definitions } from './definitions.ts';

export const definition: PackageDefinition = fromJSON(definitions, {
  keepCase: true,
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
});

/** Returns a service of the package containarium.v1, as a client of it. */
export function service(name: 'ContainerService' | 'VerbService'): ServiceClientConstructor {
  const loaded = loadPackageDefinition(definition) as { containarium: { v1: GrpcObject } };
  return loaded.containarium.v1[name] as ServiceClientConstructor;
}
