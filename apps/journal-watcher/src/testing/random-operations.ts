import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

/** Numbers that are the same for the same seed (mulberry32). */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const NAMES = ['a', 'b', 'c', 'd', 'e', 'ü', 'x y', 'gone (deleted)', 'n'.repeat(60)]

/**
 * Does one random thing to a tree or between it and a directory outside; returns what it was. What cannot be done is left.
 * @param links give files second names; without, nothing is done in that case
 */
export function doSomething(root: string, outside: string, random: (below: number) => number, links = true): string {
  const pick = <T>(of: readonly T[]): T => of[random(of.length)]!
  const isDirectory = (path: string) => lstatSync(path).isDirectory()
  /** A directory below (or at) `top`. */
  const somewhere = (top: string): string => {
    let path = top
    for (let depth = random(4); depth > 0; depth--) {
      const below = readdirSync(path)
        .map(name => join(path, name))
        .filter(isDirectory)
      if (below.length === 0) break
      path = pick(below)
    }
    return path
  }
  const some = (top: string): string => {
    const at = somewhere(top)
    const names = readdirSync(at)
    return join(at, names.length > 0 && random(3) > 0 ? pick(names) : pick(NAMES))
  }
  const fresh = (top: string) => join(somewhere(top), pick(NAMES))
  // What fails there anyway changes times of directories in an overlay, without an event (docs/watching.md).
  const move = (from: string, to: string) => {
    if (!existsSync(to) || !isDirectory(to) || readdirSync(to).length === 0) renameSync(from, to)
  }
  const operations: [string, () => void][] = [
    ['write', () => writeFileSync(fresh(root), 'x'.repeat(random(5_000)))],
    ['write', () => writeFileSync(fresh(root), 'x'.repeat(random(5_000)))],
    ['append', () => appendFileSync(some(root), 'more')],
    ['truncate', () => truncateSync(some(root), random(100))],
    ['mkdir', () => mkdirSync(fresh(root))],
    ['mkdir', () => mkdirSync(fresh(root))],
    [
      'mkdir -p',
      () => {
        const path = join(fresh(root), pick(NAMES), pick(NAMES), pick(NAMES))
        mkdirSync(path, { recursive: true })
        writeFileSync(join(path, 'deep'), 'deep')
      },
    ],
    ['rename', () => move(some(root), fresh(root))],
    ['rename', () => move(some(root), fresh(root))],
    ['rename over', () => move(some(root), some(root))],
    ['move out', () => move(some(root), fresh(outside))],
    ['move in', () => move(some(outside), fresh(root))],
    // Never a file that is there: it may have a second name inside, and a write by this name is told by this name only.
    ['write outside', () => writeFileSync(fresh(outside), 'outside', { flag: 'wx' })],
    ['mkdir outside', () => mkdirSync(join(fresh(outside), pick(NAMES)), { recursive: true })],
    ['remove', () => rmSync(some(root), { recursive: true, force: true })],
    ['remove outside', () => rmSync(some(outside), { recursive: true, force: true })],
    ['link', () => (links ? linkSync(some(root), fresh(root)) : undefined)],
    ['symlink', () => symlinkSync(pick(NAMES), fresh(root))],
    ['chmod', () => chmodSync(some(root), 0o700 | random(0o100))],
    ['utimes', () => utimesSync(some(root), random(1e9), random(1e9))],
  ]
  const [name, work] = pick(operations)
  try {
    work()
    return name
  } catch (error) {
    // A name that is taken, a directory moved into itself, nothing there: the next one may do.
    if (error instanceof Error && 'code' in error) return `${name} (${String(error.code)})`
    throw error
  }
}
