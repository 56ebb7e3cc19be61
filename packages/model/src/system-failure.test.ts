import { openSync } from 'node:fs'
import { expect, it } from 'vitest'
import { CorruptFileError, UnavailableError } from './errors.js'
import { isDamage, systemFailureOf } from './system-failure.js'

function errorOf(work: () => unknown): Error {
  try {
    work()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('nothing failed')
}

it('reads what the kernel said from every kind of error that carries it', () => {
  expect(systemFailureOf(errorOf(() => openSync('/nowhere/at/all', 'r')))).toEqual({ code: 'ENOENT', call: 'open' })
  const of = (fields: object) => systemFailureOf(Object.assign(new Error('x'), fields))
  expect(of({ code: 'EIO', syscall: 'fdatasync' })).toEqual({ code: 'EIO', call: 'fdatasync' })
  expect(of({ code: 'SYSTEM_CALL', errnoName: 'ENOMEM', call: 'mmap' })).toEqual({ code: 'ENOMEM', call: 'mmap' })
  expect(of({ code: 'SEGMENT_WRITE', systemCode: 'ENOSPC', systemCall: 'fsync' })).toEqual({
    code: 'ENOSPC',
    call: 'fsync',
  })
})

it('takes errors of programs for no failure of the system', () => {
  expect(systemFailureOf(errorOf(() => openSync(1 as unknown as string, 'r')))).toBeUndefined()
  expect(systemFailureOf(new UnavailableError('x'))).toBeUndefined()
  expect(systemFailureOf(Object.assign(new Error('x'), { systemCode: 'UNKNOWN' }))).toBeUndefined()
  expect(systemFailureOf('ENOSPC')).toBeUndefined()
})

it('says which failures mean that a file is damaged', () => {
  expect(isDamage(new CorruptFileError('f', 0, 'a', 'b'))).toBe(true)
  expect(isDamage(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe(true)
  for (const code of ['EMFILE', 'ENOMEM', 'EIO', 'EACCES'])
    expect(isDamage(Object.assign(new Error('x'), { code }))).toBe(false)
})
