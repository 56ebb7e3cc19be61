// The four programs index an image of an NTFS volume, are searched, and stop when somebody says so.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeImage } from '../image.mjs'
import { WineSystem } from '../system.mjs'

export default async function (wine, checks) {
  const { image, expected: inImage } = makeImage(wine.scratch, 'clusters-of-4096')
  const tree = join(wine.scratch, 'tree')
  const inTree = makeTree(tree).map(path => wine.windowsPath(path))
  const expected = [...inImage, ...inTree].sort()
  const flags = ['--image', wine.windowsPath(image), '--root', wine.windowsPath(tree)]
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
  checks.that('the image and a directory tree are indexed', (await system.settled()) === true, system.report())
  // The scanner starts after those that answer.
  const running = Object.keys(system.processes()).sort()
  checks.equal('four programs and their supervisor run', running, [
    'cli',
    'gateway',
    'index-store',
    'journal-watcher',
    'scanner',
  ])
  checks.equal('HTTP from Linux finds what the reference reader lists, and the tree', await system.paths(), expected)
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
  const under = await wine.hotpath('under', [
    'search',
    'ext:md',
    '--count',
    '--under',
    wine.windowsPath(join(wine.scratch, 'tree/a')),
  ])
  checks.equal('below a directory that is named with backslashes', under.out.trim(), '1')
  const doctor = await wine.hotpath('doctor', ['doctor', '--verify'])
  // Nobody follows a tree there, and the watcher says so.
  const bad = doctor.out
    .split('\n')
    .filter(line => line.startsWith('BAD') && !line.startsWith('BAD   watcher: degraded'))
  checks.equal('the doctor finds nothing wrong but that the tree is not followed', bad, [])
  checks.that('and reads every checksum', doctor.out.includes('every checksum is right'), doctor.out + doctor.err)
  await wine.hotpath('open', ['open', wine.windowsPath(join(wine.scratch, 'tree/a/y.md'))])
  const hot = await wine.hotpath('hot', ['search', 'runcount:>0', '--wait-clock'])
  checks.equal('what was opened is counted', hot.out.trim(), wine.windowsPath(join(wine.scratch, 'tree/a/y.md')))
  const { out } = await wine.hotpath('status', ['status'])
  checks.that(
    'and says what runs',
    out.includes(`\n${expected.length.toLocaleString('en-US')} entries in 2 segments`),
    out,
  )
}

/** A small directory tree; returns its paths. */
function makeTree(root) {
  const directories = ['', '/a', '/a/b', '/Ünïcode'].map(path => `${root}${path}`)
  const files = ['/x.txt', '/a/y.md', '/a/b/zé.bin', '/Ünïcode/漢字.md'].map(path => `${root}${path}`)
  for (const path of directories) mkdirSync(path)
  for (const path of files) writeFileSync(path, path)
  return [...directories, ...files]
}
