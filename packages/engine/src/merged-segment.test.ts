import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { MappedSegmentOpener } from './segment-opener.js'
import { engineOver, flatColumns, writeSegment } from './testing/flat-segment.js'
import { ViewState } from './view-state.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotpath-merged-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

it.each([
  ['its inputs go in the same list', true, []],
  ['another segment has the same directories', false, [1]],
] as const)('compares a merged segment with what is left: %s', (_, drops, compared) => {
  const file = join(folder, `${drops}.seg`)
  writeSegment(flatColumns([Buffer.from('a')]), file)
  const engine = engineOver(file, new MappedSegmentOpener())
  const changed = vi.spyOn(ViewState.prototype, 'directoriesChanged')
  try {
    engine.apply([
      { op: 'addSegment', view: 1, segment: 2, file, dead: new Uint8Array(0), origin: 'merge' },
      ...(drops ? [{ op: 'dropSegment', view: 1, segment: 1 } as const] : []),
    ])
    expect(changed.mock.calls.map(([dirIds]) => [...dirIds])).toEqual([compared])
  } finally {
    changed.mockRestore()
    engine.close()
  }
})
