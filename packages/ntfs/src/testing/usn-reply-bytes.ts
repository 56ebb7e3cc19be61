import { type RecordSpec, usnRecord } from './usn-bytes.js'

/** A reply with records: where to go on, then records without gaps. @param at position of each record */
export function replyBytes(next: bigint, specs: readonly RecordSpec[], at: (i: number) => number): Uint8Array {
  const head = Buffer.alloc(8)
  head.writeBigUInt64LE(BigInt.asUintN(64, next))
  return new Uint8Array(Buffer.concat([head, ...specs.map((spec, i) => usnRecord(spec, at(i)))]))
}
