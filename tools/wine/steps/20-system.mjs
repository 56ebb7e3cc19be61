// The four programs index an image of an NTFS volume, are searched, and stop when somebody says so.
import { makeImage } from '../image.mjs'
import { WineSystem } from '../system.mjs'

export default async function (wine, checks) {
  const { image, expected } = makeImage(wine.scratch, 'clusters-of-4096')
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
  checks.that(
    'and says what runs',
    out.startsWith(`${expected.length.toLocaleString('en-US')} entries in 1 segments`),
    out,
  )
}
