/** Encodes google.rpc.Status with a google.rpc.ErrorInfo in it (proto/google/rpc/status.proto). */
import protobuf from 'protobufjs';
import { definitions } from './definitions.ts';

interface ErrorInfo {
  readonly reason: string;
  readonly domain: string;
  readonly metadata: Readonly<Record<string, string>>;
}

const typeUrl = 'type.googleapis.com/google.rpc.ErrorInfo';

const loaded = protobuf.Root.fromJSON(definitions);
function type(name: string): protobuf.Type {
  return loaded.lookupType(`google.rpc.${name}`);
}

export function encodeStatus({
  code,
  message,
  info,
}: {
  readonly code: number;
  readonly message: string;
  readonly info: ErrorInfo;
}): Buffer {
  const value = type('ErrorInfo').encode(info).finish();
  const status = { code, message, details: [{ type_url: typeUrl, value }] };
  return Buffer.from(type('Status').encode(status).finish());
}

/** Returns the ErrorInfo of an encoded status; undefined if there is none or it cannot be read. */
export function decodeStatus(bytes: Buffer): ErrorInfo | undefined {
  try {
    const { details } = type('Status').toObject(type('Status').decode(bytes), { arrays: true }) as {
      details: { type_url: string; value: Uint8Array }[];
    };
    const found = details.find((each) => each.type_url === typeUrl);
    if (found === undefined) return undefined;
    return type('ErrorInfo').toObject(type('ErrorInfo').decode(found.value), {
      objects: true,
      defaults: true,
    }) as ErrorInfo;
  } catch {
    return undefined;
  }
}
