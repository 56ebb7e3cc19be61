import { describe, expect, it } from 'vitest'
import { ApplyQueue, type Steps } from './apply-queue.js'

describe('the queue of change batches', () => {
  const said: string[] = []

  function* steps(name: string, count: number): Steps<string> {
    for (let i = 1; i < count; i++) {
      said.push(`${name}${i}`)
      yield
    }
    said.push(`${name}${count}`)
    return name
  }

  /** Notes each turn of the event loop until `work` is done. */
  async function besides<T>(work: () => Promise<T>): Promise<T> {
    let over = false
    const turns = (async () => {
      while (!over) {
        await new Promise(setImmediate)
        said.push('turn')
      }
    })()
    const result = await work()
    over = true
    await turns
    return result
  }

  it('leaves a turn of the event loop between two steps', async () => {
    said.length = 0
    const queue = new ApplyQueue()
    expect(await besides(() => queue.run(() => steps('a', 4)))).toBe('a')
    expect(said.slice(0, 7)).toEqual(['a1', 'turn', 'a2', 'turn', 'a3', 'turn', 'a4'])
  })

  it('takes the first step within the call, while nothing is under way', async () => {
    said.length = 0
    const queue = new ApplyQueue()
    const result = queue.run(() => steps('a', 1))
    expect(said).toEqual(['a1'])
    expect(await result).toBe('a')
    expect(said).toEqual(['a1'])
  })

  it('begins nothing before what came earlier is whole', async () => {
    said.length = 0
    const queue = new ApplyQueue()
    const all = [
      queue.run(() => steps('a', 3)),
      queue.whole(() => void said.push('whole')),
      queue.run(() => steps('b', 2)),
    ]
    await Promise.all(all)
    expect(said).toEqual(['a1', 'a2', 'a3', 'whole', 'b1', 'b2'])
  })

  it('goes on after a failure, which only its caller is told', async () => {
    said.length = 0
    const queue = new ApplyQueue()
    const failing = queue.run(function* (): Steps<void> {
      yield
      throw new Error('broken')
    })
    const next = queue.run(() => steps('a', 2))
    await expect(failing).rejects.toThrow('broken')
    expect(await next).toBe('a')
    await expect(queue.whole(() => JSON.parse('{'))).rejects.toThrow(SyntaxError)
  })

  it('keeps work that comes from within a step for later', async () => {
    said.length = 0
    const queue = new ApplyQueue()
    let inner: Promise<string> | undefined
    await queue.whole(() => {
      inner = queue.run(() => steps('b', 1))
      said.push('a')
    })
    expect(await inner).toBe('b')
    expect(said).toEqual(['a', 'b1'])
  })
})
