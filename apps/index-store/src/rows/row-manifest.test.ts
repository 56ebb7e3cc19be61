import { readFileSync } from 'node:fs'
import { encodePortable } from '@hotpath/index-format'
import { CorruptFileError } from '@hotpath/model'
import { expect, it } from 'vitest'
import { decodeRowManifest, encodeRowManifest, ROW_MANIFEST_VERSION, type RowManifest } from './row-manifest.js'

const MANIFEST: RowManifest = {
  database: 'größe',
  text: ['message.body'],
  cursor: { epoch: '0123456789abcdef01234567', sequence: 42 },
  segments: [
    { file: '3.rows', dead: new Uint8Array(0) },
    { file: '7.rows', dead: encodePortable(Uint32Array.of(1, 5, 70_000)) },
  ],
}

it('comes back as it was, and has the members that its document names', () => {
  const bytes = encodeRowManifest(MANIFEST)
  expect(decodeRowManifest('m', bytes)).toEqual(MANIFEST)
  const page = readFileSync(new URL('../../../../docs/formats/row-segment.md', import.meta.url), 'utf8')
  const part = page.slice(page.indexOf(`## Manifest, version ${ROW_MANIFEST_VERSION}`))
  const [line, checksum, rest] = Buffer.from(bytes).toString().split('\n')
  const members = [...part.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
  expect(members).toEqual(Object.keys(JSON.parse(line!)))
  expect([checksum!.length, rest]).toEqual([8, ''])
})

it('is refused with any byte changed, and cut anywhere', () => {
  const bytes = encodeRowManifest(MANIFEST)
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice()
    changed[at]! ^= 1
    expect(() => decodeRowManifest('m', changed), `byte ${at}`).toThrow(CorruptFileError)
    expect(() => decodeRowManifest('m', bytes.subarray(0, at)), `${at} bytes`).toThrow(CorruptFileError)
  }
})
