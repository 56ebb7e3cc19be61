import { type ChangeBatch, Op, ROOT_KINDS } from '@hotpath/model'
import fc from 'fast-check'
import type { Manifest } from '../manifest-codec.js'

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const time = fc.record({
  seconds: fc.oneof(fc.constant(Number.NaN), fc.integer({ min: -1e9, max: 4e9 })),
  ticks: fc.integer({ min: 0, max: 9_999_999 }),
})
const row = fc.record({
  op: fc.constantFrom(Op.absent, Op.present, Op.listed, Op.named),
  kind: fc.integer({ min: 0, max: 3 }),
  name: fc.uint8Array({ minLength: 1, maxLength: 20 }).map(bytes => bytes.map(b => (b === 0 || b === 47 ? 97 : b))),
  size: fc.oneof(fc.constant(Number.NaN), fc.double({ min: 0, max: 2 ** 53, noNaN: true })),
  observed: fc.double({ min: 0, max: 1e15, noNaN: true }),
  numbers: fc.array(u32, { minLength: 7, maxLength: 7 }),
  modified: time,
  created: time,
})

/** The two rows of a part of a listing. */
const part = fc.tuple(row, row).map(([first, second]) => [
  { ...first, op: Op.listedFrom },
  { ...first, op: Op.listedBefore, name: second.name },
])

/** Batches that the log takes. */
export const changeBatches: fc.Arbitrary<ChangeBatch> = fc
  .record({
    rows: fc
      .array(fc.oneof({ weight: 8, arbitrary: row.map(one => [one]) }, part), { maxLength: 10 })
      .map(rows => rows.flat()),
    root: fc.string({ unit: 'grapheme', maxLength: 20 }),
    sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    optional: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  })
  .map(({ rows, root, sequence, optional }) => {
    const column = (i: number): Uint32Array => Uint32Array.from(rows, r => r.numbers[i])
    const nameOffsets = new Uint32Array(rows.length + 1)
    rows.forEach((r, i) => {
      nameOffsets[i + 1] = nameOffsets[i] + r.name.length
    })
    const times = (name: 'modified' | 'created'): { seconds: Float64Array; ticks: Uint32Array } => ({
      seconds: Float64Array.from(rows, r => r[name].seconds),
      ticks: Uint32Array.from(rows, r => r[name].ticks),
    })
    return {
      root,
      source: 's',
      bootId: 'b',
      sequence,
      changes: {
        op: Uint8Array.from(rows, r => r.op),
        parentRef: { low: column(0), high: column(1), birth: column(2) },
        observed: Float64Array.from(rows, r => r.observed),
        entries: {
          count: rows.length,
          parent: new Uint32Array(rows.length),
          directory: new Uint32Array(rows.length),
          kind: Uint8Array.from(rows, r => r.kind),
          nameOffsets,
          names: new Uint8Array(Buffer.concat(rows.map(r => r.name))),
          size: Float64Array.from(rows, r => r.size),
          ...(optional[0] && { modified: times('modified') }),
          ...(optional[1] && { created: times('created') }),
          ...(optional[2] && { attributes: column(3) }),
          ...(optional[3] && { ref: { low: column(4), high: column(5), birth: column(6) } }),
        },
      },
    }
  })

const count = fc.maxSafeNat()
const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const segment = fc.record({
  id: count,
  origin: fc.constantFrom('scan' as const, 'flush' as const, 'merge' as const),
  sizeBytes: count,
  dirCount: count,
  fileCount: count,
  stubCount: count,
  deadCount: count,
  deadGeneration: count,
})
const view = fc.record({
  id: count,
  nextDirectoryId: count,
  segments: fc.array(segment, { maxLength: 3 }),
  replayFrom: count,
  applied: fc.array(fc.tuple(text, count), { maxLength: 3 }),
  boots: fc.array(text, { maxLength: 3 }),
  observedFromBoot: fc.integer({ min: -1, max: 5 }),
  observedFrom: fc.double({ min: 0, max: 1e15, noNaN: true }),
  unlisted: fc.array(count, { maxLength: 3 }),
  unread: fc.array(count, { maxLength: 3 }),
  impliedDirectories: fc.boolean(),
})
/** Manifests of all shapes. */
export const manifests: fc.Arbitrary<Manifest> = fc.record({
  storeId: fc.constant('0123456789abcdef0123456789abcdef'),
  generation: count,
  incarnation: count,
  nextFile: count,
  nextView: count,
  roots: fc.array(
    fc.record({
      spec: fc.record({ id: text, kind: fc.constantFrom(...ROOT_KINDS), path: text }),
      volume: text,
      prefix: fc.uint8Array({ maxLength: 8 }),
      virtualRoot: fc.boolean(),
      scanReason: text,
      partial: fc.boolean(),
      followed: fc.option(fc.record({ source: text, term: count, bootId: text })),
      trust: fc.constantFrom('none' as const, 'names' as const, 'full' as const),
      wholeUntilMs: fc.double({ min: 0, max: 1e13, noNaN: true }),
      journal: fc.option(fc.record({ id: text, next: count })),
      view: fc.option(view),
      lastScan: fc.option(
        fc.record({
          bootId: text,
          startedAt: fc.double({ min: 0, max: 1e15, noNaN: true }),
          finishedAtMs: fc.double({ min: 0, max: 1e13, noNaN: true }),
          entries: count,
          skipped: count,
          listFile: fc.option(
            fc.record({
              sizeBytes: count,
              modifiedMs: fc.double({ min: 0, max: 1e13, noNaN: true }),
              inode: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
            }),
          ),
        }),
      ),
    }),
    { maxLength: 3 },
  ),
})
