import { silentLogger } from '@hotpath/service'
import { expect, it } from 'vitest'
import { SegmentVerifier } from './segment-verifier.js'

it('checks a segment once at a time, and again after a check that failed', async () => {
  const asked: (number | undefined)[] = []
  const settle: (() => void)[] = []
  const verify = (segment?: number): Promise<never> => {
    asked.push(segment)
    return new Promise((_, reject) => settle.push(() => reject(new Error('EMFILE'))))
  }
  const verifier = new SegmentVerifier({ verify }, silentLogger)
  verifier.verify(7)
  verifier.verify(7)
  verifier.verify(8)
  expect(asked).toEqual([7, 8])
  settle[0]?.()
  await new Promise(setImmediate)
  verifier.verify(7)
  verifier.verify(8)
  expect(asked).toEqual([7, 8, 7])
})
