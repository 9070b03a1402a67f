import protobuf from 'protobufjs';

const { root } = protobuf.parse(`syntax = "proto3"; package t;
  message Pair { string name = 1; string value = 2; }
  message Value { double value = 1; }
  message Quantile { double quantile = 1; double value = 2; }
  message Summary { uint64 count = 1; double sum = 2; repeated Quantile quantile = 3; }
  message Bucket { uint64 count = 1; double bound = 2; }
  message Span { sint32 offset = 1; uint32 length = 2; }
  message Histogram { uint64 count = 1; double sum = 2; repeated Bucket bucket = 3; double countFloat = 4;
    sint32 schema = 5; double zeroThreshold = 6; uint64 zeroCount = 7; repeated Span span = 12; repeated sint64 deltas = 13; }
  message Metric { repeated Pair label = 1; Value gauge = 2; Value counter = 3; Summary summary = 4; Value untyped = 5;
    Histogram histogram = 7; }
  message Family { string name = 1; string help = 2; int32 type = 3; repeated Metric metric = 4; string unit = 5; }`);
const familyType = root.lookupType('t.Family');

/** Families as Prometheus reads them from protobuf. */
export function decodedFamilies(bytes: Uint8Array): Record<string, unknown>[] {
  const reader = protobuf.Reader.create(bytes);
  const families: Record<string, unknown>[] = [];
  while (reader.pos < reader.len)
    families.push(familyType.toObject(familyType.decodeDelimited(reader), { longs: Number }));
  return families;
}
