import { StorageError } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { WriterState } from './writer-state.js'

describe('the state of the writer', () => {
  it('is failed for good by the first failure, which is told once and is the reason given', async () => {
    const writer = new WriterState()
    const told: string[] = []
    const stop = writer.onFailure(error => told.push(error.message))
    writer.onFailure(error => told.push(`too: ${error.message}`))
    writer.check()
    await expect(writer.guard(Promise.reject(new Error('EIO')))).rejects.toThrow('the store has failed: EIO')
    await expect(writer.guard(Promise.reject('ENOSPC'))).rejects.toBeInstanceOf(StorageError)
    expect(writer.fail(new Error('later')).message).toBe('the store has failed: EIO')
    expect(told).toEqual(['EIO', 'too: EIO'])
    expect(writer.failure?.message).toBe('EIO')
    expect(writer.isOpen).toBe(false)
    expect(() => writer.check()).toThrow('the store has failed: EIO')
    expect(await writer.guard(Promise.resolve(7))).toBe(7)
    expect(() => writer.check()).toThrow('the store has failed: EIO')
    stop()
  })

  it.each([
    ['ENOSPC', 'write', 'full', 'room'],
    ['ENOSPC', 'open', 'full', 'room'],
    // What the disk holds is unknown then, whatever the reason.
    ['ENOSPC', 'fsync', 'failed', undefined],
    ['ENOSPC', 'fdatasync', 'failed', undefined],
    ['ENOMEM', 'fsync', 'failed', undefined],
    ['EIO', 'write', 'failed', undefined],
    ['EROFS', 'open', 'failed', undefined],
    ['EMFILE', 'open', 'failed', 'descriptors'],
    ['ENFILE', 'open', 'failed', 'descriptors'],
    ['ENOMEM', 'mmap', 'failed', 'memory'],
  ])('after %s in %s is: %s, for lack of %s', (code, syscall, state, lack) => {
    const writer = new WriterState()
    writer.checkStorage()
    writer.fail(Object.assign(new Error('x'), { code, syscall }))
    expect(writer.storageError).toMatchObject({ state, lack })
    expect(() => writer.checkStorage()).toThrow(expect.objectContaining({ state, lack }))
  })

  it('tells a listener that was taken away nothing', () => {
    const writer = new WriterState()
    const told: Error[] = []
    writer.onFailure(error => told.push(error))()
    writer.fail(new Error('EIO'))
    expect(told).toEqual([])
  })

  it('is failed by work that nobody waits for, without an unhandled rejection', async () => {
    const writer = new WriterState()
    const failed = new Promise<Error>(resolve => writer.onFailure(resolve))
    writer.guardInBackground(Promise.reject(new Error('EIO')))
    expect((await failed).message).toBe('EIO')
  })

  it('takes failures for no news while it closes', () => {
    const writer = new WriterState()
    expect(writer.beginClosing()).toBe(true)
    expect(writer.beginClosing()).toBe(false)
    expect(writer.fail(new Error('the worker was stopped')).message).toBe('the worker was stopped')
    expect(writer.failure).toBeUndefined()
    expect(() => writer.check()).toThrow('the store is closing')
  })

  it('closes after a failure, too', () => {
    const writer = new WriterState()
    writer.fail(new Error('EIO'))
    expect(writer.beginClosing()).toBe(true)
    expect(writer.failure?.message).toBe('EIO')
  })
})
