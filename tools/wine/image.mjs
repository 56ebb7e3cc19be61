// Images of real NTFS volumes.
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { basename, join } from 'node:path'
import { readFixture } from '../../packages/ntfs/dist/testing/index.js'

/** A volume of which the parts are kept that a reader needs (packages/ntfs/fixtures), and the paths that an index of it has, sorted. */
export function makeImage(directory, fixture) {
  const { size, parts, truth } = readFixture(fixture)
  const image = join(directory, `${fixture}.img`)
  const fd = openSync(image, 'w')
  for (const { offset, bytes } of parts) writeSync(fd, bytes, 0, bytes.length, offset)
  ftruncateSync(fd, size)
  closeSync(fd)
  // The reference reader prints no root.
  const top = basename(image)
  return { image, expected: [top, ...truth.map(line => `${top}/${unescaped(line.split('\t')[0])}`)].sort() }
}

function unescaped(path) {
  const bytes = path.replace(/\\x([0-9a-f]{2})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
