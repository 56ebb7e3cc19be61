import { expect, it } from 'vitest'
import { PageMarks } from './page-marks.js'

it('gives each page once, those that come last after all others, and then none', () => {
  const marks = new PageMarks()
  for (const page of [300, 2, 7, 2]) marks.mark(page, false)
  marks.mark(2, true)
  marks.mark(2, false)
  marks.mark(0, true)
  expect(marks.take()).toEqual([
    { page: 7, isLast: false },
    { page: 300, isLast: false },
    { page: 0, isLast: true },
    { page: 2, isLast: true },
  ])
  expect(marks.take()).toEqual([])
  marks.mark(2, false)
  expect(marks.take()).toEqual([{ page: 2, isLast: false }])
  marks.mark(5, true)
  marks.clear()
  expect(marks.take()).toEqual([])
})
