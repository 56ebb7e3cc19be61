import { expect, test } from 'vitest'
import { commandTests } from '../testing/commands.js'
import { FakeIndex } from '../testing/fake-index.js'

const { hotpath } = commandTests()

// That it stops one is how the tests of the finder end.
test('where nothing runs there is nothing to stop', async () => {
  const { code, out, err } = await hotpath(['stop'], new FakeIndex([]))
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(err).toMatch(/^hotpath: nothing runs for /)
})
