// The four programs index a volume of Windows by its drive, through a handle and not through a file.
import { rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { makeImage } from '../image.mjs'
import { WineSystem } from '../system.mjs'

export default async function (wine, checks) {
  const { image, expected: inImage } = makeImage(wine.scratch, 'clusters-of-4096')
  // What Wine opens as \\.\W:.
  const device = join(wine.prefix, 'dosdevices/w::')
  rmSync(device, { force: true })
  symlinkSync(image, device)
  // Below a drive, paths are shown as Windows writes them.
  const expected = inImage.map(path => path.replace(/^[^/]*/, 'W:').replaceAll('/', '\\')).sort()
  let system
  try {
    system = await WineSystem.start(wine, 'volume-system', ['--volume', 'W:'])
    checks.that('the volume W: is indexed', (await system.settled()) === true, system.report())
    checks.equal('HTTP from Linux finds what the reference reader lists', await system.paths(), expected)
    const { roots } = await system.get('/api/status')
    // Wine has no change journal.
    const told = JSON.stringify(roots)
    checks.that('it is not followed, and says why', told.includes('FSCTL_QUERY_USN_JOURNAL of W: failed'), told)
    const wanted = expected.filter(path => path.includes('sixhundred-link'))
    const found = await wine.hotpath('volume-search', ['search', 'sixhundred-link', '--json', '--limit', '1000'])
    const { total, hits } = found.out === '' ? {} : JSON.parse(found.out)
    checks.equal(
      'the command line finds the same',
      [total, hits?.map(({ path }) => path).sort()],
      [wanted.length, wanted],
    )
    checks.that('Ctrl-C stops all of them', (await system.stop()) === true, system.report())
  } finally {
    system?.kill()
    rmSync(device, { force: true })
  }
}
