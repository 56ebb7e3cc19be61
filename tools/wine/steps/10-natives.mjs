// Add-ons load, and the calls to Windows do what the package says.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export default async function (wine, checks) {
  const file = join(wine.scratch, 'natives.json')
  const directory = join(wine.scratch, 'natives')
  const { out, err, code } = await wine.node('natives', [
    wine.inside('natives.mjs'),
    wine.windowsPath(file),
    wine.windowsPath(directory),
  ])
  const found = wine.answerOf(file)
  checks.that(
    'add-ons for Windows load: koffi, zeromq, and roaring in WebAssembly',
    found?.set === 3,
    `${code}\n${out}${err}`,
  )
  if (found === undefined) return
  checks.equal('zeromq has CURVE', found.curve, true)
  checks.equal(
    'a file is mapped by path and by descriptor, and removed afterwards',
    [found.mapped, found.mappedEmpty],
    [[true, true], 0],
  )
  checks.equal(
    'a lock is held against another process, says by whom, and is given back',
    [found.lockHolder, found.lockRefusal, found.lockFreed],
    [true, true, true],
  )
  checks.equal('a file that somebody holds is replaced when it is let go', found.replaced, ['EPERM', 'new'])
  checks.equal('all processes of one start of the system know it by one name', found.oneBoot, true)
  // Wine does not count what is promised to a process alone.
  checks.equal('resident memory and age of a process', [found.resident, found.age], [true, true])
  // Wine has no background mode.
  checks.equal('a thread takes the idle priority', found.idle, ['SetThreadPriority background: error 87'])
  checks.equal('nothing of Linux is loaded', found.libc, 'NATIVE_UNAVAILABLE')
  // Wine keeps lists of rights as modes of Linux, and gives the group what the user has.
  checks.equal('a private directory is not for others', statSync(join(directory, 'private')).mode & 0o007, 0)
  checks.equal('what is in it can be read', readFileSync(join(directory, 'private/secret'), 'utf8'), 'x')
}
