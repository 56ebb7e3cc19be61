import { CancelledError } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { CreditWindow } from './credit-window.js'

describe('CreditWindow', () => {
  const never = new AbortController().signal

  it('numbers batches up to the credit and waits for more', async () => {
    const window = new CreditWindow(2)
    expect([await window.next(never), await window.next(never)]).toEqual([1, 2])
    let third: number | undefined
    const waiting = window.next(never).then(number => {
      third = number
    })
    window.acknowledge(0, 2)
    await Promise.resolve()
    expect(third).toBeUndefined()
    window.acknowledge(1, 2)
    await waiting
    expect([third, window.lastSequence]).toEqual([3, 3])
  })

  it('does not take back what was allowed', async () => {
    const window = new CreditWindow(3)
    window.acknowledge(0, 1)
    expect([await window.next(never), await window.next(never), await window.next(never)]).toEqual([1, 2, 3])
  })

  it('ends its waiting when it is cancelled, before or while it waits', async () => {
    const window = new CreditWindow(0)
    const controller = new AbortController()
    const waiting = expect(window.next(controller.signal)).rejects.toThrow(CancelledError)
    controller.abort()
    await waiting
    await expect(window.next(controller.signal)).rejects.toThrow(CancelledError)
  })
})
