import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { commandTests } from '../testing/commands.js'
import { FakeIndex } from '../testing/fake-index.js'

const { hotpath } = commandTests()

test('the manual has every command and flag, and groff finds nothing wrong with it', async () => {
  const { code, out, err } = await hotpath(['man'], new FakeIndex([]))
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const page = Buffer.from(out, 'latin1').toString()
  expect(page).toMatch(/^\.TH HOTPATH 1 /)
  for (const text of [
    '\\fB\\-\\-wait\\-clock\\fP',
    '\\fB\\-\\-hot\\-formula\\fP \\fINAME\\fP',
    '.SS "hotpath index\\-store"',
    'size\\-desc',
  ])
    expect(page).toContain(text)
  const { status, stdout, stderr, error } = spawnSync('groff', ['-man', '-ww', '-Tutf8', '-P-cbou'], { input: page })
  // Not installed: there is nothing to ask.
  if (error !== undefined) return
  expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' })
  const text = stdout.toString()
  expect(text).toContain('--sort KEY')
  expect(text).toContain('Ctrl-R')
  expect(text).toMatch(/EXIT STATUS\n +0 /)
})
