import { expect, test } from 'vitest'
import { commandTests } from '../testing/commands.js'
import { FakeIndex } from '../testing/fake-index.js'

const { hotpath } = commandTests()

test('status for people and for programs', async () => {
  const { out, code } = await hotpath(['status'], new FakeIndex([]))
  expect(code).toBe(0)
  expect(out).toContain('1,234 entries in 1 segments')
  expect(out).toContain(
    '\nthe disk is full: searches go on, changes are kept back until there is room (no room\\x07)\n',
  )
  expect(out).toContain('/home/\\x07me: 1,234 entries, live (fanotify), not complete, first scan, scanning: 10 entries')
  expect(out).toContain('7 directories to read again\n  to be read again: /home/\\x1bdirty\n')
  expect(out).toContain(', 98,765 entries checked, 3 were wrong, 2 repaired, events lost 4 times\n')
  expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
  expect(JSON.parse((await hotpath(['status', '--json'], new FakeIndex([]))).out)).toMatchObject({
    entries: 1_234,
    fresh: { dirty: 7, dirtySubtrees: ['/home/\u001bdirty'] },
  })
})
