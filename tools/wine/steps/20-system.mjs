// The four programs index an image of an NTFS volume, are searched, and stop when somebody says so.
import { closeSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs'
import { basename, join } from 'node:path'
import { readFixture } from '../../../packages/ntfs/dist/testing/index.js'
import { WineSystem } from '../system.mjs'

export default async function (wine, checks) {
  const { image, expected } = makeImage(wine, 'clusters-of-4096')
  const flags = ['--image', wine.windowsPath(image)]
  let system
  try {
    system = await WineSystem.start(wine, 'system', flags)
    await indexed(system, expected, checks)
    await searched(wine, expected, checks)
    checks.that('Ctrl-C stops all of them', (await system.stop()) === true, system.report())
    checks.equal('the addresses are gone with the gateway', system.isListening(), false)
    checks.that('the supervisor says that it stops', system.running.out().includes('stopping'), system.running.out())
  } finally {
    system?.kill()
  }
}

async function indexed(system, expected, checks) {
  const running = Object.keys(system.processes()).sort()
  checks.equal('four programs and their supervisor run', running, [
    'cli',
    'gateway',
    'index-store',
    'journal-watcher',
    'scanner',
  ])
  checks.that('the image is indexed', (await system.settled()) === true, system.report())
  checks.equal('HTTP from Linux finds what the reference reader lists', await system.paths(), expected)
}

async function searched(wine, expected, checks) {
  const wanted = expected.filter(path => path.includes('sixhundred-link'))
  const found = await wine.hotpath('search', ['search', 'sixhundred-link', '--json', '--limit', '1000'])
  const { total, hits } = found.out === '' ? {} : JSON.parse(found.out)
  checks.equal(
    'the command line finds the same',
    [total, hits?.map(({ path }) => path).sort()],
    [wanted.length, wanted],
  )
  const { out } = await wine.hotpath('status', ['status'])
  checks.that('and says what runs', out.startsWith(`${expected.length.toLocaleString('en-US')} entries in 1 segments`), out)
}

/** A real volume of which the parts are kept that a reader needs (packages/ntfs/fixtures), and what is in it. */
function makeImage(wine, fixture) {
  const { size, parts, truth } = readFixture(fixture)
  const image = join(wine.scratch, `${fixture}.img`)
  const fd = openSync(image, 'w')
  for (const { offset, bytes } of parts) writeSync(fd, bytes, 0, bytes.length, offset)
  ftruncateSync(fd, size)
  closeSync(fd)
  const top = basename(image)
  return { image, expected: [top, ...truth.map(line => `${top}/${unescaped(line.split('\t')[0])}`)].sort() }
}

function unescaped(path) {
  const bytes = path.replace(/\\x([0-9a-f]{2})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
