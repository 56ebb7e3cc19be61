import { describe, expect, it } from 'vitest'
import { LateStart } from './late-start.js'

describe('the late start', () => {
  async function isDue(start: LateStart): Promise<boolean> {
    return await Promise.race([start.due.then(() => true), new Promise<boolean>(r => setImmediate(() => r(false)))])
  }

  it('is due when all early stages are ready', async () => {
    const start = new LateStart(['gateway', 'index-store'])
    start.begin(60_000)
    start.ready('gateway')
    start.ready('scanner')
    start.ready('gateway')
    expect(await isDue(start)).toBe(false)
    start.ready('index-store')
    expect(await isDue(start)).toBe(true)
  })

  it('leaves what is ready alone for a while, however long it took', async () => {
    const start = new LateStart(['gateway'], 30)
    start.begin(60_000)
    start.ready('gateway')
    expect(await isDue(start)).toBe(false)
    await start.due
    const ended = new LateStart(['gateway'], 60_000)
    ended.begin(60_000)
    ended.ready('gateway')
    ended.end()
    expect(await isDue(ended)).toBe(true)
  })

  it('is due after a time, at the end, and at once if nothing is early', async () => {
    const waited = new LateStart(['gateway'])
    waited.begin(1)
    await waited.due
    const ended = new LateStart(['gateway'])
    ended.begin(60_000)
    ended.end()
    expect(await isDue(ended)).toBe(true)
    const nothing = new LateStart([])
    nothing.begin(60_000)
    expect(await isDue(nothing)).toBe(true)
  })
})
