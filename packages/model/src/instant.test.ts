import { describe, expect, it } from 'vitest'
import { instantAt, instantText, parsedInstant, timeColumn, wholeSecond } from './instant.js'

describe('instantText', () => {
  it.each([
    [0, 0, '1970-01-01T00:00:00Z'],
    [1_714_557_600, 0, '2024-05-01T10:00:00Z'],
    [1_714_557_600, 1_234_567, '2024-05-01T10:00:00.1234567Z'],
    [1_714_557_600, 1, '2024-05-01T10:00:00.0000001Z'],
    [-1, 9_999_999, '1969-12-31T23:59:59.9999999Z'],
    [-11_644_473_600, 0, '1601-01-01T00:00:00Z'],
    [253_402_300_800, 0, '+010000-01-01T00:00:00Z'],
    [8.64e12, 0, '+275760-09-13T00:00:00Z'],
  ])('%d s and %d ticks is %s, which is read as that', (seconds, ticks, text) => {
    expect(instantText({ seconds, ticks })).toBe(text)
    expect(parsedInstant(text)).toEqual({ seconds, ticks })
  })

  it('is null for what is not known or beyond the calendar', () => {
    expect(instantText(undefined)).toBeNull()
    expect(instantText({ seconds: Number.NaN, ticks: 0 })).toBeNull()
    expect(instantText({ seconds: 8.64e12 + 1, ticks: 0 })).toBeNull()
  })
})

it('reads fewer digits, and nothing else', () => {
  expect(parsedInstant('1969-12-31T23:59:59.5Z')).toEqual({ seconds: -1, ticks: 5_000_000 })
  expect(parsedInstant('yesterday')).toBeUndefined()
  expect(parsedInstant(null)).toBeUndefined()
})

it('gives moments to columns and takes them out', () => {
  const instants = [{ seconds: 5, ticks: 7 }, undefined, { seconds: -1, ticks: 0 }]
  const column = timeColumn(instants)
  expect(instants.map((_, row) => instantAt(column, row))).toEqual(instants)
  expect(instantAt(column, 3)).toBeUndefined()
  expect(timeColumn([undefined, undefined])).toBeUndefined()
  expect(instantAt(undefined, 0)).toBeUndefined()
  expect([wholeSecond(3), wholeSecond(Number.NaN), wholeSecond()]).toEqual([
    { seconds: 3, ticks: 0 },
    undefined,
    undefined,
  ])
})
