import type { MarkedHit, MarkedResult } from '@hotpath/client/browser'
import { describe, expect, it } from 'vitest'
import { PAGE_ROWS, ResultPages } from './result-pages.js'

interface Asked {
  readonly offset: number
  readonly signal: AbortSignal
  answer(): void
  fail(error: Error): void
}

/** A server that answers when it is told to. Row n is called `n`. */
function scripted(total: number) {
  const asked: Asked[] = []
  const load = (offset: number, limit: number, signal: AbortSignal) =>
    new Promise<MarkedResult>((resolve, reject) => {
      const count = Math.max(0, Math.min(limit, total - offset))
      const hits = Array.from({ length: count }, (_, at) => ({ id: String(offset + at) }) as MarkedHit)
      const fresh = { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] } as const
      const fuzzyTotal = undefined
      const reply = { total, fuzzyTotal, clock: '', fresh, partial: false, tookMs: 0, hits, explanation: undefined }
      signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError')))
      asked.push({ offset, signal, answer: () => resolve(reply), fail: reject })
    })
  const seen = { rows: 0, total: 0, errors: [] as unknown[] }
  const pages = new ResultPages(load, {
    onAnswer: result => {
      seen.rows++
      seen.total = result.total
    },
    onError: error => seen.errors.push(error),
  })
  return { asked, pages, seen }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

async function opened(total: number) {
  const all = scripted(total)
  const open = all.pages.open()
  all.asked[0]!.answer()
  await open
  return all
}

describe('ResultPages', () => {
  it('opens with one page', async () => {
    const { pages, asked, seen } = await opened(1_000)
    expect(asked.map(({ offset }) => offset)).toEqual([0])
    expect(seen.total).toBe(1_000)
    expect(pages.hit(99)?.id).toBe('99')
    expect(pages.hit(100)).toBeUndefined()
  })

  it('loads what is looked at, once, and cancels what was scrolled past', async () => {
    const { pages, asked, seen } = await opened(10_000)
    pages.look({ first: 480, end: 520 })
    pages.look({ first: 480, end: 520 })
    expect(asked.slice(1).map(({ offset }) => offset)).toEqual([400, 500])
    pages.look({ first: 5_000, end: 5_030 })
    expect(asked.slice(1, 3).map(({ signal }) => signal.aborted)).toEqual([true, true])
    asked[3]!.answer()
    await turn()
    expect(seen).toMatchObject({ rows: 2, errors: [] })
    expect(pages.hit(5_000)?.id).toBe('5000')
  })

  it('forgets what is far away and keeps what is near', async () => {
    const { pages, asked } = await opened(100_000)
    for (let page = 1; page < 60; page++) {
      pages.look({ first: page * PAGE_ROWS, end: page * PAGE_ROWS + 10 })
      asked.at(-1)!.answer()
      await turn()
    }
    pages.look({ first: 59 * PAGE_ROWS, end: 59 * PAGE_ROWS + 10 })
    const kept = Array.from({ length: 60 }, (_, page) => page).filter(page => pages.hit(page * PAGE_ROWS))
    expect(kept).toEqual(Array.from({ length: 40 }, (_, at) => at + 20))
  })

  it('asks again for a page that failed', async () => {
    const { pages, asked, seen } = await opened(1_000)
    pages.look({ first: 200, end: 210 })
    asked[1]!.fail(new TypeError('no connection'))
    await turn()
    expect(seen.errors).toHaveLength(1)
    pages.look({ first: 200, end: 210 })
    asked[2]!.answer()
    await turn()
    expect(pages.hit(200)?.id).toBe('200')
  })

  it('shows what may be old until it is read again, and takes what it is told', async () => {
    const { pages, asked } = await opened(1_000)
    pages.replace(0, [{ id: 'new' } as MarkedHit])
    expect(pages.hit(0)?.id).toBe('new')
    pages.look({ first: 0, end: 10 })
    expect(asked).toHaveLength(1)
    pages.outdate()
    pages.look({ first: 0, end: 10 })
    expect(pages.hit(0)?.id).toBe('new')
    asked[1]!.answer()
    await turn()
    expect(pages.hit(0)?.id).toBe('0')
  })

  it('asks for nothing after it was closed, and before it was opened', async () => {
    const { pages, asked } = scripted(1_000)
    pages.look({ first: 0, end: 10 })
    expect(asked).toHaveLength(0)
    const open = pages.open()
    pages.close()
    await expect(open).rejects.toThrow()
    pages.look({ first: 0, end: 10 })
    expect(asked).toHaveLength(1)
  })
})
