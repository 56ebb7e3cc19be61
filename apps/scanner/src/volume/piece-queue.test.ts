import type { TablePiece } from '@hotpath/ntfs'
import { Random } from '@hotpath/testing'
import { describe, expect, it } from 'vitest'
import { type PieceCounts, PieceQueue } from './piece-queue.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const STEPS = process.env.SOAK ? 2_000_000 : 20_000
const MAX_RECORD = 2 ** 32 - 2
const LARGE = 2 ** 31 + 1

const countsOf = (n: number): PieceCounts => ({
  rows: n,
  scattered: n + 1,
  streams: LARGE,
  stats: { records: n + 2, unused: n + 3, extensions: n + 4, torn: n + 5, damaged: LARGE + n },
})
const queueOf = (slots: number) => new PieceQueue(PieceQueue.memoryFor(slots), slots)

describe('a queue of pieces', () => {
  it(`gives each piece once, in order, and what was found in it, ${STEPS} steps, seed ${SEED}`, () => {
    const random = new Random(SEED)
    const slots = 1 + random.below(8)
    const memory = PieceQueue.memoryFor(slots)
    const [lister, parser] = [new PieceQueue(memory, slots), new PieceQueue(memory, slots)]
    const pieces: TablePiece[] = []
    let taken = 0
    let listed = 0
    let wanted = -1
    let told = 0
    const open: number[] = []
    const parsed = new Set<number>()
    for (let step = 0; step < STEPS; step++) {
      const kind = random.below(5)
      if (kind === 0 && pieces.length < listed + slots) {
        const piece = { first: random.below(MAX_RECORD), count: 1 + random.below(2_048) }
        expect(lister.offer(piece)).toBe(pieces.length)
        pieces.push(piece)
      } else if (kind === 1) {
        // Who lists helps with the same pieces.
        const number = random.pick([lister, parser]).take()
        expect(number).toBe(taken < pieces.length ? taken : undefined)
        if (number !== undefined) open.push(taken++)
      } else if (kind === 2 && open.length > 0) {
        const [number] = open.splice(random.below(open.length), 1) as [number]
        expect(parser.pieceOf(number)).toEqual(pieces[number])
        expect(parser.isParsed(number)).toBe(false)
        const tells = parser.finish(number, countsOf(number))
        expect(tells).toBe(number === wanted)
        if (tells) {
          told++
          wanted = -1
        }
        parsed.add(number)
      } else if (kind === 3 && listed < pieces.length && wanted < 0) {
        const waits = lister.want(listed)
        expect(waits).toBe(!parsed.has(listed))
        if (waits) wanted = listed
      } else if (kind === 4 && listed < pieces.length) {
        expect(lister.isParsed(listed)).toBe(parsed.has(listed))
        if (!parsed.delete(listed)) continue
        expect(lister.countsOf(listed)).toEqual(countsOf(listed))
        listed++
      }
    }
    expect(listed).toBeGreaterThan(STEPS / 50)
    expect(told).toBeGreaterThan(STEPS / 500)
  })

  it('gives records whose numbers have 32 bits', () => {
    const queue = queueOf(1)
    const piece = { first: MAX_RECORD, count: 1 }
    expect(queue.pieceOf(queue.offer(piece))).toEqual(piece)
  })

  it('gives none when it has ended, nor waits for one', () => {
    const queue = queueOf(2)
    queue.offer({ first: 0, count: 1 })
    queue.end()
    expect(queue.take()).toBeUndefined()
    expect(queue.takeNext()).toBeUndefined()
  })
})
