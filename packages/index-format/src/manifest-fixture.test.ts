import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { decodeManifest } from './manifest-codec.js'

const fixtures = new URL('../fixtures/', import.meta.url)

/** A later version may know more, which then is not in the file. */
it.each([1])('reads a manifest of version %i as what it was made of', version => {
  const bytes = new Uint8Array(readFileSync(new URL(`manifest-${version}.bin`, fixtures)))
  expect(new DataView(bytes.buffer).getUint32(8, true)).toBe(version)
  const expected: unknown = JSON.parse(readFileSync(new URL(`manifest-${version}.json`, fixtures), 'utf8'))
  const found: unknown = JSON.parse(
    JSON.stringify(decodeManifest(bytes, 'f'), (_key, value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ),
  )
  expect(found).toMatchObject(expected as object)
})
