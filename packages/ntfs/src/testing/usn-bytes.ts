/** A record of a change journal as it is to be written; what is left out is 0. */
export interface RecordSpec {
  readonly version?: 2 | 3 | 4
  readonly record?: number | bigint
  readonly sequence?: number
  readonly parent?: number | bigint
  readonly parentSequence?: number
  /** V3: upper halves of the references. */
  readonly high?: bigint
  readonly parentHigh?: bigint
  readonly time?: bigint
  readonly reasons?: number
  readonly sourceInfo?: number
  readonly attributes?: number
  readonly name?: string
  /** Bytes between the fixed part and the name. */
  readonly gap?: number
  /** V4. */
  readonly extents?: number
}

/** Makes a record for a position, written from Microsoft's descriptions field by field. */
export function usnRecord(spec: RecordSpec, usn: number): Uint8Array {
  const { version = 2, name = '', gap = 0, extents = 1 } = spec
  const wide = version === 2 ? 0 : 8
  const fixed = version === 4 ? 64 : 60 + 2 * wide
  const used = version === 4 ? fixed + 16 * extents : fixed + gap + 2 * name.length
  const length = Math.ceil(used / 8) * 8
  const bytes = Buffer.alloc(length)
  const reference = (record: number | bigint = 0, sequence = 0) => (BigInt(sequence) << 48n) | BigInt(record)
  bytes.writeUInt32LE(length, 0)
  bytes.writeUInt16LE(version, 4)
  bytes.writeBigUInt64LE(reference(spec.record, spec.sequence), 8)
  bytes.writeBigUInt64LE(reference(spec.parent, spec.parentSequence), 16 + wide)
  if (wide > 0) {
    bytes.writeBigUInt64LE(spec.high ?? 0n, 16)
    bytes.writeBigUInt64LE(spec.parentHigh ?? 0n, 32)
  }
  bytes.writeBigInt64LE(BigInt(usn), 24 + 2 * wide)
  const at = 32 + 2 * wide
  const reasons = (spec.reasons ?? 0) >>> 0
  if (version === 4) {
    bytes.writeUInt32LE(reasons, at)
    bytes.writeUInt32LE(spec.sourceInfo ?? 0, at + 4)
    bytes.writeUInt16LE(extents, at + 12)
    bytes.writeUInt16LE(16, at + 14)
    for (let i = 0; i < extents; i++) bytes.writeBigInt64LE(4096n, fixed + 16 * i + 8)
    return bytes
  }
  bytes.writeBigUInt64LE(spec.time ?? 0n, at)
  bytes.writeUInt32LE(reasons, at + 8)
  bytes.writeUInt32LE(spec.sourceInfo ?? 0, at + 12)
  bytes.writeUInt32LE(spec.attributes ?? 0, at + 20)
  bytes.writeUInt16LE(2 * name.length, at + 24)
  bytes.writeUInt16LE(fixed + gap, at + 26)
  bytes.write(name, fixed + gap, 'utf16le')
  return bytes
}

/** Writes records one after the other from a position on, none across the end of a page. Returns the bytes, and where each record is. */
export function usnBytes(specs: readonly RecordSpec[], from = 0): { bytes: Uint8Array; usns: number[] } {
  const parts: Uint8Array[] = []
  const usns: number[] = []
  let usn = from
  for (const spec of specs) {
    const { length } = usnRecord(spec, 0)
    const left = 4096 - (usn % 4096)
    if (length > left) {
      parts.push(new Uint8Array(left))
      usn += left
    }
    usns.push(usn)
    parts.push(usnRecord(spec, usn))
    usn += length
  }
  return { bytes: new Uint8Array(Buffer.concat(parts)), usns }
}

/** A copy that begins on a multiple of 8 bytes of its buffer. */
export function aligned(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}
