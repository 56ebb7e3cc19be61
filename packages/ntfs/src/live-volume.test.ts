import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { Random } from '@hotpath/index-format/testing'
import { TestMounts } from '@hotpath/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { escaped, listLines } from './testing/listing-lines.js'
import { LiveVolume, type VolumeGeometry, whyMissing } from './testing/live-volume.js'
import { RandomOperations } from './testing/random-operations.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
/** Operations of each round, on each volume. */
const SOAK = Number(process.env.SOAK ?? 0)
const OPERATIONS = SOAK > 1 ? SOAK : SOAK === 1 ? 2_000 : 150
const ROUNDS = 2
/** Of operations. */
const KINDS = 12
const GEOMETRIES: VolumeGeometry[] = [
  { clusterBytes: 512, sectorBytes: 512 },
  { clusterBytes: 4096, sectorBytes: 512 },
  { clusterBytes: 4096, sectorBytes: 4096 },
]
const EPOCH_TICKS = 116_444_736_000_000_000n
/** `IntxLNK` and a byte, then UTF-16: what ntfs-3g writes for a symbolic link. */
const LINK_HEADER_BYTES = 8

const mounts = TestMounts.open()
const missing = whyMissing('mkntfs') ?? whyMissing('ntfs-3g')
const problem = typeof mounts === 'string' ? mounts : missing
if (problem !== undefined) console.log(`not tested here: ${problem}`)

const used: string[] = []

afterAll(() => {
  if (typeof mounts !== 'string') mounts.close()
  const mounted = readFileSync('/proc/self/mounts', 'utf8')
  expect(used.filter(place => mounted.includes(place))).toEqual([])
})

/** What a walk sees: path, bytes, modified (FILETIME), record, directory; sorted. */
function walk(root: string): string[] {
  const lines: string[] = []
  const visit = (directory: Buffer, above: string): void => {
    for (const name of readdirSync(directory, { encoding: 'buffer' })) {
      const path = Buffer.concat([directory, Buffer.from('/'), name])
      const stat = lstatSync(path, { bigint: true })
      const isDirectory = stat.isDirectory()
      const shown = `${above}${escaped(name)}`
      const bytes = isDirectory ? 0 : stat.isSymbolicLink() ? linkBytes(path) : stat.size
      lines.push([shown, bytes, ticksOf(stat.mtimeNs), stat.ino, isDirectory ? 1 : 0].join('\t'))
      if (isDirectory) visit(path, `${shown}/`)
    }
  }
  visit(Buffer.from(root), '')
  return lines.sort()
}

/** Nanoseconds since 1970 as a FILETIME. */
function ticksOf(ns: bigint): bigint {
  return (ns + EPOCH_TICKS * 100n) / 100n
}

function onlyIn(lines: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others)
  return lines.filter(line => !known.has(line))
}

function linkBytes(path: Buffer): number {
  return LINK_HEADER_BYTES + 2 * readlinkSync(path).length
}

describe.each(problem === undefined ? GEOMETRIES : [])(
  'a volume of clusters of $clusterBytes and sectors of $sectorBytes bytes',
  geometry => {
    it(`is listed as ntfs-3g lists it, after ${ROUNDS} times ${OPERATIONS} operations (SEED=${SEED})`, {
      timeout: 3_600_000,
    }, async () => {
      const held = (mounts as TestMounts).mount('tmpfs')
      if ('problem' in held) throw new Error(held.problem)
      used.push(held.directory)
      const volume = new LiveVolume(held.directory)
      expect(volume.make(geometry)).toBeUndefined()
      const operations = new RandomOperations(new Random(SEED), volume.mounted)
      for (let round = 0; round < ROUNDS; round++) {
        await volume.mount()
        try {
          operations.run(OPERATIONS)
        } finally {
          await volume.unmount()
        }
        const { lines, stats } = volume.read(read => listLines(read))
        const withoutSequence = lines.map(line => line.replace(/\t\d+(\t\d)$/, '$1')).sort()
        await volume.mount('ro')
        try {
          const walked = walk(volume.mounted)
          expect(onlyIn(withoutSequence, walked)).toEqual([])
          expect(onlyIn(walked, withoutSequence)).toEqual([])
          expect(withoutSequence.length).toBe(walked.length)
        } finally {
          await volume.unmount()
        }
        expect(stats).toMatchObject({ torn: 0, damaged: 0 })
        expect(lines.length).toBeGreaterThan(OPERATIONS / 2)
      }
      expect(operations.done.size).toBe(KINDS)
    })
  },
)
